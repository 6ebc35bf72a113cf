// The other side of decoder-pool.ts: a thread that brings the images of a job to the input's size, and to float planes
// where those are asked for, and hands their memory over.
import { parentPort } from 'node:worker_threads';
import { isOfInput, UserError } from '../common/errors.js';
import type { DecodeAnswer, DecodeJob } from './decoder-pool.js';
import { writePlanes } from './image-set.js';
import { decodeBytes, decodeFace } from './images.js';
import { imageAt, RecordFile } from './record-io.js';

/** Images at a time: one is read and scaled to planes while the other is decoded. */
const LANES = 2;

/** Record files stay open for the thread's life. */
const files = new Map<string, Promise<RecordFile>>();

function recordFile(path: string): Promise<RecordFile> {
  const known = files.get(path) ?? RecordFile.open(path);
  files.set(path, known);
  return known;
}

/** Image i of a job, [H, W, 3]. */
async function pixelsOf({ images, options }: DecodeJob, i: number): Promise<Uint8Array> {
  switch (images.kind) {
    case 'files':
      return decodeFace(images.paths[i]!, options);
    case 'records': {
      const offset = images.offsets[i]!;
      const bytes = await imageAt(await recordFile(images.file), offset).catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        throw new UserError(`${images.file}: record at byte ${offset}: ${error.message}`, { cause: error });
      });
      return decodeBytes(bytes, `${images.file}: record at byte ${offset}`, options);
    }
    case 'pixels': {
      const length = options.size[0] * options.size[1] * 3;
      return new Uint8Array(images.pixels, images.rows[i]! * length, length);
    }
  }
}

async function work(job: DecodeJob): Promise<DecodeAnswer> {
  const { id, count, options, mirrored } = job;
  const [height, width] = options.size;
  const size = height * width * 3;
  const planes = mirrored && new Float32Array(count * size);
  const bytes = planes ? undefined : new Uint8Array(count * size);
  const unreadable: DecodeAnswer['unreadable'] = [];
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const i = next++;
      try {
        const pixels = await pixelsOf(job, i);
        if (planes) writePlanes(pixels, { height, width, channels: 3 }, planes, i * size, [mirrored![i]!]);
        else bytes!.set(pixels, i * size);
      } catch (error) {
        if (!isOfInput(error)) throw error;
        unreadable.push({ at: i, reason: error.message });
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: LANES }, lane));
    unreadable.sort((a, b) => a.at - b.at);
    return { id, memory: (planes ?? bytes!).buffer as ArrayBuffer, unreadable };
  } catch (error) {
    const failure =
      error instanceof UserError
        ? { message: error.message, code: error.code }
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error);
    return { id, memory: new ArrayBuffer(0), unreadable: [], failure };
  }
}

parentPort?.on('message', async (job: DecodeJob) => {
  const answer = await work(job);
  parentPort?.postMessage(answer, [answer.memory]);
});
