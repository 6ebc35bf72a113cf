// Matrix products.
import { defineOp, sameShape, shapeError, type Tensor } from '../tensor.js';
import { transpose } from './shape.js';

/** Swaps the last two axes. */
export function transposeLast(x: Tensor): Tensor {
  const rank = x.shape.length;
  return transpose(
    x,
    x.shape.map((_, i) => (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i)),
  );
}

const matmulNode = defineOp({
  name: 'matmul',
  result: (inputs) => {
    const [a, b] = inputs as readonly [Tensor, Tensor];
    const rank = a.shape.length;
    const fits =
      rank >= 2 &&
      b.shape.length === rank &&
      a.dtype === 'float32' &&
      b.dtype === 'float32' &&
      a.shape[rank - 1] === b.shape[rank - 2] &&
      sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (!fits) shapeError('matmul', 'takes [..., n, k] and [..., k, m] with equal leading axes', inputs);
    return { shape: [...a.shape.slice(0, -1), b.shape[rank - 1]!], dtype: 'float32' };
  },
  // Y = AB: dA = G B^T, dB = A^T G
  gradient: (node, g) => {
    const [a, b] = node.inputs as readonly [Tensor, Tensor];
    return [matmul(g, transposeLast(b)), matmul(transposeLast(a), g)];
  },
});
/** Matrix product of [..., n, k] and [..., k, m]; leading axes must be equal (no broadcasting). */
export const matmul = (a: Tensor, b: Tensor): Tensor => matmulNode([a, b]);
