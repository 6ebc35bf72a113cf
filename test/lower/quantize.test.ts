// Graphs in integers, against the arithmetic written out in plain loops: exact products of levels and integer weights,
// and one rounding.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { encodeModel, type OnnxGraph, type OnnxNode, type OnnxTensor } from '../../src/lower/onnx.js';
import {
  integerNode,
  levels,
  Observed,
  type QuantizeOptions,
  quantizeGraph,
  type Range,
  rangeRules,
  valuesToCalibrate,
} from '../../src/lower/quantize/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

const floats = (name: string, shape: number[], values: ArrayLike<number>): OnnxTensor => ({
  name,
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
});
const node = (
  opType: string,
  inputs: string[],
  output: string,
  attributes: OnnxNode['attributes'] = {},
): OnnxNode => ({ opType, inputs, outputs: [output], attributes });
const graphOf = (nodes: OnnxNode[], initializers: OnnxTensor[], rank = 4, given = 'y'): OnnxGraph => ({
  name: 'g',
  inputs: [
    { name: 'x', dtype: 'float32', shape: ['N', ...Array.from({ length: rank - 1 }, (_, i) => `x${i}`)] },
  ],
  outputs: [
    { name: given, dtype: 'float32', shape: ['N', ...Array.from({ length: rank - 1 }, (_, i) => `y${i}`)] },
  ],
  nodes,
  initializers,
});
/** Numbers from -1 to 1 without a pattern. */
const noise = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233));

async function run(graph: OnnxGraph, x: Float32Array, shape: number[]): Promise<Float32Array> {
  const model = await device.load(encodeModel({ graph, opset: 13 }));
  try {
    return Object.values(await model.run({ x: { data: x, shape } }))[0]!.data as Float32Array;
  } finally {
    await model.dispose();
  }
}

const constant = ({ initializers }: OnnxGraph, name: string): number[] => {
  const found = initializers.find((tensor) => tensor.name === name);
  if (!found) throw new Error(`no constant '${name}' among ${initializers.map(({ name }) => name)}`);
  return Array.from(found.data as Float32Array, Number);
};
const operators = ({ nodes }: OnnxGraph): string[] => nodes.map(({ opType }) => opType);

interface Convolution {
  x: number[];
  shape: [number, number, number];
  kernel: [number, number, number, number];
  group: number;
  stride: number;
  pad: number;
}

/** The sums of products of a convolution's whole numbers, in loops: x [C, H, W], weights [K, C / group, kh, kw]. */
function sums(weights: readonly number[], { x, shape, kernel, group, stride, pad }: Convolution): number[] {
  const [, H, W] = shape;
  const [K, each, kh, kw] = kernel;
  const out: number[] = [];
  const [OH, OW] = [Math.floor((H + 2 * pad - kh) / stride) + 1, Math.floor((W + 2 * pad - kw) / stride) + 1];
  for (let k = 0; k < K; k++)
    for (let oy = 0; oy < OH; oy++)
      for (let ox = 0; ox < OW; ox++) {
        let sum = 0;
        for (let c = 0; c < each; c++)
          for (let dy = 0; dy < kh; dy++)
            for (let dx = 0; dx < kw; dx++) {
              const [iy, ix] = [oy * stride + dy - pad, ox * stride + dx - pad];
              if (iy < 0 || ix < 0 || iy >= H || ix >= W) continue;
              const from = Math.floor(k / (K / group)) * each + c;
              sum += weights[((k * each + c) * kh + dy) * kw + dx]! * x[(from * H + iy) * W + ix]!;
            }
        out.push(sum);
      }
  return out;
}

const clamp = (level: number): number => Math.max(0, Math.min(255, level));

