// Convolution and PReLU, forward and backward, against PyTorch: what ONNX Runtime computes for the lowered graph in
// both formulations, with the gradients that `gradients` derived.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conv2d, gradients, input, mul, parameter, prelu, sum, type Tensor } from '../../src/graph/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import {
  expectClose,
  expectSamples,
  floats,
  type Hashed,
  hashed,
  readFixture,
  type Samples,
  type StoredArray,
} from '../support/fixtures.js';

interface Convolution<Source, Result> {
  stride: number;
  padding: number;
  x: Source;
  w: Source;
  g: Source;
  y: Result;
  dx: Result;
  dw: Result;
}
const convolution = readFixture<{
  cases: Convolution<StoredArray, StoredArray>[];
  wide: Convolution<Hashed, Samples>[];
}>('convolution');
const preluCases = readFixture<{
  cases: Record<'x' | 'slope' | 'g' | 'y' | 'dx' | 'dslope', StoredArray>[];
}>('prelu').cases;

const FORMULATIONS = ['plain', 'fast'] as const;

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

/** Runs y = f(x, w) and the gradients of sum(y g) with respect to x and w; w is a parameter, as it is in training. */
async function forwardAndBackward(
  formulations: 'plain' | 'fast',
  f: (x: Tensor, w: Tensor) => Tensor,
  shapes: { x: number[]; w: number[]; g: number[] },
  values: { x: Float32Array; w: Float32Array; g: Float32Array },
): Promise<Record<'y' | 'dx' | 'dw', Float32Array>> {
  const x = input('x', shapes.x);
  const g = input('g', shapes.g);
  const w = parameter('w', shapes.w);
  const y = f(x, w);
  expect(y.shape).toEqual(shapes.g);
  const [dx, dw] = gradients(sum(mul(y, g)), [x, w]) as [Tensor, Tensor];
  const program = await device.compile(
    { inputs: [x, g], state: [{ parameter: w }], outputs: { y, dx, dw } },
    { formulations },
  );
  await program.setState({ w: values.w });
  const result = await program.run({ x: values.x, g: values.g });
  await program.dispose();
  return Object.fromEntries(
    Object.entries(result).map(([name, value]) => [name, value.data as Float32Array]),
  ) as Record<'y' | 'dx' | 'dw', Float32Array>;
}

describe.each(FORMULATIONS)('%s formulation agrees with PyTorch', (formulations) => {
  test.each(convolution.cases)(
    'convolution of $x.shape with $w.shape, stride $stride, padding $padding',
    async ({ stride, padding, x, w, g, y, dx, dw }) => {
      const result = await forwardAndBackward(
        formulations,
        (a, b) => conv2d(a, b, { stride, padding }),
        { x: x.shape, w: w.shape, g: g.shape },
        { x: floats(x), w: floats(w), g: floats(g) },
      );
      expectClose(result.y, y.data, 1e-6, 'output');
      expectClose(result.dx, dx.data, 1e-6, 'gradient of the input');
      expectClose(result.dw, dw.data, 1e-6, 'gradient of the kernel');
    },
  );

  test.each(convolution.wide)(
    'wide convolution of $x.shape with $w.shape, stride $stride',
    async ({ stride, padding, x, w, g, y, dx, dw }) => {
      const result = await forwardAndBackward(
        formulations,
        (a, b) => conv2d(a, b, { stride, padding }),
        { x: x.shape, w: w.shape, g: g.shape },
        { x: hashed(x), w: hashed(w), g: hashed(g) },
      );
      expectSamples(result.y, y, 5e-6, 'output');
      expectSamples(result.dx, dx, 5e-6, 'gradient of the input');
      expectSamples(result.dw, dw, 5e-6, 'gradient of the kernel');
    },
  );

  test.each(preluCases)('PReLU of $x.shape', async ({ x, slope, g, y, dx, dslope }) => {
    const result = await forwardAndBackward(
      formulations,
      prelu,
      { x: x.shape, w: slope.shape, g: g.shape },
      { x: floats(x), w: floats(slope), g: floats(g) },
    );
    expectClose(result.y, y.data, 1e-6, 'output');
    expectClose(result.dx, dx.data, 1e-6, 'gradient of the input');
    expectClose(result.dw, dslope.data, 1e-6, 'gradient of the slopes');
  });
});
