// Reads the reference values that the scripts in test/fixtures wrote, and recomputes the tensors they describe
// only by a salt. Comparisons are relative to the largest reference entry, the measure in which float32 sums are
// accurate.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

export interface StoredArray {
  shape: number[];
  data: number[];
}

/** Evenly spaced entries of a large tensor (every `step`-th of the flattened values), with two sums over all. */
export interface Samples extends StoredArray {
  step: number;
  sum: number;
  sumOfSquares: number;
}

/** A tensor that both sides compute from an integer hash. */
export interface Hashed {
  shape: number[];
  salt: number;
  amplitude: number;
  offset?: number;
}

export function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/torch/${name}.json`, import.meta.url), 'utf8')) as T;
}

/** The generator's `hashed`: MurmurHash3's finaliser over index and salt, as numbers in offset +- amplitude. */
export function hashed({ shape, salt, amplitude, offset = 0 }: Hashed): Float32Array {
  const start = Math.imul(salt, 0x9e3779b1);
  return Float32Array.from({ length: size(shape) }, (_, i) => {
    let h = (i + start) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h = (h ^ (h >>> 16)) >>> 0;
    return offset + amplitude * (h / 2 ** 31 - 1);
  });
}

export function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

export function floats(array: StoredArray): Float32Array {
  return Float32Array.from(array.data);
}

/** Expects |actual - reference| <= tolerance * max|reference| everywhere. */
export function expectClose(
  actual: ArrayLike<number>,
  reference: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  expect(actual.length, `${what}: length`).toBe(reference.length);
  let scale = 0;
  let worst = 0;
  for (let i = 0; i < reference.length; i++) {
    scale = Math.max(scale, Math.abs(reference[i]!));
    const error = Math.abs(actual[i]! - reference[i]!);
    worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(worst, error);
  }
  expect(worst, `${what}: largest difference, the reference reaching ${scale}`).toBeLessThanOrEqual(
    tolerance * Math.max(scale, 1e-6),
  );
}

/** The same for a tensor kept as samples; the sums are compared in units of the tensor's length sqrt(sum x^2). */
export function expectSamples(
  actual: ArrayLike<number>,
  reference: Samples,
  tolerance: number,
  what: string,
): void {
  expect(actual.length, `${what}: length`).toBe(size(reference.shape));
  const picked: number[] = [];
  for (let i = 0; i < actual.length; i += reference.step) picked.push(actual[i]!);
  expectClose(picked, reference.data, tolerance, what);
  let sum = 0;
  let sumOfSquares = 0;
  for (let i = 0; i < actual.length; i++) {
    sum += actual[i]!;
    sumOfSquares += actual[i]! ** 2;
  }
  const length = Math.sqrt(reference.sumOfSquares);
  expect(Math.abs(sum - reference.sum), `${what}: sum`).toBeLessThanOrEqual(
    tolerance * length * Math.sqrt(actual.length),
  );
  expect(Math.abs(Math.sqrt(sumOfSquares) - length), `${what}: length of the vector`).toBeLessThanOrEqual(
    tolerance * length,
  );
}

/** The stored [K, D] matrix in the wanted shape: itself, or transposed where that is [D, K]. */
export function arranged({ shape, data }: StoredArray, wanted: readonly number[]): Float32Array {
  const [rows, columns] = shape as [number, number];
  if (wanted[0] === rows && wanted[1] === columns) return Float32Array.from(data);
  expect(wanted, 'shape of a transposed matrix').toEqual([columns, rows]);
  return Float32Array.from(
    { length: rows * columns },
    (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]!,
  );
}
