// How far apart K directions can lie in D dimensions, as bounds on the largest cosine between two of them in the
// best arrangement. Exact for few classes (Rankin 1955) and on the circle; for many, lower bounds by averages
// and by packing caps, upper bounds by arrangements that exist. docs/theory.md proves each.
import { whole } from './checks.js';

/** The least possible largest cosine lies in [atLeast, atMost]. */
export interface CosineBounds {
  readonly atLeast: number;
  readonly atMost: number;
}

/** Bounds for K >= 2 directions in D >= 1 dimensions. Throws UserError for other numbers. */
export function largestCosine(classes: number, dimensions: number): CosineBounds {
  whole('classes', classes, 2);
  whole('dimensions', dimensions, 1);
  const exact = exactLargestCosine(classes, dimensions);
  if (exact !== undefined) return { atLeast: exact, atMost: exact };
  return {
    atLeast: Math.max(secondMomentBound(classes, dimensions), packingBound(classes, dimensions)),
    atMost: Math.min(coveringBound(classes, dimensions), chirpBound(classes, dimensions)),
  };
}

/** Where the best arrangement is known: simplex, cross-polytope, circle, line. */
function exactLargestCosine(classes: number, dimensions: number): number | undefined {
  if (classes <= dimensions + 1) return -1 / (classes - 1);
  if (classes <= 2 * dimensions) return 0;
  if (dimensions === 1) return 1;
  return dimensions === 2 ? Math.cos((2 * Math.PI) / classes) : undefined;
}

/** (K - 2D) / (D (K - 2)): from sum of all cosines >= 0, of their squares >= K^2/D, and (t+1)(t-c) <= 0. */
const secondMomentBound = (classes: number, dimensions: number): number =>
  (classes - 2 * dimensions) / (dimensions * (classes - 2));

/** Caps of half the smallest angle about the directions do not overlap: K capShare(angle/2) <= 1. */
const packingBound = (classes: number, dimensions: number): number =>
  Math.cos(2 * capAngle(1 / classes, dimensions));

/** Directions added until none fits: then caps of the full angle cover the sphere, K capShare(angle) >= 1. */
const coveringBound = (classes: number, dimensions: number): number =>
  Math.cos(capAngle(1 / classes, dimensions));

/**
 * 1/sqrt(p) for the largest prime p with 2p <= D, if K <= p^2: the p^2 chirps t -> e^(2 pi i (a t^2 + b t)/p) /
 * sqrt(p), as real vectors, have cosines of at most the size of a Gauss sum.
 */
function chirpBound(classes: number, dimensions: number): number {
  let p = Math.floor(dimensions / 2);
  while (p > 2 && !isPrime(p)) p--;
  return p > 2 && classes <= p * p ? 1 / Math.sqrt(p) : 1;
}

const isPrime = (n: number): boolean => {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return n > 1;
};

/**
 * Share of the unit sphere in D >= 2 dimensions that lies within `angle` of one direction, [0, 1]: the integral of
 * sin^(D-2) over [0, angle], over that over [0, pi]. By its recursion; exact to about 1e-15 absolute.
 */
export function capShare(angle: number, dimensions: number): number {
  whole('dimensions', dimensions, 2);
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = dimensions % 2;
  // S_n = integral of sin^n, S_n = ((n-1) S_(n-2) - cos sin^(n-1)) / n, here and over the whole of [0, pi].
  let part = odd ? 1 - cosine : angle;
  let all = odd ? 2 : Math.PI;
  for (let n = odd ? 3 : 2; n <= dimensions - 2; n += 2) {
    part = ((n - 1) * part - cosine * sine ** (n - 1)) / n;
    all = ((n - 1) * all) / n;
  }
  return Math.min(1, Math.max(0, part / all));
}

/** The angle whose cap has the share; the inverse of `capShare` for a share in (0, 1/2]. */
function capAngle(share: number, dimensions: number): number {
  let [low, high] = [0, Math.PI / 2];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (capShare(middle, dimensions) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
