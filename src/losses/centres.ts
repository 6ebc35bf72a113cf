// Class centres that move by a rule of their own: after every step each centre of a class in the batch goes part
// of the way to the mean of its features (Wen et al., A Discriminative Feature Learning Approach, ECCV 2016,
// equation 4).
import { add, div, matmul, mul, oneHot, reshape, sub, sum, type Tensor, transpose } from '../graph/index.js';
import { xavier } from '../nn/index.js';
import type { Centres, LossContext } from './definition.js';

/**
 * How many features of each class the batch has, [K, 1], by the 0 and 1 of `chosen` [N, K], and their sum, [K, D], times `share` of the counts,
 * [K, 1]. The share is multiplied before the sum: [N, K] numbers instead of [K, D].
 */
export function classSums(
  features: Tensor,
  chosen: Tensor,
  share: (counts: Tensor) => Tensor,
): { counts: Tensor; sums: Tensor } {
  const counts = reshape(sum(chosen, [0]), [chosen.shape[1]!, 1]);
  const shared = mul(chosen, transpose(share(counts), [1, 0]));
  return { counts, sums: matmul(transpose(shared, [1, 0]), features) };
}

/**
 * The centres of a loss: those that a joint loss has already, or new ones, `centres` [K, D], that move at `rate`:
 * c_j - rate sum_{i in class j} (c_j - x_i) / (1 + n_j).
 */
export function movingCentres(context: LossContext, rate: number): Centres {
  const { scope, embedding, labels, classes } = context;
  if (context.centres) return context.centres;
  const share = (counts: Tensor): Tensor => div(rate, add(counts, 1));
  const { counts, sums } = classSums(embedding, oneHot(labels, classes), share);
  const kept = sub(1, mul(counts, share(counts)));
  const move = (centres: Tensor): Tensor => add(mul(centres, kept), sums);
  const now = scope.kept('centres', [classes, embedding.shape[1]!], xavier, move);
  return { now, moved: move(now) };
}
