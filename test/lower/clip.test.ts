// Bounds on both sides of a value are one operator, and only where nothing else reads the value between them.
import { expect, test } from 'vitest';
import { add, input, maximum, minimum, type Tensor } from '../../src/graph/index.js';
import { decodeModel, lowerInference } from '../../src/lower/index.js';
import { openDevice } from '../../src/runtime/index.js';

const values = Float32Array.from([-3, -1, -0.5, 0, 1.5, 2, 7]);
const x = input('x', [1, values.length]);

async function written(y: Tensor): Promise<{ operators: string[]; values: number[] }> {
  const bytes = lowerInference({ inputs: [x], outputs: { y }, weights: new Map() });
  const device = await openDevice('cpu', { threads: 1 });
  const model = await device.load(bytes);
  const result = await model.run({ x: values });
  await model.dispose();
  return {
    operators: decodeModel(bytes).graph.nodes.map(({ opType }) => opType),
    values: [...result.y!.data],
  };
}

test('a minimum of a maximum is one Clip', async () => {
  const { operators, values: got } = await written(minimum(maximum(x, -1), 2));
  expect(operators).toEqual(['Clip']);
  expect(got).toEqual([...values].map((v) => Math.min(Math.max(v, -1), 2)));
});

test('bounds that cross give the upper one, as the minimum written outside does', async () => {
  const { values: got } = await written(minimum(maximum(x, 3), 2));
  expect(got).toEqual([...values].map(() => 2));
});

test('a maximum that something else reads keeps its own value', async () => {
  const low = maximum(x, -1);
  const { operators, values: got } = await written(add(minimum(low, 2), low));
  expect(operators.sort()).toEqual(['Add', 'Clip', 'Clip']);
  expect(got).toEqual([...values].map((v) => Math.min(Math.max(v, -1), 2) + Math.max(v, -1)));
});
