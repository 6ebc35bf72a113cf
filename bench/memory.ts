// Yardsticks for everything that is not a product: how fast this machine copies memory, or reads it. Each thread works
// on its own 256 MiB, far more than any cache holds, by a function of the C library that goes as fast as it can.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Candidate } from './step-server.js';

/** Bytes of one thread. */
const BYTES = 2 ** 28;

/** Programs of a thread; `work` is one step. */
const WORK = {
  /** One half over the other: as much is read as is written. */
  copied: 'bytes.copy(bytes, half, 0, half)',
  /** The halves, which are equal, are compared; nothing is written. */
  read: 'bytes.subarray(0, half).equals(bytes.subarray(half))',
};

const program = (work: string): string => `
const { parentPort, workerData } = require('node:worker_threads');
const bytes = Buffer.alloc(workerData, 1);
const half = workerData / 2;
parentPort.on('message', () => parentPort.postMessage(${work}));
parentPort.postMessage(0);
`;

/** A candidate whose step moves `bytes` bytes (what is read and written, both counted) with `threads` threads. */
async function memory(how: keyof typeof WORK, threads: number): Promise<Candidate & { bytes: number }> {
  const workers = Array.from(
    { length: threads },
    () => new Worker(program(WORK[how]), { eval: true, workerData: BYTES }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  return {
    name: `memory ${how} by ${threads} threads`,
    bytes: threads * BYTES,
    async step() {
      const start = performance.now();
      const done = workers.map((worker) => once(worker, 'message'));
      for (const worker of workers) worker.postMessage(0);
      await Promise.all(done);
      return performance.now() - start;
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

export const memoryCopy = (threads: number) => memory('copied', threads);
export const memoryReads = (threads: number) => memory('read', threads);