describe('a convolution in integers is the exact sum of products, rounded once', () => {
  test.each([
    ['one kernel of 3x3 with a border', [3, 6, 5], [4, 3, 3, 3], 1, 1, 1],
    ['stride 2', [4, 7, 8], [5, 4, 3, 3], 1, 2, 1],
    ['1x1', [8, 3, 3], [6, 8, 1, 1], 1, 1, 0],
    ['depthwise', [16, 5, 5], [16, 1, 3, 3], 16, 1, 1],
    ['two groups', [4, 5, 5], [6, 2, 3, 3], 2, 1, 1],
  ] as [string, [number, number, number], [number, number, number, number], number, number, number][])(
    '%s',
    async (_, shape, kernel, group, stride, pad) => {
      for (const cut of [false, true]) {
        const [K] = kernel;
        const count = kernel.reduce((a, b) => a * b);
        const weight = floats('conv.weight', kernel, noise(count, 1));
        const bias = floats('conv.bias', [K], noise(K, 2));
        const attributes = {
          group,
          strides: [stride, stride],
          pads: [pad, pad, pad, pad],
          kernel_shape: kernel.slice(2),
        };
        // Out of the graph comes the negative, which stays in float, so that the convolution gives levels.
        const nodes = [
          node('Conv', ['x', 'conv.weight', 'conv.bias'], 'c', attributes),
          ...(cut ? [node('Relu', ['c'], 'r')] : []),
          node('Neg', [cut ? 'r' : 'c'], 'y'),
        ];
        const graph = graphOf(nodes, [weight, bias]);
        const range = (value: string): Range =>
          value === 'x' ? { min: -0.9, max: 1.1 } : { min: cut ? 0 : -3, max: 2.5 };
        const quantized = quantizeGraph(graph, range, { perChannel: true }).graph;
        expect(operators(quantized)).toEqual(['QuantizeLinear', 'QLinearConv', 'DequantizeLinear', 'Neg']);

        const x = noise(
          shape.reduce((a, b) => a * b),
          3,
        );
        const got = await run(quantized, x, [1, ...shape]);

        const [inScale, outScale] = [levels(range('x')).scale, levels(range('y')).scale];
        const [inZero, outZero] = [levels(range('x')).zero, levels(range('y')).zero];
        const integers = constant(quantized, 'conv.weight.integers');
        const scales = constant(quantized, 'conv.weight.scale');
        const biases = constant(quantized, 'conv.bias.integers');
        const inLevels = Array.from(x, (v) => clamp(Math.round(v / inScale) + inZero) - inZero);
        const exact = sums(integers, { x: inLevels, shape, kernel, group, stride, pad });
        const places = exact.length / K;
        exact.forEach((sum, i) => {
          const k = Math.floor(i / places);
          const level = ((sum + biases[k]!) * inScale * scales[k]!) / outScale + outZero;
          // Half-way cases may go either way, by a rounding of the scale.
          const near = [clamp(Math.round(level - 1e-4)), clamp(Math.round(level + 1e-4))];
          expect(near.map((l) => -(l - outZero) * outScale)).toContainEqual(expect.closeTo(got[i]!, 5));
        });

        // Weights are told by their integers to half a step, biases to half a unit.
        const each = count / K;
        weight.data.forEach((w, i) => {
          const scale = scales[Math.floor(i / each)]!;
          expect(Math.abs(integers[i]! * scale - Number(w))).toBeLessThanOrEqual(scale / 2 + 1e-7);
          expect(Math.abs(integers[i]!)).toBeLessThanOrEqual(group === K ? 127 : 63);
        });
        bias.data.forEach((b, k) => {
          const unit = inScale * scales[k]!;
          expect(Math.abs(biases[k]! * unit - Number(b))).toBeLessThanOrEqual(unit / 2 + 1e-7);
        });
      }
    },
  );

  test('seven bits use 63, eight bits 127; a layer has one scale without perChannel', () => {
    const weight = floats('l.weight', [2, 3, 1, 1], [1, -0.4, 0.25, 0.1, 0, -0.04]);
    const graph = graphOf([node('Conv', ['x', 'l.weight'], 'c'), node('Neg', ['c'], 'y')], [weight]);
    const made = (options: QuantizeOptions) =>
      quantizeGraph(graph, () => ({ min: -1, max: 1 }), options).graph;
    const integers = (options: QuantizeOptions) => constant(made(options), 'l.weight.integers');
    expect(integers({})).toEqual([63, -25, 16, 63, 0, -25]);
    expect(integers({ bits: 8 })).toEqual([127, -51, 32, 127, 0, -51]);
    expect(integers({ perChannel: false })).toEqual([63, -25, 16, 6, 0, -3]);
    expect(constant(made({ perChannel: false }), 'l.weight.scale')).toEqual([Math.fround(1 / 63)]);
  });

  test('a channel of tiny weights has a scale in which its bias can be told', async () => {
    const graph = graphOf(
      [node('Conv', ['x', 'l.weight', 'l.bias'], 'c'), node('Neg', ['c'], 'y')],
      [floats('l.weight', [2, 1, 1, 1], [1e-20, 0]), floats('l.bias', [2], [0.5, -0.5])],
    );
    const { graph: made } = quantizeGraph(graph, () => ({ min: -1, max: 1 }));
    const got = await run(made, Float32Array.of(0.3), [1, 1, 1, 1]);
    expect(got[0]).toBeCloseTo(-0.5, 2);
    expect(got[1]).toBeCloseTo(0.5, 2);
  });
});

