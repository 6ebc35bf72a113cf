// How far apart classes lie on the hypersphere and how wide they are: angles between the directions of class
// means, and of features to their own class mean. The margin losses promise to widen the first and narrow the
// second (SphereFace, Fig. 2 and Fig. 12).
import { classMeans, cosineAt, degrees, type Vectors } from '../theory/vectors.js';

/** All angles in degrees. */
export interface ClassSeparation {
  classes: number;
  /** Smallest angle between two class mean directions; NaN with one class. */
  minimum: number;
  /** Mean over all pairs of classes; NaN with one class. */
  mean: number;
  /** Labels of the two closest classes. */
  closest?: [number, number];
  /** Mean over all features of the angle to their own class's mean direction. */
  within: number;
  perClass: {
    label: number;
    count: number;
    /** Mean angle of its features to its mean direction. */
    within: number;
    /** Angle to, and label of, the nearest other class. */
    nearest: number;
    nearestLabel: number;
  }[];
}

/**
 * Angular separation of the classes of `features` ([N, D]) under `labels` ([N]); O(N D + K^2 D). Class means
 * are means of the features as they are, or of unit features with `means: 'normalised'`.
 * Only `original` is read: fuse mirror features first. Throws UserError for a feature without a direction.
 */
export function classSeparation(
  features: Vectors,
  labels: ArrayLike<number>,
  options: { means?: 'raw' | 'normalised' } = {},
): ClassSeparation {
  const { length, original } = features;
  const { labels: names, counts, means, classOf } = classMeans(features, labels, options.means);
  const own = counts.map(() => 0);
  classOf.forEach((row, i) => {
    own[row]! += degrees(cosineAt(original, i * length, means, row * length, length));
  });
  const perClass = names.map((label, row) => ({
    label,
    count: counts[row]!,
    within: own[row]! / counts[row]!,
    nearest: Infinity,
    nearestLabel: label,
  }));
  let sum = 0;
  for (let i = 0; i < names.length; i++) {
    for (let j = i + 1; j < names.length; j++) {
      const angle = degrees(cosineAt(means, i * length, means, j * length, length));
      sum += angle;
      for (const [a, b] of [[perClass[i]!, j] as const, [perClass[j]!, i] as const]) {
        if (angle >= a.nearest) continue;
        a.nearest = angle;
        a.nearestLabel = names[b]!;
      }
    }
  }
  const several = names.length > 1;
  if (!several) perClass[0]!.nearest = Number.NaN;
  const tightest = perClass.reduce((a, b) => (b.nearest < a.nearest ? b : a));
  return {
    classes: names.length,
    minimum: tightest.nearest,
    mean: several ? sum / ((names.length * (names.length - 1)) / 2) : Number.NaN,
    closest: several ? [tightest.label, tightest.nearestLabel] : undefined,
    within: own.reduce((total, value) => total + value, 0) / classOf.length,
    perClass,
  };
}
