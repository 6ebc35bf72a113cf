// Softmax and its logarithm along the last axis, both safe for large inputs, and L2 normalisation.
import { defineOp, type OpDefinition, shapeError, type Tensor } from '../tensor.js';
import { add, div, mul, sqrt, square, sub } from './elementwise.js';
import { sum } from './reduce.js';

const lastAxis =
  (name: string): OpDefinition['result'] =>
  (inputs) => {
    const x = inputs[0]!;
    if (x.dtype !== 'float32' || x.shape.length < 1)
      shapeError(name, 'takes a float32 input with an axis', inputs);
    return { shape: x.shape, dtype: 'float32' };
  };
const along = [-1];

const softmaxNode = defineOp({
  name: 'softmax',
  result: lastAxis('softmax'),
  gradient: (y, g) => [mul(y, sub(g, sum(mul(g, y), along, { keepDims: true })))],
});
/** e^x / sum e^x along the last axis. */
export const softmax = (x: Tensor): Tensor => softmaxNode([x]);

const logSoftmaxNode = defineOp({
  name: 'logSoftmax',
  result: lastAxis('logSoftmax'),
  gradient: (node, g) => [sub(g, mul(softmax(node.inputs[0]!), sum(g, along, { keepDims: true })))],
});
/** x - ln sum e^x along the last axis. */
export const logSoftmax = (x: Tensor): Tensor => logSoftmaxNode([x]);

/** Smallest squared norm that `norm` tells from zero: keeps value and gradient finite for a zero vector. */
export const NORM_FLOOR = 1e-12;

/** Euclidean norm along `axis`, kept as an axis of size one: sqrt(sum x^2 + 1e-12). */
export const norm = (x: Tensor, axis = -1): Tensor =>
  sqrt(add(sum(square(x), [axis], { keepDims: true }), NORM_FLOOR));

/** x / |x| along `axis`; a zero vector stays zero. */
export const l2Normalize = (x: Tensor, axis = -1): Tensor => div(x, norm(x, axis));
