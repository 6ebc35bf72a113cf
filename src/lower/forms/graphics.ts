// Convolutions on graphics cards. What is one large product on the CPU, the batch as the depth of one image and the
// gradient as a kernel, is badly off there: ONNX Runtime's WebGPU provider computes 3-D convolutions one element a
// thread, and kernels as large as an image leave most of a card idle. Here activations are images [N, C, H, W], which
// both providers bring to tiled products, and a kernel's gradient is a batched product a tap.
import { convolutionOf, type Tensor } from '../../graph/index.js';
import type { Form, LoweringContext } from '../context.js';
import { CHANNEL_LAST } from '../layout.js';
import {
  endPadding,
  four,
  isBias,
  leavesNoRest,
  plainInputGradient,
  swappedTaps,
  wholeChannels,
  writeConvolution,
} from './convolution.js';

const onCard = (_node: Tensor, { fast, options: { target } }: LoweringContext): boolean =>
  fast && (target === 'webgpu' || target === 'cuda' || target === 'dml');
const onWebGpu = (node: Tensor, context: LoweringContext): boolean =>
  onCard(node, context) && context.options.target === 'webgpu';

const forward: Form = {
  op: 'conv2d',
  when: onCard,
  absorbs: isBias,
  write: writeConvolution,
};

/** At stride 1: the convolution with reversed taps, which on WebGPU is tiled where ConvTranspose is not. */
const reversedInputGradient: Form = {
  op: 'conv2dInputGradient',
  when: (node, context) => onWebGpu(node, context) && convolutionOf(node).stride === 1 && leavesNoRest(node),
  write(node, context) {
    const [g, w] = node.inputs as readonly [Tensor, Tensor];
    const { padding: p } = convolutionOf(node);
    const [, , kh, kw] = four(w.shape);
    const reversed = Array.from({ length: kh * kw }, (_, i) => kh * kw - 1 - i);
    const [ph, pw] = [kh - 1 - p, kw - 1 - p];
    const operands = [context.value(g), swappedTaps(w, reversed, [kh, kw], context)];
    const dx = context.writer.node('Conv', wholeChannels(operands, g.shape[1]!, context), {
      kernel_shape: [kh, kw],
      pads: [ph, pw, ph, pw],
    });
    context.define(node, dx);
  },
};

/** On CUDA the transposed convolution is cuDNN's own gradient of a convolution's input. */
const transposedInputGradient: Form = { ...plainInputGradient, when: onCard };

/** Independent products that fill a card: blocks of 64 x 64 results, times the parts of the batch. */
const ENOUGH = 256;
const BLOCK = 64;

/** Into how many parts of equal size a batch of n is divided, so that each tap's products are enough. */
function partsOf(n: number, filters: number, channels: number): number {
  const blocks = Math.ceil(filters / BLOCK) * Math.ceil(channels / BLOCK);
  for (let parts = 1; parts < n; parts++) if (n % parts === 0 && parts * blocks >= ENOUGH) return parts;
  return n;
}

/**
 * dw[k, :, c] of a tap = sum over images and places of g[k] x[c] as the tap sees it. A sum this long gives few
 * results to share out among a card's cores, so the batch is cut into parts that are summed in the end.
 */
const productKernelGradient: Form = {
  op: 'conv2dKernelGradient',
  when: onCard,
  write(node, context) {
    const [x, g] = node.inputs as readonly [Tensor, Tensor];
    const { stride: s, padding: p } = convolutionOf(node);
    const [k, c, kh, kw] = four(node.shape);
    const [n, , h, width] = four(x.shape);
    const [, , oh, ow] = four(g.shape);
    const { writer } = context;
    const parts = partsOf(n, k, c);
    const [bottom, right] = [endPadding(h, kh, oh, s, p), endPadding(width, kw, ow, s, p)].map((z) =>
      Math.max(z, 0),
    );
    let image = context.value(x, CHANNEL_LAST);
    if (p > 0 || bottom! > 0 || right! > 0)
      image = writer.node('Pad', [image, writer.integers([0, p, p, 0, 0, bottom!, right!, 0])]);
    const apart = writer.reshape(context.value(g), [parts, n / parts, k, oh * ow]);
    const across = writer.transpose(apart, [parts, n / parts, k, oh * ow], [0, 2, 1, 3]);
    const gradient = writer.reshape(across, [parts, k, (n / parts) * oh * ow]);
    const taps = Array.from({ length: kh * kw }, (_, tap) => {
      const [row, column] = [Math.floor(tap / kw), tap % kw];
      const seen = writer.node('Slice', [
        image,
        writer.integers([row, column]),
        writer.integers([row + (oh - 1) * s + 1, column + (ow - 1) * s + 1]),
        writer.integers([1, 2]),
        writer.integers([s, s]),
      ]);
      const places = writer.reshape(seen, [parts, (n / parts) * oh * ow, c]);
      return writer.reshape(writer.node('MatMul', [gradient, places]), [parts, k, 1, c]);
    });
    const all = taps.length > 1 ? writer.node('Concat', taps, { axis: 2 }) : taps[0]!;
    const dw =
      parts > 1
        ? writer.node('ReduceSum', [all, writer.integers([0])], { keepdims: 0 })
        : writer.reshape(all, [k, kh * kw, c]);
    context.define(node, writer.reshape(dw, [k, kh, kw, c]), CHANNEL_LAST);
  },
};

/** Best first. */
export const graphicsForms: readonly Form[] = [
  forward,
  reversedInputGradient,
  transposedInputGradient,
  productKernelGradient,
];
