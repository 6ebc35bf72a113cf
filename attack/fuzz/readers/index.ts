// Every reader of files that others made.
import type { Reader } from '../reader.js';
import { embeddingReaders } from './embeddings.js';
import { imageReaders } from './images.js';
import { listReaders } from './lists.js';
import { modelReaders } from './models.js';
import { recordReaders } from './records.js';
import { runReaders } from './runs.js';
import { weightReaders } from './weights.js';

export const readers: readonly Reader[] = [
  ...imageReaders,
  ...weightReaders,
  ...modelReaders,
  ...recordReaders,
  ...embeddingReaders,
  ...listReaders,
  ...runReaders,
];

/** The readers of these names; all of them without a name. */
export function readersNamed(names: readonly string[]): readonly Reader[] {
  const unknown = names.find((name) => readers.every((reader) => reader.name !== name));
  if (unknown !== undefined)
    throw new Error(`no reader '${unknown}'; there are ${readers.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? readers : readers.filter(({ name }) => names.includes(name));
}
