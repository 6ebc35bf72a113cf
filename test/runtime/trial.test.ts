// A model file is tried in a process of its own before it is opened here: what takes too much memory or time there
// costs one line, and what passed is not tried again.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { errorCodes } from '../../src/common/errors.js';
import { encodeModel, type OnnxNode, type OnnxTensor } from '../../src/lower/onnx.js';
import { openDevice, trialLimits, tryModel } from '../../src/runtime/index.js';
import { hypersphere } from '../cli/hypersphere.js';
import { temporaryFolder } from '../data/pictures.js';

const VARIABLES = ['HYPERSPHERE_CACHE', 'HYPERSPHERE_MODEL_SECONDS', 'HYPERSPHERE_MODEL_MIB'] as const;
let before: (string | undefined)[];
let cache: string;
beforeEach(() => {
  before = VARIABLES.map((name) => process.env[name]);
  cache = temporaryFolder();
  process.env.HYPERSPHERE_CACHE = cache;
});
afterEach(() => {
  VARIABLES.forEach((name, i) => {
    if (before[i] === undefined) delete process.env[name];
    else process.env[name] = before[i];
  });
});

const numbers = (name: string, ...values: number[]): OnnxTensor => ({
  ...{ name, dtype: 'int64', shape: [values.length] },
  data: BigInt64Array.from(values, BigInt),
});
const model = (nodes: OnnxNode[], initializers: OnnxTensor[] = [], side: number | string = 8): Uint8Array =>
  encodeModel({
    opset: 17,
    graph: {
      ...{ name: 'g', nodes, initializers },
      inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 3, side, side] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['N', 'D'] }],
    },
  });
const flat = model([{ opType: 'Flatten', inputs: ['x'], outputs: ['y'] }]);

/** 6 GB out of a few bytes, when it is opened: a runtime computes what depends on constants alone. */
const large = model(
  [
    { opType: 'ConstantOfShape', inputs: ['size'], outputs: ['zeros'] },
    { opType: 'ReduceSum', inputs: ['zeros'], outputs: ['sum'] },
    { opType: 'Flatten', inputs: ['x'], outputs: ['flat'] },
    { opType: 'Add', inputs: ['flat', 'sum'], outputs: ['y'] },
  ],
  [numbers('size', 1.5e9)],
);
/** The same when it is run: an outer product of two columns. */
const grown = model(
  [
    { opType: 'Reshape', inputs: ['x', 'column'], outputs: ['c'] },
    { opType: 'Tile', inputs: ['c', 'many'], outputs: ['long'] },
    { opType: 'Transpose', inputs: ['long'], outputs: ['row'] },
    { opType: 'MatMul', inputs: ['long', 'row'], outputs: ['y'] },
  ],
  [numbers('column', -1, 1), numbers('many', 200, 1)],
);
/** Fourteen billion multiply-adds, sixty times over. */
const slow = model(
  [
    { opType: 'ReduceMax', inputs: ['x'], outputs: ['most'], attributes: { keepdims: 0 } },
    { opType: 'Expand', inputs: ['most', 'square'], outputs: ['m0'] },
    ...Array.from({ length: 60 }, (_, i) => ({
      opType: 'MatMul',
      inputs: [`m${i}`, 'm0'],
      outputs: [i === 59 ? 'y' : `m${i + 1}`],
    })),
  ],
  [numbers('square', 2400, 2400)],
);

test.each([
  ['when it is opened', large],
  ['when it is run', grown],
])('a model that takes too much memory %s', async (_, bytes) => {
  await expect(tryModel(bytes, 'bomb.onnx', { seconds: 60, mebibytes: 400 })).rejects.toThrow(
    /^bomb\.onnx: takes more than 400 MiB of memory .* HYPERSPHERE_MODEL_MIB/,
  );
  expect(readdirSync(cache)).toEqual([]);
});

test('an input that no memory holds', async () => {
  const bytes = model([{ opType: 'Flatten', inputs: ['x'], outputs: ['y'] }], [], 1e6);
  await expect(tryModel(bytes, 'wide.onnx')).rejects.toThrow(
    /^wide\.onnx: takes more than \d+ MiB of memory/,
  );
});

test('a model that takes too long', async () => {
  await expect(tryModel(slow, 'slow.onnx', { seconds: 3, mebibytes: 2048 })).rejects.toThrow(
    /^slow\.onnx: takes more than 3 s .* HYPERSPHERE_MODEL_SECONDS/,
  );
});

test('a file that passed is tried once, and again under other limits', async () => {
  const file = join(temporaryFolder(), 'flat.onnx');
  writeFileSync(file, flat);
  const device = await openDevice('cpu', { threads: 1 });
  try {
    const tried = () => readdirSync(join(cache, 'tried'));
    for (let i = 0; i < 2; i++) {
      await device.load(file);
      expect(tried()).toHaveLength(1);
    }
    process.env.HYPERSPHERE_MODEL_MIB = '1000';
    await device.load(file);
    expect(tried()).toHaveLength(2);
  } finally {
    await device.close();
  }
});

test("a model that the runtime refuses is refused with the runtime's words", async () => {
  const file = join(temporaryFolder(), 'unknown.onnx');
  writeFileSync(file, model([{ opType: 'Untold', inputs: ['x'], outputs: ['y'] }]));
  const device = await openDevice('cpu', { threads: 1 });
  await expect(device.load(file)).rejects.toThrow(/unknown\.onnx: cpu cannot run this model: .*Untold/);
  await device.close();
});

test('limits come from the environment, and have to be numbers', () => {
  expect(trialLimits(2 ** 20, {})).toEqual({ seconds: 60, mebibytes: 2052 });
  expect(trialLimits(2 ** 20, { HYPERSPHERE_MODEL_SECONDS: '5', HYPERSPHERE_MODEL_MIB: '300' })).toEqual({
    seconds: 5,
    mebibytes: 300,
  });
  for (const text of ['-1', 'much', 'NaN', 'Infinity'])
    expect(() => trialLimits(0, { HYPERSPHERE_MODEL_SECONDS: text })).toThrow(
      /HYPERSPHERE_MODEL_SECONDS must be/,
    );
});

test('no command opens such a file', async () => {
  process.env.HYPERSPHERE_MODEL_MIB = '400';
  const folder = temporaryFolder();
  const file = join(folder, 'bomb.onnx');
  writeFileSync(file, large);
  const out = join(folder, 'out');
  const calls = [
    ['info', file],
    ['verify', 'a.jpg', 'b.jpg', '--model', file],
    ['detect', 'a.jpg', '--detector', file],
    ['embed', '--model', file, '--data', folder, '--out', `${out}.npy`],
    ['quantize', '--model', file, '--faces', folder, '--out', `${out}.onnx`],
  ];
  for (const words of calls) {
    const { code, stdout, stderr } = await hypersphere(...words);
    expect([words[0], code, stdout]).toEqual([words[0], errorCodes.limit.exit, '']);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/bomb\.onnx: takes more than 400 MiB of memory/);
  }
  expect(readFileSync(file)).toEqual(Buffer.from(large));
});
