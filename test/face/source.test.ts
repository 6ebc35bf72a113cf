// A source gives the same features whether a model computes them, a file kept them, or `embed` stored them; features
// of another model, or of an image that has changed since, are never mixed in.
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  embedFolder,
  joinSources,
  openEmbedder,
  requireSameModel,
  sourceOfEmbeddings,
  sourceOfModel,
  writeEmbeddings,
} from '../../src/face/index.js';
import { encodeModel } from '../../src/lower/onnx.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(folder, { recursive: true }));
const data = join(folder, 'faces');
const model = join(folder, 'corner.onnx');
const path = (name: string) => join(folder, name);
const changed = new Date('2020-01-01T00:00:00Z');

/** A picture whose left column differs, so that its mirror image gives other features. */
async function draw(name: string, value: number): Promise<void> {
  const pixels = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => (Math.floor(i / 3) % 8 === 0 ? value : 90));
  const file = join(data, name);
  await sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } })
    .png({ compressionLevel: 0 })
    .toFile(file);
  utimesSync(file, changed, changed);
}

beforeAll(async () => {
  for (const person of ['ann', 'bob']) mkdirSync(join(data, person), { recursive: true });
  await draw('ann/1.png', 10);
  await draw('ann/2.png', 20);
  await draw('bob/1.png', 200);
  // The mean over rows keeps the columns apart: 3 x 8 features.
  const graph = {
    name: 'columns',
    inputs: [{ name: 'x', dtype: 'float32' as const, shape: ['N', 3, 8, 8] }],
    outputs: [{ name: 'y', dtype: 'float32' as const, shape: ['N', 24] }],
    initializers: [{ name: 'shape', dtype: 'int64' as const, shape: [2], data: BigInt64Array.of(-1n, 24n) }],
    nodes: [
      { opType: 'ReduceMean', inputs: ['x'], outputs: ['m'], attributes: { axes: [2], keepdims: 0 } },
      { opType: 'Reshape', inputs: ['m', 'shape'], outputs: ['y'] },
    ],
  };
  writeFileSync(model, encodeModel({ opset: 17, graph } as never));
});

const input = { order: 'rgb' as const, mean: 0, scale: 1 };
const options = { manifest: { input, flip: 'concatenate' as const }, threads: 1 };
const opened = (more: object = {}) => sourceOfModel(model, data, { ...options, ...more });

async function featuresIn(more: object = {}, rows = [2, 0, 1]) {
  const source = await opened(more);
  try {
    return await source.features(rows);
  } finally {
    await source.close();
  }
}

test('rows come in the order they are asked for, images and mirrors apart', async () => {
  const { length, original, mirrored } = await featuresIn();
  expect(length).toBe(24);
  expect([original[0], original[24], original[48]]).toEqual([200, 10, 20]);
  expect([mirrored![7], mirrored![31], mirrored![0]]).toEqual([200, 10, 90]);
});

test('features of a stored file are those that the model gives', async () => {
  const embedder = await openEmbedder(model, options);
  const file = path('a.safetensors');
  await writeEmbeddings(file, await embedFolder(embedder, data));
  await embedder.close();
  const source = await sourceOfEmbeddings(file);
  expect(source.fusion).toBe('concatenate');
  expect(source.images.map(({ person }) => person)).toEqual(['ann', 'ann', 'bob']);
  expect(await source.features([2, 0, 1])).toEqual(await featuresIn());
  const other = await sourceOfModel(model, data, { ...options, manifest: { input, flip: 'sum' } });
  expect(() => requireSameModel(source, other)).toThrow(
    /embeddings of two kinds cannot be compared \(the first are of images and mirrors joined as concatenate, not sum\)/,
  );
  await other.close();
});

test('kept features are taken instead of computed, until the image changes', async () => {
  const keep = path('kept');
  const first = await featuresIn({ keep }, [0, 2]);
  // Bytes of the same length at the same time are the same image as far as the file system tells.
  const file = join(data, 'ann/1.png');
  const original = readFileSync(file);
  writeFileSync(file, new Uint8Array(original.length));
  utimesSync(file, changed, changed);
  expect(await featuresIn({ keep }, [0, 2])).toEqual(first);
  // Another time, another image: now it is read, and cannot be.
  writeFileSync(file, new Uint8Array(original.length));
  await expect(featuresIn({ keep }, [0, 2])).rejects.toThrow(/ann\/1\.png/);
  writeFileSync(file, original);
  expect(await featuresIn({ keep }, [0, 2])).toEqual(first);
});

