// Sets of feature vectors and their class means, in float64: the common ground of every measure on the
// hypersphere (angular Fisher score, separation of classes, verification).
import { UserError } from '../common/errors.js';

/** N feature vectors of `length` numbers each, row after row: `original` is [N, length]. */
export interface Vectors {
  readonly length: number;
  readonly original: Float32Array | Float64Array;
}

/** How many vectors there are. Throws UserError if the numbers do not fill whole rows. */
export function countVectors(vectors: Vectors): number {
  const { length, original } = vectors;
  const count = original.length / length;
  if (!(length > 0) || !Number.isInteger(count)) {
    throw new UserError(`features: ${original.length} numbers do not make rows of ${length}`);
  }
  return count;
}

/** The class means of labelled vectors and what is needed to measure angles to them. */
export interface ClassMeans {
  /** Label of each class, ascending; the K rows below follow this order. */
  readonly labels: number[];
  /** Vectors in each class. */
  readonly counts: number[];
  /** [K, D], row i the mean of class i's vectors; not of unit length. */
  readonly means: Float64Array;
  /** [D], the mean of all vectors. */
  readonly overall: Float64Array;
  /** [N], the row in `means` of each vector's class. */
  readonly classOf: Int32Array;
}

/**
 * Means of the classes of `vectors` under `labels` ([N] integers). `of` says what is averaged: the
 * vectors as they are ('raw') or scaled to unit length first ('normalised').
 * Throws UserError if counts differ, or a vector is not finite or has no direction (length zero).
 */
export function classMeans(
  vectors: Vectors,
  labels: ArrayLike<number>,
  of: 'raw' | 'normalised' = 'raw',
): ClassMeans {
  const count = countVectors(vectors);
  if (labels.length !== count) throw new UserError(`${count} features but ${labels.length} labels`);
  if (count === 0) throw new UserError('features: there are none, so there is nothing to measure');
  const { length, original } = vectors;
  const distinct = [...new Set(Array.from(labels))].sort((a, b) => a - b);
  const rowOf = new Map(distinct.map((label, row) => [label, row]));
  const counts = distinct.map(() => 0);
  const means = new Float64Array(distinct.length * length);
  const overall = new Float64Array(length);
  const classOf = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const row = rowOf.get(labels[i]!)!;
    const norm = Math.sqrt(squaredNorm(original, i * length, length));
    if (!(norm > 0 && norm < Infinity)) throw new UserError(`feature ${i}: ${noDirection(norm)}`);
    const factor = of === 'raw' ? 1 : 1 / norm;
    classOf[i] = row;
    counts[row]! += 1;
    for (let d = 0; d < length; d++) {
      means[row * length + d]! += original[i * length + d]! * factor;
      overall[d]! += original[i * length + d]! * factor;
    }
  }
  for (let k = 0; k < means.length; k++) means[k]! /= counts[Math.floor(k / length)]!;
  for (let d = 0; d < length; d++) overall[d]! /= count;
  return { labels: distinct, counts, means, overall, classOf };
}

/** Why a vector of this norm has no direction, in words for an error message. */
export function noDirection(norm: number): string {
  return norm === 0
    ? 'every number is zero, so it has no direction; check the image and the model'
    : 'it holds numbers that are not finite; check the model';
}

/** Sum of squares of `length` numbers of `data` from `offset` on. */
export function squaredNorm(data: ArrayLike<number>, offset: number, length: number): number {
  let sum = 0;
  for (let d = offset; d < offset + length; d++) sum += data[d]! * data[d]!;
  return sum;
}

/**
 * Cosine of the angle between two stored vectors. A vector of length zero counts as orthogonal to
 * everything (cosine 0): that is the limit for the mean of balanced, symmetric classes, see fisher.ts.
 */
export function cosineAt(
  a: ArrayLike<number>,
  aOffset: number,
  b: ArrayLike<number>,
  bOffset: number,
  length: number,
): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let d = 0; d < length; d++) {
    const x = a[aOffset + d]!;
    const y = b[bOffset + d]!;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa) / Math.sqrt(bb);
}

/** Angle in degrees, [0, 180], of a cosine; rounding beyond [-1, 1] is clipped. */
export function degrees(cosine: number): number {
  return (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI;
}