test.each([0, 1])('a matrix product that gives the output gives floats, transB = %i', async (transB) => {
  const [K, N] = [40, 7];
  const weight = floats('fc.weight', transB ? [N, K] : [K, N], noise(K * N, 4));
  const bias = floats('fc.bias', [N], noise(N, 5));
  const graph = graphOf([node('Gemm', ['x', 'fc.weight', 'fc.bias'], 'y', { transB })], [weight, bias], 2);
  const range = { min: -1, max: 1 };
  const { graph: made, layers } = quantizeGraph(graph, () => range);
  expect(operators(made)).toEqual(['QuantizeLinear', 'QGemm']);
  expect(layers).toEqual([{ name: 'fc', op: 'Gemm' }]);
  const x = noise(2 * K, 6);
  const got = await run(made, x, [2, K]);
  const { scale, zero } = levels(range);
  const [integers, scales] = [constant(made, 'fc.weight.integers'), constant(made, 'fc.weight.scale')];
  const biases = constant(made, 'fc.bias.integers');
  for (let row = 0; row < 2; row++)
    for (let n = 0; n < N; n++) {
      let sum = biases[n]!;
      for (let k = 0; k < K; k++) {
        const w = integers[transB ? n * K + k : k * N + n]!;
        sum += w * (clamp(Math.round(x[row * K + k]! / scale) + zero) - zero);
      }
      expect(got[row * N + n]).toBeCloseTo(sum * scale * scales[n]!, 4);
    }
});

test('a sum of levels is rounded once, and what only moves values moves levels', async () => {
  const graph = graphOf(
    [
      node('Relu', ['x'], 'r'),
      node('Transpose', ['r'], 'm', { perm: [0, 1, 3, 2] }),
      node('Transpose', ['x'], 't', { perm: [0, 1, 3, 2] }),
      node('Add', ['t', 'm'], 'a'),
      node('Flatten', ['a'], 'f'),
      node('Neg', ['f'], 'y'),
    ],
    [],
  );
  const two = { ...graph, outputs: [{ name: 'y', dtype: 'float32' as const, shape: ['N', 'D'] }] };
  const range = (value: string) => (value === 'a' ? { min: -1, max: 2 } : { min: -1, max: 1 });
  const { graph: made } = quantizeGraph(two, range);
  expect(operators(made)).toContain('QLinearAdd');
  expect(operators(made).indexOf('Flatten')).toBeLessThan(operators(made).lastIndexOf('DequantizeLinear'));
  const x = noise(12, 7);
  const got = await run(made, x, [1, 1, 3, 4]);
  const [ends, whole] = [levels({ min: -1, max: 1 }), levels({ min: -1, max: 2 })];
  const round = (v: number) => (clamp(Math.round(v / ends.scale) + ends.zero) - ends.zero) * ends.scale;
  for (let i = 0; i < 4; i++)
    for (let j = 0; j < 3; j++) {
      const v = x[j * 4 + i]!;
      const sum = round(v) + round(Math.max(0, v));
      expect(Math.abs(-got[i * 3 + j]! - sum)).toBeLessThanOrEqual(whole.scale / 2 + 1e-6);
    }
});