test('what was kept before a crash is kept: a record that was cut off is computed again', async () => {
  const keep = path('cut');
  const whole = await featuresIn({ keep });
  const bytes = readFileSync(keep);
  for (const cut of [1, 100, 250]) {
    truncateSync(keep, bytes.length - cut);
    expect(await featuresIn({ keep })).toEqual(whole);
    expect(await featuresIn({ keep })).toEqual(whole);
  }
});

test('an unreadable image is named, or a row of zeros that is told of', async () => {
  const folderOf = path('broken');
  mkdirSync(join(folderOf, 'ann'), { recursive: true });
  writeFileSync(join(folderOf, 'ann/1.png'), readFileSync(join(data, 'ann/1.png')));
  writeFileSync(join(folderOf, 'ann/2.png'), 'no picture');
  for (const keep of [undefined, path('broken-kept')]) {
    const source = await sourceOfModel(model, folderOf, { ...options, keep });
    await expect(source.features([0, 1])).rejects.toThrow(/ann\/2\.png/);
    const told: number[] = [];
    const features = await source.features([0, 1], { onUnreadable: (row) => told.push(row) });
    expect(told).toEqual([1]);
    expect([features.original[0], features.original[24]]).toEqual([10, 0]);
    await source.close();
  }
});

test('a file that keeps something else is refused in a line', async () => {
  writeFileSync(path('other'), 'a poem\n');
  await expect(opened({ keep: path('other') })).rejects.toThrow(/other: not a file of kept features/);
  await featuresIn({ keep: path('mine') });
  const manifest = { input: { ...input, scale: 2 }, flip: 'concatenate' as const };
  await expect(opened({ keep: path('mine'), manifest })).rejects.toThrow(
    /mine: keeps the features of the input 8x8 rgb, mean 0, scale 1, not 8x8 rgb, mean 0, scale 2; name another/,
  );
  await expect(opened({ keep: path('mine/where') })).rejects.toThrow(
    /where: .*file.* (way|path)|where: a part of this path is a file/,
  );
});

test('folders inside of people’s folders are listed when asked for', async () => {
  const nested = path('nested');
  mkdirSync(join(nested, 'ann/0'), { recursive: true });
  writeFileSync(join(nested, 'ann/0/1.png'), readFileSync(join(data, 'ann/1.png')));
  const source = await sourceOfModel(model, nested, { ...options, nested: true });
  expect(source.images).toEqual([{ path: 'ann/0/1.png', person: 'ann' }]);
  await source.close();
  const embedder = await openEmbedder(model, options);
  const { images } = await embedFolder(embedder, nested, { nested: true });
  expect(images).toEqual(source.images);
  await embedder.close();
});

test('an ensemble’s cosine is the mean of its members’ cosines', async () => {
  const cosine = (v: ArrayLike<number>, length: number) => {
    const dot = (a: number, b: number) =>
      Array.from({ length }, (_, d) => v[a * length + d]! * v[b * length + d]!).reduce((s, x) => s + x, 0);
    return dot(0, 1) / Math.sqrt(dot(0, 0) * dot(1, 1));
  };
  const write = async (name: string, embeddings: Float32Array, order: string[]) => {
    const file = path(name);
    const lines = order.map((of, i) =>
      JSON.stringify({ path: of, person: 'ann', embedding: [...embeddings.subarray(2 * i, 2 * i + 2)] }),
    );
    writeFileSync(file, lines.join('\n'));
    return sourceOfEmbeddings(file);
  };
  const a = await write('a.jsonl', Float32Array.of(1, 0, 3, 4), ['1.png', '2.png']);
  const b = await write('b.jsonl', Float32Array.of(5, 12, 0, -7), ['2.png', '1.png']);
  const both = joinSources([a, b]);
  const { length, original } = await both.features([0, 1]);
  // By hand: (1, 0) and (3, 4) have cosine 3/5; (0, -7) and (5, 12) have -12/13.
  expect(length).toBe(4);
  expect(cosine(original, 4)).toBeCloseTo((3 / 5 - 12 / 13) / 2, 6);
  const one = await write('one.jsonl', Float32Array.of(1, 0), ['1.png']);
  expect(() => joinSources([a, one])).toThrow(/one\.jsonl: has no embedding of 2\.png, which .*a\.jsonl has/);
});
