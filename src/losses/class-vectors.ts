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

/** K class vectors. */
export interface ClassVectors {
  /** [K, D] */
  readonly all: Tensor;
  /** Inner products of features [N, D] with all of them, [N, K]. */
  products(features: Tensor): Tensor;
  /** Those of the labels, [N, D]. */
  own(labels: Tensor): Tensor;
  /** Their lengths, [N, 1]. */
  ownLength(labels: Tensor): Tensor;
}

/** The value of one tensor with the gradient of another of its shape, exactly. */
export const withGradientOf = (value: Tensor, source: Tensor): Tensor =>
  add(stopGradient(value), sub(source, stopGradient(source)));

/** [K, D] of whatever length they are. */
export const asTheyAre = (all: Tensor): ClassVectors => ({
  all,
  products: (features) => matmul(features, transpose(all, [1, 0])),
  own: (labels) => gather(all, labels),
  ownLength(labels) {
    const own = rowSums(square(gather(all, labels)));
    return floored(withGradientOf(own, matmul(oneHot(labels, all.shape[0]!), squareSource(all))));
  },
});

/** [K, D] divided by their length. It is the products, N numbers a class and not D, that are divided. */
export function broughtToUnitLength(free: Tensor): ClassVectors {
  const length = floored(withGradientOf(rowSums(square(free)), squareSource(free)));
  const inverse = div(1, length);
  return {
    all: mul(free, inverse),
    products: (features) => mul(matmul(features, transpose(free, [1, 0])), transpose(inverse, [1, 0])),
    own: (labels) => l2Normalize(gather(free, labels)),
    ownLength: () => constant(1),
  };
}

const rowSums = (x: Tensor): Tensor => sum(x, [1], { keepDims: true });

/** As in `norm`. */
const floored = (squared: Tensor): Tensor => sqrt(add(squared, NORM_FLOOR));

/** |w|^2 of every row, [K, 1], whose gradient 2 w is one pass over the rows; autodiff of w w would take two. */
const squareSource = (rows: Tensor): Tensor => mul(rowSums(mul(rows, stopGradient(rows))), 2);
