// One example, or several, of every operation a graph can hold: what the gradient tests and the lowering
// tests run through.
import type { Shape, Tensor } from '../../src/graph/index.js';
import * as graph from '../../src/graph/index.js';
import { distinctValues, type Example } from './example.js';

type Binary = (a: Tensor, b: Tensor) => Tensor;

const binary = (name: string, f: Binary, options: Partial<Example> = {}): Example[] =>
  (
    [
      [
        [2, 3],
        [2, 3],
      ],
      [[2, 3], [3]],
      [
        [2, 1, 3],
        [4, 1],
      ],
      [[], [2, 2]],
      [
        [1, 4],
        [3, 4],
      ],
    ] as [Shape, Shape][]
  ).map(([a, b]) => ({
    title: `${name} of [${a}] and [${b}]`,
    shapes: { a, b },
    build: (t) => f(t.a!, t.b!),
    ...options,
  }));

/** The accuracy of sin and cos in the WebGPU shading language: 2^-11 absolute between -pi and pi. */
const TRIGONOMETRY_ON_WEBGPU = 2 ** -11;

const unary = (name: string, f: (x: Tensor) => Tensor, options: Partial<Example> = {}): Example => ({
  title: name,
  shapes: { x: [3, 4] },
  build: (t) => f(t.x!),
  ...options,
});

const comparisons: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
  less: graph.less,
  lessEqual: graph.lessEqual,
  greater: graph.greater,
  greaterEqual: graph.greaterEqual,
  equal: graph.equal,
};

/** Kernel, stride, padding and size, with odd and even sizes; batch, input and output channels. */
const CONVOLUTIONS = [
  { kernel: 3, stride: 1, padding: 1, size: [5, 4], n: 2, c: 3, k: 4 },
  { kernel: 3, stride: 1, padding: 1, size: [4, 6], n: 1, c: 2, k: 3 },
  { kernel: 3, stride: 2, padding: 1, size: [5, 7], n: 2, c: 2, k: 3 },
  { kernel: 3, stride: 2, padding: 1, size: [6, 4], n: 1, c: 3, k: 2 },
  { kernel: 3, stride: 2, padding: 1, size: [7, 6], n: 3, c: 1, k: 2 },
  { kernel: 3, stride: 2, padding: 1, size: [1, 2], n: 2, c: 2, k: 2 },
  { kernel: 3, stride: 1, padding: 1, size: [1, 1], n: 2, c: 2, k: 2 },
  { kernel: 3, stride: 1, padding: 0, size: [5, 4], n: 2, c: 2, k: 2 },
  { kernel: 3, stride: 2, padding: 0, size: [6, 7], n: 2, c: 2, k: 2 },
  { kernel: 1, stride: 1, padding: 0, size: [3, 4], n: 2, c: 3, k: 2 },
  { kernel: 1, stride: 2, padding: 0, size: [5, 4], n: 2, c: 3, k: 2 },
  { kernel: 5, stride: 1, padding: 2, size: [6, 5], n: 1, c: 2, k: 2 },
  { kernel: 5, stride: 3, padding: 1, size: [8, 7], n: 1, c: 2, k: 2 },
  { kernel: 2, stride: 2, padding: 0, size: [5, 4], n: 1, c: 1, k: 1 },
  { kernel: 1, stride: 1, padding: 1, size: [2, 3], n: 2, c: 2, k: 1 },
  { kernel: 3, stride: 3, padding: 2, size: [2, 6], n: 1, c: 2, k: 2 },
];

const convolutions: Example[] = CONVOLUTIONS.flatMap(
  ({ kernel, stride, padding, size, n, c, k }): Example[] => {
    const by = { stride, padding };
    const x = [n, c, ...size];
    const w = [k, c, kernel, kernel];
    const g = [n, k, ...size.map((s) => graph.convolvedSize(s, kernel, by))];
    const what = `${kernel}x${kernel}, stride ${stride}, padding ${padding}, [${x}] to ${k} channels`;
    return [
      { title: `conv2d ${what}`, shapes: { x, w }, build: (t) => graph.conv2d(t.x!, t.w!, by) },
      {
        title: `conv2dInputGradient ${what}`,
        shapes: { g, w },
        build: (t) => graph.conv2dInputGradient(t.g!, t.w!, { ...by, inputShape: x }),
      },
      {
        title: `conv2dKernelGradient ${what}`,
        shapes: { x, g },
        build: (t) => graph.conv2dKernelGradient(t.x!, t.g!, { ...by, kernelShape: w }),
      },
    ];
  },
);

