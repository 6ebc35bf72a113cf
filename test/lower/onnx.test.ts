// ONNX files: what is written is what is read, ONNX Runtime accepts it, and other people's files are read too.
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { decodeModel, encodeModel, type OnnxModel } from '../../src/lower/onnx.js';
import { InferenceSession, Tensor } from '../../src/runtime/onnxruntime.js';

/** total = sum over k iterations of x + 1, by a Loop whose body is a graph attribute; y = LeakyRelu(x) * weight. */
const example: OnnxModel = {
  opset: 17,
  metadata: { hypersphere: '{"ü":1}', empty: '' },
  graph: {
    name: 'example',
    inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 2] }],
    outputs: [
      { name: 'y', dtype: 'float32', shape: ['N', 2] },
      { name: 'total', dtype: 'float32', shape: [] },
    ],
    initializers: [
      { name: 'weight', dtype: 'float32', shape: [2], data: Float32Array.of(3, -1) },
      { name: 'trips', dtype: 'int64', shape: [], data: BigInt64Array.of(4n) },
      { name: 'go', dtype: 'bool', shape: [], data: Uint8Array.of(1) },
      { name: 'zero', dtype: 'float32', shape: [], data: Float32Array.of(0) },
    ],
    nodes: [
      {
        opType: 'LeakyRelu',
        inputs: ['x'],
        outputs: ['r'],
        attributes: { alpha: { float: 1 } },
        domain: '',
        name: 'a',
      },
      { opType: 'Mul', inputs: ['r', 'weight'], outputs: ['y'], attributes: {}, domain: '', name: 'b' },
      {
        opType: 'Loop',
        inputs: ['trips', 'go', 'zero'],
        outputs: ['total'],
        domain: '',
        name: 'c',
        attributes: {
          body: {
            graph: {
              name: 'body',
              inputs: [
                { name: 'i', dtype: 'int64', shape: [] },
                { name: 'on', dtype: 'bool', shape: [] },
                { name: 'before', dtype: 'float32', shape: [] },
              ],
              outputs: [
                { name: 'on2', dtype: 'bool', shape: [] },
                { name: 'after', dtype: 'float32', shape: [] },
              ],
              initializers: [{ name: 'one', dtype: 'float32', shape: [], data: Float32Array.of(1) }],
              nodes: [
                {
                  opType: 'Identity',
                  inputs: ['on'],
                  outputs: ['on2'],
                  attributes: {},
                  domain: '',
                  name: 'd',
                },
                {
                  opType: 'Add',
                  inputs: ['before', 'one'],
                  outputs: ['after'],
                  attributes: {},
                  domain: '',
                  name: 'e',
                },
              ],
            },
          },
        },
      },
    ],
  },
};

test('a model is read back as it was written', () => {
  expect(decodeModel(encodeModel(example))).toEqual(example);
});

test('every kind of attribute keeps its type', () => {
  const attributes = {
    zero: 0,
    negative: -3,
    large: 2 ** 40,
    text: 'same_upper',
    list: [1, -2, 3],
    empty: [],
    float: { float: 0 },
    floats: { floats: [0.5, 1] },
    strings: { strings: ['a', ''] },
    tensor: { tensor: { name: 't', dtype: 'int32' as const, shape: [2], data: Int32Array.of(7, -8) } },
  };
  const graph = { ...example.graph, nodes: [{ opType: 'Any', inputs: [''], outputs: ['o'], attributes }] };
  expect(decodeModel(encodeModel({ graph, opset: 17 })).graph.nodes[0]?.attributes).toEqual(attributes);
});

test('ONNX Runtime runs what is written', async () => {
  const session = await InferenceSession.create(encodeModel(example), { intraOpNumThreads: 1 });
  const { y, total } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 2, -3, 4), [2, 2]) });
  expect([...(y!.data as Float32Array)]).toEqual([3, -2, -9, -4]);
  expect([...(total!.data as Float32Array)]).toEqual([4]);
  await session.release();
});

test('tensors and attributes that do not fit their description are refused', () => {
  const short = { name: 'w', dtype: 'float32' as const, shape: [3], data: new Float32Array(2) };
  expect(() => encodeModel({ opset: 17, graph: { ...example.graph, initializers: [short] } })).toThrow(
    /'w'.*\[3\]/,
  );
  const node = { opType: 'Any', inputs: [], outputs: [], attributes: { alpha: 0.5 } };
  expect(() => encodeModel({ opset: 17, graph: { ...example.graph, nodes: [node] } })).toThrow(/alpha/);
  expect(() => decodeModel(Buffer.from('this is no model at all'))).toThrow(UserError);
});

test('a hundred megabytes of weights are written with one copy and read with none', () => {
  const data = new Float32Array(25_000_000).fill(0.5);
  const graph = {
    ...example.graph,
    initializers: [{ name: 'w', dtype: 'float32' as const, shape: [25_000_000], data }],
  };
  const before = process.memoryUsage().arrayBuffers;
  const bytes = encodeModel({ graph, opset: 17 });
  const read = decodeModel(bytes).graph.initializers[0];
  expect(read?.data.length).toBe(25_000_000);
  // One copy for the file, and at most one more where the weights lie unaligned in it.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2.2 * data.byteLength);
});

const foreign = '../shared/weights/mobilefacenet/mobilefacenet-112-128d.onnx';
test.skipIf(!existsSync(foreign))(`reads a foreign model (skipped without ${foreign})`, () => {
  const model = decodeModel(readFileSync(foreign));
  expect(model.graph.nodes.length).toBeGreaterThan(50);
  expect(model.graph.nodes.some((node) => node.opType === 'Conv')).toBe(true);
  const again = decodeModel(encodeModel(model));
  expect(again.graph.nodes).toEqual(model.graph.nodes);
  expect(again.graph.initializers.length).toBe(model.graph.initializers.length);
});
