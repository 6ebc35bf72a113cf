// How long the features of L2-Softmax have to be (Ranjan, Castillo and Chellappa 2017, bounds on alpha): below
// alpha_low the arrangement assumed there does not give a class centre the probability p.
import { inside, whole } from './checks.js';

/**
 * alpha_low = log(p (K-2) / (1-p)), the bound as printed, for K >= 3 classes and a probability p in (0, 1) of the
 * right class at its centre. Assumes |W_j| = 1, no bias, and classes on the corners of a cross-polytope, which
 * takes K <= 2D: one class opposite, K - 2 at right angles; and drops the term e^-alpha of the opposite one.
 * K = 10,575 and p = .9: 11.46; K = 1000: 9.10. Negative where chance reaches p already.
 */
export function l2SoftmaxScaleBound(classes: number, probability: number): number {
  whole('classes', classes, 3);
  inside('probability', probability, 0, 1);
  return Math.log((probability * (classes - 2)) / (1 - probability));
}

/**
 * The alpha at which a cross-polytope of K >= 2 classes gives exactly p, with the dropped term: the root of
 * p = e^a / (e^a + K - 2 + e^-a). Above the printed bound (K >= 3) by
 * log(1 + e^-a / (K-2)).
 */
export function crossPolytopeScale(classes: number, probability: number): number {
  whole('classes', classes, 2);
  inside('probability', probability, 0, 1);
  const half = (probability * (classes - 2)) / (2 * (1 - probability));
  return Math.log(half + Math.sqrt(half * half + probability / (1 - probability)));
}
