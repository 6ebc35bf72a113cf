// The default way to write every operation that needs no trick: a newcomer reads this file to see what a
// graph becomes. Convolutions and PReLU have their defaults in their own files, next to the faster forms.
import type { Tensor } from '../../graph/index.js';
import type { Form, LoweringContext } from '../context.js';
import { plainLayout } from '../layout.js';
import type { OnnxAttribute } from '../onnx.js';

type Write = Form['write'];

/** One ONNX operator applied element by element, in whatever layout the inputs are in. */
export const elementwise =
  (opType: string, attributes: Record<string, OnnxAttribute> = {}): Write =>
  (node, context) => {
    const layout = context.elementwiseLayout(node);
    const names = operands(node).map((t) => context.operand(t, node.shape, layout));
    context.define(node, context.writer.node(opType, names, attributes), layout);
  };

/** The inputs, with explicit broadcasts left to ONNX where another input has the full shape anyway. */
function operands(node: Tensor): readonly Tensor[] {
  const full = (t: Tensor) => t.op !== 'broadcastTo' && String(t.shape) === String(node.shape);
  if (!node.inputs.some(full)) return node.inputs;
  return node.inputs.map((t) => (t.op === 'broadcastTo' ? t.inputs[0]! : t));
}

const addition: Write = (node, context) => {
  const [a, b] = node.inputs as readonly [Tensor, Tensor];
  for (const [term, addend] of [
    [a, b],
    [b, a],
  ] as const) {
    const form = String(term.shape) === String(node.shape) && context.absorbing(term, node, addend);
    if (form) {
      form.write(term, context, addend);
      const layout = context.nativeLayout(term);
      context.define(node, context.value(term, layout), layout);
      return;
    }
  }
  elementwise('Add')(node, context);
};

/**
 * Min and Max with a constant are written as Clip, which has a fast kernel on every provider; a Max that only a Min
 * reads becomes one Clip with it, which ONNX Runtime puts into the convolution before it.
 */
const extremum =
  (opType: 'Min' | 'Max'): Write =>
  (node, context) => {
    const bounded = boundedOf(node);
    if (!bounded) return elementwise(opType)(node, context);
    const layout = context.elementwiseLayout(node);
    const value = context.value(bounded.x, layout);
    const bound = context.value(bounded.bound);
    const [reader, ...others] = context.consumers(node);
    const above =
      opType === 'Max' && reader?.op === 'minimum' && others.length === 0 ? boundedOf(reader) : undefined;
    const limits = opType === 'Min' ? ['', bound] : above ? [bound, context.value(above.bound)] : [bound];
    // The Min is written first and the Max never: nothing else asks for it.
    context.define(above ? reader! : node, context.writer.node('Clip', [value, ...limits]), layout);
  };

/** What an extremum bounds, when its other operand is a constant number. */
function boundedOf(node: Tensor): { x: Tensor; bound: Tensor } | undefined {
  const [a, b] = node.inputs as readonly [Tensor, Tensor];
  const [x, bound] = a.op === 'constant' ? [b, a] : [a, b];
  return bound.op === 'constant' && bound.shape.length === 0 ? { x, bound } : undefined;
}

const reduction =
  (write: (context: LoweringContext, x: string, axes: number[], keepDims: number) => string): Write =>
  (node, context) => {
    const x = node.inputs[0]!;
    const axes = node.attributes.axes as readonly number[];
    const keepDims = node.attributes.keepDims as boolean;
    if (axes.length === 0) return context.define(node, context.value(x));
    // In a special layout the reduced axes are found where they lie; what remains must come out in order.
    const native = context.nativeLayout(x);
    const remaining = native.filter((axis) => !axes.includes(axis));
    const ordered = remaining.every((axis, i) => i === 0 || remaining[i - 1]! < axis);
    const layout = keepDims || ordered ? native : plainLayout(x.shape.length);
    const where = axes.map((axis) => layout.indexOf(axis)).sort((p, q) => p - q);
    const name = write(context, context.value(x, layout), where, keepDims ? 1 : 0);
    context.define(node, name, keepDims ? layout : plainLayout(node.shape.length));
  };

const reshape: Write = (node, context) => {
  const x = node.inputs[0]!;
  const shape = [...node.shape];
  if (context.hasFreeBatch(node)) {
    if (x.shape[0] !== 1 || shape[0] !== 1)
      throw new Error('a reshape that mixes the batch axis with others cannot have a free batch');
    shape[0] = -1;
  }
  context.define(node, context.writer.reshape(context.value(x), shape));
};

const transpose: Write = (node, context) => {
  const x = node.inputs[0]!;
  const perm = node.attributes.perm as readonly number[];
  const name = context.options.freeBatch
    ? context.writer.node('Transpose', [context.value(x)], { perm: [...perm] })
    : context.writer.transpose(context.value(x), x.shape, perm);
  context.define(node, name);
};

/** A matrix operand: a transpose of the last two axes is left to the product. */
function matrix(t: Tensor, context: LoweringContext): { name: string; transposed: 0 | 1 } {
  const rank = t.shape.length;
  const perm = t.attributes.perm as readonly number[] | undefined;
  const swapsLast =
    t.op === 'transpose' &&
    perm![rank - 1] === rank - 2 &&
    perm!.every((axis, i) => i >= rank - 2 || axis === i);
  if (swapsLast) return { name: context.value(t.inputs[0]!), transposed: 1 };
  return { name: context.value(t), transposed: 0 };
}