/** One kernel a channel; a kernel may be of two sizes, as what is left of 112 x 96 is (7 x 6). */
const DEPTHWISE = [
  { kernel: [3, 3], stride: 1, padding: 1, size: [5, 4], n: 2, c: 3 },
  { kernel: [3, 3], stride: 1, padding: 1, size: [1, 1], n: 2, c: 2 },
  { kernel: [3, 3], stride: 1, padding: 0, size: [4, 5], n: 3, c: 1 },
  { kernel: [3, 3], stride: 2, padding: 1, size: [6, 4], n: 2, c: 3 },
  { kernel: [3, 3], stride: 2, padding: 1, size: [5, 7], n: 3, c: 2 },
  { kernel: [3, 3], stride: 2, padding: 1, size: [7, 6], n: 1, c: 4 },
  { kernel: [3, 3], stride: 2, padding: 1, size: [1, 2], n: 2, c: 2 },
  { kernel: [3, 3], stride: 2, padding: 0, size: [6, 7], n: 2, c: 2 },
  { kernel: [3, 3], stride: 3, padding: 2, size: [2, 6], n: 1, c: 2 },
  { kernel: [1, 1], stride: 1, padding: 0, size: [3, 4], n: 2, c: 3 },
  { kernel: [1, 1], stride: 3, padding: 1, size: [5, 4], n: 2, c: 2 },
  { kernel: [2, 2], stride: 3, padding: 0, size: [7, 6], n: 1, c: 2 },
  { kernel: [5, 5], stride: 3, padding: 1, size: [8, 7], n: 1, c: 2 },
  { kernel: [4, 3], stride: 1, padding: 0, size: [4, 3], n: 2, c: 3 },
  { kernel: [2, 5], stride: 2, padding: 1, size: [5, 6], n: 2, c: 2 },
];

const depthwise: Example[] = DEPTHWISE.flatMap(({ kernel, stride, padding, size, n, c }): Example[] => {
  const by = { stride, padding };
  const x = [n, c, ...size];
  const w = [c, 1, ...kernel];
  const g = [n, c, ...size.map((s, i) => graph.convolvedSize(s, kernel[i]!, by))];
  const what = `${kernel.join('x')}, stride ${stride}, padding ${padding}, [${x}]`;
  return [
    {
      title: `depthwiseConv2d ${what}`,
      shapes: { x, w },
      build: (t) => graph.depthwiseConv2d(t.x!, t.w!, by),
    },
    {
      title: `depthwiseConv2dInputGradient ${what}`,
      shapes: { g, w },
      build: (t) => graph.depthwiseConv2dInputGradient(t.g!, t.w!, { ...by, inputShape: x }),
    },
    {
      title: `depthwiseConv2dKernelGradient ${what}`,
      shapes: { x, g },
      build: (t) => graph.depthwiseConv2dKernelGradient(t.x!, t.g!, { ...by, kernelShape: w }),
    },
  ];
});

/** Windows that end at the edge, hang over it, leave a rest, overlap, leave gaps, or are larger than the image. */
const POOLINGS = [
  { kernel: 2, stride: 2, ceil: false, size: [4, 6] },
  { kernel: 2, stride: 2, ceil: false, size: [5, 4] },
  { kernel: 2, stride: 2, ceil: true, size: [5, 4] },
  { kernel: 3, stride: 2, ceil: false, size: [5, 6] },
  { kernel: 3, stride: 2, ceil: true, size: [6, 7] },
  { kernel: 3, stride: 2, ceil: true, size: [2, 3] },
  { kernel: 3, stride: 1, ceil: true, size: [4, 3] },
  { kernel: 2, stride: 3, ceil: false, size: [6, 7] },
  { kernel: 2, stride: 3, ceil: true, size: [6, 7] },
  { kernel: 1, stride: 3, ceil: true, size: [5, 4] },
  { kernel: 3, stride: 4, ceil: true, size: [9, 8] },
  { kernel: 1, stride: 1, ceil: false, size: [2, 3] },
];

