// Where a loss draws the line between two classes. Table 1 of SphereFace (Liu et al., CVPR 2017) for softmax,
// modified softmax and A-Softmax, and the same line as a relation of two angles for the losses that followed
// (Fig. 2 of CosFace, Fig. 5 of ArcFace). Every margin loss draws one line for each class; between them lies
// the margin.
import { UserError } from '../common/errors.js';
import { fallingCosine } from '../losses/index.js';
import { cosineAt, squaredNorm } from './vectors.js';

/** Class vectors W_1 and W_2, [D] each, and biases b_1 and b_2 (0 unless given). */
export interface TwoClasses {
  readonly weights: readonly [ArrayLike<number>, ArrayLike<number>];
  readonly biases?: readonly [number, number];
}

/** What each class demands of x: above 0 where x meets the demand of that class, 0 on its boundary. */
export interface Demands {
  readonly first: number;
  readonly second: number;
}

/** Softmax, Table 1: (W_1 - W_2) . x + b_1 - b_2 = 0, one boundary for both classes. */
export function softmaxDemands(x: ArrayLike<number>, { weights, biases = [0, 0] }: TwoClasses): Demands {
  sameLengths(x, weights);
  const first = Array.from(x).reduce((sum, v, d) => sum + v * (weights[0][d]! - weights[1][d]!), 0);
  return { first: first + biases[0] - biases[1], second: biases[1] - biases[0] - first };
}

/** Modified softmax, Table 1: |x| (cos theta_1 - cos theta_2) = 0. The lengths of the class vectors are ignored. */
export function modifiedSoftmaxDemands(x: ArrayLike<number>, classes: TwoClasses): Demands {
  return aSoftmaxDemands(x, classes, 1);
}

/**
 * A-Softmax, Table 1: |x| (cos(m theta_1) - cos theta_2) = 0 for class 1 and |x| (cos theta_1 - cos(m theta_2))
 * = 0 for class 2, with psi in place of cos(m theta), which the table means within theta <= pi/m only. m >= 1,
 * whole or not. Throws UserError for vectors of unequal length or without a direction.
 */
export function aSoftmaxDemands(x: ArrayLike<number>, { weights }: TwoClasses, m: number): Demands {
  sameLengths(x, weights);
  if ([x, ...weights].some((vector) => !(squaredNorm(vector, 0, vector.length) > 0))) {
    throw new UserError('decision boundary: a vector of length zero has no direction');
  }
  const norm = Math.sqrt(squaredNorm(x, 0, x.length));
  const [one, two] = weights.map((w) => Math.min(1, Math.max(-1, cosineAt(x, 0, w, 0, x.length))));
  return {
    first: norm * (aSoftmaxTarget(Math.acos(one!), m) - two!),
    second: norm * (aSoftmaxTarget(Math.acos(two!), m) - one!),
  };
}

/**
 * psi(theta) of A-Softmax for any real m >= 1: (-1)^k cos(m theta) - 2k where k = floor(m theta / pi). For whole
 * m the `psi` of the loss; the bounds on m are about real m.
 */
export function aSoftmaxTarget(theta: number, m: number): number {
  if (!(m >= 1 && m < Infinity)) throw new UserError(`m is ${m}; it must be a number of at least 1`);
  return fallingCosine(m * theta);
}

/**
 * The angle between the two boundaries of A-Softmax when the class vectors are theta_12 apart, measured in their
 * plane: (m-1)/(m+1) theta_12 (SphereFace, section 3). m >= 1, theta_12 in (0, pi].
 */
export function aSoftmaxAngularMargin(m: number, theta12: number): number {
  if (!(m >= 1 && m < Infinity)) throw new UserError(`m is ${m}; it must be a number of at least 1`);
  return ((m - 1) / (m + 1)) * theta12;
}

/** The boundary of class 1 as a relation of angles; that of class 2 has the indices exchanged. */
export interface AngularBoundary {
  readonly loss: string;
  /** The relation on the boundary. */
  readonly formula: string;
  readonly source: string;
  /** Names of the margins and values to draw with. */
  readonly margins: Readonly<Record<string, number>>;
  /**
   * The largest theta_1 that class 1 allows a sample at theta_2 from the other class, in radians, both in [0, pi].
   * NaN where no angle is small enough, not even 0.
   */
  limit(thetaTwo: number, margins: Readonly<Record<string, number>>): number;
}

const angle = (radians: number): number => (radians >= 0 ? Math.min(radians, Math.PI) : Number.NaN);
/** arccos, with 0 for what exceeds -1 downwards: a demand that every angle meets. NaN above 1. */
const angleOf = (cosine: number): number => Math.acos(Math.max(-1, cosine));

const bisector = { formula: 'theta_1 = theta_2', margins: {}, limit: (two: number) => two };

/** Boundaries of the losses that compare angles, all with class vectors of one length and without bias. */
export const angularBoundaries: readonly AngularBoundary[] = [
  { loss: 'modified-softmax', source: 'Liu et al. 2017 (SphereFace), Table 1', ...bisector },
  { loss: 'l2-softmax', source: 'Ranjan et al. 2017, with |W_1| = |W_2| and b_1 = b_2', ...bisector },
  { loss: 'normface', source: 'Wang, Xiang et al. 2017', ...bisector },
  { loss: 'coco', source: 'Liu, Li and Wang 2017, theta to the centroids', ...bisector },
  {
    loss: 'a-softmax',
    formula: 'm theta_1 = theta_2',
    source: 'Liu et al. 2017 (SphereFace), Table 1',
    margins: { m: 4 },
    limit: (two, { m }) => angle(two / m!),
  },
  ...[
    { loss: 'am-softmax', source: 'Wang, Cheng et al. 2018' },
    { loss: 'cosface', source: 'Wang et al. 2018 (CosFace), section 3.2' },
  ].map((about) => ({
    ...about,
    formula: 'cos theta_1 - m = cos theta_2',
    margins: { m: 0.35 },
    limit: (two: number, { m }: Readonly<Record<string, number>>) => angleOf(Math.cos(two) + m!),
  })),
  {
    loss: 'arcface',
    formula: 'theta_1 + m = theta_2',
    source: 'Deng et al. 2019, equation 3 and Fig. 5',
    margins: { m: 0.5 },
    limit: (two, { m }) => angle(two - m!),
  },
  {
    loss: 'combined',
    formula: 'cos(m1 theta_1 + m2) - m3 = cos theta_2',
    source: 'Deng et al. 2019, equation 4',
    margins: { m1: 1, m2: 0.3, m3: 0.2 },
    limit: (two, { m1, m2, m3 }) => angle((angleOf(Math.cos(two) + m3!) - m2!) / m1!),
  },
];

function sameLengths(x: ArrayLike<number>, weights: TwoClasses['weights']): void {
  if (weights.some((w) => w.length !== x.length)) {
    throw new UserError(
      `decision boundary: x has ${x.length} numbers, the class vectors ${weights[0].length} and ${weights[1].length}`,
    );
  }
}
