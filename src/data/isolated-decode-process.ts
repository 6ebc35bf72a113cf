// The other side of isolated-decoder.ts: decodes one image at a time and ends itself when it takes too much. The library
// works on other threads, so that this one is free to watch.
import { UserError } from '../common/errors.js';
import { decodeHere } from './image-decode.js';
import { blockDrawings } from './image-library.js';
import type { DecodeLimits, IsolatedAnswer, IsolatedJob } from './isolated-decoder.js';

/** Milliseconds between two looks at time and memory. */
const EVERY = 10;
/** Memory that a process may keep for the next image. */
const WORN = 300e6;

blockDrawings();
// An interrupt of the terminal reaches every process: what to do about it is for the program to say.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', (job) => void work(job as IsolatedJob));

function answer(message: IsolatedAnswer, sent: () => void = () => {}): void {
  process.send?.(message, undefined, undefined, sent);
}

function stop(limit: keyof DecodeLimits): void {
  const end = () => process.kill(process.pid, 'SIGKILL');
  answer({ kind: 'stopped', limit }, end);
  setTimeout(end, 100);
}

async function work({ image, task, limits }: IsolatedJob): Promise<void> {
  const begun = process.cpuUsage();
  const memory = limits.mebibytes * 2 ** 20 + 3 * image.bytes.length;
  const watch = setInterval(() => {
    const { user, system } = process.cpuUsage(begun);
    if (process.memoryUsage.rss() > memory) stop('mebibytes');
    else if (user + system > limits.seconds * 1e6) stop('seconds');
    else return;
    clearInterval(watch);
  }, EVERY);
  try {
    const result = await decodeHere(image, task);
    answer({ kind: 'done', result, worn: process.memoryUsage.rss() > WORN });
  } catch (error) {
    if (error instanceof UserError) answer({ kind: 'problem', message: error.message, code: error.code });
    else
      answer({
        kind: 'failure',
        stack: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
  } finally {
    clearInterval(watch);
  }
}
