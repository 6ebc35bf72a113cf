// Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray 2016) for 3x3 convolutions of stride 1 and
// padding 1 with many channels: Y = A^T [(G w G^T) * (B^T d B)] A over 2x2 output tiles, 16 products where
// direct convolution needs 36. In plain ONNX nodes: the input transform is a 4x4 convolution of stride 2
// over [1, 1, C N, H, W], the products are 16 batched matrix products, and the output transform is one
// [4, 16] matrix product with the four phases interleaved.
import { convolutionOf, type Tensor } from '../../graph/index.js';
import type { Form, LoweringContext } from '../context.js';
import { CHANNEL_FIRST, TAPS_FIRST } from '../layout.js';
import { MICROSOFT } from '../writer.js';

/** Below this many channels on either side the transforms cost more than the products save. */
export const SMALLEST_CHANNELS = 128;

const BT = [
  [1, 0, -1, 0],
  [0, 1, 1, 0],
  [0, -1, 1, 0],
  [0, 1, 0, -1],
];
const G = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5],
  [0, 0, 1],
];
const AT = [
  [1, 1, 1, 0],
  [0, 1, -1, -1],
];

/** The Kronecker product a (x) b as row-major numbers. */
const kronecker = (a: readonly number[][], b: readonly number[][]): number[] =>
  a.flatMap((ra) => b.flatMap((rb) => ra.flatMap((x) => rb.map((y) => x * y))));
const transposed = (values: readonly number[], rows: number): number[] =>
  Array.from(values, (_, i) => values[(i % rows) * (values.length / rows) + Math.floor(i / rows)]!);

const inputKernels = Float32Array.from(kronecker(BT, BT)); // [16, 4, 4]
const outputMatrix = Float32Array.from(kronecker(AT, AT)); // [4, 16]
const outputKernels = Float32Array.from(transposed(kronecker(AT, AT), 4)); // [16, 2, 2]
const kernelMatrix = Float32Array.from(kronecker(G, G)); // [16, 9]
const kernelMatrixTransposed = Float32Array.from(transposed(kronecker(G, G), 16)); // [9, 16]
/** The same with the taps reversed, for the input gradient: a convolution with the kernel turned by 180 degrees. */
const reversedKernelMatrix = kernelMatrix.map((_, i) => kernelMatrix[i - (i % 9) + 8 - (i % 9)]!);

/** Sizes of an image in 2x2 output tiles. */
function tiles(t: Tensor) {
  const [n, c, h, w] = t.shape as unknown as [number, number, number, number];
  const [th, tw] = [(h + 1) >> 1, (w + 1) >> 1];
  return { n, c, h, w, th, tw, count: n * th * tw };
}

/** B^T d B of every tile: [16, C, tiles]. */
function transformInput(x: Tensor, context: LoweringContext): string {
  const { n, c, h, w, count } = tiles(x);
  const { writer } = context;
  const image = writer.reshape(context.value(x, CHANNEL_FIRST), [1, 1, c * n, h, w]);
  const kernels = writer.constant(inputKernels, [16, 1, 1, 4, 4]);
  const pads = [0, 1, 1, 0, 1 + (h & 1), 1 + (w & 1)];
  const d = writer.node('Conv', [image, kernels], { kernel_shape: [1, 4, 4], strides: [1, 2, 2], pads });
  return writer.reshape(d, [16, c, count]);
}

/** A^T m A of every tile, laid back into images: from [16, C, tiles] to channel-first [C, N, H, W]. */
function transformOutput(m: string, like: Tensor, { writer }: LoweringContext): string {
  const { n, c, h, w, th, tw } = tiles(like);
  const rows = c * n * th;
  const y = writer.node('MatMul', [
    writer.constant(outputMatrix, [4, 16]),
    writer.reshape(m, [16, rows * tw]),
  ]);
  const phases = writer.nodeOutputs(
    'Split',
    [writer.reshape(y, [4, rows * tw, 1])],
    { axis: 0 },
    { outputs: 4 },
  );
  const line = (left: string, right: string) =>
    writer.reshape(writer.node('Concat', [left, right], { axis: 2 }), [rows, 1, tw * 2]);
  const both = [line(phases[0]!, phases[1]!), line(phases[2]!, phases[3]!)];
  let image = writer.reshape(writer.node('Concat', both, { axis: 1 }), [c, n, th * 2, tw * 2]);
  const cut = (axis: number, size: number) => {
    image = writer.node('Slice', [
      image,
      writer.integers([0]),
      writer.integers([size]),
      writer.integers([axis]),
    ]);
  };
  if (h & 1) cut(2, h);
  if (w & 1) cut(3, w);
  return image;
}

