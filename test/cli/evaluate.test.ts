// evaluate lfw and embed as a user's shell runs them, on faces that are plain colours and on real ones.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors } from '../../src/data/index.js';
import { hypersphere } from './hypersphere.js';
import { meansModel } from './means-model.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(folder, { recursive: true }));
const data = join(folder, 'lfw');
const pairs = join(folder, 'pairs.txt');
const model = join(folder, 'means.onnx');

beforeAll(async () => {
  // Four people of one colour each, two photographs of slightly different brightness.
  const people = { Red: [200, 20, 20], Green: [20, 200, 20], Blue: [20, 20, 200], Grey: [130, 130, 130] };
  for (const [name, [r, g, b]] of Object.entries(people)) {
    mkdirSync(join(data, name), { recursive: true });
    for (const i of [1, 2]) {
      const background = { r: r! + 5 * i, g: g! + 5 * i, b: b! + 5 * i };
      await sharp({ create: { width: 8, height: 8, channels: 3, background } })
        .png()
        .toFile(join(data, name, `${name}_000${i}.png`));
    }
  }
  const folds = [
    'Red\t1\t2',
    'Green\t1\t2',
    'Red\t1\tGreen\t1',
    'Red\t2\tBlue\t1',
    'Blue\t1\t2',
    'Grey\t1\t2',
  ];
  writeFileSync(pairs, ['2\t2', ...folds, 'Grey\t1\tBlue\t2', 'Green\t2\tGrey\t1', ''].join('\n'));
  meansModel(model);
});

const prepared = ['--order', 'rgb', '--mean', '127.5', '--scale', '1/128', '--threads', '1'];
const lfw = (...flags: string[]) =>
  hypersphere('evaluate', 'lfw', '--model', model, '--data', data, '--pairs', pairs, ...flags);

describe('evaluate lfw', () => {
  test.each(['sphereface', 'insightface', 'exact'])('prints one JSON object in mode %s', async (mode) => {
    const { code, stdout, stderr } = await lfw(...prepared, '--mode', mode, '--json');
    expect({ code, stderr: stderr.replace(/^\d+\/8 images.*\n/gm, '') }).toEqual({ code: 0, stderr: '' });
    const figures = JSON.parse(stdout);
    expect(figures).toMatchObject({
      format: 'hypersphere-evaluation/1',
      protocol: 'lfw',
      details: { mode },
      verification: { pairs: 8, samePairs: 4, differentPairs: 4 },
    });
    expect(figures.settings).toContainEqual(['Images', '8']);
    expect(figures.settings).toContainEqual(['Computed on', 'cpu']);
    expect(figures.verification.folds).toHaveLength(2);
    expect(figures.verification.accuracy).toBeGreaterThanOrEqual(0.75);
    expect(figures.verification.trials).toBeUndefined();
  });

  test('prints a table for people', async () => {
    const { code, stdout } = await lfw(...prepared);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /LFW verification, mode sphereface: .*means\.onnx.*\nfaces taken as they are aligned there; .*not stated\naccuracy +\d+\.\d\d % \+- \d/,
    );
    expect(stdout).toMatch(/mode +sphereface/);
  });

  test('ends with one line when the model does not say how its input is prepared', async () => {
    const { code, stdout, stderr } = await lfw('--order', 'rgb');
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^hypersphere: .*give --mean NUMBER, --scale NUMBER, or --manifest FILE\n$/);
  });

  test('names a pair whose image is missing', async () => {
    const list = join(folder, 'missing.txt');
    writeFileSync(list, '2\t1\nRed\t1\t7\nRed\t1\tBlue\t1\nRed\t1\t2\nRed\t2\tGrey\t1\n');
    const { code, stderr } = await lfw(...prepared, '--pairs', list);
    expect(code).toBe(4);
    expect(stderr).toMatch(/^hypersphere: .*Red_0007: no such image .*missing\.txt line 2\n$/);
  });

  test('names a folder that is not there, and a list of one fold, before any image is read', async () => {
    const nowhere = await lfw(...prepared, '--data', join(folder, 'nowhere'));
    expect(nowhere.code).toBe(4);
    expect(nowhere.stderr).toMatch(/^hypersphere: .*nowhere: no such folder\n$/);
    const list = join(folder, 'single.txt');
    writeFileSync(list, '1\nRed\t1\t2\nRed\t1\tBlue\t1\n');
    const single = await lfw(...prepared, '--pairs', list);
    expect(single.code).toBe(3);
    expect(single.stderr).toMatch(/^hypersphere: .*single\.txt: one fold; two are needed, .*\n$/);
  });

  test('ends with 2 when it is not understood', async () => {
    expect((await lfw(...prepared, '--mode', 'best')).code).toBe(2);
    expect((await lfw(...prepared, '--mean', 'x')).code).toBe(2);
    expect((await lfw('--manifest', 'a.json', '--order', 'rgb')).code).toBe(2);
    expect((await hypersphere('evaluate', 'lfw', '--model', model)).code).toBe(2);
  });
});