describe('biases that make up for rounded weights', () => {
  const kernel = [2, 4, 1, 1];
  const graph = graphOf(
    [node('Conv', ['x', 'l.weight'], 'c'), node('Neg', ['c'], 'y')],
    [floats('l.weight', kernel, noise(8, 8))],
  );
  const means = Float64Array.of(0.8, -0.3, 0.5, 0.9);
  test('inputs that are their means come out as from the float network, to a unit of the bias and a level', async () => {
    const ranges = () => ({ min: -2, max: 2 });
    const { scale } = levels({ min: -2, max: 2 });
    const x = Float32Array.from({ length: 4 * 9 }, (_, i) => means[Math.floor(i / 9)]!);
    const wanted = await run(graph, x, [1, 4, 3, 3]);
    const mended = quantizeGraph(graph, ranges, { means: () => means }).graph;
    // The input's own rounding is not the weights': it is counted in full.
    const slack = (k: number) =>
      scale / 2 + [0, 1, 2, 3].reduce((sum, c) => sum + Math.abs(noise(8, 8)[k * 4 + c]!) * (scale / 2), 0);
    const got = await run(mended, x, [1, 4, 3, 3]);
    got.forEach((v, i) => {
      expect(Math.abs(v - wanted[i]!)).toBeLessThanOrEqual(slack(Math.floor(i / 9)) + 1e-6);
    });
    const biases = (made: OnnxGraph) => constant(made, 'l.bias.integers');
    expect(biases(quantizeGraph(graph, ranges).graph)).toEqual([0, 0]);
    const [integers, scales] = [constant(mended, 'l.weight.integers'), constant(mended, 'l.weight.scale')];
    const weights = noise(8, 8);
    const exact = [0, 1].map((k) =>
      [0, 1, 2, 3].reduce(
        (sum, c) => sum - (integers[4 * k + c]! * scales[k]! - weights[4 * k + c]!) * means[c]!,
        0,
      ),
    );
    biases(mended).forEach((b, k) => {
      expect(b).toBe(Math.round(exact[k]! / (scale * scales[k]!)));
    });
  });
});

describe('what stays in float', () => {
  const conv = (input: string, output: string, name: string) =>
    node('Conv', [input, `${name}.weight`], output);
  const weights = ['a', 'b', 'c'].map((name) => floats(`${name}.weight`, [2, 2, 1, 1], noise(4, 9)));
  const chain = graphOf([conv('x', 'p', 'a'), conv('p', 'q', 'b'), conv('q', 'y', 'c')], weights);
  const range = () => ({ min: -2, max: 2 });

  test('a convolution that gives the output, and layers that are asked for', () => {
    const { graph, layers } = quantizeGraph(chain, range, { keep: ['a'] });
    expect(layers).toEqual([
      { name: 'a', op: 'Conv', float: 'asked for' },
      { name: 'b', op: 'Conv' },
      { name: 'c', op: 'Conv', float: 'it gives the output' },
    ]);
    expect(operators(graph)).toEqual(['Conv', 'QuantizeLinear', 'QLinearConv', 'DequantizeLinear', 'Conv']);
    expect(graph.initializers.map(({ name }) => name)).not.toContain('b.weight');
  });

  test('operators without integers, with the reason', () => {
    const graph = graphOf(
      [conv('x', 'p', 'a'), node('Sigmoid', ['p'], 's'), conv('s', 'q', 'b'), node('Neg', ['q'], 'y')],
      weights,
    );
    const { layers } = quantizeGraph(graph, range);
    expect(layers.filter(({ float }) => float)).toEqual([
      { name: 's', op: 'Sigmoid', float: 'Sigmoid has no form in integers' },
      { name: 'y', op: 'Neg', float: 'Neg has no form in integers' },
    ]);
  });

  test('a name to keep that is no layer’s is an error that lists the layers', () => {
    expect(() => quantizeGraph(chain, range, { keep: ['nose'] })).toThrow(UserError);
    expect(() => quantizeGraph(chain, range, { keep: ['nose'] })).toThrow(
      "no layer is called 'nose'; there are a, b, c",
    );
  });

  test('a clip at 0 goes into the convolution, one elsewhere does not', () => {
    const clipped = (low: number) =>
      graphOf(
        [conv('x', 'p', 'a'), node('Clip', ['p', 'low', 'high'], 'k'), node('Neg', ['k'], 'y')],
        [...weights, floats('low', [], [low]), floats('high', [], [6])],
      );
    expect(operators(quantizeGraph(clipped(0), range).graph)).not.toContain('Clip');
    expect(operators(quantizeGraph(clipped(-1), range).graph)).toContain('Clip');
    expect(valuesToCalibrate(clipped(0))).toEqual(['x', 'k']);
    expect(valuesToCalibrate(clipped(-1))).toEqual(['x', 'p']);
  });

  test('a graph in integers is known as one', () => {
    expect(integerNode(chain.nodes)).toBeUndefined();
    expect(integerNode(quantizeGraph(chain, range).graph.nodes)?.opType).toBe('QuantizeLinear');
  });
});

