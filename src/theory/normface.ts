// What normalising does to softmax (NormFace, Wang, Xiang, Cheng and Yuille, ACM MM 2017, section 3). Proposition
// 1: without normalising, longer features lower the loss for nothing. Proposition 2: with it, the loss has a
// floor, so that a scale is needed.
import { UserError } from '../common/errors.js';
import { simplexLoss } from './simplex.js';

/**
 * Probability of class `label` when the features of a softmax are multiplied by `scale`: the logits are scale z_j
 * + b_j, z_j = W_j . x. Proposition 1: with no bias, and z_label the largest, it does not fall as the scale
 * grows. With a bias it may.
 */
export function scaledProbability(
  products: ArrayLike<number>,
  label: number,
  scale: number,
  biases: ArrayLike<number> = new Float64Array(products.length),
): number {
  return probabilities(products, label, scale, biases)[label]!;
}

/**
 * Slope of log P(label) in the scale: z_label - sum_j P_j z_j. What proves proposition 1: the largest of the z_j is
 * not below their mean, whatever the weights P_j of the mean are. So it is also at least 0 for every z_label above
 * that mean, and it is 0 only if all z_j with P_j > 0 are equal.
 */
export function scaleSlope(
  products: ArrayLike<number>,
  label: number,
  scale: number,
  biases: ArrayLike<number> = new Float64Array(products.length),
): number {
  return probabilities(products, label, scale, biases).reduce(
    (sum, p, j) => sum + p * (products[label]! - products[j]!),
    0,
  );
}

/**
 * Proposition 2: the mean softmax loss of normalised features and class vectors, at scale s (the paper's l^2), is
 * at least log(1 + (K-1) e^(-s K/(K-1))), if every class has as many samples. K >= 2, s >= 0. The paper
 * also assumes every feature to lie on its class vector; the bound needs no such assumption (docs/theory.md).
 * It is met by the regular simplex, so only if K <= D + 1.
 */
export const normFaceBound = simplexLoss;

function probabilities(
  products: ArrayLike<number>,
  label: number,
  scale: number,
  biases: ArrayLike<number>,
): number[] {
  if (!(label >= 0 && label < products.length && Number.isInteger(label))) {
    throw new UserError(`label is ${label}; it must be a whole number below ${products.length}, the classes`);
  }
  if (biases.length !== products.length) {
    throw new UserError(`${products.length} products but ${biases.length} biases`);
  }
  const logits = Array.from(products, (z, j) => scale * z + biases[j]!);
  const top = Math.max(...logits);
  const powers = logits.map((z) => Math.exp(z - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
