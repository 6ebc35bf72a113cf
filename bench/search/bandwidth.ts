// The yardstick for one probe: how fast this machine reads memory. Each thread compares two halves of its own 256 MiB,
// which the C library does as fast as they arrive, and nothing is written.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Candidate } from '../step-server.js';

/** Bytes that one thread reads in a step; far more than any cache holds. */
const BYTES = 2 ** 28;

const READER = `
const { parentPort, workerData } = require('node:worker_threads');
const bytes = Buffer.alloc(workerData, 1);
const [low, high] = [bytes.subarray(0, workerData / 2), bytes.subarray(workerData / 2)];
parentPort.on('message', () => parentPort.postMessage(low.equals(high)));
parentPort.postMessage(true);
`;

/** A candidate whose step reads `bytes` bytes with `threads` threads. */
export async function memoryReads(threads: number): Promise<Candidate & { bytes: number }> {
  const workers = Array.from(
    { length: threads },
    () => new Worker(READER, { eval: true, workerData: BYTES }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  return {
    name: `memory read by ${threads} threads`,
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