const poolings: Example[] = POOLINGS.map(({ size, ...by }) => ({
  title: `maxPool2d of ${size.join('x')}, kernel ${by.kernel}, stride ${by.stride}${by.ceil ? ', ceil' : ''}`,
  shapes: { x: [2, 3, ...size] },
  build: (t) => graph.maxPool2d(t.x!, by),
}));

/** What may follow a convolution, whose value a lowering may keep in a memory order of its own. */
const AFTERWARDS: Record<string, (y: Tensor, x: Tensor) => Tensor> = {
  'rows for a fully connected layer': (y) => graph.reshape(y, [2, 3 * 4 * 5]),
  'a sum over everything but channels': (y) => graph.sum(y, [0, 2, 3]),
  'a mean over pixels': (y) => graph.mean(y, [2, 3]),
  'a mean over pixels, kept': (y) => graph.mean(y, [2, 3], { keepDims: true }),
  'a sum over images and channels': (y) => graph.sum(y, [0, 1]),
  'a maximum over channels': (y) => graph.max(y, [1]),
  'a maximum over images, kept': (y) => graph.max(y, [0], { keepDims: true }),
  'a transpose': (y) => graph.transpose(y, [2, 0, 3, 1]),
  'a slice': (y) => graph.slice(y, [1, 0, 1, 2], [2, 2, 4, 5]),
  'a pad': (y) => graph.pad(y, [0, 1, 0, 2], [1, 0, 1, 0]),
  'a concat along channels': (y, x) => graph.concat([y, x], 1),
  'a concat along images': (y) => graph.concat([y, graph.neg(y)], 0),
  'a gather of channels': (y) => graph.gather(y, graph.constant(Int32Array.of(2, 0, 2)), 1),
  'a softmax along rows': (y) => graph.softmax(y),
  'a logSoftmax along rows': (y) => graph.logSoftmax(y),
  'lengths along rows': (y) => graph.l2Normalize(y),
  'a factor an image': (y) => graph.mul(y, graph.constant(Float32Array.of(2, -1), [2, 1, 1, 1])),
  'a factor a channel': (y) => graph.mul(y, graph.constant(Float32Array.of(2, -1, 3), [3, 1, 1])),
  'a factor a column': (y) => graph.mul(graph.constant(Float32Array.of(1, 2, 3, 4, 5)), y),
  'an image of fewer axes': (y, x) =>
    graph.add(y, graph.reshape(graph.slice(x, [0, 0, 0, 0], [1, 1, 4, 5]), [4, 5])),
  'a condition': (y) => graph.where(graph.less(y, 0.1), graph.mul(y, 2), 1),
  'a broadcast to more axes': (y) => graph.broadcastTo(y, [2, 2, 3, 4, 5]),
  'a broadcast of its means': (y) =>
    graph.sub(y, graph.broadcastTo(graph.mean(y, [0, 2, 3], { keepDims: true }), y.shape)),
  'the input added': (y, x) =>
    graph.add(
      graph.prelu(y, graph.constant(Float32Array.of(0.25, 2, -1))),
      graph.concat([x, graph.slice(x, [0, 0, 0, 0], [2, 1, 4, 5])], 1),
    ),
  'a maximum pooling': (y) => graph.maxPool2d(y, { kernel: 3, stride: 2, ceil: true }),
  'a depthwise convolution, and what follows it': (y, x) =>
    graph.add(
      graph.slice(
        graph.relu(
          graph.depthwiseConv2d(y, graph.constant(Float32Array.from(distinctValues(27)), [3, 1, 3, 3]), {
            padding: 1,
          }),
        ),
        [0, 0, 0, 0],
        [2, 2, 4, 5],
      ),
      x,
    ),
  'a second convolution': (y) =>
    graph.conv2d(graph.relu(y), graph.constant(Float32Array.from(distinctValues(54)), [2, 3, 3, 3]), {
      stride: 2,
      padding: 1,
    }),
};

const afterwards: Example[] = Object.entries(AFTERWARDS).map(([name, f]) => ({
  title: `after a convolution: ${name}`,
  shapes: { x: [2, 2, 4, 5], w: [3, 2, 3, 3] },
  build: (t) => f(graph.conv2d(t.x!, t.w!, { padding: 1 }), t.x!),
}));

