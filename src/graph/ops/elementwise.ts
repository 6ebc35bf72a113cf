// Elementwise operations with NumPy broadcasting. A gradient is summed back to its operand's shape with
// `sumTo`, the transpose of broadcasting.
import { defineOp, requireType, type Shape, sameShape, shapeError, type Tensor } from '../tensor.js';
import { asTensor } from './leaves.js';
import { sum } from './reduce.js';
import { reshape } from './shape.js';

/** The broadcast shape of the inputs: axes aligned at the end, sizes equal or one. */
export function broadcastShape(op: string, inputs: readonly Tensor[]): Shape {
  const rank = Math.max(...inputs.map((t) => t.shape.length));
  const shape: number[] = new Array(rank).fill(1);
  for (const { shape: s } of inputs) {
    for (let i = 0; i < s.length; i++) {
      const axis = rank - s.length + i;
      const n = s[i]!;
      if (shape[axis] === 1) shape[axis] = n;
      else if (n !== 1 && n !== shape[axis]) shapeError(op, 'shapes do not broadcast', inputs);
    }
  }
  return shape;
}

/** Sums `g` over the axes along which `shape` was broadcast to `g.shape`. */
export function sumTo(g: Tensor, shape: Shape): Tensor {
  if (sameShape(g.shape, shape)) return g;
  const lead = g.shape.length - shape.length;
  const axes = g.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []));
  return reshape(axes.length > 0 ? sum(g, axes) : g, shape);
}

function unary(name: string, gradient?: (x: Tensor, y: Tensor, g: Tensor) => Tensor) {
  const make = defineOp({
    name,
    result: (inputs) => {
      requireType(name, 'float32', inputs);
      return { shape: inputs[0]!.shape, dtype: 'float32' };
    },
    ...(gradient && { gradient: (node, g) => [gradient(node.inputs[0]!, node, g)] }),
  });
  return (x: Tensor): Tensor => make([x]);
}

type Operands = readonly [a: Tensor, b: Tensor, value: Tensor, g: Tensor];

function binary(name: string, gradient: (...operands: Operands) => readonly [Tensor, Tensor]) {
  const make = defineOp({
    name,
    result: (inputs) => {
      requireType(name, 'float32', inputs);
      return { shape: broadcastShape(name, inputs), dtype: 'float32' };
    },
    gradient: (node, g) => {
      const [a, b] = node.inputs as readonly [Tensor, Tensor];
      const [da, db] = gradient(a, b, node, g);
      return [sumTo(da, a.shape), sumTo(db, b.shape)];
    },
  });
  return (a: Tensor | number, b: Tensor | number): Tensor => make([asTensor(a), asTensor(b)]);
}

function comparison(name: string) {
  const make = defineOp({
    name,
    result: (inputs) => {
      if (inputs[0]!.dtype !== inputs[1]!.dtype) shapeError(name, 'takes inputs of one type', inputs);
      if (inputs[0]!.dtype === 'bool' && name !== 'equal') shapeError(name, 'takes numbers', inputs);
      return { shape: broadcastShape(name, inputs), dtype: 'bool' };
    },
  });
  return (a: Tensor | number, b: Tensor | number): Tensor => make([asTensor(a), asTensor(b)]);
}

/** a + b */
export const add = binary('add', (_a, _b, _y, g) => [g, g]);
/** a - b */
export const sub = binary('sub', (_a, _b, _y, g) => [g, neg(g)]);
/** a b; (ab)' = a'b + ab' */
export const mul = binary('mul', (a, b, _y, g) => [mul(g, b), mul(g, a)]);
/** a / b; (a/b)' = a'/b - (a/b) b'/b */
export const div = binary('div', (_a, b, y, g) => [div(g, b), neg(div(mul(g, y), b))]);
/** The larger of a and b; on a tie the gradient goes to b, so that `maximum(x, 0)` has slope 0 at 0. */
export const maximum = binary('maximum', (a, b, _y, g) => [
  where(greater(a, b), g, 0),
  where(greater(a, b), 0, g),
]);
/** The smaller of a and b; on a tie the gradient goes to b. */
export const minimum = binary('minimum', (a, b, _y, g) => [where(less(a, b), g, 0), where(less(a, b), 0, g)]);

