// Class centres that move by a rule of their own: after every step each centre of a class in the batch goes part
// of the way to the mean of its features (Wen et al., A Discriminative Feature Learning Approach, ECCV 2016,
// equation 4).
import { add, div, matmul, mul, oneHot, reshape, sub, sum, type Tensor, transpose } from '../graph/index.js';
import { xavier } from '../nn/index.js';
import type { Centres, LossContext } from './definition.js';

/** How many features of each class the batch has, [K, 1], and their sum, [K, D]. */
export function classSums(
  features: Tensor,
  labels: Tensor,
  classes: number,
): { counts: Tensor; sums: Tensor } {
  const chosen = oneHot(labels, classes);
  return {
    counts: reshape(sum(chosen, [0]), [classes, 1]),
    sums: matmul(transpose(chosen, [1, 0]), features),
  };
}

/**
 * The centres of a loss: those that a joint loss has already, or new ones, `centres` [K, D], that move at `rate`:
 * c_j - rate sum_{i in class j} (c_j - x_i) / (1 + n_j).
 */
export function movingCentres(context: LossContext, rate: number): Centres {
  const { scope, embedding, labels, classes } = context;
  if (context.centres) return context.centres;
  const { counts, sums } = classSums(embedding, labels, classes);
  const move = (centres: Tensor): Tensor =>
    sub(centres, mul(div(sub(mul(counts, centres), sums), add(counts, 1)), rate));
  const now = scope.kept('centres', [classes, embedding.shape[1]!], xavier, move);
  return { now, moved: move(now) };
}
