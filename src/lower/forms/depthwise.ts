// Depthwise convolution and its two gradients. The plain forms are grouped convolutions, one group a channel. On the
// CPU the activations stay channel-first, every channel of every image a group of its own; the input gradient is then
// the same convolution with the taps reversed, and the kernel gradient a matrix product a channel: of the image's
// rows with the gradient's rows, of which the diagonals are the taps.
import { convolutionOf, type Tensor } from '../../graph/index.js';
import type { Form, LoweringContext } from '../context.js';
import { CHANNEL_FIRST } from '../layout.js';
import { MICROSOFT } from '../writer.js';

type Four = [number, number, number, number];

/** Zeros (or unused rows, when negative) behind the last window of `count` windows along one axis. */
const endPadding = (size: number, kernel: number, count: number, stride: number, padding: number): number =>
  kernel + stride * (count - 1) - size - padding;

// ---- plain -------------------------------------------------------------------------------------------

const plainForward: Form = {
  op: 'depthwiseConv2d',
  write(node, context) {
    const [x, w] = node.inputs as readonly [Tensor, Tensor];
    const { stride: s, padding: p } = convolutionOf(node);
    const [c, , kh, kw] = w.shape as Four;
    const attributes = { kernel_shape: [kh, kw], strides: [s, s], pads: [p, p, p, p], group: c };
    context.define(node, context.writer.node('Conv', [context.value(x), context.value(w)], attributes));
  },
};

/** The attributes of the transposed convolution that is the input gradient, with one group a channel. */
function transposed(node: Tensor) {
  const [g, w] = node.inputs as readonly [Tensor, Tensor];
  const { stride: s, padding: p } = convolutionOf(node);
  const [, , kh, kw] = w.shape as Four;
  const [, , h, width] = node.shape as Four;
  const [, , oh, ow] = g.shape as Four;
  const rest = [h + 2 * p - kh - (oh - 1) * s, width + 2 * p - kw - (ow - 1) * s];
  return { kernel_shape: [kh, kw], strides: [s, s], pads: [p, p, p, p], output_padding: rest };
}

const plainInputGradient: Form = {
  op: 'depthwiseConv2dInputGradient',
  write(node, context) {
    const [g, w] = node.inputs as readonly [Tensor, Tensor];
    const attributes = { ...transposed(node), group: w.shape[0]! };
    context.define(
      node,
      context.writer.node('ConvTranspose', [context.value(g), context.value(w)], attributes),
    );
  },
};

/** Every image's channel with its output's gradient as the kernel, dilated by the stride, summed over images. */
const plainKernelGradient: Form = {
  op: 'depthwiseConv2dKernelGradient',
  write(node, context) {
    const [x, g] = node.inputs as readonly [Tensor, Tensor];
    const { stride: s, padding: p } = convolutionOf(node);
    const [c, , kh, kw] = node.shape as Four;
    const [n, , h, width] = x.shape as Four;
    const [, , oh, ow] = g.shape as Four;
    const { writer } = context;
    const [bottom, right] = [endPadding(h, kh, oh, s, p), endPadding(width, kw, ow, s, p)];
    let image = writer.reshape(context.value(x), [1, n * c, h, width]);
    if (bottom < 0 || right < 0) {
      const ends = writer.integers([1, n * c, h + Math.min(bottom, 0), width + Math.min(right, 0)]);
      image = writer.node('Slice', [image, writer.integers([0, 0, 0, 0]), ends]);
    }
    const kernel = writer.reshape(context.value(g), [n * c, 1, oh, ow]);
    const each = writer.node('Conv', [image, kernel], {
      kernel_shape: [oh, ow],
      dilations: [s, s],
      pads: [p, p, Math.max(bottom, 0), Math.max(right, 0)],
      group: n * c,
    });
    const apart = writer.reshape(each, [n, c, 1, kh, kw]);
    context.define(node, writer.node('ReduceSum', [apart, writer.integers([0])], { keepdims: 0 }));
  },
};

// ---- fast --------------------------------------------------------------------------------------------

/** Every channel of every image as a channel of one image: [1, C N, H, W]. */
const asChannels = (t: Tensor, context: LoweringContext): string => {
  const [n, c, h, w] = t.shape as Four;
  return context.writer.reshape(context.value(t, CHANNEL_FIRST), [1, c * n, h, w]);
};

/** The kernels [C, 1, kh, kw] for `asChannels` of n images, [C N, 1, kh, kw]; also with their taps reversed. */
function kernelsFor(n: number, w: Tensor, context: LoweringContext, reversed = false): string {
  const [c, , kh, kw] = w.shape as Four;
  const { writer } = context;
  let taps = writer.reshape(context.value(w), [c, 1, kh * kw]);
  if (reversed) {
    const order = Array.from({ length: kh * kw }, (_, i) => kh * kw - 1 - i);
    taps = writer.node('Gather', [taps, writer.integers(order)], { axis: 2 });
  }
  const repeated = writer.node('Expand', [taps, writer.integers([c, n, kh * kw])]);
  return writer.reshape(repeated, [c * n, 1, kh, kw]);
}

