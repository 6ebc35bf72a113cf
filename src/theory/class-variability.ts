// How widely the features of a class spread, against how far the class means lie apart (NC1 of neural collapse:
// Papyan, Han and Donoho, PNAS 2020, Fig. 6).
import { symmetricEigen } from './eigen.js';
import { products } from './products.js';
import { type ClassMeans, countVectors, squaredNorm, type Vectors } from './vectors.js';

/** NC1 in two forms; NaN where the class means coincide. */
export interface ClassVariability {
  /** tr(S_W S_B^+) / K, as the paper has it; 0 when every class is a point. */
  readonly withinVariability: number;
  /** tr S_W / tr S_B: no pseudo-inverse, so that no direction in which means hardly differ rules it. */
  readonly withinOverBetween: number;
}

/**
 * Where the means spread less than this share of how much they spread in their widest direction, they do not differ:
 * it is what float32 leaves. So it sets the rank of S_B for the pseudo-inverse.
 */
const RANK_TOLERANCE = 1e-6;

/**
 * Both forms, of `vectors` ([N, D]), their class means, and these less their mean, `centred` ([K, D]). tr(S_W S_B^+)
 * is the mean of |R (x - mu_c)|^2 with R^T R = S_B^+, so that S_W (D x D) is never formed.
 */
export function classVariability(
  { length, original }: Vectors,
  { means, counts, classOf }: ClassMeans,
  centred: Vectors,
): ClassVariability {
  const classes = counts.length;
  const deviations = new Float64Array(original.length);
  classOf.forEach((row, i) => {
    for (let d = 0; d < length; d++) {
      deviations[i * length + d] = original[i * length + d]! - means[row * length + d]!;
    }
  });
  const root = inverseRoot(centred);
  if (root.original.length === 0) return { withinVariability: Number.NaN, withinOverBetween: Number.NaN };
  const rank = countVectors(root);
  const scaled = products({ length, original: deviations }, root);
  let [within, ratio] = [0, 0];
  classOf.forEach((row, i) => {
    const weight = 1 / (counts[row]! * classes);
    within += weight * squaredNorm(deviations, i * length, length);
    ratio += weight * squaredNorm(scaled, i * rank, rank);
  });
  const between = squaredNorm(centred.original, 0, centred.original.length) / classes;
  return { withinVariability: ratio / classes, withinOverBetween: within / between };
}

/**
 * R, [r, D], with R^T R = S_B^+, S_B = M^T M / K and M the centred means [K, D]. With eigenpairs (l, v) of M^T M it
 * has the rows sqrt(K/l) v; where K < D, those of M M^T are cheaper: v = M^T u / sqrt(l).
 */
function inverseRoot(centred: Vectors): Vectors {
  const { length, original } = centred;
  const classes = countVectors(centred);
  const turned = transpose(original, classes, length);
  const few = classes < length;
  const gram = few ? products(centred, centred) : products(turned, turned);
  const { values, vectors } = symmetricEigen(gram, few ? classes : length);
  const kept = values.filter((value) => value > RANK_TOLERANCE ** 2 * values[0]!);
  const top = {
    length: few ? classes : length,
    original: vectors.subarray(0, kept.length * (few ? classes : length)),
  };
  const directions = few ? products(top, turned) : top.original;
  return {
    length,
    original: directions.map((value, i) => {
      const eigenvalue = kept[Math.floor(i / length)]!;
      return value * Math.sqrt(classes / eigenvalue / (few ? eigenvalue : 1));
    }),
  };
}

/** The rows as columns: [K, D] to [D, K]. */
function transpose(rows: Vectors['original'], count: number, length: number): Vectors {
  const original = new Float64Array(rows.length);
  rows.forEach((value, i) => {
    original[(i % length) * count + Math.floor(i / length)] = value;
  });
  return { length: count, original };
}