const matmul: Write = (node, context, addend) => {
  const [a, b] = node.inputs.map((t) => matrix(t, context)) as [
    ReturnType<typeof matrix>,
    ReturnType<typeof matrix>,
  ];
  const { writer } = context;
  let name: string;
  if (node.shape.length === 2 && (addend || a.transposed || b.transposed)) {
    const inputs = [a.name, b.name, ...(addend ? [context.value(addend)] : [])];
    name = writer.node('Gemm', inputs, { transA: a.transposed, transB: b.transposed });
  } else {
    const [x, y] = node.inputs.map((t, i) => {
      const operand = [a, b][i]!;
      if (!operand.transposed) return operand.name;
      return writer.transpose(operand.name, t.inputs[0]!.shape, t.attributes.perm as readonly number[]);
    }) as [string, string];
    name = writer.node('MatMul', [x, y]);
  }
  context.define(node, name);
};

const slice: Write = (node, context) => {
  const x = node.inputs[0]!;
  const { writer } = context;
  const starts = node.attributes.starts as readonly number[];
  const ends = node.attributes.ends as readonly number[];
  const axes = starts.flatMap((from, i) => (from > 0 || ends[i]! < x.shape[i]! ? [i] : []));
  const pick = (values: readonly number[]) => writer.integers(axes.map((axis) => values[axis]!));
  const value = context.value(x);
  context.define(
    node,
    axes.length === 0
      ? value
      : writer.node('Slice', [value, pick(starts), pick(ends), writer.integers(axes)]),
  );
};

const cast: Write = (node, context) => {
  const codes = { float32: 1, int32: 6, bool: 9 };
  elementwise('Cast', { to: codes[node.dtype] })(node, context);
};

const concat: Write = (node, context) => {
  const axis = node.attributes.axis as number;
  const names = node.inputs.map((t) => context.value(t));
  context.define(node, context.writer.node('Concat', names, { axis }));
};

const argMax: Write = (node, context) => {
  const { writer } = context;
  const index = writer.node('ArgMax', [context.value(node.inputs[0]!)], {
    axis: node.attributes.axis as number,
    keepdims: 0,
  });
  context.define(node, writer.node('Cast', [index], { to: 6 }));
};

const pad: Write = (node, context) => {
  const pads = [
    ...(node.attributes.before as readonly number[]),
    ...(node.attributes.after as readonly number[]),
  ];
  const { writer } = context;
  context.define(node, writer.node('Pad', [context.value(node.inputs[0]!), writer.integers(pads)]));
};

const constant: Write = (node, context) => {
  context.define(
    node,
    context.writer.constant(node.attributes.data as Float32Array | Int32Array, node.shape),
  );
};

const gather: Write = (node, context) => {
  const names = node.inputs.map((t) => context.value(t));
  context.define(node, context.writer.node('Gather', names, { axis: node.attributes.axis as number }));
};

const broadcastTo: Write = (node, context) => {
  const { writer } = context;
  context.define(node, writer.node('Expand', [context.value(node.inputs[0]!), writer.integers(node.shape)]));
};

/** An operation along the last axis. */
const lastAxis =
  (opType: string): Write =>
  (node, context) =>
    context.define(node, context.writer.node(opType, [context.value(node.inputs[0]!)], { axis: -1 }));

const writes: Record<string, Write> = {
  constant,
  sub: elementwise('Sub'),
  mul: elementwise('Mul'),
  div: elementwise('Div'),
  maximum: extremum('Max'),
  minimum: extremum('Min'),
  neg: elementwise('Neg'),
  exp: elementwise('Exp'),
  log: elementwise('Log'),
  sqrt: elementwise('Sqrt'),
  cos: elementwise('Cos'),
  sin: elementwise('Sin'),
  acos: elementwise('Acos'),
  abs: elementwise('Abs'),
  sign: elementwise('Sign'),
  less: elementwise('Less'),
  lessEqual: elementwise('LessOrEqual'),
  greater: elementwise('Greater'),
  greaterEqual: elementwise('GreaterOrEqual'),
  equal: elementwise('Equal'),
  where: elementwise('Where'),
  cast,
  sum: reduction(({ writer }, x, axes, keepdims) =>
    writer.node('ReduceSum', [x, writer.integers(axes)], { keepdims }),
  ),
  max: reduction(({ writer }, x, axes, keepdims) => writer.node('ReduceMax', [x], { axes, keepdims })),
  argMax,
  reshape,
  transpose,
  concat,
  slice,
  pad,
  gather,
  broadcastTo,
  softmax: lastAxis('Softmax'),
  logSoftmax: lastAxis('LogSoftmax'),
};

/** Whether `addend` broadcasts into a matrix of the node's shape, as Gemm allows. */
const fitsGemm: NonNullable<Form['absorbs']> = (node, addend, context) =>
  node.shape.length === 2 &&
  addend.dtype === 'float32' &&
  addend.shape.length >= 1 &&
  (context.hasFreeBatch(node) || !context.hasFreeBatch(addend));

export const plainForms: readonly Form[] = [
  ...Object.entries(writes).map(([op, write]): Form => ({ op, write })),
  { op: 'add', write: addition },
  { op: 'stopGradient', write: (node, context) => context.define(node, context.value(node.inputs[0]!)) },
  { op: 'below', write: (node, context) => context.define(node, context.value(node.inputs[0]!)) },
  { op: 'eachRank', write: (node, context) => context.define(node, context.value(node.inputs[0]!)) },
  { op: 'matmul', absorbs: fitsGemm, write: matmul },
];
