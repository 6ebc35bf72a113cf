// The regular simplex: K unit vectors with all cosines -1/(K-1), which takes K <= D + 1. It is where normalised
// softmax ends (NormFace, Wang et al. 2017, proposition 2) and what class means collapse to (Papyan et al. 2020).
import { UserError } from '../common/errors.js';
import { simplexScale as scaleOfSimplex } from '../losses/index.js';
import { inside, whole } from './checks.js';
import type { Vectors } from './vectors.js';

/**
 * K unit vectors in D >= K - 1 dimensions with all cosines -1/(K-1) and sum zero; row i is class i. Coordinate j of
 * row j is d_j = sqrt(K (K-1-j) / ((K-1) (K-j))), of later rows -d_j/(K-1-j), of earlier ones 0: the triangular
 * factor of the matrix of cosines. K >= 2.
 */
export function regularSimplex(classes: number, length: number): Vectors & { original: Float64Array } {
  whole('classes', classes, 2);
  whole('length', length, 1);
  if (classes > length + 1) {
    throw new UserError(`a simplex of ${classes} classes needs ${classes - 1} dimensions, not ${length}`);
  }
  const original = new Float64Array(classes * length);
  for (let j = 0; j < classes - 1; j++) {
    const own = Math.sqrt((classes * (classes - 1 - j)) / ((classes - 1) * (classes - j)));
    original[j * length + j] = own;
    for (let i = j + 1; i < classes; i++) original[i * length + j] = -own / (classes - 1 - j);
  }
  return { length, original };
}

/**
 * Softmax loss of a simplex of K classes at scale s >= 0, every feature on its class vector:
 * log(1 + (K-1) e^(-s K/(K-1))).
 */
export function simplexLoss(classes: number, scale: number): number {
  whole('classes', classes, 2);
  if (!(scale >= 0)) throw new UserError(`scale is ${scale}; it must be a number of at least 0`);
  return Math.log1p((classes - 1) * Math.exp((-scale * classes) / (classes - 1)));
}

/**
 * The scale at which `simplexLoss` is `loss`: (K-1)/K log((K-1) / (e^loss - 1)). Loss in (0, log K): scale 0 gives
 * log K, and no scale gives 0.
 */
export function simplexScale(classes: number, loss: number): number {
  whole('classes', classes, 2);
  inside('loss', loss, 0, Math.log(classes), `log ${classes}, the loss of a guess`);
  return scaleOfSimplex(classes, loss);
}