/** Every operation in use. */
export const EXAMPLES: Example[] = [
  ...binary('add', graph.add),
  ...binary('sub', graph.sub),
  ...binary('mul', graph.mul),
  ...binary('div', graph.div, { positive: true }),
  ...binary('maximum', graph.maximum),
  ...binary('minimum', graph.minimum),
  unary('neg', graph.neg),
  unary('exp', graph.exp),
  unary('log', graph.log, { positive: true }),
  unary('sqrt', graph.sqrt, { positive: true }),
  unary('abs', graph.abs),
  unary('cos', graph.cos, { onWebGpu: TRIGONOMETRY_ON_WEBGPU }),
  unary('sin', graph.sin, { onWebGpu: TRIGONOMETRY_ON_WEBGPU }),
  unary('acos', (x) => graph.acos(graph.mul(x, 0.3)), { onWebGpu: TRIGONOMETRY_ON_WEBGPU }),
  unary('square', graph.square),
  unary('relu', graph.relu),
  unary('sign', graph.sign, { constant: true }),
  unary('stopGradient', graph.stopGradient, { constant: true }),
  {
    title: 'below',
    shapes: {},
    integers: { a: { shape: [2, 3], below: 3 } },
    build: (t) => graph.cast(graph.below(t.a!, 3), 'float32'),
    constant: true,
  },
  unary('eachRank', graph.eachRank, { exchange: true }),
  unary('allReduce, sum', (x) => graph.allReduce(x, 'sum'), { exchange: true }),
  unary('allReduce, max', (x) => graph.allReduce(x, 'max'), { exchange: true, constant: true }),
  unary('allGather of one rank', (x) => graph.allGather(x, { rank: 0, ranks: 1 }), { exchange: true }),
  unary('cast to int32 and back', (x) => graph.cast(graph.cast(graph.mul(x, 3), 'int32'), 'float32'), {
    constant: true,
  }),
  unary('cast to bool and back', (x) => graph.cast(graph.cast(x, 'bool'), 'float32'), { constant: true }),
  ...Object.entries(comparisons).flatMap(([name, f]) =>
    binary(name, (a, b) => graph.cast(f(a, b), 'float32'), { constant: true }),
  ),
  {
    title: 'equal of int32 inputs',
    shapes: {},
    integers: { a: { shape: [2, 3], below: 3 }, b: { shape: [3], below: 3 } },
    build: (t) => graph.cast(graph.equal(t.a!, t.b!), 'float32'),
    constant: true,
  },
  {
    title: 'where, with broadcasting',
    shapes: { c: [2, 1], a: [2, 3], b: [3] },
    build: (t) => graph.where(graph.less(t.c!, 0), t.a!, t.b!),
  },
  unary('constants', (x) => graph.add(graph.mul(x, graph.constant(Float32Array.of(1, -2, 0.5, 3))), 0.25)),
  unary('sum of all', (x) => graph.sum(x)),
  unary('sum over the first axis', (x) => graph.sum(x, [0])),
  unary('sum over the last axis, kept', (x) => graph.sum(x, [-1], { keepDims: true })),
  {
    title: 'sum over the outer axes',
    shapes: { x: [2, 3, 2, 2] },
    build: (t) => graph.sum(t.x!, [0, 2, 3]),
  },
  unary('mean over an axis', (x) => graph.mean(x, [1])),
  unary('sum over no axes', (x) => graph.sum(x, [])),
  unary('max over no axes, kept', (x) => graph.max(x, [], { keepDims: true })),
  unary('max of all', (x) => graph.max(x)),
  unary('max over the last axis', (x) => graph.max(x, [1])),
  unary('max over the first axis, kept', (x) => graph.max(x, [0], { keepDims: true })),
  unary('argMax along the last axis', (x) => graph.cast(graph.argMax(x, 1), 'float32'), { constant: true }),
  unary('argMax along the first axis', (x) => graph.cast(graph.argMax(x, 0), 'float32'), { constant: true }),
  unary('reshape', (x) => graph.reshape(x, [2, 1, 6])),
  unary('reshape of one element to a scalar', (x) => graph.reshape(graph.slice(x, [1, 1], [2, 2]), [])),
  {
    title: 'transpose of three axes',
    shapes: { x: [2, 3, 4] },
    build: (t) => graph.transpose(t.x!, [2, 0, 1]),
  },
  {
    title: 'concat along the middle axis',
    shapes: { a: [2, 1, 2], b: [2, 3, 2], c: [2, 2, 2] },
    build: (t) => graph.concat([t.a!, t.b!, t.c!], 1),
  },
  {
    title: 'slice',
    shapes: { x: [3, 4, 2] },
    build: (t) => graph.slice(t.x!, [1, 0, 1], [3, 3, 2]),
  },
  { title: 'pad', shapes: { x: [2, 3] }, build: (t) => graph.pad(t.x!, [1, 0], [0, 2]) },
  { title: 'broadcastTo', shapes: { x: [3, 1] }, build: (t) => graph.broadcastTo(t.x!, [2, 3, 4]) },
  { title: 'broadcastTo of a scalar', shapes: { x: [] }, build: (t) => graph.broadcastTo(t.x!, [2, 3]) },
  {
    title: 'gather along the first axis',
    shapes: { x: [4, 3] },
    integers: { i: { shape: [5], below: 4 } },
    build: (t) => graph.gather(t.x!, t.i!, 0),
  },
  {
    title: 'gather along the middle axis by a table',
    shapes: { x: [2, 4, 3] },
    integers: { i: { shape: [2, 3], below: 4 } },
    build: (t) => graph.gather(t.x!, t.i!, 1),
  },
  {
    title: 'gather along the last axis',
    shapes: { x: [2, 3, 4] },
    integers: { i: { shape: [3], below: 4 } },
    build: (t) => graph.gather(t.x!, t.i!, -1),
  },
  {
    title: 'gather by a scalar',
    shapes: { x: [3, 4] },
    integers: { i: { shape: [], below: 3 } },
    build: (t) => graph.gather(t.x!, t.i!, 0),
  },
  {
    title: 'oneHot',
    shapes: {},
    integers: { labels: { shape: [2, 3], below: 5 } },
    build: (t) => graph.oneHot(t.labels!, 4),
    constant: true,
  },
  { title: 'matmul', shapes: { a: [3, 4], w: [4, 2] }, build: (t) => graph.matmul(t.a!, t.w!) },
  {
    title: 'matmul with a transposed operand',
    shapes: { a: [3, 4], w: [2, 4] },
    build: (t) => graph.matmul(t.a!, graph.transpose(t.w!, [1, 0])),
  },
  {
    title: 'matmul of a transposed operand',
    shapes: { a: [4, 3], w: [4, 2] },
    build: (t) => graph.matmul(graph.transpose(t.a!, [1, 0]), t.w!),
  },
  {
    title: 'matmul in batches',
    shapes: { a: [2, 3, 4], b: [2, 4, 2] },
    build: (t) => graph.matmul(t.a!, t.b!),
  },
  unary('softmax', graph.softmax),
  unary('logSoftmax', graph.logSoftmax),
  unary('l2Normalize', (x) => graph.l2Normalize(x)),
  unary('l2Normalize along the first axis', (x) => graph.l2Normalize(x, 0)),
  ...convolutions,
  ...afterwards,
  ...depthwise,
  ...poolings,
  {
    title: 'prelu of images',
    shapes: { x: [2, 3, 3, 2], slope: [3] },
    build: (t) => graph.prelu(t.x!, t.slope!),
  },
  { title: 'prelu of rows', shapes: { x: [4, 3], slope: [3] }, build: (t) => graph.prelu(t.x!, t.slope!) },
  {
    title: 'prelu of sequences',
    shapes: { x: [2, 3, 4], slope: [3] },
    build: (t) => graph.prelu(t.x!, t.slope!),
  },
  {
    title: 'prelu of one image of one channel',
    shapes: { x: [1, 1, 2, 3], slope: [1] },
    build: (t) => graph.prelu(t.x!, t.slope!),
  },
  {
    title: 'prelu of volumes',
    shapes: { x: [2, 2, 2, 1, 3], slope: [2] },
    build: (t) => graph.prelu(t.x!, t.slope!),
  },
  {
    title: 'preluInputGradient',
    shapes: { g: [2, 3, 2, 2], x: [2, 3, 2, 2], slope: [3] },
    build: (t) => graph.preluInputGradient(t.g!, t.x!, t.slope!),
  },
  {
    title: 'preluSlopeGradient',
    shapes: { g: [2, 3, 2, 2], x: [2, 3, 2, 2] },
    build: (t) => graph.preluSlopeGradient(t.g!, t.x!),
  },
  {
    title: 'convolution, bias, prelu and a residual sum',
    shapes: { x: [2, 2, 5, 4], w: [2, 2, 3, 3], b: [2], slope: [2] },
    build: (t) => {
      const y = graph.add(graph.conv2d(t.x!, t.w!, { padding: 1 }), graph.reshape(t.b!, [1, 2, 1, 1]));
      return graph.add(graph.prelu(y, t.slope!), t.x!);
    },
  },
];

