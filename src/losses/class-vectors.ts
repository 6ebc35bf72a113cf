// The class vectors of a head where they are met: multiplied with features, and picked by label. With many people
// a head costs what its passes over these K vectors cost (bench/losses), so everything here is written to spare them.
import {
  add,
  constant,
  div,
  gather,
  l2Normalize,
  matmul,
  mul,
  NORM_FLOOR,
  oneHot,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  transpose,
} from '../graph/index.js';
import type { ClassShare } from './class-share.js';

/** K class vectors, those here of a `ClassShare`. */
export interface ClassVectors {
  /** [K, D] */
  readonly all: Tensor;
  /** Inner products of features [N, D] (on their way to the classes) with all of them, [N, K]. */
  products(features: Tensor): Tensor;
  /** Those of the labels, [N, D]. */
  own(): Tensor;
  /** Their lengths, [N, 1]. */
  ownLength(): Tensor;
}

/** The value of one tensor with the gradient of another of its shape, exactly. */
export const withGradientOf = (value: Tensor, source: Tensor): Tensor =>
  add(stopGradient(value), sub(source, stopGradient(source)));

/** [K, D] of whatever length they are. */
export const asTheyAre = (all: Tensor, { places, ofOwner }: ClassShare): ClassVectors => ({
  all,
  products: (features) => matmul(features, transpose(all, [1, 0])),
  own: () => ofOwner(gather(all, places)),
  ownLength() {
    const own = rowSums(square(gather(all, places)));
    const source = matmul(oneHot(places, all.shape[0]!), squareSource(all));
    return floored(ofOwner(withGradientOf(own, source)));
  },
});

/** [K, D] divided by their length. It is the products, N numbers a class and not D, that are divided. */
export function broughtToUnitLength(free: Tensor, { places, ofOwner }: ClassShare): ClassVectors {
  const length = floored(withGradientOf(rowSums(square(free)), squareSource(free)));
  const inverse = div(1, length);
  return {
    all: mul(free, inverse),
    products: (features) => mul(matmul(features, transpose(free, [1, 0])), transpose(inverse, [1, 0])),
    own: () => ofOwner(l2Normalize(gather(free, places))),
    ownLength: () => constant(1),
  };
}

const rowSums = (x: Tensor): Tensor => sum(x, [1], { keepDims: true });

/** As in `norm`. */
const floored = (squared: Tensor): Tensor => sqrt(add(squared, NORM_FLOOR));

/** |w|^2 of every row, [K, 1], whose gradient 2 w is one pass over the rows; autodiff of w w would take two. */
const squareSource = (rows: Tensor): Tensor => mul(rowSums(mul(rows, stopGradient(rows))), 2);
