// A folder of faces as a file of embeddings: every row has its path and person, bad images cost nothing else.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSafetensors } from '../../src/data/index.js';
import { type Embedder, embedFolder, openEmbedder, readList, writeEmbeddings } from '../../src/face/index.js';
import { encodeModel } from '../../src/lower/onnx.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
const faces = join(folder, 'faces');
let embedder: Embedder;

/** A model whose embedding is the mean of each colour plane. */
const model = encodeModel({
  opset: 17,
  graph: {
    name: 'means',
    inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 3, 4, 4] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['N', 3] }],
    initializers: [],
    nodes: [
      { opType: 'ReduceMean', inputs: ['x'], outputs: ['y'], attributes: { axes: [2, 3], keepdims: 0 } },
    ],
  },
});

beforeAll(async () => {
  const paint = (path: string, level: number) =>
    sharp({ create: { width: 4, height: 4, channels: 3, background: { r: level, g: 2, b: 3 } } })
      .png()
      .toFile(join(faces, path));
  for (const person of ['ann', 'bob']) mkdirSync(join(faces, person), { recursive: true });
  for (const [path, level] of [
    ['ann/10.png', 30],
    ['ann/9.png', 20],
    ['bob/1.png', 40],
    ['loose.png', 10],
  ] as const)
    await paint(path, level);
  writeFileSync(join(faces, 'ann/11.jpg'), 'no picture');
  writeFileSync(join(folder, 'means.onnx'), model);
  embedder = await openEmbedder(join(folder, 'means.onnx'), {
    manifest: { input: { order: 'rgb', mean: 0, scale: 1 } },
  });
});
afterAll(async () => {
  await embedder.close();
  rmSync(folder, { recursive: true });
});

const rows = [
  { path: 'loose.png', person: null },
  { path: 'ann/9.png', person: 'ann' },
  { path: 'ann/10.png', person: 'ann' },
  { path: 'bob/1.png', person: 'bob' },
];
const numbers = [10, 2, 3, 20, 2, 3, 30, 2, 3, 40, 2, 3];

test('every readable image gives a row, in natural order; the others are named', async () => {
  const set = await embedFolder(embedder, faces);
  expect(set.images).toEqual(rows);
  expect([...set.embeddings]).toEqual(numbers);
  expect(set.skipped).toMatchObject([{ path: 'ann/11.jpg', reason: expect.not.stringContaining('11.jpg') }]);
});

test.each(['.safetensors', '.npy', '.jsonl'])(
  '%s keeps the numbers, and the paths with them',
  async (ending) => {
    const set = await embedFolder(embedder, faces);
    const [file, list] = await writeEmbeddings(join(folder, 'new', `out${ending}`), set);
    const bytes = readFileSync(file);
    if (ending === '.safetensors') {
      const { dtype, shape, data } = readSafetensors(bytes).tensors.get('embeddings')!;
      expect([dtype, shape, [...data]]).toEqual(['float32', [4, 3], numbers]);
    } else if (ending === '.npy') {
      expect(bytes.subarray(0, 8).toString('latin1')).toBe('\u0093NUMPY\u0001\u0000');
      const start = 10 + bytes.readUInt16LE(8);
      expect(start % 64).toBe(0);
      expect(bytes.subarray(10, start).toString()).toMatch(
        /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(4, 3\), \} +\n$/,
      );
      expect([...new Float32Array(new Uint8Array(bytes.subarray(start)).buffer)]).toEqual(numbers);
    } else {
      const lines = bytes
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(lines).toEqual(rows.map((row, i) => ({ ...row, embedding: numbers.slice(3 * i, 3 * i + 3) })));
    }
    expect(list).toBe(ending === '.safetensors' ? file : `${file}.json`);
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o077).toBe(0);
    expect(await readList(file)).toMatchObject({
      images: rows,
      model: { name: 'means.onnx' },
    });
  },
);

test('nothing to embed, and an unknown ending, are refused', async () => {
  const empty = join(folder, 'bad');
  mkdirSync(join(empty, 'eve'), { recursive: true });
  await expect(embedFolder(embedder, empty)).rejects.toThrow(/hold no image/);
  writeFileSync(join(empty, 'eve', '1.png'), 'x');
  await expect(embedFolder(embedder, empty)).rejects.toThrow(/none of its 1 images can be read/);
  const set = await embedFolder(embedder, faces);
  await expect(writeEmbeddings(join(folder, 'out.csv'), set)).rejects.toThrow(
    /ending must be one of .safetensors, .npy/,
  );
});
