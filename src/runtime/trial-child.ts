// The process of a trial (trial.ts): opens the model that comes by standard input, runs it once on zeros and says
// 'done'. A second thread looks after time and memory, because the first is within the runtime all the while.
import { writeSync } from 'node:fs';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { startWorker } from '../common/worker.js';
import type { TrialLimits, TrialOutcome } from './trial.js';

/** Milliseconds between two looks. */
const INTERVAL = 20;

/** The length of a free axis: a batch of one, and an image that strides of 32 fit into. */
const BATCH = 1;
const SIDE = 64;

const say = (outcome: TrialOutcome): void => void writeSync(1, outcome);

function watch({ seconds, mebibytes }: TrialLimits): void {
  const over = (): TrialOutcome | undefined => {
    const { user, system } = process.cpuUsage();
    if ((user + system) / 1e6 > seconds) return 'time';
    return process.memoryUsage.rss() / 2 ** 20 > mebibytes ? 'memory' : undefined;
  };
  setInterval(() => {
    const outcome = over();
    if (outcome === undefined) return;
    say(outcome);
    process.kill(process.pid, 'SIGKILL');
  }, INTERVAL);
  parentPort!.postMessage('watching');
}

async function attempt({ mebibytes }: TrialLimits): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  const { InferenceModel } = await import('./inference.js');
  try {
    const model = await InferenceModel.open(bytes, { target: 'cpu', threads: 1, spin: false });
    const feeds = model.inputs.map(({ name, shape }) => {
      const sizes = shape.map((length, axis) =>
        typeof length === 'number' && length > 0 ? length : axis === 0 ? BATCH : SIDE,
      );
      const count = sizes.reduce((a, b) => a * b, 1);
      if (count > mebibytes * 2 ** 18) {
        say('memory');
        process.exit();
      }
      return [name, { data: new Float32Array(count), shape: sizes }] as const;
    });
    await model.run(Object.fromEntries(feeds));
  } catch {
    // What the runtime refuses is refused again, with a message, by the process that asked.
  }
  say('done');
  process.exit();
}

if (isMainThread) {
  const limits = JSON.parse(process.argv[2]!) as TrialLimits;
  const watcher = startWorker('trial-child', import.meta.url, { workerData: limits });
  watcher.once('message', () => void attempt(limits));
} else watch(workerData as TrialLimits);
