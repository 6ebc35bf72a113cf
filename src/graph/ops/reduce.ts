// Sums, means, maxima and the index of the maximum.
import { defineOp, type Shape, shapeError, sizeOf, type Tensor } from '../tensor.js';
import { cast, div, equal, mul } from './elementwise.js';
import { broadcastTo, reshape } from './shape.js';

/** Whole axes counted from the front, sorted; a negative axis counts from the end. */
export function normalizeAxes(op: string, x: Tensor, axes: readonly number[] | undefined): number[] {
  const rank = x.shape.length;
  const all = axes ?? x.shape.map((_, i) => i);
  const whole = all.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
  if (whole.some((axis, i) => !(axis >= 0 && axis < rank) || axis === whole[i - 1])) {
    shapeError(op, `axes [${all}] do not fit`, [x]);
  }
  return whole;
}

const reduced = (shape: Shape, axes: readonly number[], keepDims: boolean): Shape =>
  keepDims ? shape.map((n, i) => (axes.includes(i) ? 1 : n)) : shape.filter((_, i) => !axes.includes(i));

/** Spreads a reduced value (or its gradient) over the shape it was reduced from. */
const spread = (value: Tensor, shape: Shape, axes: readonly number[]): Tensor =>
  broadcastTo(reshape(value, reduced(shape, axes, true)), shape);

interface ReduceOptions {
  keepDims?: boolean;
}

function reduction(
  name: string,
  gradient: (x: Tensor, y: Tensor, g: Tensor, axes: readonly number[]) => Tensor,
) {
  const make = defineOp({
    name,
    result: (inputs, { axes, keepDims }) => ({
      shape: reduced(inputs[0]!.shape, axes as number[], keepDims as boolean),
      dtype: 'float32',
    }),
    gradient: (node, g) => [gradient(node.inputs[0]!, node, g, node.attributes.axes as number[])],
  });
  return (x: Tensor, axes?: readonly number[], { keepDims = false }: ReduceOptions = {}): Tensor => {
    if (x.dtype !== 'float32') shapeError(name, 'takes a float32 input', [x]);
    return make([x], { axes: normalizeAxes(name, x, axes), keepDims });
  };
}

/** Sum over `axes` (default: all). */
export const sum = reduction('sum', (x, _y, g, axes) => spread(g, x.shape, axes));

/** Maximum over `axes` (default: all); equal maxima share the gradient evenly. */
export const max = reduction('max', (x, y, g, axes) => {
  const chosen = cast(equal(x, spread(y, x.shape, axes)), 'float32');
  return mul(chosen, spread(div(g, reshape(sum(chosen, axes), g.shape)), x.shape, axes));
});

/** Mean over `axes` (default: all). */
export function mean(x: Tensor, axes?: readonly number[], options: ReduceOptions = {}): Tensor {
  const total = sum(x, axes, options);
  return mul(total, sizeOf(total.shape) / sizeOf(x.shape));
}

const argMaxNode = defineOp({
  name: 'argMax',
  result: (inputs, { axis }) => {
    if (inputs[0]!.dtype === 'bool') shapeError('argMax', 'takes numbers', inputs);
    return { shape: inputs[0]!.shape.filter((_, i) => i !== axis), dtype: 'int32' };
  },
});
/** Index of the largest value along `axis` (the first on a tie), int32. */
export const argMax = (x: Tensor, axis = -1): Tensor =>
  argMaxNode([x], { axis: normalizeAxes('argMax', x, [axis])[0]! });