/** Convolutions on both sides of the number of channels from which they are transformed. */
const wideConvolutions: Example[] = [
  { n: 1, c: 127, k: 128, size: [4, 4] },
  { n: 1, c: 128, k: 127, size: [3, 4] },
  { n: 1, c: 128, k: 128, size: [4, 6] },
  { n: 2, c: 128, k: 130, size: [5, 4] },
  { n: 3, c: 129, k: 128, size: [3, 3] },
  { n: 2, c: 128, k: 128, size: [1, 1] },
  // Of stride 2, outputs in whole and in half tiles, of even and of odd images.
  { n: 1, c: 127, k: 128, size: [8, 8], stride: 2 },
  { n: 2, c: 128, k: 128, size: [8, 4], stride: 2 },
  { n: 1, c: 129, k: 128, size: [7, 5], stride: 2 },
  { n: 1, c: 128, k: 130, size: [6, 9], stride: 2 },
  { n: 2, c: 128, k: 128, size: [1, 2], stride: 2 },
].map(({ n, c, k, size, stride = 1 }) => ({
  title: `3x3 convolution of stride ${stride} and bias, ${n} images of ${size.join('x')}, ${c} to ${k} channels`,
  shapes: { x: [n, c, ...size], w: [k, c, 3, 3], b: [k] },
  build: (t) =>
    graph.add(graph.conv2d(t.x!, t.w!, { padding: 1, stride }), graph.reshape(t.b!, [1, k, 1, 1])),
}));

