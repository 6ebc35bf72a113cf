// Every loss with every option at the edges as it is really run, in single precision on ONNX Runtime: nothing is
// NaN or infinite, and what has a value has the right one.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { cases, oneEach } from './cases.js';
import { edgeFor, edges, undefinedAt } from './edges.js';
import { evaluate, expectClose, expectFinite } from './evaluate.js';
import { plain } from './plain/index.js';
import { unit } from './plain/point.js';
import { batches, OVERLAPPING, pointOf } from './points.js';
import { compileLoss } from './single.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

const [anyEdge] = Object.values(edges);

test.each(cases)('$title', async (row) => {
  const { name, options } = row;
  const program = await compileLoss(device, name, edgeFor(anyEdge!, row), options);
  for (const [title, edge] of Object.entries(edges)) {
    const point = edgeFor(edge, row);
    const actual = await program.run(point);
    expectFinite(actual, title);
    if (undefinedAt(name, title)) continue;
    const { value } = plain(name, point, options);
    const error = Math.abs(actual.value - value) / Math.max(1, Math.abs(value));
    expect(error, `${title}: ${actual.value}, expected ${value}`).toBeLessThan(1e-4);
  }
  await program.dispose();
});

test.each([
  ['contrastive', {}],
  ['range', { alpha: 1, beta: 1, margin: 1 }],
])('%s tells embeddings of length 30 apart that differ by .3', async (name, options) => {
  const point = pointOf(3, batches['P x K']!, OVERLAPPING);
  const [first] = point.x;
  const x = point.x.map((row) =>
    row.map((v, q) => Math.fround(30 * unit(first!)[q]! + 0.3 * unit(row)[q]! + v * 0.1)),
  );
  const near = { ...point, x };
  const program = await compileLoss(device, name, near, options);
  const [actual, exact] = [await program.run(near), evaluate(name, near, options)];
  await program.dispose();
  expectClose([actual.value], [exact.value], 1e-3, 'loss');
  expectClose(actual.gradient.x!, exact.gradient.x!, 5e-3, 'dx');
});

test.each(oneEach)('a batch of one image: $title', async (row) => {
  const point = edgeFor(pointOf(3, batches['one image']!, row.spread), row);
  const program = await compileLoss(device, row.name, point, {});
  expectFinite(await program.run(point));
  await program.dispose();
});
