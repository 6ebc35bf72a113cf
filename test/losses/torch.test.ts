// Every loss against double-precision references made without the TypeScript: PyTorch's autograd on the papers'
// formulas, pytorch-metric-learning where it has the loss, and plain loops for the original Caffe layer. Once in
// double precision, and as it is really run, in single precision, with plain and with fast operators.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { readFixture, type StoredArray } from '../support/fixtures.js';
import { evaluate, expectClose } from './evaluate.js';
import { defaults } from './plain/index.js';
import type { Point } from './plain/point.js';
import { compileLoss } from './single.js';

interface LossCase {
  loss: string;
  data: string;
  options: Record<string, unknown>;
  reference: string;
  /** lambda */
  annealing?: number;
  /** The original layer brings its weights to unit rows before anything else. */
  unitWeights?: boolean;
  value: number;
  /** By name: `x` and everything learned that the reference was differentiated by. */
  gradient: Record<string, StoredArray>;
  next?: Record<string, StoredArray>;
  metrics?: Record<string, number>;
}
const fixture = readFixture<{
  data: Record<
    string,
    { classes: number; labels: number[]; x: StoredArray; state: Record<string, StoredArray> }
  >;
  unitWeight: StoredArray;
  cases: LossCase[];
}>('losses');

const rowsOf = ({ shape, data }: StoredArray): number[][] => {
  const width = shape.at(-1) ?? 1;
  return Array.from({ length: data.length / width }, (_, i) => data.slice(i * width, (i + 1) * width));
};

function pointOfCase({ data, annealing, unitWeights }: LossCase): Point {
  const { classes, labels, x, state } = fixture.data[data]!;
  const stored = unitWeights ? { ...state, 'fc6.weight': fixture.unitWeight } : state;
  return {
    x: rowsOf(x),
    labels,
    classes,
    lambda: annealing,
    state: Object.fromEntries(Object.entries(stored).map(([name, array]) => [name, rowsOf(array)])),
  };
}

function expectReference(
  reference: LossCase,
  actual: {
    value: number;
    gradient: Record<string, number[]>;
    next: Record<string, number[]>;
    metrics: Record<string, number>;
  },
  [value, gradient]: readonly [number, number],
): void {
  expectClose([actual.value], [reference.value], value, 'loss');
  for (const [name, { data }] of Object.entries(reference.gradient)) {
    expectClose(actual.gradient[name]!, data, gradient, `d ${name}`);
  }
  for (const [name, { data }] of Object.entries(reference.next ?? {})) {
    expectClose(actual.next[name]!, data, value, `next ${name}`);
  }
  for (const [name, count] of Object.entries(reference.metrics ?? {})) {
    expect(actual.metrics[name], name).toBe(count);
  }
}

test('every loss that stands alone has a reference', () => {
  const names = new Set(fixture.cases.map(({ loss }) => loss));
  expect([...names].sort()).toEqual(
    Object.keys(defaults)
      .filter((name) => name !== 'mhe')
      .sort(),
  );
});

test.each(fixture.cases)('$loss $options lambda $annealing: $reference', (reference) => {
  expectReference(
    reference,
    evaluate(reference.loss, pointOfCase(reference), reference.options),
    [1e-6, 1e-6],
  );
});

describe.each(['plain', 'fast'] as const)('%s formulation in single precision', (formulations) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice('cpu', { threads: 1 });
  });
  afterAll(() => device.close());

  test.each(fixture.cases)('$loss $options lambda $annealing: $reference', async (reference) => {
    const point = pointOfCase(reference);
    const program = await compileLoss(device, reference.loss, point, reference.options, { formulations });
    expectReference(reference, await program.run(point), [2e-5, 5e-5]);
    await program.dispose();
  });
});
