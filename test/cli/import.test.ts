import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/face/index.js';
import { input } from '../../src/graph/index.js';
import { networkNamed, Scope } from '../../src/nn/index.js';
import { hashed } from '../support/fixtures.js';
import { torchCheckpoint, type WrittenTensor } from '../support/torch-writer.js';
import { hypersphere } from './hypersphere.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-import-'));
afterAll(() => rmSync(folder, { recursive: true }));
const checkpoint = join(folder, 'small.pth');
const hostile = fileURLToPath(new URL('../fixtures/checkpoints/hostile.pth', import.meta.url));

// SphereFace-4 for small images, as its ports in PyTorch name it.
beforeAll(() => {
  const scope = new Scope();
  networkNamed('sphereface-4').build(scope, input('images', [1, 3, 32, 32]), { embedding: 8 });
  const tensors = new Map(
    scope.parameters.map(({ name, shape }, i): [string, WrittenTensor] => [
      `module.${name.replace('slope', 'weight')}`,
      { shape, data: hashed({ shape: [...shape], salt: i, amplitude: 0.1 }) },
    ]),
  );
  tensors.set('module.fc6.weight', { shape: [5, 8], data: new Float32Array(40) });
  writeFileSync(checkpoint, torchCheckpoint(tensors, 'state_dict'));
});

const net = ['--net', 'sphereface-4', '--size', '32x32'];

describe('hypersphere import', () => {
  it('writes a model with its manifest and says what was matched and what left out', async () => {
    const out = join(folder, 'small.onnx');
    const flags = [
      '--order',
      'rgb',
      '--scale',
      '1/127.5',
      '--flip',
      'sum',
      '--licence',
      'MIT',
      '--template',
      'arcface',
    ];
    const { code, stdout, stderr } = await hypersphere('import', checkpoint, ...net, '--out', out, ...flags);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain("14 tensors by names of the SphereFace ports in PyTorch behind 'module.'");
    expect(stdout).toContain('left out as a classifier of the training: module.fc6.weight');
    const manifest = JSON.parse(readFileSync(join(folder, 'small.json'), 'utf8'));
    expect(manifest).toMatchObject({
      input: { width: 32, height: 32, order: 'rgb', mean: 127.5, scale: 1 / 127.5 },
      template: 'arcface-112@0',
      flip: 'sum',
      embedding: { length: 8 },
      licence: 'MIT',
      trainedOn: 'not stated',
      sha256: sha256(readFileSync(out)),
    });
    const info = JSON.parse((await hypersphere('info', out, '--json')).stdout);
    expect(info.manifest.imported).toEqual({ from: 'small.pth', format: 'PyTorch' });
  });

  it('only lists what a file holds, without executing it', async () => {
    const { stdout } = await hypersphere('import', checkpoint, '--list');
    expect(stdout).toMatch(/^module\.conv1_1\.weight +float32 +\[64, 3, 3, 3\]$/m);
    expect(stdout).toMatch(/15 tensors, .*\nbeside them: epoch\n$/);
    const listed = JSON.parse((await hypersphere('import', hostile, '--list', '--json')).stdout);
    expect(listed).toMatchObject({
      format: 'PyTorch',
      tensors: [{ name: 'weight', dtype: 'float32', shape: [2] }],
    });
    expect(existsSync('executed-by-a-pickle')).toBe(false);
  });

  it('shows both sides of a mismatch and writes nothing', async () => {
    const out = join(folder, 'wrong.onnx');
    const { code, stdout, stderr } = await hypersphere(
      'import',
      checkpoint,
      '--net',
      'sphereface-4',
      '--size',
      '64x64',
      '--out',
      out,
    );
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^\* fc5\.weight \[8, 8192\] +module\.fc5\.weight \[8, 2048\]$/m);
    expect(stderr).toMatch(/\nhypersphere: small\.pth is not of sphereface-4 for images of 64x64 .*\n$/);
    expect(existsSync(out)).toBe(false);
  });

  it.each([
    [['--out', 'x.onnx'], /--net NAME is missing: one of sphereface-4/],
    [['--net', 'sphereface-4'], /--out FILE\.onnx is missing/],
    [[...net, '--out', 'x.bin'], /--out x\.bin: the model's name ends with \.onnx/],
    [['--net', 'resnet', '--out', 'x.onnx'], /Allowed choices are sphereface-4.*mobilefacenet/],
  ])('does not understand %j', async (flags, says) => {
    const { code, stderr } = await hypersphere('import', checkpoint, ...flags);
    expect(code).toBe(2);
    expect(stderr).toMatch(says);
  });

  it('has one line for a map or a template that is none, before anything is written', async () => {
    const out = join(folder, 'none.onnx');
    const map = join(folder, 'map.json');
    writeFileSync(map, '[1]');
    const mapped = await hypersphere('import', checkpoint, ...net, '--out', out, '--map', map);
    expect(mapped).toMatchObject({
      code: 3,
      stderr: `hypersphere: ${map}: not a JSON object from our names to the file's\n`,
    });
    const laid = await hypersphere('import', checkpoint, ...net, '--out', out, '--template', 'square');
    expect(laid.code).toBe(3);
    expect(laid.stderr).toMatch(/^hypersphere: 'square' is no template/);
    expect(existsSync(out)).toBe(false);
  });
});
