// The yardstick for everything that is not a product: how fast this machine copies memory. Each thread copies one
// half of its own 256 MiB over the other, which the C library does as fast as it can.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Candidate } from '../step-server.js';

/** Bytes of one thread, half of them read and half written in a step; far more than any cache holds. */
const BYTES = 2 ** 28;

const COPIER = `
const { parentPort, workerData } = require('node:worker_threads');
const bytes = Buffer.alloc(workerData, 1);
const half = workerData / 2;
parentPort.on('message', () => parentPort.postMessage(bytes.copy(bytes, half, 0, half)));
parentPort.postMessage(0);
`;

/** A candidate whose step moves `bytes` bytes (read and written, both counted) with `threads` threads. */
export async function memoryCopy(threads: number): Promise<Candidate & { bytes: number }> {
  const workers = Array.from(
    { length: threads },
    () => new Worker(COPIER, { eval: true, workerData: BYTES }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  return {
    name: `memory copied by ${threads} threads`,
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
