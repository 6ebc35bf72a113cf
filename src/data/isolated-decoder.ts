// Images whose headers do not bound what their decoding costs (image-limits.ts) are decoded in processes of their own,
// one image at a time each. Native code on a thread can neither be stopped nor kept from taking all memory; a process
// can be ended, and its crash is not ours. A process stays for the next image until the program ends.
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { type ErrorCode, UserError } from '../common/errors.js';
import type { ImageResult, ImageTask } from './image-decode.js';
import type { ExaminedImage } from './image-limits.js';

/** What one image may take. */
export interface DecodeLimits {
  /** Of processor time, so that a busy machine refuses nothing. */
  readonly seconds: number;
  /** Resident memory of the process, beside the file itself. */
  readonly mebibytes: number;
}

/** What a process is asked. */
export interface IsolatedJob {
  readonly image: ExaminedImage;
  readonly task: ImageTask;
  readonly limits: DecodeLimits;
}

/** What it answers. After 'stopped' it ends itself. */
export type IsolatedAnswer =
  | {
      readonly kind: 'done';
      readonly result: ImageResult /** It keeps much memory. */;
      readonly worn: boolean;
    }
  | { readonly kind: 'problem'; readonly message: string; readonly code: ErrorCode }
  | { readonly kind: 'stopped'; readonly limit: keyof DecodeLimits }
  /** A mistake of the program. */
  | { readonly kind: 'failure'; readonly stack: string };

const defaults: DecodeLimits = { seconds: 8, mebibytes: 1100 };
const settings = { seconds: 'HYPERSPHERE_IMAGE_SECONDS', mebibytes: 'HYPERSPHERE_IMAGE_MIB' } as const;

/** Wall-clock time for each second of processor time, after which a process is ended that does nothing at all. */
const PATIENCE = 20;

/** The limits, from the environment where they are set there. Throws a UserError for a setting that is no number. */
export function decodeLimits(env: NodeJS.ProcessEnv = process.env): DecodeLimits {
  const read = (limit: keyof DecodeLimits): number => {
    const text = env[settings[limit]];
    if (text === undefined || text === '') return defaults[limit];
    const value = Number(text);
    if (!(value > 0))
      throw new UserError(`${settings[limit]}=${text}: use a number above 0`, { code: 'usage' });
    return value;
  };
  return { seconds: read('seconds'), mebibytes: read('mebibytes') };
}

/** Processes at a time: the threads that decode batches have one each. */
const MOST = isMainThread ? Math.min(2, availableParallelism()) : 1;

const idle: ChildProcess[] = [];
const queue: (() => void)[] = [];
let busy = 0;

/**
 * Does `task` with an image in a process of its own. Throws a UserError, without the image's name, when it is damaged,
 * takes more than the limits allow, or crashes the decoder.
 */
export async function decodeIsolated(image: ExaminedImage, task: ImageTask): Promise<ImageResult> {
  const limits = decodeLimits();
  if (busy >= MOST) await new Promise<void>((resolve) => queue.push(resolve));
  else busy++;
  const child = idle.pop() ?? start();
  try {
    const answer = await ask(child, { image, task, limits });
    if (answer.kind === 'failure') throw new Error(answer.stack);
    if (answer.kind === 'problem') throw new UserError(answer.message, { code: answer.code });
    if (answer.kind === 'stopped') throw new UserError(beyond(answer.limit, limits), { code: 'limit' });
    if (answer.worn) child.kill('SIGKILL');
    return answer.result;
  } finally {
    if (child.connected && !child.killed) {
      hold(child, false);
      idle.push(child);
    }
    const next = queue.shift();
    if (next) next();
    else busy--;
  }
}

function beyond(limit: keyof DecodeLimits, limits: DecodeLimits): string {
  const what =
    limit === 'seconds'
      ? `takes more than ${limits.seconds} s of processor time to decode`
      : `takes more than ${limits.mebibytes} MiB of memory to decode`;
  return `${what}; make a smaller copy of it, or allow more with ${settings[limit]}`;
}

function start(): ChildProcess {
  const source = import.meta.url.endsWith('.ts');
  const file = new URL(`./isolated-decode-process.${source ? 'ts' : 'js'}`, import.meta.url);
  const tsx = () => pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm')).href;
  const child = fork(fileURLToPath(file), [], {
    execArgv: source ? ['--import', tsx()] : [],
    // The library's own words about damaged files are of no use to anybody.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  const forget = () => {
    const at = idle.indexOf(child);
    if (at >= 0) idle.splice(at, 1);
  };
  child.on('exit', forget);
  child.on('error', forget);
  return child;
}

/** Whether the program waits for the process. */
function hold(child: ChildProcess, held: boolean): void {
  const channel = child.channel as { ref(): void; unref(): void } | null | undefined;
  if (held) {
    child.ref();
    channel?.ref();
  } else {
    child.unref();
    channel?.unref();
  }
}

function ask(child: ChildProcess, job: IsolatedJob): Promise<IsolatedAnswer> {
  hold(child, true);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => end({ kind: 'stopped', limit: 'seconds' }),
      1000 * PATIENCE * job.limits.seconds,
    );
    const settle = () => {
      clearTimeout(timer);
      child.off('message', answered);
      child.off('exit', exited);
      child.off('error', failed);
    };
    const end = (answer: IsolatedAnswer) => {
      settle();
      child.kill('SIGKILL');
      resolve(answer);
    };
    const answered = (message: unknown) => {
      const answer = message as IsolatedAnswer;
      if (answer.kind === 'stopped') return end(answer);
      settle();
      resolve(answer);
    };
    const exited = (code: number | null, signal: string | null) => {
      settle();
      resolve({
        kind: 'problem',
        code: 'bad-input',
        message: `the decoder ended on it (${signal ?? `code ${code}`}): it is damaged, or memory is short`,
      });
    };
    const failed = (error: NodeJS.ErrnoException) => {
      settle();
      child.kill('SIGKILL');
      if (error.syscall?.startsWith('spawn'))
        resolve({
          kind: 'problem',
          code: 'no-resources',
          message: `no process can be started to decode it (${error.code})`,
        });
      else reject(error);
    };
    child.on('message', answered);
    child.on('exit', exited);
    child.on('error', failed);
    child.send(job, (error) => {
      // A process that ended meanwhile is reported by its exit.
      if (error && child.exitCode === null && child.signalCode === null && child.pid !== undefined)
        failed(error);
    });
  });
}
