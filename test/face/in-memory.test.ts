// Faces whose files are in memory give what the same files in a folder give, carried to another template or not.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bothInMemory, bothRealigned, openEmbedder, templateNamed } from '../../src/face/index.js';
import { encodeModel } from '../../src/lower/onnx.js';
import { encode, noise } from '../data/pictures.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A model whose embedding is its whole input. */
const [height, width] = [112, 112];
const bytes = encodeModel({
  opset: 17,
  graph: {
    name: 'see',
    inputs: [{ name: 'images', dtype: 'float32', shape: ['N', 3, height, width] }],
    outputs: [{ name: 'features', dtype: 'float32', shape: ['N', 3 * height * width] }],
    initializers: [],
    nodes: [{ opType: 'Flatten', inputs: ['images'], outputs: ['features'], attributes: { axis: 1 } }],
  },
});
const manifest = { input: { order: 'bgr' as const, mean: 127.5, scale: 1 / 128 }, template: 'arcface-112@0' };

const paths: string[] = [];
for (const i of [0, 1, 2]) {
  const path = join(folder, `${i}.jpg`);
  writeFileSync(path, await encode(noise(112, 96, 3, i), 112, 96, 'jpeg'));
  paths.push(path);
}
const images = paths.map((name) => ({ name, bytes: readFileSync(name) }));

test('they are decoded and fitted as files are', async () => {
  const embedder = await openEmbedder({ name: 'see', bytes }, { batch: 2, manifest });
  try {
    const progress: [number, number][] = [];
    const found = await bothInMemory(embedder, images, { onProgress: (...now) => progress.push(now) });
    expect(found).toEqual(await embedder.both(paths));
    expect(progress).toEqual([
      [2, 3],
      [3, 3],
    ]);
    const from = templateNamed('sphereface-112x96@0');
    const carried = await bothInMemory(embedder, images, { from });
    expect(carried).toEqual(await bothRealigned(embedder, paths, from));
    expect(carried.original).not.toEqual(found.original);
  } finally {
    await embedder.close();
  }
});

test('one that cannot be decoded, or has another size than its template, is named', async () => {
  const embedder = await openEmbedder({ name: 'see', bytes }, { manifest });
  try {
    const cut = { name: 'x.bin: image 3', bytes: images[0]!.bytes.subarray(0, 500) };
    await expect(bothInMemory(embedder, [images[0]!, cut])).rejects.toThrow(/^x\.bin: image 3: /);
    const small = { name: 'x.bin: image 4', bytes: await encode(noise(20, 20, 3), 20, 20, 'png') };
    await expect(
      bothInMemory(embedder, [small], { from: templateNamed('sphereface-112x96@0') }),
    ).rejects.toThrow(/^x\.bin: image 4: is 20 x 20 pixels, and faces on sphereface-112x96@0 are 96 x 112$/);
  } finally {
    await embedder.close();
  }
});
