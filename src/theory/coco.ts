// How long the features of CoCo have to be for its loss to reach epsilon (Liu, Li and Wang 2017, Rethinking
// Feature Discrimination and Polymerization): the bound that its authors and surveys print, and what spread
// classes really need, which is about twice as much.
import { UserError } from '../common/errors.js';
import { inside, whole } from './checks.js';
import { simplexScale } from './simplex.js';

/**
 * alpha = (1/2) log((K-1) / (e^epsilon - 1)), as printed: at smaller scales no features reach the loss epsilon, for
 * it takes all other centroids at cosine -1. For K = 2 they can lie there, and the bound is exact. For K >
 * 2 they cannot all be opposite to one another, and it is necessary but not sufficient. epsilon in (0, log K),
 * K >= 2. Tends to infinity as epsilon tends to 0 (like (1/2) log(1/epsilon)) and as K does.
 */
export function cocoScaleBound(classes: number, loss: number): number {
  whole('classes', classes, 2);
  inside('loss', loss, 0, Math.log(classes), `log ${classes}, the loss of a guess`);
  return Math.log((classes - 1) / Math.expm1(loss)) / 2;
}

/**
 * The scale that is both necessary (for balanced classes) and, where a simplex fits (K <= D + 1), sufficient:
 * (K-1)/K log((K-1) / (e^epsilon - 1)). The printed bound for K = 2, and 2 (K-1)/K times it for more.
 * `dimensions` are only checked.
 */
export function cocoSimplexScale(classes: number, loss: number, dimensions = Infinity): number {
  if (classes > dimensions + 1) {
    throw new UserError(
      `${classes} classes make no simplex in ${dimensions} dimensions; the scale is necessary there, not sufficient`,
    );
  }
  return simplexScale(classes, loss);
}