test('embed writes embeddings, and the paths with them', async () => {
  const out = join(folder, 'out.safetensors');
  const { code, stdout } = await hypersphere(
    'embed',
    '--model',
    model,
    '--data',
    data,
    '--out',
    out,
    ...prepared,
    '--json',
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ out, list: out, images: 8, length: 3, skipped: [] });
  const { tensors } = readSafetensors(readFileSync(out));
  const embeddings = tensors.get('embeddings')!;
  expect(embeddings.shape).toEqual([8, 3]);
  const { images } = JSON.parse(Buffer.from(tensors.get('list')!.data as Uint8Array).toString());
  expect(images[0]).toEqual({ path: 'Blue/Blue_0001.png', person: 'Blue' });
  expect(embeddings.data[2]).toBeCloseTo((205 - 127.5) / 128, 4);
  // What says how images are embedded has no say in embeddings; how their halves are joined has.
  const again = ['evaluate', 'lfw', '--embeddings', out, '--pairs', pairs];
  for (const flags of [
    ['--order', 'bgr'],
    ['--size', '9x9'],
    ['--keep', 'kept'],
    ['--aligned', 'arcface'],
  ]) {
    const { code, stderr } = await hypersphere(...again, ...flags);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `hypersphere: --embeddings and ${flags[0]} exclude each other: the embeddings are made already\n`,
    });
  }
  const place = await hypersphere(...again, '--report', out);
  expect(place.stderr).toMatch(
    /out\.safetensors: is a file, and a folder is needed; name another with --report/,
  );
  const refused = await hypersphere('embed', '--model', model, '--data', data, '--out', join(out, 'b.npy'));
  expect(refused.code).toBe(3);
  expect(refused.stderr).toMatch(/^hypersphere: .*: is a file, and a folder is needed; .*--out\n$/);
  const wrong = await hypersphere('embed', '--model', model, '--data', data, '--out', 'out.csv');
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toMatch(/out\.csv: its ending must be one of/);
});

const foreign = '../shared/weights/mobilefacenet/mobilefacenet-112-128d.onnx';
const real = '../shared/data/lfw';
test.skipIf(!existsSync(foreign) || !existsSync(real))(
  `a foreign model verifies real faces (skipped without ${foreign} and ${real})`,

  async () => {
    // The first 25 pairs of each kind of two folds; on all ten folds the model is known to reach 99.27 %.
    const lines = readFileSync(join(real, 'pairs.txt'), 'utf8').split('\n');
    const few = [1, 301, 601, 901].flatMap((first) => lines.slice(first, first + 25));
    const list = join(folder, 'few.txt');
    writeFileSync(list, ['2\t25', ...few, ''].join('\n'));
    const { code, stdout } = await hypersphere(
      ...['evaluate', 'lfw', '--model', foreign, '--data', join(real, 'aligned-112'), '--pairs', list],
      ...['--order', 'rgb', '--mean', '127.5', '--scale', '1/128', '--mode', 'exact', '--json'],
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout).verification.accuracy).toBeGreaterThanOrEqual(0.96);
  },
);