describe('ranges', () => {
  const seen = (...batches: number[][]): Observed => {
    const observed = new Observed();
    for (const batch of batches) observed.add(Float32Array.from(batch), [1, 2, batch.length / 2]);
    return observed;
  };

  test('levels hold 0 exactly and both ends to half a level', () => {
    for (const [min, max] of [
      [-1, 3],
      [0, 2],
      [-5, 0],
      [1, 2],
      [-2, -1],
    ] as const) {
      const { scale, zero } = levels({ min, max });
      expect(Number.isInteger(zero)).toBe(true);
      expect((0 - zero) * scale).toBeLessThanOrEqual(Math.min(0, min) + scale / 2 + 1e-6);
      expect((255 - zero) * scale).toBeGreaterThanOrEqual(Math.max(0, max) - scale / 2 - 1e-6);
    }
    expect(levels({ min: 0, max: 0 })).toEqual({ scale: 1, zero: 0 });
  });

  test('a histogram that grows counts every value once and knows the means of channels', () => {
    const observed = seen([0.001, 0.002, -0.003, 0.5], [1, 2, 3, -70], [0, 0, 1000, 1]);
    expect([observed.min, observed.max, observed.count]).toEqual([-70, 1000, 12]);
    expect(observed.bins().reduce((sum, { count }) => sum + count, 0)).toBe(12);
    expect(observed.means[0]).toBeCloseTo((0.003 + 3 + 0) / 6, 6);
    expect(observed.means[1]).toBeCloseTo((0.497 - 67 + 1001) / 6, 5);
    const largest = observed.bins().at(-1)!;
    expect(largest.value).toBeGreaterThan(998);
    expect(rangeRules['min-max'](observed)).toEqual({ min: -70, max: 1000 });
  });

  test('a percentile leaves the farthest out, half of them on each side', () => {
    const values = Array.from({ length: 100_000 }, (_, i) => (i - 50_000) / 50_000);
    values[0] = -100;
    values[99_999] = 100;
    const { min, max } = rangeRules.percentile(seen(values));
    expect(min).toBeGreaterThan(-1.1);
    expect(min).toBeLessThan(-0.95);
    expect(max).toBeLessThan(1.1);
    expect(max).toBeGreaterThan(0.95);
  });

  test('the least-squares range rounds with less squared error than the whole range or a percentile', () => {
    // A normal's tails and one outlier: what is cut is far and rare.
    const normal = Array.from({ length: 20_000 }, (_, i) => {
      const u = (i + 0.5) / 20_000;
      return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * ((i * 0.618034) % 1));
    });
    const values = [...normal, 9, -9];
    const observed = seen(values);
    const error = (range: Range) => {
      const { scale, zero } = levels(range);
      return values.reduce(
        (sum, v) => sum + ((clamp(Math.round(v / scale) + zero) - zero) * scale - v) ** 2,
        0,
      );
    };
    const least = rangeRules['least-squares'](observed);
    expect(least.max).toBeLessThan(9);
    expect(error(least)).toBeLessThan(error(rangeRules['min-max'](observed)));
    expect(error(least)).toBeLessThanOrEqual(error(rangeRules.percentile(observed)));
    for (const share of [0.5, 0.7, 0.9])
      expect(error(least)).toBeLessThanOrEqual(error({ min: -9 * share, max: 9 * share }) * 1.02);
  });

  test('values that are never negative have no levels below 0; nothing but zeros is a range too', () => {
    const observed = seen(Array.from({ length: 1000 }, (_, i) => i / 500));
    for (const rule of Object.values(rangeRules)) {
      expect(rule(observed).min).toBe(0);
      expect(rule(observed).max).toBeGreaterThan(1.5);
      expect(rule(seen([0, 0]))).toEqual({ min: 0, max: 0 });
    }
  });
});
