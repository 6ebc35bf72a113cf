// Convolution and its two gradients. The plain forms are what ONNX offers directly. The fast forms keep
// activations channel-first, [C, N, H, W], and see the batch as the depth of one 3-D image: then the whole
// batch is a single matrix product on the CPU instead of one small product an image. Kernel gradients are
// ONE convolution whose "kernel" is the output's gradient, dilated by the stride.
import { convolutionOf, type Shape, type Tensor } from '../../graph/index.js';
import type { Form, LoweringContext } from '../context.js';
import { CHANNEL_FIRST, CHANNEL_LAST } from '../layout.js';
import { MICROSOFT } from '../writer.js';

export type Four = [number, number, number, number];
export const four = (shape: Shape): Four => shape as unknown as Four;

/** Zeros (or unused rows, when negative) behind the last window of `count` windows along one axis. */
export const endPadding = (
  size: number,
  kernel: number,
  count: number,
  stride: number,
  padding: number,
): number => kernel + stride * (count - 1) - size - padding;

// ---- plain -------------------------------------------------------------------------------------------

/**
 * Two operands of a 2-D convolution, with zeros behind their channels (axis 1) where its provider needs them: WebGPU's
 * in ONNX Runtime 1.30 gives wrong numbers for some channel counts that are no multiple of 4 (33 to 32, 129 to 64 and
 * 129 to 128 channels, 3 x 3; not 65 to 64).
 */
export function wholeChannels(
  operands: readonly string[],
  channels: number,
  context: LoweringContext,
): string[] {
  const { writer } = context;
  const more = -channels & 3;
  if (context.options.target !== 'webgpu' || more === 0 || channels < 4) return [...operands];
  return operands.map((value) => writer.node('Pad', [value, writer.integers([0, 0, 0, 0, 0, more, 0, 0])]));
}

/** The convolution as ONNX has it, with a bias a channel if there is an `addend`. */
export function writeConvolution(node: Tensor, context: LoweringContext, addend?: Tensor): void {
  const [x, w] = node.inputs as readonly [Tensor, Tensor];
  const { stride: s, padding: p } = convolutionOf(node);
  const [k, , kh, kw] = four(w.shape);
  const bias = addend ? [context.writer.reshape(context.value(addend), [k])] : [];
  const attributes = { kernel_shape: [kh, kw], strides: [s, s], pads: [p, p, p, p] };
  const operands = wholeChannels([context.value(x), context.value(w)], x.shape[1]!, context);
  context.define(node, context.writer.node('Conv', [...operands, ...bias], attributes));
}

const plainForward: Form = { op: 'conv2d', write: (node, context) => writeConvolution(node, context) };

export const plainInputGradient: Form = {
  op: 'conv2dInputGradient',
  write(node, context) {
    const [g, w] = node.inputs as readonly [Tensor, Tensor];
    const { stride: s, padding: p } = convolutionOf(node);
    const [, , kh, kw] = four(w.shape);
    const [, , h, width] = four(node.shape);
    const [, , oh, ow] = four(g.shape);
    const rest = [h + 2 * p - kh - (oh - 1) * s, width + 2 * p - kw - (ow - 1) * s];
    const attributes = { kernel_shape: [kh, kw], strides: [s, s], pads: [p, p, p, p], output_padding: rest };
    context.define(
      node,
      context.writer.node('ConvTranspose', [context.value(g), context.value(w)], attributes),
    );
  },
};

const plainKernelGradient: Form = {
  op: 'conv2dKernelGradient',
  write(node, context) {
    const [x, g] = node.inputs as readonly [Tensor, Tensor];
    const { stride: s, padding: p } = convolutionOf(node);
    const [k, c, kh, kw] = four(node.shape);
    const [n, , h, width] = four(x.shape);
    const [, , oh, ow] = four(g.shape);
    const { writer } = context;
    const [bottom, right] = [endPadding(h, kh, oh, s, p), endPadding(width, kw, ow, s, p)];
    let image = writer.transpose(context.value(x), x.shape, CHANNEL_FIRST);
    if (bottom < 0 || right < 0) {
      // The last rows or columns were under no window: cut them off.
      const ends = writer.integers([c, n, h + Math.min(bottom, 0), width + Math.min(right, 0)]);
      image = writer.node('Slice', [image, writer.integers([0, 0, 0, 0]), ends]);
    }
    const kernel = writer.transpose(context.value(g), g.shape, CHANNEL_FIRST);
    const swapped = writer.node('Conv', wholeChannels([image, kernel], n, context), {
      kernel_shape: [oh, ow],
      dilations: [s, s],
      pads: [p, p, Math.max(bottom, 0), Math.max(right, 0)],
    });
    context.define(node, writer.transpose(swapped, [c, k, kh, kw], CHANNEL_FIRST));
  },
};