/** -x */
export const neg = unary('neg', (_x, _y, g) => neg(g));
/** e^x */
export const exp = unary('exp', (_x, y, g) => mul(g, y));
/** ln x */
export const log = unary('log', (x, _y, g) => div(g, x));
/** Square root; its gradient is infinite at 0, so add a small number where 0 can occur. */
export const sqrt = unary('sqrt', (_x, y, g) => div(mul(g, 0.5), y));
/** |x|, with slope 0 at 0. */
export const abs = unary('abs', (x, _y, g) => mul(g, sign(x)));
/** cos x, x in radians. */
export const cos = unary('cos', (x, _y, g) => neg(mul(g, sin(x))));
/** sin x, x in radians. */
export const sin = unary('sin', (x, _y, g) => mul(g, cos(x)));
/** The angle in [0, pi] whose cosine is x in [-1, 1]; its gradient is infinite at -1 and 1, so keep off them. */
export const acos = unary('acos', (x, _y, g) => neg(div(g, sqrt(sub(1, square(x))))));
/** -1, 0 or 1; a constant to the gradient. */
export const sign = unary('sign');
/** x^2 */
export const square = (x: Tensor): Tensor => mul(x, x);
/** max(x, 0) */
export const relu = (x: Tensor): Tensor => maximum(x, 0);

/** a < b */
export const less = comparison('less');
/** a <= b */
export const lessEqual = comparison('lessEqual');
/** a > b */
export const greater = comparison('greater');
/** a >= b */
export const greaterEqual = comparison('greaterEqual');
/** a = b */
export const equal = comparison('equal');

const whereNode = defineOp({
  name: 'where',
  result: (inputs) => {
    if (inputs[0]!.dtype !== 'bool') shapeError('where', 'the condition must be bool', inputs);
    requireType('where', 'float32', inputs.slice(1));
    return { shape: broadcastShape('where', inputs), dtype: 'float32' };
  },
  gradient: (node, g) => {
    const [condition, a, b] = node.inputs as readonly [Tensor, Tensor, Tensor];
    return [undefined, sumTo(where(condition, g, 0), a.shape), sumTo(where(condition, 0, g), b.shape)];
  },
});
/** `a` where the condition holds, else `b`. */
export const where = (condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor =>
  whereNode([condition, asTensor(a), asTensor(b)]);

const castNode = defineOp({
  name: 'cast',
  result: (inputs, { to }) => ({ shape: inputs[0]!.shape, dtype: to as Tensor['dtype'] }),
});
/** The same values in another type (float to int32 cuts towards zero; true is 1); a constant to the gradient. */
export const cast = (x: Tensor, to: Tensor['dtype']): Tensor => (x.dtype === to ? x : castNode([x], { to }));

const stopNode = defineOp({
  name: 'stopGradient',
  result: (inputs) => ({ shape: inputs[0]!.shape, dtype: inputs[0]!.dtype }),
});
/** The same value, a constant to the gradient. */
export const stopGradient = (x: Tensor): Tensor => stopNode([x]);

const belowNode = defineOp({
  name: 'below',
  result: (inputs, { count }) => {
    if (inputs[0]!.dtype !== 'int32' || !Number.isInteger(count) || (count as number) < 1) {
      shapeError('below', `whole numbers are below a count of at least 1, not ${count}`, inputs);
    }
    return { shape: inputs[0]!.shape, dtype: 'int32' };
  },
});
/**
 * The same whole numbers, stated to lie in [0, count): class labels, places of rows. Where x is an input, a program
 * checks what it is fed; nothing is computed.
 */
export const below = (x: Tensor, count: number): Tensor => belowNode([x], { count });
