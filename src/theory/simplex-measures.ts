// How far a set of vectors is from a regular simplex: equal lengths, equal angles, and the angle of the simplex
// (NC2 of neural collapse: Papyan, Han and Donoho, PNAS 2020, Figs. 2 to 4).
import { UserError } from '../common/errors.js';
import { products } from './products.js';
import { countVectors, type Vectors } from './vectors.js';

/** NC2 of a set of K vectors: how far they are from a regular simplex. All are 0 for one. */
export interface SimplexMeasures {
  /** Standard deviation of the lengths over their mean. */
  readonly equinorm: number;
  /** Standard deviation of the cosines of all pairs. */
  readonly equiangularity: number;
  /** Mean of |cos + 1/(K-1)| over all pairs; can be 0 only if K <= D + 1. */
  readonly simplexAngle: number;
}

/** NC2 of the rows of `vectors` ([K, D], K >= 2); NaN if a row is zero. */
export function simplexMeasures(vectors: Vectors): SimplexMeasures {
  const k = countVectors(vectors);
  if (k < 2) throw new UserError('simplex measures: give at least two vectors');
  const gram = products(vectors, vectors);
  const norms = Array.from({ length: k }, (_, i) => Math.sqrt(gram[i * k + i]!));
  const cosines: number[] = [];
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < i; j++) cosines.push(gram[i * k + j]! / (norms[i]! * norms[j]!));
  }
  const length = moments(norms);
  return {
    equinorm: length.deviation / length.mean,
    equiangularity: moments(cosines).deviation,
    simplexAngle: moments(cosines.map((cosine) => Math.abs(cosine + 1 / (k - 1)))).mean,
  };
}

function moments(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square) };
}
