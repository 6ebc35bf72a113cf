// How good log-likelihood ratios are, in bits a decision: Cllr, and the Cllr of the same scores under the best monotone
// calibration, found by pooling adjacent violators (Brümmer and du Preez, 2006). 0 is perfect, 1 is to know nothing.
import type { WeightedScores } from './logistic.js';

/** Mean of log2(1 + e^z), z being `sign` x line(score). */
function meanCost({ scores, weights }: WeightedScores, llr: (score: number) => number, sign: 1 | -1): number {
  let [sum, total] = [0, 0];
  for (let k = 0; k < scores.length; k++) {
    const weight = weights[k]!;
    if (weight === 0) continue;
    const z = sign * llr(scores[k]!);
    sum += weight * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))));
    total += weight;
  }
  return sum / total / Math.LN2;
}

/** Cllr: the mean over pairs of one person and over pairs of two of the cost at a prior of one half. */
export function cllr(
  genuine: WeightedScores,
  impostor: WeightedScores,
  llr: (score: number) => number,
): number {
  return (meanCost(genuine, llr, -1) + meanCost(impostor, llr, 1)) / 2;
}

/** A run of neighbouring scores that share one likelihood ratio: the weights of both kinds in it. */
interface Pool {
  genuine: number;
  impostor: number;
}

/**
 * The least Cllr that any rising map of the scores can have. Both lists are in falling order; equal scores are one.
 * O(n).
 */
export function minimumCllr(genuine: WeightedScores, impostor: WeightedScores): number {
  const [allGenuine, allImpostor] = [sumOf(genuine.weights), sumOf(impostor.weights)];
  const pools: Pool[] = [];
  let [g, i] = [0, 0];
  while (g < genuine.scores.length || i < impostor.scores.length) {
    const score = Math.max(genuine.scores[g] ?? -Infinity, impostor.scores[i] ?? -Infinity);
    const pool: Pool = { genuine: 0, impostor: 0 };
    for (; genuine.scores[g] === score; g++) pool.genuine += genuine.weights[g]! / allGenuine;
    for (; impostor.scores[i] === score; i++) pool.impostor += impostor.weights[i]! / allImpostor;
    if (pool.genuine === 0 && pool.impostor === 0) continue;
    // Scores fall, so likelihood ratios must; a pool whose ratio is not below the one before joins it.
    for (;;) {
      const before = pools.at(-1);
      if (!before || before.genuine * pool.impostor > pool.genuine * before.impostor) break;
      pool.genuine += before.genuine;
      pool.impostor += before.impostor;
      pools.pop();
    }
    pools.push(pool);
  }
  let bits = 0;
  for (const pool of pools) {
    if (pool.genuine > 0) bits += pool.genuine * Math.log2(1 + pool.impostor / pool.genuine);
    if (pool.impostor > 0) bits += pool.impostor * Math.log2(1 + pool.genuine / pool.impostor);
  }
  return bits / 2;
}

function sumOf(weights: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < weights.length; k++) sum += weights[k]!;
  return sum;
}
