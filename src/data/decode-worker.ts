// The other side of decoder-pool.ts: a thread that decodes the images of a job into shared memory.
import { parentPort } from 'node:worker_threads';
import type { DecodeAnswer, DecodeJob } from './decoder-pool.js';
import { decodeFace } from './images.js';

async function work({ id, paths, memory, start, options }: DecodeJob): Promise<DecodeAnswer> {
  const size = options.size[0] * options.size[1] * 3;
  const bytes = new Uint8Array(memory);
  try {
    await Promise.all(
      paths.map(async (path, i) => bytes.set(await decodeFace(path, options), start + i * size)),
    );
    return { id };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', async (job: DecodeJob) => parentPort?.postMessage(await work(job)));
