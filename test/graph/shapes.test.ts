// Shape rules: what fits has the shape NumPy gives it, and what does not fit is refused where it is built,
// by an error that names the operation and the shapes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as graph from '../../src/graph/index.js';
import { input, type Shape, ShapeError, type Tensor } from '../../src/graph/index.js';
import { distinctValues } from '../support/example.js';
import { interpret } from '../support/interpreter.js';

const float = (...shape: number[]): Tensor => input('x', shape);
const whole = (...shape: number[]): Tensor => input('i', shape, 'int32');
const truth = (...shape: number[]): Tensor => graph.less(float(...shape), 0);

describe('shape errors name the operation and the shapes', () => {
  const by = { stride: 1, padding: 1 };
  test.each<[string, () => unknown, RegExp]>([
    ['add of sizes that do not broadcast', () => graph.add(float(2, 3), float(2)), /^add: .*\[2, 3\].*\[2\]/],
    ['mul of int32', () => graph.mul(float(2), whole(2)), /^mul: .*float32.*int32/],
    ['less of two types', () => graph.less(float(2), whole(2)), /^less: .*one type/],
    ['where without a condition', () => graph.where(float(2), 1, 2), /^where: .*bool.*\[2\]/],
    [
      'where of sizes that do not broadcast',
      () => graph.where(truth(2), float(3), 0),
      /^where: .*\[2\].*\[3\]/,
    ],
    ['exp of booleans', () => graph.exp(truth(2)), /^exp: .*\[2\] bool/],
    ['sum over an axis that is not there', () => graph.sum(float(2, 3), [2]), /^sum: axes \[2\].*\[2, 3\]/],
    ['sum over an axis twice', () => graph.sum(float(2, 3), [1, -1]), /^sum: axes \[1,-1\]/],
    ['max over an axis that is not there', () => graph.max(float(2), [-2]), /^max: axes/],
    ['argMax along an axis that is not there', () => graph.argMax(float(2), 3), /^argMax: axes \[3\].*\[2\]/],
    ['reshape to another number', () => graph.reshape(float(2, 3), [4]), /^reshape: \[4\].*\[2, 3\]/],
    ['transpose of too few axes', () => graph.transpose(float(2, 3), [0]), /^transpose: \[0\].*\[2, 3\]/],
    ['transpose of an axis twice', () => graph.transpose(float(2, 3), [0, 0]), /^transpose: \[0,0\]/],
    [
      'concat of unlike shapes',
      () => graph.concat([float(2, 3), float(3, 2)], 0),
      /^concat: .*\[2, 3\].*\[3, 2\]/,
    ],
    ['slice beyond the end', () => graph.slice(float(3), [1], [4]), /^slice: from \[1\] to \[4\].*\[3\]/],
    ['slice of nothing', () => graph.slice(float(3), [1], [1]), /^slice: /],
    ['pad of too few axes', () => graph.pad(float(2, 3), [1], [1]), /^pad: .*\[2, 3\]/],
    [
      'broadcastTo a smaller shape',
      () => graph.broadcastTo(float(2, 3), [3]),
      /^broadcastTo: .*\[3\].*\[2, 3\]/,
    ],
    ['broadcastTo another size', () => graph.broadcastTo(float(2), [3]), /^broadcastTo: .*\[2\]/],
    ['gather by floats', () => graph.gather(float(2, 3), float(2)), /^gather: .*int32/],
    [
      'gather along an axis that is not there',
      () => graph.gather(float(2), whole(2), 1),
      /^gather: axes \[1\]/,
    ],
    ['oneHot of floats', () => graph.oneHot(float(2), 3), /^oneHot: .*int32.*\[2\]/],
    [
      'matmul of unlike inner sizes',
      () => graph.matmul(float(2, 3), float(2, 3)),
      /^matmul: .*\[2, 3\] float32, \[2, 3\]/,
    ],
    ['matmul of unlike leading axes', () => graph.matmul(float(2, 2, 3), float(1, 3, 2)), /^matmul: /],
    ['matmul of a vector', () => graph.matmul(float(3), float(3)), /^matmul: /],
    ['softmax of a scalar', () => graph.softmax(float()), /^softmax: /],
    ['logSoftmax of int32', () => graph.logSoftmax(whole(3)), /^logSoftmax: /],
    [
      'conv2d of unlike channels',
      () => graph.conv2d(float(1, 3, 5, 5), float(4, 2, 3, 3)),
      /^conv2d: .*\[1, 3, 5, 5\].*\[4, 2, 3, 3\]/,
    ],
    [
      'conv2d of a kernel too large',
      () => graph.conv2d(float(1, 1, 2, 5), float(1, 1, 3, 3)),
      /^conv2d: the kernel is larger/,
    ],
    [
      'conv2d of int32',
      () => graph.conv2d(whole(1, 1, 3, 3), float(1, 1, 3, 3)),
      /^conv2d: takes float32.*int32/,
    ],
    [
      'conv2d of stride 0',
      () => graph.conv2d(float(1, 1, 3, 3), float(1, 1, 3, 3), { stride: 0 }),
      /^conv2d: stride 0 and padding 0/,
    ],
    [
      'conv2d of half a padding',
      () => graph.conv2d(float(1, 1, 3, 3), float(1, 1, 3, 3), { padding: 0.5 }),
      /^conv2d: stride 1 and padding 0.5/,
    ],
    ['prelu of int32', () => graph.prelu(whole(2, 3), float(3)), /^prelu: takes float32.*int32/],
    ['less of booleans', () => graph.less(truth(2), truth(2)), /^less: takes numbers.*bool/],
    ['argMax of booleans', () => graph.argMax(truth(2)), /^argMax: takes numbers.*bool/],
    [
      'the gradient of a whole number',
      () => graph.gradients(whole(), [float()]),
      /^gradients: takes float32.*int32/,
    ],
    [
      'a gradient with respect to labels',
      () => graph.gradients(graph.sum(float(2)), [whole(2)]),
      /^gradients: takes float32.*int32/,
    ],
    [
      'a gradient seeded by a vector',
      () => graph.gradients(graph.sum(float(2)), [float(2)], float(2)),
      /^gradients: the seed is a scalar.*\[2\]/,
    ],
    ['conv2d of rows', () => graph.conv2d(float(3, 5), float(4, 3)), /^conv2d: /],
    [
      'conv2dInputGradient of another size',
      () =>
        graph.conv2dInputGradient(float(1, 2, 4, 4), float(2, 1, 3, 3), { ...by, inputShape: [1, 1, 5, 5] }),
      /^conv2dInputGradient: .*\[1, 2, 5, 5\].*\[1, 2, 4, 4\]/,
    ],
    [
      'conv2dKernelGradient of another size',
      () =>
        graph.conv2dKernelGradient(float(1, 1, 5, 5), float(1, 2, 4, 4), {
          ...by,
          kernelShape: [2, 1, 3, 3],
        }),
      /^conv2dKernelGradient: .*\[1, 2, 5, 5\]/,
    ],
    [
      'depthwiseConv2d of unlike channels',
      () => graph.depthwiseConv2d(float(1, 3, 5, 5), float(2, 1, 3, 3)),
      /^depthwiseConv2d: .*\[1, 3, 5, 5\].*\[2, 1, 3, 3\]/,
    ],
    [
      'depthwiseConv2d of kernels that mix channels',
      () => graph.depthwiseConv2d(float(1, 3, 5, 5), float(3, 3, 3, 3)),
      /^depthwiseConv2d: takes images \[N, C, H, W\] and kernels \[C, 1, kh, kw\]/,
    ],
    [
      'depthwiseConv2d of a kernel too large',
      () => graph.depthwiseConv2d(float(1, 1, 2, 5), float(1, 1, 3, 3)),
      /^depthwiseConv2d: the kernel is larger/,
    ],
    [
      'depthwiseConv2d of stride 0',
      () => graph.depthwiseConv2d(float(1, 1, 3, 3), float(1, 1, 3, 3), { stride: 0 }),
      /^depthwiseConv2d: stride 0 and padding 0/,
    ],
    [
      'depthwiseConv2dInputGradient of another size',
      () =>
        graph.depthwiseConv2dInputGradient(float(1, 2, 4, 4), float(2, 1, 3, 3), {
          ...by,
          inputShape: [1, 2, 5, 5],
        }),
      /^depthwiseConv2dInputGradient: .*\[1, 2, 5, 5\].*\[1, 2, 4, 4\]/,
    ],
    [
      'depthwiseConv2dKernelGradient of another size',
      () =>
        graph.depthwiseConv2dKernelGradient(float(1, 2, 5, 5), float(1, 2, 4, 4), {
          ...by,
          kernelShape: [2, 1, 3, 3],
        }),
      /^depthwiseConv2dKernelGradient: .*\[1, 2, 5, 5\]/,
    ],
    [
      'maxPool2d of a window too large',
      () => graph.maxPool2d(float(1, 1, 2, 5), { kernel: 3 }),
      /^maxPool2d: the window is larger.*\[1, 1, 2, 5\]/,
    ],
    ['maxPool2d of rows', () => graph.maxPool2d(float(3, 5), { kernel: 2 }), /^maxPool2d: takes images/],
    [
      'maxPool2d of stride 0',
      () => graph.maxPool2d(float(1, 1, 3, 3), { kernel: 2, stride: 0 }),
      /^maxPool2d: kernel 2 and stride 0/,
    ],
    [
      'prelu with too few slopes',
      () => graph.prelu(float(2, 3, 4, 4), float(2)),
      /^prelu: .*\[2, 3, 4, 4\].*\[2\]/,
    ],
    [
      'preluInputGradient of unlike shapes',
      () => graph.preluInputGradient(float(2, 3), float(3, 3), float(3)),
      /^preluInputGradient: /,
    ],
    [
      'preluSlopeGradient of unlike shapes',
      () => graph.preluSlopeGradient(float(2, 3), float(3, 2)),
      /^preluSlopeGradient: /,
    ],
    [
      'a constant that does not fill its shape',
      () => graph.constant(new Float32Array(3), [2]),
      /^constant: 3 numbers.*\[2\]/,
    ],
    ['an input of size zero', () => input('images', [0, 3]), /^input 'images': \[0, 3\]/],
    ['a parameter of half a size', () => graph.parameter('w', [1.5]), /^parameter 'w': \[1.5\]/],
  ])('%s', (_, build, message) => {
    expect(build).toThrow(ShapeError);
    expect(build).toThrow(message);
  });
});

