// What a model may do is bounded before a runtime sees it: no loop, no size out of an image's numbers, no other file,
// and no way round that through a reading of the bytes that differs from the runtime's.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  encodeModel,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  requireBounded,
} from '../../src/lower/onnx.js';
import { field, message, varint } from '../support/caffemodel.js';

const x = { name: 'x', dtype: 'float32' as const, shape: ['N', 3, 8, 8] };
const y = { name: 'y', dtype: 'float32' as const, shape: ['A'] };
const numbers = (name: string, ...values: number[]): OnnxTensor => ({
  ...{ name, dtype: 'int64', shape: [values.length] },
  data: BigInt64Array.from(values, BigInt),
});
const graphOf = (nodes: OnnxNode[], initializers: OnnxTensor[] = []): OnnxGraph => ({
  ...{ name: 'g', nodes, initializers },
  inputs: [x],
  outputs: [y],
});
const model = (nodes: OnnxNode[], initializers?: OnnxTensor[]) =>
  encodeModel({ opset: 17, graph: graphOf(nodes, initializers) });
const node = (
  opType: string,
  inputs: string[],
  outputs: string[],
  attributes: OnnxNode['attributes'] = {},
) => ({
  ...{ opType, inputs, outputs, attributes },
});

const body: OnnxGraph = { ...graphOf([node('Identity', ['x'], ['y'])]), inputs: [], initializers: [] };
const image: OnnxNode[] = [
  node('ReduceMax', ['x'], ['most'], { keepdims: 0 }),
  node('Cast', ['most'], ['count'], { to: 7 }),
  node('Unsqueeze', ['count', 'axis'], ['counts']),
];
const axis = numbers('axis', 0);

const refused: Record<string, [bytes: Uint8Array, problem: RegExp]> = {
  'a loop': [
    model([node('Loop', ['times', '', 'x'], ['y'], { body: { graph: body } })], [numbers('times', 1e9)]),
    /it holds a Loop \('y'\), which can go on for ever/,
  ],
  'a scan': [model([node('Scan', ['x'], ['y'], { body: { graph: body } })]), /holds a Scan/],
  'a map over a sequence': [
    model([node('SequenceMap', ['x'], ['y'], { body: { graph: body } })]),
    /holds a SequenceMap/,
  ],
  'a loop in a branch': [
    model([
      node('ReduceMax', ['x'], ['most']),
      node('Cast', ['most'], ['sure'], { to: 9 }),
      node('If', ['sure'], ['y'], {
        then_branch: { graph: graphOf([node('Loop', ['', '', 'x'], ['z'], { body: { graph: body } })]) },
        else_branch: { graph: body },
      }),
    ]),
    /holds a Loop/,
  ],
  'a range as long as a pixel says': [
    model(
      [...image, node('Range', ['zero', 'count', 'one'], ['y'])],
      [axis, numbers('zero', 0), numbers('one', 1)],
    ),
    /its Range makes 'y' as large as the numbers of an image say/,
  ],
  'a constant as large as a pixel says': [
    model([...image, node('ConstantOfShape', ['counts'], ['y'])], [axis]),
    /its ConstantOfShape/,
  ],
  'a size out of the places of pixels': [
    model([
      node('NonZero', ['x'], ['places']),
      node('Shape', ['places'], ['found']),
      node('ConstantOfShape', ['found'], ['y']),
    ]),
    /its ConstantOfShape/,
  ],
  'a size that a branch chooses': [
    model([
      node('ReduceMax', ['x'], ['most'], { keepdims: 0 }),
      node('Cast', ['most'], ['sure'], { to: 9 }),
      node('If', ['sure'], ['z'], { then_branch: { graph: body }, else_branch: { graph: body } }),
      node('Shape', ['z'], ['size']),
      node('Expand', ['x', 'size'], ['y']),
    ]),
    /its Expand/,
  ],
  'nodes in no order, which hide where a size is from': [
    model([node('ConstantOfShape', ['counts'], ['y']), ...image], [axis]),
    /not in the order/,
  ],
  'a file that is read by an operator': [
    model([node('EPContext', ['x'], ['y'])]),
    /EPContext reads another file/,
  ],
};

test.each(Object.entries(refused))('%s is refused', (_, [bytes, problem]) => {
  expect(() => requireBounded(bytes)).toThrow(problem);
});

