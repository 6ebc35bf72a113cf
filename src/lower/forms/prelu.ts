// PReLU and its gradients. The plain forms are PRelu (LeakyRelu) and Where. The fast forms are mask arithmetic:
// HardSigmoid with a huge negative slope is 1 where x < 0 and 0 elsewhere, so s = mask (a - 1) + 1 is the
// factor of every element, y = x s forward and g s backward. The factor is written once and serves both.
import type { Tensor } from '../../graph/index.js';
import type { Form, LoweringContext } from '../context.js';
import { CHANNEL_FIRST, type Layout, physicalShape, sameLayout } from '../layout.js';
import { MICROSOFT } from '../writer.js';

/** The slopes [C], shaped to broadcast over x laid out as `layout`. */
function slopes(slope: Tensor, x: Tensor, layout: Layout, context: LoweringContext): string {
  return context.writer.reshape(
    context.value(slope),
    layout.map((axis) => (axis === 1 ? x.shape[1]! : 1)),
  );
}

const plainForward: Form = {
  op: 'prelu',
  write(node, context) {
    const [x, slope] = node.inputs as readonly [Tensor, Tensor];
    // PRelu aligns slopes at the last axis: [C, 1, 1] for images, [C] for vectors.
    const shape = x.shape.slice(1).map((n, i) => (i === 0 ? n : 1));
    const aligned = context.writer.reshape(context.value(slope), shape);
    context.define(node, context.writer.node('PRelu', [context.value(x), aligned]));
  },
};

/** The slope when it is one constant for all channels. */
function oneSlope({ op, attributes }: Tensor): number | undefined {
  if (op !== 'constant') return undefined;
  const data = attributes.data as Float32Array;
  return data.every((a) => a === data[0]) ? data[0] : undefined;
}

/** A constant slope is a leaky ReLU, which ONNX Runtime puts into the convolution before it. */
const leakyForward: Form = {
  op: 'prelu',
  when: ({ inputs }) => oneSlope(inputs[1]!) !== undefined,
  write(node, context) {
    const [x, slope] = node.inputs as readonly [Tensor, Tensor];
    const layout = context.elementwiseLayout(node);
    const attributes = { alpha: { float: oneSlope(slope)! } };
    context.define(node, context.writer.node('LeakyRelu', [context.value(x, layout)], attributes), layout);
  },
};

const plainInputGradient: Form = {
  op: 'preluInputGradient',
  write(node, context) {
    const [g, x, slope] = node.inputs as readonly [Tensor, Tensor, Tensor];
    const { writer } = context;
    const layout = context.elementwiseLayout(node);
    const gradient = context.value(g, layout);
    const negative = writer.node('Less', [context.value(x, layout), writer.scalar(0)]);
    const scaled = writer.node('Mul', [gradient, slopes(slope, x, layout, context)]);
    context.define(node, writer.node('Where', [negative, scaled, gradient]), layout);
  },
};

const plainSlopeGradient: Form = {
  op: 'preluSlopeGradient',
  write(node, context) {
    const [g, x] = node.inputs as readonly [Tensor, Tensor];
    const { writer } = context;
    const layout = context.nativeLayout(x);
    const negatives = writer.node('Clip', [context.value(x, layout), '', writer.scalar(0)]);
    const products = writer.node('Mul', [context.value(g, layout), negatives]);
    const axes = layout.flatMap((axis, i) => (axis === 1 ? [] : [i]));
    context.define(node, writer.node('ReduceSum', [products, writer.integers(axes)], { keepdims: 0 }));
  },
};

const fast = (_node: Tensor, context: LoweringContext): boolean => context.fast;

/** x as one row a channel where its layout allows, else as it lies; with the shapes to go there and back. */
function view(x: Tensor, context: LoweringContext) {
  const layout = context.nativeLayout(x);
  const lies = physicalShape(x.shape, layout);
  const rows = sameLayout(layout, CHANNEL_FIRST);
  const shape = rows ? [lies[0]!, lies.slice(1).reduce((a, b) => a * b, 1)] : lies;
  const { writer } = context;
  return {
    layout,
    axes: rows ? [1] : layout.flatMap((axis, i) => (axis === 1 ? [] : [i])),
    of: (t: Tensor) => writer.reshape(context.value(t, layout), shape),
    channels: (t: Tensor) =>
      writer.reshape(
        context.value(t),
        rows ? [lies[0]!, 1] : layout.map((axis) => (axis === 1 ? x.shape[1]! : 1)),
      ),
    back: (value: string) => writer.reshape(value, lies),
  };
}

/** 1 where x >= 0, the channel's slope where x < 0. */
function factor(x: Tensor, slope: Tensor, by: ReturnType<typeof view>, { writer }: LoweringContext): string {
  const mask = writer.node('HardSigmoid', [by.of(x)], { alpha: { float: -1e38 }, beta: { float: 0 } });
  const change = writer.node('Sub', [by.channels(slope), writer.scalar(1)]);
  return writer.node('Add', [writer.node('Mul', [mask, change]), writer.scalar(1)]);
}

/** The first input times the factor: x itself forward, the output's gradient backward. */
const masked = (op: string): Form => ({
  op,
  when: fast,
  write(node, context) {
    const value = node.inputs[0]!;
    const [x, slope] = node.inputs.slice(-2) as [Tensor, Tensor];
    const by = view(x, context);
    const product = context.writer.node('Mul', [by.of(value), factor(x, slope, by, context)]);
    context.define(node, by.back(product), by.layout);
  },
});

/** Each channel's row of g times its row of min(x, 0): no products of elements are written, and read again to be summed. */
const productSlopeGradient: Form = {
  op: 'preluSlopeGradient',
  when: (node, context) =>
    context.fusedOperators && sameLayout(context.nativeLayout(node.inputs[1]!), CHANNEL_FIRST),
  write(node, context) {
    const [g, x] = node.inputs as readonly [Tensor, Tensor];
    const { writer } = context;
    const [channels, ...rest] = physicalShape(x.shape, CHANNEL_FIRST) as [number, ...number[]];
    const rows = (t: Tensor) =>
      writer.reshape(context.value(t, CHANNEL_FIRST), [channels, 1, rest.reduce((a, b) => a * b, 1)]);
    const negatives = writer.node('Clip', [rows(x), '', writer.scalar(0)]);
    const pair = [rows(g), negatives];
    const sums = writer.node('FusedMatMul', pair, { transB: 1 }, { domain: MICROSOFT });
    context.define(node, writer.reshape(sums, [channels]));
  },
};

const rowSlopeGradient: Form = {
  op: 'preluSlopeGradient',
  when: fast,
  write(node, context) {
    const [g, x] = node.inputs as readonly [Tensor, Tensor];
    const { writer } = context;
    const by = view(x, context);
    const negatives = writer.node('Clip', [by.of(x), '', writer.scalar(0)]);
    const products = writer.node('Mul', [by.of(g), negatives]);
    context.define(node, writer.node('ReduceSum', [products, writer.integers(by.axes)], { keepdims: 0 }));
  },
};

/** Best first; the last form of each operation always fits. */
export const preluForms: readonly Form[] = [
  masked('prelu'),
  leakyForward,
  plainForward,
  masked('preluInputGradient'),
  plainInputGradient,
  productSlopeGradient,
  rowSlopeGradient,
  plainSlopeGradient,
];