describe('broadcasting', () => {
  /** A shape, and the same shape with some axes of size one and some leading axes dropped. */
  const pair = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 }).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      a: thinned(shape),
      b: thinned(shape),
    }),
  );
  function thinned(shape: number[]) {
    return fc
      .tuple(
        fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
        fc.nat(shape.length),
      )
      .map(([ones, from]) => shape.map((n, i) => (ones[i] ? 1 : n)).slice(from));
  }
  const padded = (shape: Shape, rank: number): number[] => [
    ...new Array(rank - shape.length).fill(1),
    ...shape,
  ];

  test('the result has the larger size of every axis, counted from the end, in either order', () => {
    fc.assert(
      fc.property(pair, ({ a, b }) => {
        const rank = Math.max(a.length, b.length);
        const expected = padded(a, rank).map((n, i) => Math.max(n, padded(b, rank)[i]!));
        const [x, y] = [input('a', a), input('b', b)];
        expect(graph.add(x, y).shape).toEqual(expected);
        expect(graph.add(y, x).shape).toEqual(expected);
      }),
    );
  });

  test('broadcasting in an operation is broadcasting before it, in value and gradient', () => {
    fc.assert(
      fc.property(pair, ({ a, b }) => {
        const [x, y] = [input('a', a), input('b', b)];
        const values = { a: distinctValues(graph.sizeOf(a)), b: distinctValues(graph.sizeOf(b), 1) };
        const direct = graph.mul(x, y);
        const spread = graph.mul(graph.broadcastTo(x, direct.shape), graph.broadcastTo(y, direct.shape));
        const loss = (t: Tensor) => graph.sum(graph.exp(t));
        const all = (t: Tensor) => interpret([t, ...graph.gradients(loss(t), [x, y])], values);
        const [left, right] = [all(direct), all(spread)];
        left.forEach((value, i) => {
          value.forEach((v, k) => {
            expect(v).toBeCloseTo(right[i]![k]!, 9);
          });
        });
      }),
      { numRuns: 60 },
    );
  });

  test('sizes that differ and are not one are refused', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 2, max: 9 }), (n, m) => {
        fc.pre(n !== m);
        expect(() => graph.maximum(input('a', [n, 3]), input('b', [m, 1]))).toThrow(ShapeError);
      }),
      { numRuns: 20 },
    );
  });
});

describe('convolution sizes', () => {
  test('a 3x3 convolution of stride 2 with padding 1 halves a size, rounded up', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (n) => {
        expect(graph.convolvedSize(n, 3, { stride: 2, padding: 1 })).toBe(Math.ceil(n / 2));
      }),
    );
  });
});

describe('topological', () => {
  test('every tensor comes after its inputs, once, however deep the graph', () => {
    let x = input('x', [1]);
    for (let i = 0; i < 20_000; i++) x = graph.add(x, x);
    const order = graph.topological([x]);
    expect(order.length).toBe(20_001);
    const place = new Map(order.map((t, i) => [t, i]));
    for (const t of order) for (const t2 of t.inputs) expect(place.get(t2)!).toBeLessThan(place.get(t)!);
  });
});
