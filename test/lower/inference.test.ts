// Exported networks with a free batch axis: as many images as one likes, each on its own, or an error.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as graph from '../../src/graph/index.js';
import { lowerInference } from '../../src/lower/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { distinctValues } from '../support/example.js';
import { interpret } from '../support/interpreter.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

const SHAPE = [1, 2, 3, 4];
const rows = (x: graph.Tensor): graph.Tensor => graph.reshape(x, [1, 24]);
const values = (count: number): Float32Array => Float32Array.from(distinctValues(count));
const fixed = (...shape: number[]): graph.Tensor => graph.constant(values(graph.sizeOf(shape)), shape);

describe('three images at once give what each gives alone', () => {
  test.each<[string, (x: graph.Tensor) => graph.Tensor]>([
    ['the images themselves', (x) => x],
    ['a convolution', (x) => graph.conv2d(x, fixed(3, 2, 3, 3), { padding: 1, stride: 2 })],
    ['a PReLU', (x) => graph.prelu(x, fixed(2))],
    ['a PReLU of rows', (x) => graph.prelu(rows(x), fixed(24))],
    ['rows, a product and a bias', (x) => graph.add(graph.matmul(rows(x), fixed(24, 5)), fixed(5))],
    ['a residual sum', (x) => graph.add(x, graph.conv2d(x, fixed(2, 2, 3, 3), { padding: 1 }))],
    [
      'a product that is the same for all images',
      (x) => graph.add(graph.matmul(fixed(1, 3), fixed(3, 24)), rows(x)),
    ],
    [
      'a mean over pixels, spread again',
      (x) => graph.sub(x, graph.broadcastTo(graph.mean(x, [2, 3], { keepDims: true }), SHAPE)),
    ],
    ['channels last', (x) => graph.transpose(x, [0, 2, 3, 1])],
    ['a concat of channels', (x) => graph.concat([x, graph.neg(x)], 1)],
    ['a window', (x) => graph.slice(x, [0, 0, 1, 1], [1, 2, 3, 3])],
    ['unit length', (x) => graph.l2Normalize(rows(x))],
    [
      'a constant beside each image',
      (x) => graph.concat([rows(x), graph.mul(graph.mean(rows(x), [1], { keepDims: true }), 0)], 1),
    ],
  ])('%s', async (_, build) => {
    const x = graph.input('x', SHAPE);
    const y = build(x);
    const model = await device.load(lowerInference({ inputs: [x], outputs: { y }, weights: new Map() }));
    const images = values(3 * 24);
    const { data, shape } = (await model.run({ x: images })).y!;
    await model.dispose();
    expect(shape).toEqual([3, ...y.shape.slice(1)]);
    const alone = [0, 1, 2].flatMap((i) => [
      ...interpret([y], { x: images.subarray(24 * i, 24 * i + 24) })[0]!,
    ]);
    alone.forEach((v, i) => {
      expect(data[i]).toBeCloseTo(v, 4);
    });
  });
});

describe('what mixes the images of a batch is refused', () => {
  test.each<[string, (x: graph.Tensor) => graph.Tensor]>([
    ['sum', (x) => graph.sum(x, [0], { keepDims: true })],
    ['max', (x) => graph.reshape(graph.max(x), [1, 1])],
    ['argMax', (x) => graph.reshape(graph.argMax(rows(x), 0), [1, 24])],
    ['concat', (x) => graph.slice(graph.concat([x, x], 0), [0, 0, 0, 0], SHAPE)],
    ['transpose', (x) => graph.transpose(graph.reshape(x, [1, 1, 24]), [1, 0, 2])],
    ['pad', (x) => graph.slice(graph.pad(rows(x), [1, 0], [0, 0]), [1, 0], [2, 24])],
    ['matmul', (x) => graph.matmul(fixed(1, 1), rows(x))],
    ['gather', (x) => graph.gather(x, graph.constant(Int32Array.of(0)), 0)],
    ['add', (x) => graph.slice(graph.add(rows(x), fixed(2, 24)), [0, 0], [1, 24])],
  ])('%s', (op, build) => {
    const x = graph.input('x', SHAPE);
    const lower = () => lowerInference({ inputs: [x], outputs: { y: build(x) }, weights: new Map() });
    expect(lower).toThrow(new RegExp(`^'${op}' does not keep the images of a batch apart`));
  });
});

