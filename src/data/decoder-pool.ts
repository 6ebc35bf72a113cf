// Decoding on worker threads, for data sets that do not fit in memory. A training step keeps the main thread
// busy, so the whole of the next batch is handed out beforehand and comes back without its help, through memory
// that both sides share. The decoding itself is decodeFace, the same as everywhere.
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { UserError } from '../common/errors.js';
import type { DecodeOptions } from './images.js';

/** What a worker is asked: decode `paths` into `memory`, the first at byte `start`. */
export interface DecodeJob {
  id: number;
  paths: string[];
  memory: SharedArrayBuffer;
  start: number;
  options: DecodeOptions;
}

/** What it answers; `error` names the file that could not be decoded. */
export interface DecodeAnswer {
  id: number;
  error?: string;
}

/** Images a job: small enough that the workers end at about the same time. */
const imagesPerJob = 8;

/** Starts the worker beside this file: compiled JavaScript as it is, TypeScript sources through tsx. */
function startWorker(): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./decode-worker.js', import.meta.url));
  // tsx's own --import does not reach worker threads, so its hooks are registered inside.
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm'));
  const loader = new URL('api/index.mjs', tsx).href;
  const source = new URL('./decode-worker.ts', import.meta.url).href;
  const start = `import('${loader}').then(({ register }) => (register(), import('${source}')))`;
  return new Worker(start, { eval: true });
}

export class DecoderPool {
  private workers: Worker[] = [];
  private failure: Error | undefined;
  private turn = 0;
  private identity = 0;
  private readonly waiting = new Map<number, (error?: Error) => void>();

  /** `threads` workers (default: one a core, 4 at most), started at the first read. */
  constructor(
    private readonly options: DecodeOptions,
    private readonly threads = Math.min(4, availableParallelism()),
  ) {}

  /** The images at `paths`, in their order, [paths.length, H, W, 3]. Fails with the first file that fails. */
  async decode(paths: readonly string[]): Promise<Uint8Array> {
    const [H, W] = this.options.size;
    const size = H * W * 3;
    const memory = new SharedArrayBuffer(paths.length * size);
    this.start();
    const jobs: Promise<void>[] = [];
    for (let first = 0; first < paths.length; first += imagesPerJob) {
      const slice = paths.slice(first, first + imagesPerJob);
      jobs.push(this.send({ paths: slice, memory, start: first * size }));
    }
    const settled = await Promise.allSettled(jobs);
    for (const job of settled) if (job.status === 'rejected') throw job.reason;
    return new Uint8Array(memory);
  }

  /** Ends the workers; jobs under way fail. */
  async close(): Promise<void> {
    const { workers } = this;
    this.workers = [];
    await Promise.all(workers.map((worker) => worker.terminate()));
    this.fail(new Error('the decoders were closed'));
  }

  private start(): void {
    if (this.workers.length > 0) return;
    this.failure = undefined;
    this.workers = Array.from({ length: this.threads }, () => {
      const worker = startWorker();
      worker.on('message', ({ id, error }: DecodeAnswer) =>
        this.waiting.get(id)?.(error === undefined ? undefined : new UserError(error)),
      );
      worker.on('error', (error) => this.fail(error));
      worker.on('exit', (code) => {
        if (this.workers.includes(worker)) this.fail(new Error(`a decoding thread ended with code ${code}`));
      });
      worker.unref();
      return worker;
    });
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const settle of [...this.waiting.values()]) settle(error);
  }

  private send(job: Omit<DecodeJob, 'id' | 'options'>): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    const id = this.identity++;
    const worker = this.workers[this.turn++ % this.workers.length]!;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, (error) => {
        this.waiting.delete(id);
        // Idle workers must not keep the program alive, working ones must.
        if (this.waiting.size === 0) for (const each of this.workers) each.unref();
        if (error) reject(error);
        else resolve();
      });
      worker.ref();
      worker.postMessage({ ...job, id, options: this.options } satisfies DecodeJob);
    });
  }
}
