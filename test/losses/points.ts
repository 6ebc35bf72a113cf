// Batches to compare losses on: labels as samplers make them (mixed, P people with K images each, classes
// missing, one class, one image), and embeddings at all angles and distances that the losses tell apart.
import { random } from '../../src/common/random.js';
import type { Point } from './plain/point.js';

export interface Batch {
  labels: number[];
  classes: number;
}

export const batches: Readonly<Record<string, Batch>> = {
  mixed: { labels: [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1], classes: 5 },
  'P x K': { labels: [5, 5, 5, 0, 0, 0, 2, 2, 2, 3, 3, 3], classes: 6 },
  'classes absent': { labels: [3, 0, 3, 3, 0, 3, 0], classes: 7 },
  'one class': { labels: [2, 2, 2, 2], classes: 3 },
  'one image a class': { labels: [0, 1, 2, 3], classes: 4 },
  'one image': { labels: [1], classes: 3 },
  'two classes': { labels: [0, 1, 1, 0, 1], classes: 2 },
};

/** How embeddings lie about their class vectors. */
export interface Spread {
  /** D */
  length: number;
  /** Rows of the projection. */
  projected: number;
  /** Multiplies embeddings and centres. */
  size: number;
  /** Multiple of the class vector in the first and the last sample; evenly in between. */
  pull: readonly [number, number];
}

/** Angles to the true class all over [0, pi], so that every piece of psi is met. */
const EVERY_ANGLE: Spread = { length: 4, projected: 4, size: 1, pull: [3, -3] };

/** Classes that overlap a little, so that easy, semi-hard and hard triplets are all met. */
export const OVERLAPPING: Spread = { length: 4, projected: 4, size: 0.35, pull: [1, 1] };

/** A random batch with everything a loss may ask for by name. */
export function pointOf(
  seed: number,
  { labels, classes }: Batch,
  spread: Partial<Spread> = {},
  lambda = 0,
): Point {
  const { length, projected, size, pull } = { ...EVERY_ANGLE, ...spread };
  const stream = random(seed, 'losses');
  const vector = (n = length) => Array.from({ length: n }, () => stream.normal());
  const rows = (count: number, n = length) => Array.from({ length: count }, () => vector(n));
  const weights = rows(classes);
  const x = labels.map((label, i) => {
    const share = labels.length > 1 ? i / (labels.length - 1) : 0;
    const towards = pull[0] + (pull[1] - pull[0]) * share;
    return vector().map((v, q) => size * (v + towards * weights[label]![q]!));
  });
  const scaled = (matrix: number[][]) => matrix.map((row) => row.map((v) => size * v));
  return {
    x,
    labels: [...labels],
    classes,
    lambda,
    state: {
      'fc6.weight': weights,
      'fc6.bias': [vector(classes)],
      scale: [[7.5]],
      centres: scaled(rows(classes)),
      centroids: scaled(rows(classes)),
      projection: rows(projected),
    },
  };
}

/** The state of each part of a joint loss under its own prefix, different for each. */
export function jointPoint(
  parts: readonly string[],
  seed: number,
  batch: Batch,
  spread?: Partial<Spread>,
): Point {
  const point = pointOf(seed, batch, spread);
  const state = parts.flatMap((part, i) =>
    Object.entries(pointOf(seed + 100 * i, batch, spread).state).map(
      ([name, rows]) => [`${part}.${name}`, rows] as const,
    ),
  );
  return { ...point, state: Object.fromEntries(state) };
}