describe('a network of free size is the same, whatever size it was built at', () => {
  const pool = { kernel: 3, stride: 2, ceil: true };
  const layers: Record<string, (x: graph.Tensor) => graph.Tensor> = {
    'convolutions, a bias and a PReLU': (x) => {
      const y = graph.add(graph.conv2d(x, fixed(3, 2, 3, 3), { padding: 1, stride: 2 }), fixed(1, 3, 1, 1));
      return graph.conv2d(graph.prelu(y, fixed(3)), fixed(2, 3, 1, 1));
    },
    'a depthwise convolution': (x) => graph.depthwiseConv2d(x, fixed(2, 1, 3, 3), { padding: 1, stride: 2 }),
    'maximum pooling that counts what hangs over': (x) => graph.maxPool2d(x, pool),
    'maximum pooling that drops it': (x) => graph.maxPool2d(x, { ...pool, ceil: false }),
    'a residual sum of what was padded': (x) => {
      const padded = graph.pad(x, [0, 0, 1, 0], [0, 0, 0, 2]);
      return graph.add(graph.relu(padded), graph.conv2d(padded, fixed(2, 2, 3, 3), { padding: 1 }));
    },
    'channels beside each other': (x) => graph.concat([x, graph.mul(x, 2)], 1),
  };
  const loaded = (build: (x: graph.Tensor) => graph.Tensor, size: number[]) => {
    const x = graph.input('x', [1, 2, ...size]);
    const y = build(x);
    return device.load(lowerInference({ inputs: [x], outputs: { y }, weights: new Map(), freeSize: true }));
  };

  test.each(Object.entries(layers))('%s', async (_, build) => {
    const sizes = [
      [7, 6],
      [6, 9],
      [12, 5],
    ];
    const models = await Promise.all(sizes.map((size) => loaded(build, size)));
    for (const [height, width] of sizes as [number, number][]) {
      const here = graph.input('x', [2, 2, height, width]);
      const images = values(2 * 2 * height * width);
      const y = build(here);
      const expected = interpret([y], { x: images })[0]!;
      for (const model of models) {
        const { data, shape } = (await model.run({ x: { data: images, shape: here.shape } })).y!;
        expect(shape).toEqual([...y.shape]);
        expected.forEach((v, i) => {
          expect(data[i]).toBeCloseTo(v, 4);
        });
      }
    }
    for (const model of models) await model.dispose();
  });

  test.each<[string, (x: graph.Tensor) => graph.Tensor]>([
    ['reshape', rows],
    ['reshape', (x) => graph.matmul(rows(x), fixed(24, 2))],
    ['matmul', (x) => graph.matmul(x, graph.broadcastTo(fixed(1, 1, 4, 4), [1, 2, 4, 4]))],
    ['sum', (x) => graph.mean(x, [2, 3], { keepDims: true })],
    ['broadcastTo', (x) => graph.broadcastTo(graph.conv2d(x, fixed(2, 2, 3, 4)), SHAPE)],
    ['add', (x) => graph.add(x, fixed(3, 4))],
    ['mul', (x) => graph.mul(x, fixed(1, 2, 1, 4))],
    ['transpose', (x) => graph.transpose(x, [0, 1, 3, 2])],
    ['slice', (x) => graph.slice(x, [0, 0, 1, 1], [1, 2, 3, 3])],
    ['concat', (x) => graph.concat([x, x], 3)],
    ['maxPool2d', (x) => graph.maxPool2d(x, { kernel: 1, stride: 2, ceil: true })],
  ])('%s is refused', (op, build) => {
    const x = graph.input('x', SHAPE);
    const lower = (freeSize: boolean) =>
      lowerInference({ inputs: [x], outputs: { y: build(x) }, weights: new Map(), freeSize });
    expect(() => lower(false)).not.toThrow();
    expect(() => lower(true)).toThrow(new RegExp(`^'${op}' depends on the size of the images`));
  });
});
