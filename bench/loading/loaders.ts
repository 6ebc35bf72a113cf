// What the loader alone gives: batches of float planes from a folder, a record file or memory, by so many threads.

import { random } from '../../src/common/random.js';
import { openTrainingSet, type TrainingSet } from '../../src/data/index.js';
import type { Candidate } from '../step-server.js';

/** Where images come from. */
export interface Source {
  name: string;
  path: string;
  inMemory: boolean;
}

export interface LoadCase {
  size: readonly [number, number];
  batch: number;
  /** Batches of one timed step. */
  batches: number;
}

export const openSource = (
  { path, inMemory }: Source,
  size: readonly [number, number],
  threads: number | undefined,
): Promise<TrainingSet> =>
  openTrainingSet(path, {
    size,
    order: 'bgr',
    seed: 1,
    threads,
    memoryBudget: inMemory ? Number.MAX_SAFE_INTEGER : 0,
  });

/** Times `batches` random batches, asked for at once, so that every thread has work to the end. */
export async function loader(source: Source, sizes: LoadCase, threads: number): Promise<Candidate> {
  const set = await openSource(source, sizes.size, threads);
  const stream = random(1, 'loading');
  const count = set.pixels.labels.length;
  const { batch, batches } = sizes;
  return {
    name: source.name,
    async step() {
      const wanted = Array.from({ length: batches }, () => ({
        indices: Int32Array.from({ length: batch }, () => stream.integer(count)),
        mirrored: Uint8Array.from({ length: batch }, () => stream.integer(2)),
      }));
      const start = performance.now();
      await Promise.all(wanted.map(({ indices, mirrored }) => set.pixels.planes!(indices, mirrored)));
      return performance.now() - start;
    },
    close: () => set.close(),
  };
}
