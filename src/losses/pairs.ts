// The pairs of a batch: one matrix of squared distances and the masks that say which pairs are of one person.
// Every pair, triplet and centre loss begins here.
import {
  add,
  cast,
  constant,
  div,
  equal,
  greater,
  matmul,
  max,
  maximum,
  mul,
  neg,
  reshape,
  square,
  sub,
  sum,
  type Tensor,
  transpose,
  where,
} from '../graph/index.js';

/**
 * Squared distances between the rows of x [N, D], [N, N], one by one: exact for rows of any length, near ones and
 * equal ones too, at the price of N^2 D numbers.
 */
export function squaredDistances(x: Tensor): Tensor {
  const [n, length] = x.shape as [number, number];
  return sum(square(sub(reshape(x, [n, 1, length]), reshape(x, [1, n, length]))), [2]);
}

/**
 * The same for rows of length 1, as 2 - 2 cos in one matrix product. Of longer rows it would lose what is small
 * beside their length: in single precision, a distance of .3 between rows of length 100. At least 0.
 */
export function squaredDistancesOfUnit(x: Tensor): Tensor {
  const lengths = sum(square(x), [1], { keepDims: true });
  const products = matmul(x, transpose(x, [1, 0]));
  return maximum(sub(add(lengths, transpose(lengths, [1, 0])), mul(products, 2)), 0);
}

/** Masks over pairs, [N, N] of 0 and 1; constants to the gradient. */
export interface PairMasks {
  /** i and j are of one person; i = j too. */
  readonly ofOne: Tensor;
  /** i and j are two images of one person. */
  readonly same: Tensor;
  /** i and j are of two people. */
  readonly different: Tensor;
  /** i < j: every pair once. */
  readonly above: Tensor;
}

/** The masks of labels [N] int32. */
export function pairMasks(labels: Tensor): PairMasks {
  const n = labels.shape[0]!;
  const table = (inside: (i: number, j: number) => boolean): Tensor =>
    constant(
      Float32Array.from({ length: n * n }, (_, at) => (inside(Math.floor(at / n), at % n) ? 1 : 0)),
      [n, n],
    );
  const ofOne = cast(equal(reshape(labels, [n, 1]), reshape(labels, [1, n])), 'float32');
  return {
    ofOne,
    same: mul(
      ofOne,
      table((i, j) => i !== j),
    ),
    different: sub(1, ofOne),
    above: table((i, j) => i < j),
  };
}

/** Farther than any distance of a batch. */
const FAR = 1e9;

/** The largest value where the mask is 1, over `axes` (default: all); -1e9 where it is nowhere. */
export const farthest = (values: Tensor, mask: Tensor, axes?: readonly number[]): Tensor =>
  max(where(greater(mask, 0.5), values, -FAR), axes);

/** The smallest value where the mask is 1, over `axes` (default: all); 1e9 where it is nowhere. */
export const nearest = (values: Tensor, mask: Tensor, axes?: readonly number[]): Tensor =>
  neg(farthest(neg(values), mask, axes));

/** The mean of values where the mask is 1; 0 where it is nowhere. */
export const maskedMean = (values: Tensor, mask: Tensor): Tensor =>
  div(sum(mul(values, mask)), maximum(sum(mask), 1));
