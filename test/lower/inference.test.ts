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
