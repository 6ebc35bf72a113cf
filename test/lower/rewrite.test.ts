// Rewritten graphs compute what the graphs they came from compute: checked against plain loops and ONNX Runtime.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeModel, type OnnxGraph, type OnnxNode, type OnnxTensor } from '../../src/lower/onnx.js';
import { foldConstants, foldConvolutions, forCpu, rewritePrelu } from '../../src/lower/rewrite/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { openSession, tensorOf } from '../../src/runtime/session.js';
import { distinctValues } from '../support/example.js';

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
const integers = (name: string, ...values: number[]): OnnxTensor => ({
  name,
  dtype: 'int64',
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
});
const node = (opType: string, inputs: string[], output: string, attributes: OnnxNode['attributes'] = {}) => ({
  opType,
  inputs,
  outputs: [output],
  attributes,
});
const graphOf = (
  shape: (number | string)[],
  nodes: OnnxNode[],
  initializers: OnnxTensor[],
  rank = 4,
): OnnxGraph => ({
  name: 'g',
  inputs: [{ name: 'x', dtype: 'float32', shape }],
  outputs: [{ name: 'y', dtype: 'float32', shape: Array.from({ length: rank }, (_, i) => `y${i}`) }],
  nodes,
  initializers,
});

/** Runs a graph as it is, past what opening a model does to it. */
async function run(graph: OnnxGraph, x: Float32Array, shape: number[]): Promise<Float32Array> {
  const settings = { target: 'cpu', threads: 1, spin: false } as const;
  const session = await openSession(encodeModel({ graph, opset: 17 }), settings);
  try {
    return (await session.run({ x: tensorOf('float32', x, shape) })).y!.data as Float32Array;
  } finally {
    await session.release();
  }
}

const close = (got: Float32Array, wanted: ArrayLike<number>): void => {
  expect(got).toHaveLength(wanted.length);
  got.forEach((v, i) => {
    expect(v).toBeCloseTo(wanted[i]!, 5);
  });
};
const values = (count: number): Float32Array => Float32Array.from(distinctValues(count));
const operators = ({ nodes }: OnnxGraph): string[] => nodes.map(({ opType }) => opType);

describe('PReLU as a convolution and a sum', () => {
  const prelu = (slopes: number[], shape = [slopes.length, 1, 1]) =>
    graphOf(
      ['N', slopes.length, 'H', 'W'],
      [node('PRelu', ['x', 'slope'], 'y')],
      [floats('slope', shape, slopes)],
    );

  test.each([
    ['slopes up to 1', [0.25, 1, 0, -0.5], 3],
    ['a slope above 1', [0.25, 1.75, 0, -0.5], 4],
  ])('%s', async (_, slopes, nodes) => {
    const rewritten = rewritePrelu(prelu(slopes));
    expect(operators(rewritten)).not.toContain('PRelu');
    expect(rewritten.nodes).toHaveLength(nodes);
    const x = values(2 * 4 * 3 * 5);
    const wanted = x.map((v, i) => (v < 0 ? v * slopes[Math.floor(i / 15) % 4]! : v));
    close(await run(rewritten, x, [2, 4, 3, 5]), wanted);
  });

  test('slopes [1, C, 1, 1] are a number a channel too', async () => {
    const x = values(2 * 3 * 4);
    const rewritten = rewritePrelu(prelu([0.5, 0.25], [1, 2, 1, 1]));
    expect(operators(rewritten)).toEqual(['Conv', 'Relu', 'Add']);
    const wanted = x.map((v, i) => (v < 0 ? v * [0.5, 0.25][Math.floor(i / 12)]! : v));
    close(await run(rewritten, x, [1, 2, 3, 4]), wanted);
  });

  test.each([
    ['slopes along the width', [3]],
    ['one slope', [1, 1, 1]],
    ['a slope for every place', [2, 3, 1]],
  ])('%s are left as they are', (_, shape) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const graph = graphOf(
      ['N', 2, 3, 3],
      [node('PRelu', ['x', 'slope'], 'y')],
      [floats('slope', shape, new Float32Array(count))],
    );
    expect(rewritePrelu(graph)).toEqual(graph);
  });

  test('slopes that are computed are left as they are', () => {
    const graph = graphOf(
      ['N', 2, 3, 3],
      [node('Abs', ['a'], 'slope'), node('PRelu', ['x', 'slope'], 'y')],
      [floats('a', [2, 1, 1], [0.5, 0.25])],
    );
    expect(operators(rewritePrelu(graph))).toEqual(['Abs', 'PRelu']);
  });

  test('new names do not meet names that are there', async () => {
    const graph = graphOf(
      ['N', 2, 2, 2],
      [node('PRelu', ['x', 'slope'], 'y'), node('Neg', ['x'], 'y.below'), node('Neg', ['x'], 'y.below.relu')],
      [floats('slope', [2, 1, 1], [0.5, 0.25]), floats('y.below.weight', [1], [7])],
    );
    const names = rewritePrelu(graph).nodes.flatMap(({ outputs }) => outputs);
    expect(new Set(names).size).toBe(names.length);
    expect(await run(rewritePrelu(graph), values(8), [1, 2, 2, 2])).toHaveLength(8);
  });
});

