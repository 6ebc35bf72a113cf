// The leaves of a graph: what is fed at every run (inputs), what is learned (parameters), and constants.
import {
  type Attributes,
  type DType,
  defineOp,
  type Shape,
  ShapeError,
  showShape,
  sizeOf,
  type Tensor,
} from '../tensor.js';

const leaf = (name: string) =>
  defineOp({
    name,
    result: (_, attributes) => ({
      shape: attributes.shape as Shape,
      dtype: attributes.dtype as DType,
    }),
  });
const inputNode = leaf('input');
const parameterNode = leaf('parameter');
const constantNode = leaf('constant');

function checkSizes(op: string, name: string, shape: Shape): void {
  for (const n of shape) {
    if (!Number.isInteger(n) || n < 1)
      throw new ShapeError(`${op} '${name}': ${showShape(shape)} is not a shape of positive whole sizes`);
  }
}

/** A value that is given at every run, such as a batch of images or the learning rate. */
export function input(name: string, shape: Shape, dtype: DType = 'float32'): Tensor {
  checkSizes('input', name, shape);
  return inputNode([], { name, shape, dtype });
}

/** A float32 value that is kept between runs: a weight, a centre, or a momentum buffer. */
export function parameter(name: string, shape: Shape): Tensor {
  checkSizes('parameter', name, shape);
  return parameterNode([], { name, shape, dtype: 'float32' });
}

/** A fixed value. A number becomes a float32 scalar; an array takes `shape` (default: one axis). */
export function constant(value: number | Float32Array | Int32Array, shape?: Shape): Tensor {
  const data = typeof value === 'number' ? Float32Array.of(value) : value;
  const sizes = shape ?? (typeof value === 'number' ? [] : [data.length]);
  if (sizeOf(sizes) !== data.length) {
    throw new ShapeError(`constant: ${data.length} numbers do not fill the shape ${showShape(sizes)}`);
  }
  const attributes: Attributes = {
    data,
    shape: sizes,
    dtype: data instanceof Int32Array ? 'int32' : 'float32',
  };
  return constantNode([], attributes);
}

/** The name that an input or a parameter was given. */
export const nameOf = (leafNode: Tensor): string => leafNode.attributes.name as string;

/** Turns a number into a scalar constant and leaves a tensor as it is. */
export const asTensor = (value: Tensor | number): Tensor =>
  typeof value === 'number' ? constant(value) : value;