/** G w G^T of every kernel, [16, K, C]. */
function transformKernels(w: Tensor, matrix: Float32Array, context: LoweringContext): string {
  const [k, c] = w.shape as unknown as [number, number];
  const { writer } = context;
  const taps = writer.reshape(context.value(w, TAPS_FIRST), [9, k * c]);
  return writer.reshape(writer.node('MatMul', [writer.constant(matrix, [16, 9]), taps]), [16, k, c]);
}

/** Batched product with one side transposed; the CPU provider can fold the transpose in. */
function batchedProduct(
  a: string,
  b: string,
  side: 'transA' | 'transB',
  shape: number[],
  context: LoweringContext,
) {
  const { writer } = context;
  if (context.fusedOperators) return writer.node('FusedMatMul', [a, b], { [side]: 1 }, { domain: MICROSOFT });
  const turn = (value: string) => writer.transpose(value, shape, [0, 2, 1]);
  return writer.node('MatMul', side === 'transA' ? [turn(a), b] : [a, turn(b)]);
}

/** Whether kernels [K, C, 3, 3] of a convolution are worth transforming. */
export function usesWinograd(kernels: readonly number[], node: Tensor, context: LoweringContext): boolean {
  const { stride, padding } = convolutionOf(node);
  const [k, c, kh, kw] = kernels as unknown as [number, number, number, number];
  return (
    context.fusedOperators &&
    stride === 1 &&
    padding === 1 &&
    kh === 3 &&
    kw === 3 &&
    Math.min(k, c) >= SMALLEST_CHANNELS
  );
}

const forward: Form = {
  op: 'conv2d',
  when: (node, context) => usesWinograd(node.inputs[1]!.shape, node, context),
  write(node, context) {
    const [x, w] = node.inputs as readonly [Tensor, Tensor];
    const m = context.writer.node('MatMul', [
      transformKernels(w, kernelMatrix, context),
      transformInput(x, context),
    ]);
    context.define(node, transformOutput(m, node, context), CHANNEL_FIRST);
  },
};

const inputGradient: Form = {
  op: 'conv2dInputGradient',
  when: (node, context) => usesWinograd(node.inputs[1]!.shape, node, context),
  write(node, context) {
    const [g, w] = node.inputs as readonly [Tensor, Tensor];
    const u = transformKernels(w, reversedKernelMatrix, context);
    const m = batchedProduct(
      u,
      transformInput(g, context),
      'transA',
      [16, w.shape[0]!, w.shape[1]!],
      context,
    );
    context.define(node, transformOutput(m, node, context), CHANNEL_FIRST);
  },
};

const kernelGradient: Form = {
  op: 'conv2dKernelGradient',
  when: (node, context) => usesWinograd(node.shape, node, context),
  absorbs: (node, addend) => String(addend.shape) === String(node.shape),
  write(node, context, addend) {
    const [x, g] = node.inputs as readonly [Tensor, Tensor];
    const { n, c: k, h, w, count } = tiles(g);
    const c = node.shape[1]!;
    const { writer } = context;
    // A dY A^T of every tile is the transpose of the output transform: a 2x2 convolution of stride 2.
    const image = writer.reshape(context.value(g, CHANNEL_FIRST), [1, 1, k * n, h, w]);
    const kernels = writer.constant(outputKernels, [16, 1, 1, 2, 2]);
    const pads = [0, 0, 0, 0, h & 1, w & 1];
    const dm = writer.node('Conv', [image, kernels], { kernel_shape: [1, 2, 2], strides: [1, 2, 2], pads });
    const shape = [16, c, count];
    const du = batchedProduct(
      writer.reshape(dm, [16, k, count]),
      transformInput(x, context),
      'transB',
      shape,
      context,
    );
    const inputs = [writer.constant(kernelMatrixTransposed, [9, 16]), writer.reshape(du, [16, k * c])];
    if (addend) inputs.push(writer.reshape(context.value(addend, TAPS_FIRST), [9, k * c]));
    const dw = writer.node(addend ? 'Gemm' : 'MatMul', inputs);
    context.define(node, writer.reshape(dw, [3, 3, k, c]), TAPS_FIRST);
  },
};

export const winogradForms: readonly Form[] = [forward, inputGradient, kernelGradient];