describe('in the bytes of the file', () => {
  const text = (number: number, value: string) => message(number, Buffer.from(value));
  const good = model([node('Flatten', ['x'], ['y'])]);
  const [looping] = refused['a loop']!;

  test.each([
    ['before', Buffer.concat([looping, good])],
    ['after', Buffer.concat([good, looping])],
  ])('a graph in two pieces, a loop in the one %s', (_, bytes) => {
    expect(() => requireBounded(bytes)).toThrow(/holds a Loop/);
  });

  test.each(['weights.bin', '/etc/passwd', '*/_ORT_MEM_ADDR_/*'])('weights in %s', (place) => {
    const location = message(13, [...text(1, 'location'), ...text(2, place)]);
    const tensor = message(5, [...location, ...text(8, 'w'), ...field(14, 0), ...varint(1)]);
    const bytes = Buffer.concat([good, Uint8Array.from(message(7, tensor))]);
    expect(() => requireBounded(bytes)).toThrow(`its tensor 'w' lies in another file (${place})`);
  });

  test('functions that call functions, 2^40 nodes in 40 lines', () => {
    const calls = (name: string) =>
      [0, 1].flatMap(() => message(7, [...text(1, 'a'), ...text(2, 'b'), ...text(4, name)]));
    const functions = Array.from({ length: 40 }, (_, i) =>
      message(25, [...text(1, `f${i}`), ...calls(`f${i + 1}`)]),
    );
    const bytes = Buffer.concat([model([node('f0', ['x'], ['y'])]), Uint8Array.from(functions.flat())]);
    expect(() => requireBounded(bytes)).toThrow(/more than 1,000,000 nodes/);
  });

  test('a function that calls itself, and a loop in a function', () => {
    const own = message(25, [...text(1, 'f'), ...message(7, text(4, 'f'))]);
    const caller = model([node('f', ['x'], ['y'])]);
    expect(() => requireBounded(Buffer.concat([caller, Uint8Array.from(own)]))).toThrow(/1,000,000/);
    const hidden = message(25, [...text(1, 'f'), ...message(7, text(4, 'Loop'))]);
    expect(() => requireBounded(Buffer.concat([caller, Uint8Array.from(hidden)]))).toThrow(/holds a Loop/);
  });

  test('bytes that the runtime takes for its own format, and bytes of none', () => {
    const hidden = Uint8Array.from([...field(100, 2), ...varint(200), ...Buffer.from('ORTM'.padEnd(200))]);
    // The name of the format is at the fifth byte.
    const at = hidden.indexOf('O'.charCodeAt(0));
    expect(at).toBe(4);
    expect(() => requireBounded(Buffer.concat([hidden, good]))).toThrow(/own format/);
    for (const bytes of [
      new Uint8Array(0),
      Buffer.from('<html>'),
      good.subarray(0, 40),
      new Uint8Array(64).fill(0xff),
    ])
      expect(() => requireBounded(bytes)).toThrow(/not an ONNX model/);
  });
});

describe('an ordinary network passes', () => {
  test('an operator that is named like a property of every object', () => {
    requireBounded(model([node('toString', ['x'], ['y'])]));
  });

  test('sizes that follow from the shape of the image', () => {
    const nodes = [
      node('Shape', ['x'], ['shape']),
      node('Slice', ['shape', 'two', 'four'], ['sides']),
      node('Mul', ['sides', 'two'], ['twice']),
      node('Slice', ['shape', 'zero', 'two'], ['head']),
      node('Concat', ['head', 'twice'], ['size'], { axis: 0 }),
      node('Resize', ['x', '', '', 'size'], ['large'], { mode: 'linear' }),
      node('Pad', ['large', 'pads'], ['padded']),
      node('ConstantOfShape', ['head'], ['zeros']),
      node('Tile', ['padded', 'ones'], ['y']),
    ];
    const constants = [
      ...[numbers('zero', 0), numbers('two', 2), numbers('four', 4)],
      ...[numbers('pads', 0, 0, 1, 1, 0, 0, 1, 1), numbers('ones', 1, 1, 1, 1)],
    ];
    expect(() => requireBounded(model(nodes, constants))).not.toThrow();
  });

  test('a branch whose sides are bounded', () => {
    const branches = { then_branch: { graph: body }, else_branch: { graph: body } };
    expect(() =>
      requireBounded(model([node('If', ['sure'], ['y'], branches)], [numbers('sure', 1)])),
    ).not.toThrow();
  });

  const shared = ['yunet/yunet_n_dynamic', 'yunet/yunet_n_320_320', 'mobilefacenet/mobilefacenet-112-128d']
    .map((name) => `../shared/weights/${name}.onnx`)
    .filter((file) => existsSync(file));
  test.each(shared)('%s', (file) => {
    expect(() => requireBounded(readFileSync(file))).not.toThrow();
  });
});