describe('a model that is opened on the CPU', () => {
  const model = (slopes: number[]) =>
    encodeModel({
      opset: 17,
      metadata: { key: 'value' },
      graph: graphOf(
        ['N', slopes.length, 2, 2],
        [node('Reshape', ['slopes', 'shape'], 'slope'), node('PRelu', ['x', 'slope'], 'y')],
        [floats('slopes', [slopes.length], slopes), integers('shape', -1, 1, 1)],
      ),
    });
  const sixteen = Array.from({ length: 16 }, (_, c) => c / 16);

  test('gives the numbers of PReLU and keeps its metadata', async () => {
    const bytes = model(sixteen);
    const loaded = await device.load(bytes);
    const x = values(2 * 16 * 4);
    const got = (await loaded.run({ x: { data: x, shape: [2, 16, 2, 2] } })).y!.data as Float32Array;
    close(
      got,
      x.map((v, i) => (v < 0 ? v * sixteen[Math.floor(i / 4) % 16]! : v)),
    );
    expect(loaded.metadata).toEqual({ key: 'value' });
    expect(forCpu(bytes)).not.toBe(bytes);
    await loaded.dispose();
  });

  test('is not touched without a PReLU that would gain, and where it cannot be read', () => {
    const ten = model(sixteen.slice(0, 10));
    expect(Buffer.from(forCpu(ten)).includes('PRelu')).toBe(true);
    const plain = encodeModel({ opset: 17, graph: graphOf(['N', 2, 2, 2], [node('Relu', ['x'], 'y')], []) });
    expect(forCpu(plain)).toBe(plain);
    const garbage = Uint8Array.of(255, 255, 255);
    expect(forCpu(garbage)).toBe(garbage);
  });
});

describe('constants', () => {
  test('Constant nodes and reshaped constants become initialisers; what is no longer read goes', async () => {
    const graph = graphOf(
      ['N', 2, 3, 1],
      [
        { ...node('Constant', [], 'c', { value: { tensor: floats('', [2], [10, 20]) } }) },
        node('Unsqueeze', ['c', 'axes'], 'wide'),
        node('Identity', ['wide'], 'same'),
        node('Add', ['x', 'same'], 'y'),
      ],
      [integers('axes', 1, 2), floats('never', [1], [1])],
    );
    const folded = foldConstants(graph);
    expect(operators(folded)).toEqual(['Add']);
    expect(folded.initializers.map(({ name, shape }) => [name, shape])).toEqual([['same', [2, 1, 1]]]);
    close(await run(folded, new Float32Array(6), [1, 2, 3, 1]), [10, 10, 10, 20, 20, 20]);
  });

  test('a constant that the graph gives out stays a node', () => {
    const graph = graphOf([1], [node('Identity', ['c'], 'y')], [floats('c', [1], [3])]);
    expect(operators(foldConstants(graph))).toEqual(['Identity']);
  });
});

