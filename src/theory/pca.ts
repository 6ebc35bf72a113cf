// Principal components: the orthogonal directions along which vectors vary most (Pearson 1901; Hotelling 1933),
// as eigenvectors of the covariance matrix. TPE starts its projection from them (Sankaranarayanan et al. 2016).
import { UserError } from '../common/errors.js';
import { symmetricEigen } from './eigen.js';
import { countVectors, type Vectors } from './vectors.js';

/** The first d principal components of vectors of D numbers. */
export interface PrincipalComponents {
  /** [d, D]: orthonormal rows, the direction of most variance first; the largest entry of each is positive. */
  directions: Float64Array;
  /** [d]: the variance (with N - 1) along each direction, falling. */
  variances: Float64Array;
  /** The variance along all D directions: what the variances would sum to with d = D. */
  total: number;
  /** [D] */
  mean: Float64Array;
}

/**
 * The first `count` principal components of `vectors` ([N, D]), about their mean. Throws a UserError when
 * `count` is not in 1..D, or when there are fewer than two vectors.
 */
export function principalComponents(vectors: Vectors, count: number): PrincipalComponents {
  const { length, original } = vectors;
  const number = countVectors(vectors);
  if (!Number.isInteger(count) || count < 1 || count > length)
    throw new UserError(`${count} principal components of vectors of ${length} numbers: use 1 to ${length}`);
  if (number < 2) throw new UserError(`${number} vectors have no variance: give two or more`);
  const mean = new Float64Array(length);
  original.forEach((value, i) => {
    mean[i % length]! += value / number;
  });
  const covariance = new Float64Array(length * length);
  const centred = new Float64Array(length);
  for (let n = 0; n < number; n++) {
    for (let i = 0; i < length; i++) centred[i] = original[n * length + i]! - mean[i]!;
    for (let i = 0; i < length; i++) {
      const value = centred[i]! / (number - 1);
      for (let j = i; j < length; j++) covariance[i * length + j]! += value * centred[j]!;
    }
  }
  let total = 0;
  for (let i = 0; i < length; i++) {
    total += covariance[i * length + i]!;
    for (let j = 0; j < i; j++) covariance[i * length + j] = covariance[j * length + i]!;
  }
  const { values, vectors: rows } = symmetricEigen(covariance, length);
  return {
    directions: rows.slice(0, count * length),
    variances: values.slice(0, count).map((value) => Math.max(0, value)),
    total,
    mean,
  };
}
