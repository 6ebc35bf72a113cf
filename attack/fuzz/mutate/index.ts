// All mutators, those that know a file's format first.
import type { Random } from '../../../src/common/random.js';
import { byteMutators } from './bytes.js';
import { numpy, pickle, protobuf, safetensors } from './containers.js';
import { imageStructures } from './images.js';
import { json, jsonLines } from './json.js';
import { LARGEST, type Mutator, type Pool, pick, type Structure } from './mutator.js';
import { text } from './text.js';
import { zip } from './zip.js';

const structures: readonly Structure[] = [
  ...imageStructures,
  ...[safetensors, numpy, pickle, zip, jsonLines, json, text, protobuf],
];

/** Mutators that know the format of these bytes; none for bytes of no known format. */
export function structured(bytes: Uint8Array): readonly Mutator[] {
  return structures.flatMap(({ fits, mutators }) => (fits(bytes) ? mutators : []));
}

/** A copy with memory of its own: a slice of Node's buffers shares theirs, and mutators change what they have sliced. */
export const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);

/** One to six changes, each of which knows the format three times in four, where it is known. */
export function mutate(bytes: Uint8Array, random: Random, pool: Pool): Uint8Array {
  let changed = bytes;
  for (let i = 0; i < 6; i++) {
    const known = structured(changed);
    const mutators = known.length > 0 && random.uniform() < 0.75 ? known : byteMutators;
    changed = plain(pick(mutators, random)(changed, random, pool).subarray(0, LARGEST));
    if (random.uniform() < 0.5) break;
  }
  return changed;
}