describe('scales and shifts after a layer', () => {
  const kernel = floats('w', [2, 1, 1, 2], [1, 2, -3, 4]);
  /** y [1, 2, 1, W - 1] of x [1, 1, 1, W], channel by channel factor * conv + shift. */
  const truth = (x: Float32Array, factor: number[], shift: number[]) =>
    [0, 1].flatMap((c) =>
      Array.from({ length: x.length - 1 }, (_, i) => {
        const [a, b] = [kernel.data[2 * c]!, kernel.data[2 * c + 1]!] as [number, number];
        return factor[c]! * (a * x[i]! + b * x[i + 1]!) + shift[c]!;
      }),
    );

  test('a bias, a product, a normalisation and a difference become weights and bias', async () => {
    const graph = graphOf(
      ['N', 1, 1, 'W'],
      [
        node('Conv', ['x', 'w'], 'a'),
        node('Add', ['a', 'bias'], 'b'),
        node('Mul', ['half', 'b'], 'c'),
        node('BatchNormalization', ['c', 'gamma', 'beta', 'mean', 'variance'], 'd', {
          epsilon: { float: 0.25 },
        }),
        node('Sub', ['d', 'one'], 'y'),
      ],
      [
        kernel,
        floats('bias', [2, 1, 1], [0.5, -1]),
        floats('half', [], [0.5]),
        floats('gamma', [2], [3, 2]),
        floats('beta', [2], [1, -2]),
        floats('mean', [2], [0.5, 0.25]),
        floats('variance', [2], [2, 6]),
        floats('one', [1, 2, 1, 1], [1, 10]),
      ],
    );
    const folded = foldConvolutions(graph);
    expect(operators(folded)).toEqual(['Conv']);
    expect(folded.initializers).toHaveLength(2);
    const x = values(6);
    const factor = [3 / Math.sqrt(2.25), 2 / Math.sqrt(6.25)];
    const shift = [(0.25 - 0.5) * factor[0]! + 1 - 1, (-0.5 - 0.25) * factor[1]! - 2 - 10];
    close(
      await run(folded, x, [1, 1, 1, 6]),
      truth(
        x,
        factor.map((f) => f / 2),
        shift,
      ),
    );
    expect(kernel.data).toEqual(Float32Array.of(1, 2, -3, 4));
  });

  test.each([0, 1])('a matrix product with transB = %i', async (transB) => {
    const weight = transB ? floats('w', [2, 3], [1, 2, 3, 4, 5, 6]) : floats('w', [3, 2], [1, 4, 2, 5, 3, 6]);
    const graph = graphOf(
      ['N', 3],
      [node('Gemm', ['x', 'w', 'b'], 'a', { transB }), node('Mul', ['a', 'f'], 'y')],
      [weight, floats('b', [2], [10, 20]), floats('f', [2], [2, 3])],
      2,
    );
    const folded = foldConvolutions(graph);
    expect(operators(folded)).toEqual(['Gemm']);
    close(await run(folded, Float32Array.of(1, 10, 100), [1, 3]), [2 * 331, 3 * 674]);
  });

  test.each([
    ['a vector that a sum aligns with the width', [node('Add', ['a', 'v'], 'y')]],
    ['a constant from which the layer is taken', [node('Sub', ['v', 'a'], 'y')]],
    ['a layer that another node reads too', [node('Add', ['a', 'u'], 'b'), node('Add', ['a', 'b'], 'y')]],
  ])('%s is left', async (_, rest) => {
    const graph = graphOf(
      ['N', 1, 1, 3],
      [node('Conv', ['x', 'w'], 'a'), ...rest],
      [kernel, floats('v', [2], [1, 2]), floats('u', [2, 1, 1], [1, 2])],
    );
    const folded = foldConvolutions(graph);
    expect(operators(folded)).toEqual(operators(graph));
    const x = values(3);
    expect(await run(folded, x, [1, 1, 1, 3])).toEqual(await run(graph, x, [1, 1, 1, 3]));
  });
});
