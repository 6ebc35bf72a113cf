// The same network quantised here and by ONNX Runtime's own tool (test/fixtures/make_quantize_fixture.py): the same
// ranges give the same levels, integers, scales and biases.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { OnnxGraph, OnnxTensor } from '../../src/lower/onnx.js';
import { quantizeGraph } from '../../src/lower/quantize/index.js';

interface Scaled {
  scale: number;
  zero: number;
}
interface Reference {
  ranges: Record<string, { min: number; max: number }>;
  convolutions: { weight: number[]; scale: number[]; bias: number[]; input: Scaled; output: Scaled }[];
}
const file = new URL('../fixtures/quantize/quantizer.json', import.meta.url);
const reference = JSON.parse(readFileSync(file, 'utf8')) as Reference;

/** The fixture's formula. */
const values = (shape: number[], seed: number, factor = 1): Float32Array =>
  Float32Array.from(
    { length: shape.reduce((a, b) => a * b, 1) },
    (_, i) => Math.fround(Math.sin((i + 1) * 12.9898 + seed * 78.233)) * factor,
  );
const tensor = (name: string, shape: number[], seed: number, factor: number): OnnxTensor => ({
  name,
  dtype: 'float32',
  shape,
  data: values(shape, seed, factor),
});

const float: OnnxGraph = {
  name: 'g',
  inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 3, 8, 8] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: ['N', 4, 4, 4] }],
  initializers: [
    tensor('conv1.weight', [6, 3, 3, 3], 1, 0.4),
    tensor('conv1.bias', [6], 2, 0.2),
    tensor('conv2.weight', [6, 1, 3, 3], 3, 0.5),
    tensor('conv2.bias', [6], 4, 0.1),
    tensor('conv3.weight', [4, 6, 1, 1], 5, 0.3),
    tensor('conv3.bias', [4], 6, 0.1),
  ],
  nodes: [
    ['Conv', ['x', 'conv1.weight', 'conv1.bias'], 'c1', { pads: [1, 1, 1, 1], strides: [2, 2] }] as const,
    ['Relu', ['c1'], 'r1', {}] as const,
    ['Conv', ['r1', 'conv2.weight', 'conv2.bias'], 'c2', { pads: [1, 1, 1, 1], group: 6 }] as const,
    ['Relu', ['c2'], 'r2', {}] as const,
    ['Conv', ['r2', 'conv3.weight', 'conv3.bias'], 'c3', {}] as const,
    ['Neg', ['c3'], 'y', {}] as const,
  ].map(([opType, inputs, output, attributes]) => ({
    opType,
    inputs: [...inputs],
    outputs: [output],
    attributes: { ...attributes } as Record<string, number | number[]>,
  })),
};

test('integers, scales, levels and biases are those of ONNX Runtime’s quantiser', () => {
  const { graph } = quantizeGraph(float, (value) => reference.ranges[value]!, { bits: 8 });
  const constants = new Map(
    graph.initializers.map(({ name, data }) => [name, Array.from(data as Float32Array, Number)]),
  );
  const convolutions = graph.nodes.filter(({ opType }) => opType === 'QLinearConv');
  expect(convolutions).toHaveLength(reference.convolutions.length);
  for (const [i, node] of convolutions.entries()) {
    const wanted = reference.convolutions[i]!;
    const [, inScale, inZero, weight, scale, , outScale, outZero, bias] = node.inputs.map((name) =>
      constants.get(name),
    );
    expect(weight).toEqual(wanted.weight);
    expect(scale).toHaveLength(wanted.scale.length);
    for (const [c, s] of scale!.entries()) expect(s / wanted.scale[c]!).toBeCloseTo(1, 5);
    for (const [c, b] of bias!.entries()) expect(Math.abs(b - wanted.bias[c]!)).toBeLessThanOrEqual(1);
    for (const [mine, theirs] of [
      [[inScale, inZero], wanted.input],
      [[outScale, outZero], wanted.output],
    ] as const) {
      expect(mine[0]![0]! / theirs.scale).toBeCloseTo(1, 5);
      expect(mine[1]![0]).toBe(theirs.zero);
    }
  }
});
