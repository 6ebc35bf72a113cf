// hypersphere quantize as a user's shell runs it.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { encodeModel } from '../../src/lower/onnx.js';
import { hypersphere } from './hypersphere.js';

let folder: string;
let model: string;
const PREPARED = ['--order', 'rgb', '--mean', '127.5', '--scale', '1/128', '--threads', '1'];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quantize-cli-'));
  model = join(folder, 'model.onnx');
  const stream = random(1, 'weights');
  const weights = (name: string, ...shape: number[]) => ({
    ...{ name, dtype: 'float32' as const, shape },
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.3 * stream.normal()),
  });
  const graph = {
    name: 'small',
    inputs: [{ name: 'x', dtype: 'float32' as const, shape: ['N', 3, 8, 8] }],
    outputs: [{ name: 'y', dtype: 'float32' as const, shape: ['N', 6] }],
    initializers: [
      weights('conv.weight', 16, 3, 3, 3),
      weights('relu.slope', 16, 1, 1),
      weights('fc.weight', 576, 6),
    ],
    nodes: [
      { opType: 'Conv', inputs: ['x', 'conv.weight'], outputs: ['c'] },
      { opType: 'PRelu', inputs: ['c', 'relu.slope'], outputs: ['p'] },
      { opType: 'Flatten', inputs: ['p'], outputs: ['f'] },
      { opType: 'Gemm', inputs: ['f', 'fc.weight'], outputs: ['y'] },
    ],
  };
  writeFileSync(model, encodeModel({ opset: 17, graph }));
  for (let i = 0; i < 8; i++) {
    const raw = Buffer.from(Array.from({ length: 8 * 8 * 3 }, () => stream.integer(256)));
    await sharp(raw, { raw: { width: 8, height: 8, channels: 3 } }).toFile(join(folder, `${i}.png`));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('writes a model that other commands take, with its manifest beside it', async () => {
  const out = join(folder, 'made', 'int8.onnx');
  const flags = ['--model', model, '--faces', folder, '--images', '4', '--out', out, ...PREPARED];
  const { code, stdout, stderr } = await hypersphere('quantize', ...flags, '--json');
  expect(stderr).toContain('8/8 faces');
  expect(code).toBe(0);
  const done = JSON.parse(stdout) as {
    layers: { name: string; float?: string }[];
    agreement: { least: number };
  };
  expect(done.layers.map(({ name }) => name)).toEqual(['conv', 'p.below', 'p', 'fc']);
  expect(done.layers.every(({ float }) => float === undefined)).toBe(true);
  expect(done.agreement.least).toBeGreaterThan(0.98);
  const manifest = JSON.parse(readFileSync(join(folder, 'made', 'int8.json'), 'utf8')) as { name: string };
  expect(manifest.name).toBe('model.onnx int8');
  const embeddings = join(folder, 'out.npy');
  const embedded = await hypersphere(
    'embed',
    '--model',
    out,
    '--data',
    folder,
    '--out',
    embeddings,
    '--threads',
    '1',
  );
  expect(embedded.stderr + embedded.stdout).toContain('8 embeddings of 6 numbers');
  expect(existsSync(embeddings)).toBe(true);
  const again = await hypersphere(
    'quantize',
    '--model',
    out,
    '--faces',
    folder,
    '--out',
    join(folder, 'x.onnx'),
  );
  expect(again.code).toBe(3);
  expect(again.stderr).toContain('is quantised already');
});

test('says in words what was done and what stays in float', async () => {
  const out = join(folder, 'mixed.onnx');
  const flags = ['--model', model, '--faces', folder, '--images', '4', '--out', out, ...PREPARED];
  const { code, stdout } = await hypersphere('quantize', ...flags, '--keep', 'fc');
  expect(code).toBe(0);
  expect(stdout).toContain('3 of 4 layers in integers');
  expect(stdout).toContain('in float: fc (Gemm): asked for');
  expect(stdout).toMatch(/over 4 other faces: mean 0\.9\d+, least 0\.9\d+/);
});

test.each([
  [['--out', 'model.txt'], 2, "the model's name ends with .onnx"],
  [['--bits', '4'], 2, 'Allowed choices are 7, 8'],
  [['--ranges', 'guess'], 2, 'min-max, percentile, least-squares'],
  [['--images', '0'], 2, 'whole number from 1 on'],
  [['--keep', 'nose'], 3, "no layer is called 'nose'; there are conv, p.below, p, "],
  [['--faces', 'nowhere'], 4, 'nowhere'],
])('%j is refused with exit code %i', async (flags, code, message) => {
  const usual = ['--model', model, '--faces', folder, '--out', join(folder, 'never.onnx'), ...PREPARED];
  const refused = await hypersphere('quantize', ...usual, '--images', '2', ...flags);
  expect(refused.code).toBe(code);
  expect(refused.stderr).toContain(message);
  expect(existsSync(join(folder, 'never.onnx'))).toBe(false);
});