// ---- fast --------------------------------------------------------------------------------------------

const fast = (_node: Tensor, context: LoweringContext): boolean => context.fast;

/** A per-channel bias: [1, K, 1, 1] beside a convolution's [N, K, H, W]. */
export const isBias = (node: Tensor, addend: Tensor): boolean =>
  addend.shape.length === 4 &&
  addend.shape[1] === node.shape[1] &&
  addend.shape.every((n, i) => i === 1 || n === 1);

/** The batch as the depth of one image: [1, C, N, H, W]. */
const asVolume = (t: Tensor, context: LoweringContext): string =>
  context.writer.reshape(context.value(t, CHANNEL_FIRST), [
    1,
    t.shape[1]!,
    t.shape[0]!,
    t.shape[2]!,
    t.shape[3]!,
  ]);

const fastForward: Form = {
  op: 'conv2d',
  when: fast,
  absorbs: isBias,
  write(node, context, addend) {
    const [x, w] = node.inputs as readonly [Tensor, Tensor];
    const { stride: s, padding: p } = convolutionOf(node);
    const [k, c, kh, kw] = four(w.shape);
    const [n, , oh, ow] = four(node.shape);
    const { writer } = context;
    const kernel = writer.reshape(context.value(w), [k, c, 1, kh, kw]);
    const bias = addend ? [writer.reshape(context.value(addend), [k])] : [];
    const y = writer.node('Conv', [asVolume(x, context), kernel, ...bias], {
      kernel_shape: [1, kh, kw],
      strides: [1, s, s],
      pads: [0, p, p, 0, p, p],
    });
    context.define(node, writer.reshape(y, [k, n, oh, ow]), CHANNEL_FIRST);
  },
};

/** The chosen taps of kernels [K, C, kh, kw] with filters and channels swapped: [C, K, ...size]. */
export function swappedTaps(
  w: Tensor,
  taps: readonly number[],
  size: readonly number[],
  context: LoweringContext,
): string {
  const [k, c, kh, kw] = four(w.shape);
  const { writer } = context;
  const all = writer.reshape(context.value(w, CHANNEL_LAST), [k, kh * kw, c]);
  const chosen = writer.node('Gather', [all, writer.integers(taps)], { axis: 1 });
  return writer.reshape(writer.transpose(chosen, [k, taps.length, c], [2, 0, 1]), [c, k, ...size]);
}

const fastInputGradient: Form = {
  op: 'conv2dInputGradient',
  when: (node, context) => context.fast && convolutionOf(node).stride === 1 && leavesNoRest(node),
  absorbs: (node, addend, context) => context.fusedOperators && String(addend.shape) === String(node.shape),
  write(node, context, addend) {
    const [g, w] = node.inputs as readonly [Tensor, Tensor];
    const { padding: p } = convolutionOf(node);
    const [, , kh, kw] = four(w.shape);
    const [n, c, h, width] = four(node.shape);
    const { writer } = context;
    const reversed = Array.from({ length: kh * kw }, (_, i) => kh * kw - 1 - i);
    const kernel = swappedTaps(w, reversed, [1, kh, kw], context);
    const [ph, pw] = [kh - 1 - p, kw - 1 - p];
    const attributes = { kernel_shape: [1, kh, kw], pads: [0, ph, pw, 0, ph, pw] };
    const inputs = [asVolume(g, context), kernel];
    const dx = addend
      ? writer.node('FusedConv', [...inputs, '', asVolume(addend, context)], attributes, {
          domain: MICROSOFT,
        })
      : writer.node('Conv', inputs, attributes);
    context.define(node, writer.reshape(dx, [c, n, h, width]), CHANNEL_FIRST);
  },
};