const fastForward: Form = {
  op: 'depthwiseConv2d',
  when: (_, context) => context.fusedOperators,
  write(node, context) {
    const [x, w] = node.inputs as readonly [Tensor, Tensor];
    const { stride: s, padding: p } = convolutionOf(node);
    const [, , kh, kw] = w.shape as Four;
    const [n, c, oh, ow] = node.shape as Four;
    const { writer } = context;
    const attributes = { kernel_shape: [kh, kw], strides: [s, s], pads: [p, p, p, p], group: c * n };
    const y = writer.node('Conv', [asChannels(x, context), kernelsFor(n, w, context)], attributes);
    context.define(node, writer.reshape(y, [c, n, oh, ow]), CHANNEL_FIRST);
  },
};

const fastInputGradient: Form = {
  op: 'depthwiseConv2dInputGradient',
  when: (_, context) => context.fusedOperators,
  write(node, context) {
    const [g, w] = node.inputs as readonly [Tensor, Tensor];
    const { stride, padding: p } = convolutionOf(node);
    const [n, c, h, width] = node.shape as Four;
    const [, , kh, kw] = w.shape as Four;
    const { writer } = context;
    // At stride 1 with padding at most kernel - 1 the input gradient is itself a convolution, which pays unless most
    // taps would meet its padding, as where a global convolution's single value goes back to all pixels.
    const [, , oh, ow] = g.shape as Four;
    const plain = stride === 1 && p < Math.min(kh, kw) && oh >= kh && ow >= kw;
    const [ph, pw] = [kh - 1 - p, kw - 1 - p];
    const attributes = plain ? { kernel_shape: [kh, kw], pads: [ph, pw, ph, pw] } : transposed(node);
    const dx = writer.node(
      plain ? 'Conv' : 'ConvTranspose',
      [asChannels(g, context), kernelsFor(n, w, context, plain)],
      { ...attributes, group: c * n },
    );
    context.define(node, writer.reshape(dx, [c, n, h, width]), CHANNEL_FIRST);
  },
};

/** Up to this many columns the products off the diagonals cost less than what the matrix product saves. */
const WIDEST = 64;

/**
 * For every channel and kernel row p the product over all images and rows i of x[i s + p - padding, j'] and g[i, j],
 * [W, ow]; tap (p, q) is the sum of its entries with j' = j s + q - padding, picked by a constant matrix.
 */
const diagonalKernelGradient: Form = {
  op: 'depthwiseConv2dKernelGradient',
  when: (node, context) => context.fusedOperators && node.inputs[0]!.shape[3]! <= WIDEST,
  write(node, context) {
    const [x, g] = node.inputs as readonly [Tensor, Tensor];
    const { stride: s, padding: p } = convolutionOf(node);
    const [c, , kh, kw] = node.shape as Four;
    const [n, , h, width] = x.shape as Four;
    const [, , oh, ow] = g.shape as Four;
    const { writer } = context;
    // Output rows from `first` up to `end` have their p-th row of taps inside the image; the others would add zeros.
    const rowsOf = (t: Tensor, from: number, step: number, count: number): string => {
      const value = context.value(t, CHANNEL_FIRST);
      const whole = from === 0 && step === 1 && count === t.shape[2];
      const [starts, ends] = [writer.integers([from]), writer.integers([from + (count - 1) * step + 1])];
      const rows = whole
        ? value
        : writer.node('Slice', [value, starts, ends, writer.integers([2]), writer.integers([step])]);
      return writer.reshape(rows, [c, n * count, t.shape[3]!]);
    };
    const products = Array.from({ length: kh }, (_, row) => {
      const first = Math.max(0, Math.ceil((p - row) / s));
      const count = Math.min(oh, Math.floor((h - 1 + p - row) / s) + 1) - first;
      if (count <= 0) return writer.constant(new Float32Array(c * width * ow), [c, width, ow]);
      const operands = [rowsOf(x, first * s + row - p, s, count), rowsOf(g, first, 1, count)];
      return writer.node('FusedMatMul', operands, { transA: 1 }, { domain: MICROSOFT });
    });
    const stacked = kh === 1 ? products[0]! : writer.node('Concat', products, { axis: 1 });
    const diagonals = new Float32Array(width * ow * kw);
    for (let j = 0; j < ow; j++) {
      for (let q = 0; q < kw; q++) {
        const column = j * s + q - p;
        if (column >= 0 && column < width) diagonals[(column * ow + j) * kw + q] = 1;
      }
    }
    const taps = writer.node('MatMul', [
      writer.reshape(stacked, [c * kh, width * ow]),
      writer.constant(diagonals, [width * ow, kw]),
    ]);
    context.define(node, writer.reshape(taps, [c, 1, kh, kw]));
  },
};

/** Best first; the last form of each operation always fits. */
export const depthwiseForms: readonly Form[] = [
  fastForward,
  plainForward,
  fastInputGradient,
  plainInputGradient,
  diagonalKernelGradient,
  plainKernelGradient,
];