/** Depthwise convolutions on both sides of the width up to which kernel gradients are matrix products. */
const wideDepthwise: Example[] = [
  { size: [5, 64], stride: 1 },
  { size: [5, 65], stride: 1 },
  { size: [4, 66], stride: 2 },
].map(({ size, stride }) => ({
  title: `3x3 depthwise convolution of ${size.join('x')}, stride ${stride}`,
  shapes: { x: [2, 3, ...size], w: [3, 1, 3, 3] },
  build: (t) => graph.depthwiseConv2d(t.x!, t.w!, { padding: 1, stride }),
}));

/** Updates and products at the sizes from which memory bounds them. */
const memoryBound: Example[] = [
  ...[
    [256, 256],
    [2, 16, 64, 32],
  ].map(
    (shape): Example => ({
      title: `x a + y b + c x y of [${shape}]`,
      shapes: { x: shape, y: shape, a: [], b: [1] },
      build: ({ x, y, a, b }) =>
        graph.add(graph.add(graph.mul(x!, a!), graph.mul(b!, y!)), graph.mul(graph.mul(x!, 0.3), y!)),
    }),
  ),
  {
    title: 'x 0.9 + y, with x and y read again',
    shapes: { x: [256, 256], w: [256, 256] },
    build: ({ x, w }) => {
      const sum = graph.add(graph.mul(x!, 0.9), w!);
      const twice = graph.exp(graph.mul(w!, 0.1));
      return graph.mul(graph.add(sum, x!), graph.add(graph.mul(x!, 0.5), graph.mul(twice, twice)));
    },
  },
  ...[
    { rows: 32, terms: 4096, columns: 9 },
    { rows: 33, terms: 4096, columns: 9 },
    { rows: 3, terms: 4095, columns: 9 },
    { rows: 1, terms: 5000, columns: 2 },
  ].map(
    ({ rows, terms, columns }): Example => ({
      title: `dense layer with bias, ${rows} rows of ${terms} to ${columns}`,
      shapes: { x: [rows, terms], w: [columns, terms], b: [columns] },
      build: ({ x, w, b }) => graph.add(graph.matmul(x!, graph.transpose(w!, [1, 0])), b!),
    }),
  ),
];

/** Too wide for differences. */
export const WIDE_EXAMPLES: Example[] = [...wideConvolutions, ...wideDepthwise, ...memoryBound];