/** At stride 1 with padding at most kernel - 1 the input gradient is itself a plain convolution. */
export function leavesNoRest(node: Tensor): boolean {
  const [, , kh, kw] = four(node.inputs[1]!.shape);
  return convolutionOf(node).padding < Math.min(kh, kw);
}

/** 3x3, stride 2, padding 1: every image pixel's parity decides which taps reach it, and how. */
const subpixelInputGradient: Form = {
  op: 'conv2dInputGradient',
  when(node, context) {
    const { stride, padding } = convolutionOf(node);
    const [, , kh, kw] = four(node.inputs[1]!.shape);
    return context.fast && stride === 2 && padding === 1 && kh === 3 && kw === 3;
  },
  write(node, context) {
    const [g, w] = node.inputs as readonly [Tensor, Tensor];
    const [n, c, h, width] = four(node.shape);
    const [, , oh, ow] = four(g.shape);
    const { writer } = context;
    const rows = c * n * oh;
    const phase = (taps: number[], kh: number, kw: number): string => {
      const part = writer.node('Conv', [asVolume(g, context), swappedTaps(w, taps, [1, kh, kw], context)], {
        kernel_shape: [1, kh, kw],
        pads: [0, 0, 0, 0, kh - 1, kw - 1],
      });
      return writer.reshape(part, [rows * ow, 1]);
    };
    const interleave = (left: string, right: string): string =>
      writer.reshape(writer.node('Concat', [left, right], { axis: 1 }), [rows, 1, 2 * ow]);
    const even = interleave(phase([4], 1, 1), phase([5, 3], 1, 2));
    const odd = interleave(phase([7, 1], 2, 1), phase([8, 6, 2, 0], 2, 2));
    const both = writer.reshape(writer.node('Concat', [even, odd], { axis: 1 }), [c, n, 2 * oh, 2 * ow]);
    // An odd size has one row or column less than its pairs of phases.
    const ends = writer.integers([h, width]);
    const exact = 2 * oh === h && 2 * ow === width;
    const dx = exact
      ? both
      : writer.node('Slice', [both, writer.integers([0, 0]), ends, writer.integers([2, 3])]);
    context.define(node, dx, CHANNEL_FIRST);
  },
};

const dilatedKernelGradient: Form = {
  op: 'conv2dKernelGradient',
  when(node, context) {
    const [x, g] = node.inputs as readonly [Tensor, Tensor];
    const { stride, padding } = convolutionOf(node);
    const fits = (axis: 2 | 3) =>
      endPadding(x.shape[axis]!, node.shape[axis]!, g.shape[axis]!, stride, padding) >= 0;
    return context.fast && fits(2) && fits(3);
  },
  absorbs: (node, addend, context) => context.fusedOperators && String(addend.shape) === String(node.shape),
  write(node, context, addend) {
    const [x, g] = node.inputs as readonly [Tensor, Tensor];
    const { stride: s, padding: p } = convolutionOf(node);
    const [k, c, kh, kw] = four(node.shape);
    const [n, , h, width] = four(x.shape);
    const [, , oh, ow] = four(g.shape);
    const { writer } = context;
    // Rows of pixels with their channels side by side; one kernel column step is C columns of this image.
    const image = writer.reshape(context.value(x, CHANNEL_LAST), [1, n, h, width * c]);
    const kernel = context.value(g, CHANNEL_FIRST);
    const right = endPadding(width, kw, ow, s, p);
    const attributes = {
      kernel_shape: [oh, ow],
      dilations: [s, s * c],
      pads: [p, p * c, endPadding(h, kh, oh, s, p), right * c],
    };
    const dw = addend
      ? writer.node(
          'FusedConv',
          [image, kernel, '', writer.reshape(context.value(addend, CHANNEL_LAST), [1, k, kh, kw * c])],
          attributes,
          { domain: MICROSOFT },
        )
      : writer.node('Conv', [image, kernel], attributes);
    context.define(node, writer.reshape(dw, [k, kh, kw, c]), CHANNEL_LAST);
  },
};

/** Best first; the last form of each operation always fits. */
export const convolutionForms: readonly Form[] = [
  fastForward,
  plainForward,
  subpixelInputGradient,
  fastInputGradient,
  plainInputGradient,
  dilatedKernelGradient,
  plainKernelGradient,
];
