// Winograd's minimal filtering (Lavin and Gray 2016) for 3x3 convolutions of padding 1 with many channels:
// Y = A^T [(G w G^T) * (B^T d B)] A over tiles of 2x2 outputs. With stride 1, F(2x2, 3x3) has 16 products where direct
// convolution has 36. With stride 2 the middle tap meets other pixels than the outer two: for two outputs those need
// three products (as F(2, 2) does) and the middle one two, so 25 a tile instead of 36, with sums alone.
//
// In plain ONNX nodes: an input transform is a convolution of the tile's size over [1, 1, C N, H, W], the products are
// batched matrix products, and an output transform is one matrix product with the phases of a tile interleaved. The
// gradient by the input is a filtering of the same kind, whose tiles are of the size that 2x2 gradients reach.
import { convolutionOf, type Tensor } from '../../graph/index.js';
import type { Form, LoweringContext } from '../context.js';
import { CHANNEL_FIRST, TAPS_FIRST } from '../layout.js';
import { MICROSOFT } from '../writer.js';

/** Below this many channels on either side the transforms cost more than the products save. */
const SMALLEST_CHANNELS = 128;

type Matrix = readonly (readonly number[])[];

/** One direction of a filtering along one axis. */
interface Filtering {
  /** B^T [products, pixels]: from the pixels of a tile. */
  readonly input: Matrix;
  /** Pixels from one tile to the next, and from the first tile's first pixel to the image. */
  readonly step: number;
  readonly before: number;
  /** A^T [outputs, products]: to the outputs of a tile. */
  readonly output: Matrix;
}

/** The filterings of a convolution, and its kernel's transform G [products, 3]. */
interface Algorithm {
  readonly kernel: Matrix;
  readonly forward: Filtering;
  /** By the input, of a kernel with its taps reversed. */
  readonly inputGradient: Filtering;
}

const F_2_3: Filtering = {
  input: [
    [1, 0, -1, 0],
    [0, 1, 1, 0],
    [0, -1, 1, 0],
    [0, 1, 0, -1],
  ],
  ...{ step: 2, before: 1 },
  output: [
    [1, 1, 1, 0],
    [0, 1, -1, -1],
  ],
};

const STRIDE_1: Algorithm = {
  kernel: [
    [1, 0, 0],
    [0.5, 0.5, 0.5],
    [0.5, -0.5, 0.5],
    [0, 0, 1],
  ],
  forward: F_2_3,
  inputGradient: F_2_3,
};

const STRIDE_2: Algorithm = {
  // The outer taps by F(2, 2), then the middle one for each output.
  kernel: [
    [1, 0, 0],
    [1, 0, 1],
    [0, 0, 1],
    [0, 1, 0],
    [0, 1, 0],
  ],
  forward: {
    input: [
      [1, 0, -1, 0, 0],
      [0, 0, 1, 0, 0],
      [0, 0, -1, 0, 1],
      [0, 1, 0, 0, 0],
      [0, 0, 0, 1, 0],
    ],
    ...{ step: 4, before: 1 },
    output: [
      [1, 1, 0, 1, 0],
      [0, 1, 1, 0, 1],
    ],
  },
  // Two outputs' gradients and the first of the next two reach four pixels: even ones by the middle tap.
  inputGradient: {
    input: [
      [1, -1, 0],
      [0, 1, 0],
      [0, -1, 1],
      [1, 0, 0],
      [0, 1, 0],
    ],
    ...{ step: 2, before: 0 },
    output: [
      [0, 0, 0, 1, 0],
      [1, 1, 0, 0, 0],
      [0, 0, 0, 0, 1],
      [0, 1, 1, 0, 0],
    ],
  },
};

/** The Kronecker product of a matrix with itself, row-major: what a transform along both axes is. */
const squared = (a: Matrix): Float32Array =>
  Float32Array.from(a.flatMap((ra) => a.flatMap((rb) => ra.flatMap((x) => rb.map((y) => x * y)))));

const transposed = (a: Matrix): Matrix => a[0]!.map((_, j) => a.map((row) => row[j]!));
const reversed = (a: Matrix): Matrix => a.map((row) => [...row].reverse());

/** Sizes of a convolution's output, or of what has its size, in tiles of 2x2. */
function tiles(t: Tensor) {
  const [n, , h, w] = t.shape as unknown as [number, number, number, number];
  const [th, tw] = [(h + 1) >> 1, (w + 1) >> 1];
  return { th, tw, count: n * th * tw };
}
type Tiles = ReturnType<typeof tiles>;

/** `input` along both axes of every tile of x: [products^2, C, tiles]. */
function spread(
  x: Tensor,
  { input, step, before }: Omit<Filtering, 'output'>,
  { th, tw, count }: Tiles,
  context: LoweringContext,
): string {
  const [n, c, h, w] = x.shape as unknown as [number, number, number, number];
  const { writer } = context;
  const [products, size] = [input.length ** 2, input[0]!.length];
  const image = writer.reshape(context.value(x, CHANNEL_FIRST), [1, 1, c * n, h, w]);
  const kernels = writer.constant(squared(input), [products, 1, 1, size, size]);
  const after = (tiles: number, length: number) => step * (tiles - 1) + size - before - length;
  const d = writer.node('Conv', [image, kernels], {
    kernel_shape: [1, size, size],
    strides: [1, step, step],
    pads: [0, before, before, 0, after(th, h), after(tw, w)],
  });
  return writer.reshape(d, [products, c, count]);
}

