// Tricks with zip archives: files changed inside a valid archive, directories that announce what is not there, and
// archives that grow when they are unpacked.
import { unzipSync, type Zippable, zipSync } from 'fflate';
import type { Random } from '../../../src/common/random.js';
import { byteMutators } from './bytes.js';
import { pickle } from './containers.js';
import { latin, type Mutator, type Pool, pick, type Structure, unlatin, viewOf } from './mutator.js';

/** Signatures of a file's header, of its entry in the directory, and of the directory's end. */
const [LOCAL, ENTRY, END] = ['PK\x03\x04', 'PK\x01\x02', 'PK\x05\x06'];

/** The time of change that archives note, always the same. */
export const WRITTEN = new Date(2020, 0, 1);

const isZip = (bytes: Uint8Array): boolean => latin(bytes.subarray(0, 2)) === 'PK';

/** The archive's files; undefined when it cannot be unpacked, or would be large. */
function unpacked(bytes: Uint8Array): Record<string, Uint8Array> | undefined {
  try {
    return unzipSync(bytes, { filter: ({ originalSize }) => originalSize < 2 ** 20 });
  } catch {
    return undefined;
  }
}

/** Packs the files anew after a change. */
const repacked =
  (
    change: (files: Record<string, Uint8Array>, random: Random, pool: Pool) => Zippable | undefined,
  ): Mutator =>
  (bytes, random, pool) => {
    const files = unpacked(bytes);
    if (!files || Object.keys(files).length === 0) return pick(byteMutators, random)(bytes, random, pool);
    const packed = change(files, random, pool) ?? files;
    return zipSync(packed, { mtime: WRITTEN, level: pick([0, 6], random) as 0 | 6 });
  };

const changeInside = repacked((files, random, pool) => {
  const name = pick(Object.keys(files), random);
  const bytes = files[name]!;
  const mutators = pickle.fits(bytes) ? [...byteMutators, ...pickle.mutators] : byteMutators;
  files[name] = pick(mutators, random)(bytes, random, pool);
  return files;
});

const renameInside = repacked((files, random) => {
  const name = pick(Object.keys(files), random);
  const other = pick(
    ['../../x', '/etc/x', '', 'data.pkl', 'a/data.pkl', 'net/data/0', `${name}/`, 'n\0ul'],
    random,
  );
  const { [name]: bytes, ...rest } = files;
  return { ...rest, [other]: bytes! };
});

const dropInside = repacked((files, random) => {
  const { [pick(Object.keys(files), random)]: _, ...rest } = files;
  return rest;
});

/** 1 MiB of zeros in 1 KB, where a file was. */
const bomb = repacked((files, random) => {
  files[pick(Object.keys(files), random)] = new Uint8Array(2 ** 20);
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, [bytes, { level: 6 }]]));
});

/** Every place where a signature is. */
function placesOf(bytes: Uint8Array, signature: string): number[] {
  const text = latin(bytes);
  const places: number[] = [];
  for (let at = text.indexOf(signature); at >= 0; at = text.indexOf(signature, at + 1)) places.push(at);
  return places;
}

/** Fields of the three headers: signature, offset, bytes. */
const FIELDS = [
  ...(
    [
      [6, 2],
      [8, 2],
      [14, 4],
      [18, 4],
      [22, 4],
      [26, 2],
      [28, 2],
    ] as const
  ).map((at) => [LOCAL, ...at] as const),
  ...(
    [
      [8, 2],
      [10, 2],
      [16, 4],
      [20, 4],
      [24, 4],
      [28, 2],
      [30, 2],
      [32, 2],
      [42, 4],
    ] as const
  ).map((at) => [ENTRY, ...at] as const),
  ...(
    [
      [8, 2],
      [10, 2],
      [12, 4],
      [16, 4],
      [20, 2],
    ] as const
  ).map((at) => [END, ...at] as const),
];

const setField: Mutator = (bytes, random) => {
  const changed = bytes.slice();
  const [signature, offset, size] = pick(FIELDS, random);
  const places = placesOf(bytes, signature!).filter((at) => at + offset + size <= bytes.length);
  if (places.length === 0) return changed;
  const at = pick(places, random) + offset;
  const value = pick([0, 1, 8, 9, 99, 0x7fff, 0xffff, 0x7fffffff, 0xfffffffe, 0xffffffff], random);
  if (size === 2) viewOf(changed).setUint16(at, value, true);
  else viewOf(changed).setUint32(at, value, true);
  return changed;
};

/** All entries of the directory name one file's bytes. */
const overlap: Mutator = (bytes, random) => {
  const changed = bytes.slice();
  const places = placesOf(bytes, ENTRY!).filter((at) => at + 46 <= bytes.length);
  if (places.length === 0) return changed;
  const view = viewOf(changed);
  const offset = view.getUint32(pick(places, random) + 42, true);
  for (const at of places) view.setUint32(at + 42, offset, true);
  return changed;
};

const comment: Mutator = (bytes) => Buffer.concat([bytes, unlatin(`${END}${'\0'.repeat(18)}`)]);

export const zip: Structure = {
  fits: (bytes) => isZip(bytes) && bytes.length < 2 ** 20,
  mutators: [
    ...[changeInside, changeInside, changeInside, changeInside, renameInside, dropInside, bomb],
    ...[setField, setField, setField, overlap, comment],
  ],
};
