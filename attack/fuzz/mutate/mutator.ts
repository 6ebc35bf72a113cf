// What changes a file's bytes into those of another, broken one.
import type { Random } from '../../../src/common/random.js';

/** Other files of the same reader, to take parts from. */
export type Pool = readonly Uint8Array[];

/** Changes bytes; leaves its argument as it is. The same stream of random numbers gives the same change. */
export type Mutator = (bytes: Uint8Array, random: Random, pool: Pool) => Uint8Array;

/** Mutators that know a format. */
export interface Structure {
  /** Whether the bytes are of this format, as far as its mutators need it. */
  fits(bytes: Uint8Array): boolean;
  mutators: readonly Mutator[];
}

export const pick = <T>(items: readonly T[], random: Random): T => items[random.integer(items.length)]!;

/** Bytes with `count` of them from `at` on replaced by `insert`. */
export function splice(bytes: Uint8Array, at: number, count: number, insert: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length - count + insert.length);
  result.set(bytes.subarray(0, at));
  result.set(insert, at);
  result.set(bytes.subarray(at + count), at + insert.length);
  return result;
}

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Bytes as text, a letter a byte, and back. */
export const latin = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
export const unlatin = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** Files do not grow beyond this, however often they are changed. */
export const LARGEST = 4 * 2 ** 20;

/** A part `times` times, as far as a file may grow. */
export function repeated(part: Uint8Array, times: number): Uint8Array {
  const count = Math.min(times, Math.floor(LARGEST / Math.max(1, part.length)));
  return Buffer.concat(Array.from({ length: count }, () => part));
}
