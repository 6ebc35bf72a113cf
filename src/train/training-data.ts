// The images of a run: its data set, opened as the configuration says, and what becomes of images that turn out to
// be unreadable only while training.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { openImageFolder, type TrainingSet } from '../data/index.js';
import type { Draft } from './config.js';
import { FILES } from './run-folder.js';

export interface OpenTrainingData {
  /** When it is aborted while images are read, opening throws a `UserError`. */
  signal?: AbortSignal;
  /** Hears of the images that are read before training, and of the folders or records that are listed before that. */
  onImage?: (done: number, total: number, of: 'images' | 'folders' | 'records') => void;
}

/** Opens the data set of a run. Throws a `UserError` when it cannot be trained on. */
export function openTrainingData(draft: Draft, { signal, onImage }: OpenTrainingData): Promise<TrainingSet> {
  const { size, order, seed, holdout, exclude, minImages, memoryBudget } = draft;
  return openImageFolder(draft.data, {
    size,
    order,
    seed,
    holdout,
    exclude,
    minImages,
    memoryBudget,
    onProgress(done, total) {
      onImage?.(done, total, 'images');
      if (signal?.aborted && done < total)
        throw new UserError('stopped while the images were read; nothing was written');
    },
  });
}

/** Tells of every image that turns out to be unreadable while training, once, and writes it to skipped.jsonl. */
export function reportUnreadable(data: TrainingSet, out: string, say: (line: string) => void): void {
  data.pixels.onUnreadable = (image) => {
    say(`${image.path}: ${image.reason}; another image of its person takes its place`);
    appendFileSync(join(out, FILES.skipped), `${JSON.stringify(image)}\n`);
  };
}
