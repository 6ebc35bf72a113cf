// The two bounds of CosFace (Wang et al., CVPR 2018): on the scale s (equation 6) and on the margin m (equation
// 7). The margin can be asked of every class only if m <= 1 - max cos(W_i, W_j), so that the bound on m is
// the question of how far apart K directions can lie, see spread.ts.
import { UserError } from '../common/errors.js';
import { inside, whole } from './checks.js';
import { largestCosine } from './spread.js';

/**
 * s >= (K-1)/K log((K-1) P / (1-P)), equation 6: the scale at which the centre of each of K evenly spread classes
 * has probability P. K >= 2, P in (0, 1). K = 2, P = .9: 1.0986. Surveys print K/(K-1) in front.
 * With `margin` m below K/(K-1), P is the probability that the loss with the margin sees, and (K-1)/K becomes
 * 1/(K/(K-1) - m).
 */
export function cosFaceScaleBound(classes: number, probability: number, margin = 0): number {
  whole('classes', classes, 2);
  inside('probability', probability, 0, 1);
  const room = classes / (classes - 1);
  if (!(margin >= 0 && margin < room)) {
    throw new UserError(`margin is ${margin}; for ${classes} classes it must be from 0 to below ${room}`);
  }
  return Math.log(((classes - 1) * probability) / (1 - probability)) / (room - margin);
}

/**
 * The largest margin that K >= 2 classes in D >= 1 dimensions can all meet lies in [atLeast, atMost]; both are equal
 * where it is known. Equation 7 has 1 - cos(2 pi/K) for D = 2 and K/(K-1) for K <= D + 1, and 'much smaller
 * than K/(K-1)' beyond. It is exactly 1 for D + 1 < K <= 2D, and close to 1 for far more classes than that
 * if D is large: between .937 and .998 for K = 10,575 and D = 512.
 */
export function cosFaceMarginBounds(
  classes: number,
  dimensions: number,
): { atLeast: number; atMost: number } {
  const cosine = largestCosine(classes, dimensions);
  return { atLeast: 1 - cosine.atMost, atMost: 1 - cosine.atLeast };
}
