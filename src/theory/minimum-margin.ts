// How large the m of A-Softmax has to be so that the widest class is narrower than the narrowest gap between
// classes (SphereFace, Liu et al., CVPR 2017, section 3.3, properties 2 and 3, and their proofs in the
// appendix): 2 + sqrt 3 for two classes, 3 for many that are evenly spread.
import { UserError } from '../common/errors.js';
import { angleBetween, whole } from './checks.js';

/** Property 2: enough for two classes at any angle. */
export const MINIMUM_MARGIN_TWO_CLASSES = 2 + Math.sqrt(3);

/** Property 3: needed by any classes on the circle, and enough for classes that are evenly spread. */
export const MINIMUM_MARGIN_MANY_CLASSES = 3;

/** Largest angle inside a class and smallest angle between classes, in radians. */
export interface ClassDistances {
  readonly intra: number;
  readonly inter: number;
}

/**
 * Distances of two classes on the circle that fill all of what A-Softmax allows them; m > 1, theta_12 in (0, pi].
 * Inside: theta_12/(m-1) + theta_12/(m+1) while theta_12 <= (m-1) pi/m, else (2 pi - theta_12)/(m+1) +
 * theta_12/(m+1), because beyond the opposite point the other class vector is nearer the other way round.
 * Between: (m-1)/(m+1) theta_12.
 */
export function twoClassDistances(m: number, theta12: number): ClassDistances {
  angleBetween('theta_12', theta12);
  return circleDistances(m, [theta12, 2 * Math.PI - theta12]);
}

/** Distances of K >= 2 classes evenly spread on the circle: 2 theta/(m+1) and (m-1) theta/(m+1), theta = 2 pi/K. */
export function evenDistances(m: number, classes: number): ClassDistances {
  whole('classes', classes, 2);
  return circleDistances(
    m,
    Array.from({ length: classes }, () => (2 * Math.PI) / classes),
  );
}

/**
 * Distances of K >= 2 classes on the circle with any angles between neighbours: `gaps`, all above 0, sum 2 pi; gap
 * i follows class i. A class reaches into the gap g until m theta = g - theta, or, if its other neighbour is so
 * near that it comes first, m theta = h + theta for that gap h: min(g/(m+1), h/(m-1)). m > 1.
 */
export function circleDistances(m: number, gaps: readonly number[]): ClassDistances {
  if (!(m > 1 && m < Infinity)) throw new UserError(`m is ${m}; it must be a number above 1`);
  const sum = gaps.reduce((a, b) => a + b, 0);
  if (gaps.length < 2 || gaps.some((gap) => !(gap > 0)) || Math.abs(sum - 2 * Math.PI) > 1e-9) {
    throw new UserError('gaps between classes: give at least two angles above 0 that sum to 2 pi');
  }
  const at = (i: number): number => gaps[(i + gaps.length) % gaps.length]!;
  const into = (gap: number, other: number): number => Math.min(gap / (m + 1), other / (m - 1));
  const widths = gaps.map((gap, i) => into(gap, at(i - 1)) + into(at(i - 1), gap));
  const between = gaps.map((gap, i) => gap - into(gap, at(i - 1)) - into(gap, at(i + 1)));
  return { intra: Math.min(Math.PI, Math.max(...widths)), inter: Math.min(...between) };
}

/** Whether the widest class is no wider than the narrowest gap. */
export const separates = ({ intra, inter }: ClassDistances): boolean => intra <= inter;

/**
 * The smallest m that separates two classes theta_12 apart: 2 + sqrt 3 up to theta_12 = (sqrt 3 - 1) pi (131.8
 * degrees), where the first case decides; beyond it 1 + 2 pi/theta_12, which falls to 3 for opposite classes.
 */
export function minimumMarginAt(theta12: number): number {
  angleBetween('theta_12', theta12);
  return Math.min(MINIMUM_MARGIN_TWO_CLASSES, 1 + (2 * Math.PI) / theta12);
}
