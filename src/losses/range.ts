// Range loss: shrinks the widest spreads inside the classes of the batch (harmonic mean of the k largest squared
// distances, so that one outlier does not rule) and pushes the two nearest class means apart. Made for
// long-tailed data: every class of the batch counts the same, whatever its size.
import {
  add,
  argMax,
  cast,
  constant,
  div,
  greater,
  greaterEqual,
  less,
  matmul,
  max,
  maximum,
  mul,
  oneHot,
  reshape,
  sub,
  sum,
  type Tensor,
  where,
} from '../graph/index.js';
import { defineLoss } from './definition.js';
import { real, whole } from './options.js';
import { nearest, pairMasks, squaredDistances } from './pairs.js';

/** Options of `range`. */
export interface RangeOptions {
  /** How many of the largest squared distances inside a class count. */
  k: number;
  /** Weight of the spread inside classes. */
  alpha: number;
  /** Weight of the nearest two class means. */
  beta: number;
  /** m, in squared distance between class means. */
  margin: number;
}

/** Keeps the harmonic mean finite where two embeddings are equal. */
const DISTANCE_FLOOR = 1e-12;

/**
 * sum_i n_i / sum_{j <= n_i} 1 / D_ij over the classes of the batch, D_ij being the n_i = min(k, pairs of class i)
 * largest squared distances inside class i. A class with one image adds nothing. `first` [N] marks one image of
 * each class.
 */
function spreadInside(distance: Tensor, ofOne: Tensor, above: Tensor, first: Tensor, k: number): Tensor {
  const n = distance.shape[0]!;
  const flat = reshape(distance, [1, n * n]);
  // Row i: the pairs a < b of the class of image i.
  const pairs = mul(mul(reshape(ofOne, [n, n, 1]), reshape(ofOne, [n, 1, n])), reshape(above, [1, n, n]));
  let left = where(greater(reshape(pairs, [n, n * n]), 0.5), flat, -1);
  let count: Tensor = constant(new Float32Array(n), [n]);
  let reciprocals = count;
  // No class has more pairs than the batch.
  for (let j = 0; j < Math.min(k, (n * (n - 1)) / 2); j++) {
    const place = oneHot(argMax(left, 1), n * n);
    const there = cast(greaterEqual(max(left, [1]), 0), 'float32');
    const value = sum(mul(place, flat), [1]);
    count = add(count, there);
    reciprocals = add(reciprocals, div(there, add(value, DISTANCE_FLOOR)));
    left = where(greater(place, 0.5), -1, left);
  }
  // Without pairs 0 / (0 + 1).
  const none = cast(less(count, 0.5), 'float32');
  return sum(mul(first, div(count, add(reciprocals, none))));
}

export const range = defineLoss<RangeOptions>({
  name: 'range',
  title: 'Range',
  formula:
    "alpha sum_i k / sum_{j <= k} 1/D_ij + beta max(0, m - min |mean_p - mean_q|^2), D the k largest |x - x'|^2 of class i",
  paper:
    'Zhang, Fang, Wen, Li and Qiao, Range Loss for Deep Face Recognition with Long-Tailed Training Data, ICCV 2017',
  kind: 'centre',
  needs: { imagesPerPerson: 3 },
  options: {
    k: whole(2, 1),
    alpha: real(5e-5, { from: 0 }),
    beta: real(1e-4, { from: 0 }),
    margin: real(2e4, { from: 0 }),
  },
  build({ embedding, labels }, { k, alpha, beta, margin }) {
    const n = labels.shape[0]!;
    const { ofOne, different, above } = pairMasks(labels);
    const earlier = sum(mul(ofOne, above), [0]);
    const first = cast(less(earlier, 0.5), 'float32');
    const inside = spreadInside(squaredDistances(embedding), ofOne, above, first, k);

    const means = div(matmul(ofOne, embedding), sum(ofOne, [1], { keepDims: true }));
    const apart = squaredDistances(means);
    const counted = mul(mul(different, reshape(first, [n, 1])), reshape(first, [1, n]));
    const nearestMeans = nearest(apart, counted);
    const between = maximum(sub(margin, nearestMeans), 0);
    return {
      loss: add(mul(inside, alpha), mul(between, beta)),
      schedule: [],
      metrics: { spread: inside, nearestMeans },
    };
  },
});
