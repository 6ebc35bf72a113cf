// A PReLU whose slope is one constant is a leaky ReLU; slopes that differ, or are learned, stay what they are.
import { expect, test } from 'vitest';
import { constant, input, parameter, prelu, type Tensor } from '../../src/graph/index.js';
import { decodeModel, lowerInference } from '../../src/lower/index.js';
import { openDevice } from '../../src/runtime/index.js';

const x = input('x', [1, 2, 1, 3]);
const values = Float32Array.from([-2, -0.5, 3, 1, -4, 0]);

test.each<[string, Tensor, [number, number], string]>([
  ['one constant', constant(Float32Array.of(0.1, 0.1), [2]), [0.1, 0.1], 'LeakyRelu'],
  ['two constants', constant(Float32Array.of(0.1, 0.2), [2]), [0.1, 0.2], 'PRelu'],
  ['a parameter', parameter('slope', [2]), [0.3, 0.3], 'PRelu'],
])('%s', async (_, slope, slopes, operator) => {
  const weights = new Map([['slope', Float32Array.from(slopes)]]);
  const bytes = lowerInference({ inputs: [x], outputs: { y: prelu(x, slope) }, weights });
  expect(decodeModel(bytes).graph.nodes.map(({ opType }) => opType)).toContain(operator);
  const device = await openDevice('cpu', { threads: 1 });
  const { y } = await (await device.load(bytes)).run({ x: values });
  await device.close();
  values.forEach((v, i) => {
    expect(y!.data[i]).toBeCloseTo(v < 0 ? slopes[Math.floor(i / 3)]! * v : v, 6);
  });
});
