// The similarity transform (turn, one scale, shift) that carries points nearest to others in the sense of least
// squares: Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991.
// In the plane points are complex numbers and its singular value decomposition becomes one quotient.
import { UserError } from '../../common/errors.js';
import type { Point } from '../detect/detection.js';

/** (x, y) goes to (a x + b y + c, d x + e y + f): [a, b, c, d, e, f], the rows of OpenCV's 2x3 matrices. */
export type Transform = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

export interface SimilarityOptions {
  /** Also tries the best mirrored transform and takes it when its error is smaller, as cp2tform does. */
  readonly reflection?: boolean;
  /**
   * Where distances are measured: among the points arrived at ('to', Umeyama's, the default), or among those started
   * from ('from': the way back is fitted and inverted, as cp2tform does).
   */
  readonly error?: 'to' | 'from';
}

/**
 * The similarity transform that carries `from` nearest to `to`, point by point. Throws a UserError for fewer than
 * two points, lists of different length, numbers that are not finite, or points that all lie in one place.
 */
export function similarity(
  from: readonly Point[],
  to: readonly Point[],
  { reflection = false, error = 'to' }: SimilarityOptions = {},
): Transform {
  if (error === 'from') return invert(similarity(to, from, { reflection }));
  if (from.length !== to.length || from.length < 2) {
    throw new UserError(
      `${from.length} points cannot be laid on ${to.length}: give two or more, as many on both sides`,
    );
  }
  if (![...from, ...to].flat().every(Number.isFinite)) {
    throw new UserError('landmarks must be numbers: one of them is not finite');
  }
  const direct = fitted(from, to, 1);
  if (!reflection) return direct;
  const mirrored = fitted(from, to, -1);
  return residual(direct, from, to) <= residual(mirrored, from, to) ? direct : mirrored;
}

/**
 * With z and w the centred points as complex numbers, w = p z is nearest for p = sum(conj(z) w) / sum(|z|^2); for a
 * mirrored transform (`side` -1) the same holds with conj(z) in place of z.
 */
function fitted(from: readonly Point[], to: readonly Point[], side: 1 | -1): Transform {
  const [fromX, fromY] = mean(from);
  const [toX, toY] = mean(to);
  let [real, imaginary, spread, reached, extent] = [0, 0, 0, 0, 0];
  for (const [i, [x, y]] of from.entries()) {
    const [zx, zy] = [x - fromX, side * (y - fromY)];
    const [wx, wy] = [to[i]![0] - toX, to[i]![1] - toY];
    real += zx * wx + zy * wy;
    imaginary += zx * wy - zy * wx;
    spread += zx * zx + zy * zy;
    reached += wx * wx + wy * wy;
    extent = Math.max(extent, Math.abs(x), Math.abs(y), Math.abs(to[i]![0]), Math.abs(to[i]![1]));
  }
  // What is left of equal points after their mean was taken away is rounding.
  if (Math.min(spread, reached) <= from.length * (1e-12 * extent) ** 2) {
    throw new UserError('landmarks that all lie in one place have no direction or size');
  }
  const [p, q] = [real / spread, imaginary / spread];
  const [a, b, d, e] = [p, -q * side, q, p * side];
  return [a, b, toX - a * fromX - b * fromY, d, e, toY - d * fromX - e * fromY];
}

function mean(points: readonly Point[]): Point {
  const [x, y] = points.reduce(([sumX, sumY], [x, y]) => [sumX + x, sumY + y], [0, 0]);
  return [x / points.length, y / points.length];
}

/** Where the transform carries a point. */
export function apply([a, b, c, d, e, f]: Transform, [x, y]: Point): Point {
  return [a * x + b * y + c, d * x + e * y + f];
}

/** The way back. Throws a UserError for a transform that flattens the plane. */
export function invert([a, b, c, d, e, f]: Transform): Transform {
  const area = a * e - b * d;
  if (area === 0 || !Number.isFinite(area))
    throw new UserError('the landmarks do not fit each other at all: no transform leads back');
  const [ia, ib, id, ie] = [e / area, -b / area, -d / area, a / area];
  return [ia, ib, -ia * c - ib * f, id, ie, -id * c - ie * f];
}

/** First `first`, then `second`. */
export function compose(first: Transform, second: Transform): Transform {
  const [a, b, c, d, e, f] = first;
  const [A, B, C, D, E, F] = second;
  return [
    ...([A * a + B * d, A * b + B * e, A * c + B * f + C] as const),
    ...([D * a + E * d, D * b + E * e, D * c + E * f + F] as const),
  ];
}

/** How much longer the transform makes lengths. */
export function scaleOf([a, b, , d, e]: Transform): number {
  return Math.sqrt(Math.abs(a * e - b * d));
}

/** Sum of the squared distances, in pixels of `to`, that the transform leaves. */
export function residual(transform: Transform, from: readonly Point[], to: readonly Point[]): number {
  return from.reduce((sum, point, i) => {
    const [x, y] = apply(transform, point);
    return sum + (x - to[i]![0]) ** 2 + (y - to[i]![1]) ** 2;
  }, 0);
}
