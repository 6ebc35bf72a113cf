// Changes that need no format: flipped bits, cuts, copies, and numbers that readers take for lengths.
import type { Random } from '../../../src/common/random.js';
import { type Mutator, pick, repeated, splice, viewOf } from './mutator.js';

/** A place to change: half of them near the beginning, where headers are. */
function place(length: number, random: Random): number {
  if (length === 0) return 0;
  return random.uniform() < 0.5 ? random.integer(Math.min(length, 128)) : random.integer(length);
}

/** The length of a part of at most `most` bytes; short parts are as likely as long ones. */
const span = (most: number, random: Random): number =>
  Math.min(most, Math.floor(2 ** (random.uniform() * Math.log2(Math.max(2, most + 1)))));

const flipBit: Mutator = (bytes, random) => {
  const changed = bytes.slice();
  if (bytes.length > 0) changed[place(bytes.length, random)]! ^= 1 << random.integer(8);
  return changed;
};

const setByte: Mutator = (bytes, random) => {
  const changed = bytes.slice();
  if (bytes.length > 0)
    changed[place(bytes.length, random)] = pick([0, 1, 0x7f, 0x80, 0xff, random.integer(256)], random);
  return changed;
};

const truncate: Mutator = (bytes, random) => bytes.slice(0, random.integer(bytes.length + 1));

const remove: Mutator = (bytes, random) => {
  const at = place(bytes.length, random);
  return splice(bytes, at, span(bytes.length - at, random), new Uint8Array());
};

const repeat: Mutator = (bytes, random) => {
  const at = place(bytes.length, random);
  const part = bytes.slice(at, at + span(Math.min(bytes.length - at, 4096), random));
  const times = 1 + span(64, random);
  return splice(bytes, at, 0, repeated(part, times));
};

const insertNoise: Mutator = (bytes, random) => {
  const noise = Uint8Array.from({ length: 1 + span(64, random) }, () => random.integer(256));
  return splice(bytes, place(bytes.length, random), 0, noise);
};

const append: Mutator = (bytes, random) =>
  splice(bytes, bytes.length, 0, new Uint8Array(1 + span(1024, random)).fill(random.integer(256)));

const fill: Mutator = (bytes, random) => {
  const at = place(bytes.length, random);
  return bytes.slice().fill(pick([0, 0xff, 0x20], random), at, at + span(bytes.length - at, random));
};

/** The beginning of one file and the end of another. */
const cross: Mutator = (bytes, random, pool) => {
  const other = pick([...pool, bytes], random);
  const at = place(bytes.length, random);
  return Buffer.concat([bytes.subarray(0, at), other.subarray(random.integer(other.length + 1))]);
};

/** A part of another file in the place of as much of this one. */
const transplant: Mutator = (bytes, random, pool) => {
  const other = pick([...pool, bytes], random);
  const from = place(other.length, random);
  const part = other.slice(from, from + span(other.length - from, random));
  const at = place(bytes.length, random);
  return splice(bytes, at, Math.min(part.length, bytes.length - at), part);
};

/** Values at which arithmetic with lengths and signs goes wrong. */
const EXTREMES = [
  ...[0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x10000n, 0xffffffn, 0x1000000n],
  ...[0x7fffffffn, 0x80000000n, 0xfffffffen, 0xffffffffn, 0x100000000n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n],
];

/** A number of 1, 2, 4 or 8 bytes set to an extreme value, or changed a little. */
const setNumber: Mutator = (bytes, random) => {
  const size = pick([1, 2, 4, 4, 8], random);
  if (bytes.length < size) return bytes.slice();
  const changed = bytes.slice();
  const at = Math.min(place(bytes.length, random), bytes.length - size);
  const little = random.uniform() < 0.6;
  const view = viewOf(changed);
  const read = (): bigint => {
    if (size === 1) return BigInt(view.getUint8(at));
    if (size === 2) return BigInt(view.getUint16(at, little));
    return size === 4 ? BigInt(view.getUint32(at, little)) : view.getBigUint64(at, little);
  };
  const value = random.uniform() < 0.7 ? pick(EXTREMES, random) : read() + BigInt(random.integer(33) - 16);
  const word = BigInt.asUintN(8 * size, value);
  if (size === 1) view.setUint8(at, Number(word));
  else if (size === 2) view.setUint16(at, Number(word), little);
  else if (size === 4) view.setUint32(at, Number(word), little);
  else view.setBigUint64(at, word, little);
  return changed;
};

/** Numbers are the likeliest way into a reader, so they come more often. */
export const byteMutators: readonly Mutator[] = [
  ...[flipBit, setByte, truncate, remove, repeat, insertNoise, append, fill, cross, transplant],
  ...[setNumber, setNumber, setNumber],
];
