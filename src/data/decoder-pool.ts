// Decoding on worker threads. A training step keeps the main thread busy, so whole batches are handed out beforehand
// and come back, ready for the network, without its help. The decoding itself is decodeFace, the same as everywhere.
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { type ErrorCode, UserError } from '../common/errors.js';
import { startWorker } from '../common/worker.js';
import type { ImagePlaces } from './image-collection.js';
import type { DecodeOptions } from './images.js';

/** What a worker is asked: the `count` images at these places. */
export interface DecodeJob {
  id: number;
  images: ImagePlaces;
  count: number;
  options: DecodeOptions;
  /** Float planes are wanted instead of bytes; those that are not zero here reversed from left to right. */
  mirrored?: Uint8Array;
}

/** What it answers. The memory is handed over, not copied. */
export interface DecodeAnswer {
  id: number;
  /** Bytes [count, H, W, 3], or float planes [count, 3, H, W]; zeros where an image is unreadable. */
  memory: ArrayBuffer;
  /** By place in the job, rising; reasons begin with the image's file. */
  unreadable: { at: number; reason: string }[];
  /** A mistake of the program, not of an image. */
  failure?: string | { message: string; code: ErrorCode };
}

/** Images a job where one caller waits for all of them: so small that the workers end at about the same time. */
const imagesPerJob = 8;

type Waiting = (answer: DecodeAnswer | Error) => void;

export class DecoderPool {
  private workers: Worker[] = [];
  private failure: Error | undefined;
  private turn = 0;
  private identity = 0;
  private readonly waiting = new Map<number, Waiting>();

  /** `threads` workers (default: one a core, 4 at most), started when they are first needed. */
  constructor(
    private readonly options: DecodeOptions,
    readonly threads = Math.min(4, availableParallelism()),
  ) {}

  /** The images at `paths`, in their order, [paths.length, H, W, 3]. Fails with the first file that fails. */
  async decode(paths: readonly string[]): Promise<Uint8Array> {
    const jobs: Promise<DecodeAnswer>[] = [];
    for (let first = 0; first < paths.length; first += imagesPerJob) {
      const part = paths.slice(first, first + imagesPerJob);
      jobs.push(this.load({ kind: 'files', paths: part }, part.length));
    }
    const settled = await Promise.allSettled(jobs);
    const [H, W] = this.options.size;
    const pixels = new Uint8Array(paths.length * H * W * 3);
    for (const [i, job] of settled.entries()) {
      if (job.status === 'rejected') throw job.reason;
      const { memory, unreadable } = job.value;
      if (unreadable.length > 0) throw new UserError(unreadable[0]!.reason);
      pixels.set(new Uint8Array(memory), i * imagesPerJob * H * W * 3);
    }
    return pixels;
  }

  /**
   * The `count` images at `images` by one worker, as bytes, or as float planes with `mirrored`; unreadable ones are
   * told of, not thrown.
   */
  load(images: ImagePlaces, count: number, mirrored?: Uint8Array): Promise<DecodeAnswer> {
    this.start();
    if (this.failure) return Promise.reject(this.failure);
    const id = this.identity++;
    const worker = this.workers[this.turn++ % this.workers.length]!;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, (answer) => {
        this.waiting.delete(id);
        // Idle workers must not keep the program alive, working ones must.
        if (this.waiting.size === 0) for (const each of this.workers) each.unref();
        if (answer instanceof Error) reject(answer);
        else if (answer.failure !== undefined) reject(failureOf(answer.failure));
        else resolve(answer);
      });
      worker.ref();
      worker.postMessage({ id, images, count, options: this.options, mirrored } satisfies DecodeJob);
    });
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
      const worker = startWorker('decode-worker', import.meta.url);
      worker.on('message', (answer: DecodeAnswer) => this.waiting.get(answer.id)?.(answer));
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
}

const failureOf = (failure: NonNullable<DecodeAnswer['failure']>): Error =>
  typeof failure === 'string' ? new Error(failure) : new UserError(failure.message, { code: failure.code });
