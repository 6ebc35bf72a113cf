// The images of a run: its data set, opened as the configuration says, and what becomes of images that turn out to
// be unreadable only while training.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { openTrainingSet, type TrainingSet } from '../data/index.js';
import type { Draft } from './config.js';
import { FILES, readSkipped } from './run-folder.js';

export interface OpenTrainingData {
  /** When it is aborted while images are read, opening throws a `UserError`. */
  signal?: AbortSignal;
  /** Hears of the images that are read before training, and of the folders or records that are listed before that. */
  onImage?: (done: number, total: number, of: 'images' | 'folders' | 'records') => void;
}

/** Opens the data set of a run. Throws a `UserError` when it cannot be trained on. */
export function openTrainingData(draft: Draft, { signal, onImage }: OpenTrainingData): Promise<TrainingSet> {
  const { size, order, seed, holdout, exclude, minImages, memoryBudget } = draft;
  const hear = (done: number, total: number, of: 'images' | 'folders' | 'records') => {
    onImage?.(done, total, of);
    if (signal?.aborted && done < total)
      throw new UserError('stopped while the images were read; nothing was written');
  };
  return openTrainingSet(draft.data, {
    size,
    order,
    seed,
    holdout,
    exclude,
    minImages,
    memoryBudget,
    onListed: hear,
    onProgress: (done, total) => hear(done, total, 'images'),
  });
}

/** Images that are told of by name while training. */
const TOLD = 5;

/**
 * Says what is to be known of a run's data, and from then on tells of every image that turns out to be unreadable,
 * once; skipped.jsonl has them all.
 */
export function reportUnreadable(data: TrainingSet, out: string, say: (line: string) => void): void {
  for (const line of data.notes) say(line);
  const file = join(out, FILES.skipped);
  const known = new Set(readSkipped(out).map(({ path }) => path));
  let told = 0;
  data.pixels.onUnreadable = (image) => {
    if (known.has(image.path)) return;
    known.add(image.path);
    appendFileSync(file, `${JSON.stringify(image)}\n`);
    if (++told <= TOLD) say(`${image.path}: ${image.reason}; the next image of its person takes its place`);
    if (told === TOLD) say(`further images that cannot be read are in ${file}`);
  };
}