/** `output` along both axes of every tile, laid back into images: from [products^2, C, tiles] to [C, N, H, W]. */
function gathered(
  m: string,
  { output }: Pick<Filtering, 'output'>,
  like: Tensor,
  { th, tw }: Tiles,
  { writer }: LoweringContext,
): string {
  const [n, c, h, w] = like.shape as unknown as [number, number, number, number];
  const [phases, products] = [output.length, output[0]!.length];
  const rows = c * n * th;
  const y = writer.node('MatMul', [
    writer.constant(squared(output), [phases ** 2, products ** 2]),
    writer.reshape(m, [products ** 2, rows * tw]),
  ]);
  const all = writer.nodeOutputs(
    'Split',
    [writer.reshape(y, [phases ** 2, rows * tw, 1])],
    { axis: 0 },
    { outputs: phases ** 2 },
  );
  const lines = output.map((_, i) => {
    const line = writer.node('Concat', all.slice(i * phases, (i + 1) * phases), { axis: 2 });
    return writer.reshape(line, [rows, 1, tw * phases]);
  });
  let image = writer.reshape(writer.node('Concat', lines, { axis: 1 }), [c, n, th * phases, tw * phases]);
  const cut = (axis: number, size: number) => {
    image = writer.node('Slice', [
      image,
      writer.integers([0]),
      writer.integers([size]),
      writer.integers([axis]),
    ]);
  };
  if (h < th * phases) cut(2, h);
  if (w < tw * phases) cut(3, w);
  return image;
}

/**
 * G w G^T of every kernel, [products^2, K, C]; `turned`, [products^2, C, K], which costs less than a product that has to
 * turn it.
 */
function transformKernels(
  w: Tensor,
  kernel: Matrix,
  context: LoweringContext,
  { turned = false } = {},
): string {
  const [k, c] = w.shape as unknown as [number, number];
  const { writer } = context;
  const products = kernel.length ** 2;
  const lies = context.value(w, TAPS_FIRST);
  const taps = turned ? writer.transpose(writer.reshape(lies, [9, k, c]), [9, k, c], [0, 2, 1]) : lies;
  const matrix = writer.constant(squared(kernel), [products, 9]);
  const product = writer.node('MatMul', [matrix, writer.reshape(taps, [9, k * c])]);
  return writer.reshape(product, turned ? [products, c, k] : [products, k, c]);
}

/** The filterings of a convolution with kernels [K, C, 3, 3], where they are worth their transforms. */
function algorithmOf(
  kernels: readonly number[],
  node: Tensor,
  context: LoweringContext,
): Algorithm | undefined {
  const { stride, padding } = convolutionOf(node);
  const [k, c, kh, kw] = kernels as unknown as [number, number, number, number];
  if (!context.fusedOperators || padding !== 1 || kh !== 3 || kw !== 3) return undefined;
  return Math.min(k, c) >= SMALLEST_CHANNELS ? [STRIDE_1, STRIDE_2][stride - 1] : undefined;
}

/** Whether kernels [K, C, 3, 3] of a convolution are worth transforming. */
export const usesWinograd = (kernels: readonly number[], node: Tensor, context: LoweringContext): boolean =>
  algorithmOf(kernels, node, context) !== undefined;

const forward: Form = {
  op: 'conv2d',
  when: (node, context) => usesWinograd(node.inputs[1]!.shape, node, context),
  write(node, context) {
    const [x, w] = node.inputs as readonly [Tensor, Tensor];
    const { kernel, forward } = algorithmOf(w.shape, node, context)!;
    const at = tiles(node);
    const m = context.writer.node('MatMul', [
      transformKernels(w, kernel, context),
      spread(x, forward, at, context),
    ]);
    context.define(node, gathered(m, forward, node, at, context), CHANNEL_FIRST);
  },
};

const inputGradient: Form = {
  op: 'conv2dInputGradient',
  when: (node, context) => usesWinograd(node.inputs[1]!.shape, node, context),
  write(node, context) {
    const [g, w] = node.inputs as readonly [Tensor, Tensor];
    const { kernel, inputGradient } = algorithmOf(w.shape, node, context)!;
    const at = tiles(g);
    const m = context.writer.node('MatMul', [
      transformKernels(w, reversed(kernel), context, { turned: true }),
      spread(g, inputGradient, at, context),
    ]);
    context.define(node, gathered(m, inputGradient, node, at, context), CHANNEL_FIRST);
  },
};

const kernelGradient: Form = {
  op: 'conv2dKernelGradient',
  when: (node, context) => usesWinograd(node.shape, node, context),
  absorbs: (node, addend) => String(addend.shape) === String(node.shape),
  write(node, context, addend) {
    const [x, g] = node.inputs as readonly [Tensor, Tensor];
    const { kernel, forward } = algorithmOf(node.shape, node, context)!;
    const at = tiles(g);
    const [k, c] = node.shape as unknown as [number, number];
    const { writer } = context;
    // A dY A^T of every tile is the transpose of the output transform.
    const back = { input: transposed(forward.output), step: 2, before: 0 };
    const products = kernel.length ** 2;
    const pair = [spread(g, back, at, context), spread(x, forward, at, context)];
    const du = writer.node('FusedMatMul', pair, { transB: 1 }, { domain: MICROSOFT });
    const matrix = writer.constant(squared(transposed(kernel)), [9, products]);
    const inputs = [matrix, writer.reshape(du, [products, k * c])];
    if (addend) inputs.push(writer.reshape(context.value(addend, TAPS_FIRST), [9, k * c]));
    const dw = writer.node(addend ? 'Gemm' : 'MatMul', inputs);
    context.define(node, writer.reshape(dw, [3, 3, k, c]), TAPS_FIRST);
  },
};

export const winogradForms: readonly Form[] = [forward, inputGradient, kernelGradient];
