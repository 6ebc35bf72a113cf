// Embeddings come back from every format as they were written, and a file that cannot be used says why.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../src/data/index.js';
import { readNumpy } from '../../src/data/numpy.js';
import { manifestSchema, readEmbeddings, writeEmbeddings } from '../../src/face/index.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);

const manifest = manifestSchema.parse({
  format: 'hypersphere-model/1',
  name: 'a model',
  input: { name: 'x', width: 4, height: 4, order: 'rgb', mean: 0, scale: 1 },
  flip: 'none',
  embedding: { length: 3, output: 'y' },
});
const images = [
  { path: 'loose.png', person: null },
  { path: 'ann/1.png', person: 'ann' },
];
const embeddings = Float32Array.of(0.1, -2e-8, 3, 4, 5, 6.5);
const skipped = [{ path: 'ann/2.png', reason: 'no picture' }];

test('what was written is read, bit for bit, with paths, people and model', async () => {
  for (const name of ['a.safetensors', 'b.npy', 'c.jsonl']) {
    await writeEmbeddings(path(name), { folder: 'faces', manifest, length: 3, embeddings, images, skipped });
    const read = await readEmbeddings(path(name));
    expect(read).toEqual({
      file: path(name),
      folder: 'faces',
      manifest,
      length: 3,
      embeddings,
      images,
      skipped,
    });
  }
});

test('new rows are never read under the names of older ones, nor older rows under new names', async () => {
  const older = { folder: 'faces', manifest, length: 3, embeddings, images, skipped };
  const newer = {
    ...older,
    embeddings: embeddings.map((value) => value + 1),
    images: images.map(({ path, person }) => ({ path: `new-${path}`, person })),
  };
  for (const name of ['x.npy', 'x.jsonl']) {
    await writeEmbeddings(path(name), older);
    const [rows, list] = [readFileSync(path(name)), readFileSync(path(`${name}.json`))];
    await writeEmbeddings(path(name), newer);
    expect((await readEmbeddings(path(name))).images).toEqual(newer.images);
    // Killed between the two renames, in either order.
    writeFileSync(path(`${name}.json`), list);
    await expect(readEmbeddings(path(name))).rejects.toThrow(/belongs to another file/);
    await writeEmbeddings(path(name), newer);
    writeFileSync(path(name), rows);
    await expect(readEmbeddings(path(name))).rejects.toThrow(/belongs to another file/);
  }
  // In one file there is nothing to mix up, and a list of older rows beside it is not looked at.
  await writeEmbeddings(path('x.safetensors'), older);
  writeFileSync(path('x.safetensors.json'), JSON.stringify({ images: images.map(() => images[0]) }));
  expect((await readEmbeddings(path('x.safetensors'))).images).toEqual(images);
  await writeEmbeddings(path('x.safetensors'), newer);
  expect((await readEmbeddings(path('x.safetensors'))).images).toEqual(newer.images);
  expect(existsSync(path('x.safetensors.json'))).toBe(false);
});

test('a list that does not name its file is used with a warning', async () => {
  const warnings: Error[] = [];
  const listen = (warning: Error) => warnings.push(warning);
  process.on('warning', listen);
  writeFileSync(
    path('old.safetensors'),
    writeSafetensors(new Map([['embeddings', { dtype: 'float32', shape: [2, 3], data: embeddings }]])),
  );
  writeFileSync(path('old.safetensors.json'), JSON.stringify({ images }));
  expect((await readEmbeddings(path('old.safetensors'))).images).toEqual(images);
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listen);
  expect(warnings.map(({ message }) => message)).toEqual([
    expect.stringMatching(/old\.safetensors\.json does not say that it belongs to .*old\.safetensors:/),
  ]);
});

test('a list of one’s own needs paths and people only; float64 is rounded to float32', async () => {
  const data = Float64Array.of(1 / 3, 2, 3, 4);
  writeFileSync(
    path('own.safetensors'),
    writeSafetensors(new Map([['embeddings', { dtype: 'float64', shape: [2, 2], data }]])),
  );
  writeFileSync(path('own.safetensors.json'), JSON.stringify({ images }));
  const read = await readEmbeddings(path('own.safetensors'));
  expect(read.embeddings).toEqual(Float32Array.from(data));
  expect(read.manifest).toBeUndefined();
});

describe('a file that cannot be used', () => {
  const refused = (name: string) => expect(readEmbeddings(path(name))).rejects;

  test('is missing, or of another kind', async () => {
    await refused('none.npy').toThrow(/none.npy: no such file/);
    await refused('faces.txt').toThrow(/ending must be one of .safetensors, .npy, .jsonl/);
  });

  test('has no list, one that is damaged, or one of another length', async () => {
    const set = { folder: 'faces', manifest, length: 3, embeddings, images, skipped };
    await writeEmbeddings(path('l.npy'), set);
    writeFileSync(path('l.npy.json'), JSON.stringify({ images: images.slice(1) }));
    await refused('l.npy').toThrow(/2 rows, but its list names 1 images/);
    writeFileSync(path('l.npy.json'), JSON.stringify({ images: [{ path: 'a.png' }] }));
    await refused('l.npy').toThrow(/l.npy.json: not a list of embeddings: images.0.person/);
    writeFileSync(path('l.npy.json'), '{');
    await refused('l.npy').toThrow(/l.npy.json: not JSON/);
    rmSync(path('l.npy.json'));
    await refused('l.npy').toThrow(/l.npy: .*l.npy.json is missing.*hypersphere embed writes both/);
  });

  test('has a row without a direction: names the row and its image', async () => {
    for (const [value, words] of [
      [0, /row 1 \(ann\/1.png\): every number is zero/],
      [Number.NaN, /row 1 \(ann\/1.png\): it holds numbers that are not finite/],
    ] as const) {
      const bad = Float32Array.of(1, 2, 3, value, value, value);
      await writeEmbeddings(path('bad.npy'), {
        folder: '',
        manifest,
        length: 3,
        embeddings: bad,
        images,
        skipped,
      });
      await refused('bad.npy').toThrow(words);
    }
  });

  test('holds other things', async () => {
    writeFileSync(
      path('other.safetensors'),
      writeSafetensors(new Map([['weights', { dtype: 'float32', shape: [1], data: new Float32Array(1) }]])),
    );
    await refused('other.safetensors').toThrow(/no tensor 'embeddings'/);
    writeFileSync(
      path('flat.safetensors'),
      writeSafetensors(new Map([['embeddings', { dtype: 'int32', shape: [1, 1], data: new Int32Array(1) }]])),
    );
    await refused('flat.safetensors').toThrow(/'embeddings' is int32 \[1,1\]; needed is float32/);
    writeFileSync(path('half.jsonl'), '{"path": "a", "person": null, "embedding": [1]}\n{"path": "b"}\n');
    await refused('half.jsonl').toThrow(/line 2 is not/);
    const line = (numbers: number[]) => JSON.stringify({ path: 'a', person: null, embedding: numbers });
    writeFileSync(path('ragged.jsonl'), `${line([1, 2])}\n${line([1])}\n`);
    await refused('ragged.jsonl').toThrow(/image 2 has 1 numbers, the first has 2/);
  });
});

describe('a .npy file', () => {
  /** As numpy.save writes it, version 1 or 2. */
  const npy = (literal: string, body: Uint8Array, version = 1) => {
    const length = version === 1 ? 2 : 4;
    const header = Buffer.alloc(8 + length);
    header.write('\u0093NUMPY', 'latin1');
    header[6] = version;
    header.writeUIntLE(literal.length, 8, length);
    return Buffer.concat([header, Buffer.from(literal, 'latin1'), body]);
  };
  const bytes = (data: Float32Array | Float64Array) => new Uint8Array(data.buffer);
  const matrix = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }\n";

  test('of float64, of versions 1 and 2, at an odd place in memory', () => {
    for (const version of [1, 2]) {
      const file = npy(matrix, bytes(Float64Array.of(0.5, -7)), version);
      const shifted = new Uint8Array(file.length + 1);
      shifted.set(file, 1);
      expect(readNumpy(shifted.subarray(1), 'x')).toEqual({ shape: [2, 1], data: Float32Array.of(0.5, -7) });
    }
  });

  test('of another type, order, shape or length is refused', () => {
    const body = bytes(Float64Array.of(1, 2));
    const refuse = (literal: string, words: RegExp) =>
      expect(() => readNumpy(npy(literal, body), 'x.npy')).toThrow(words);
    refuse(matrix.replace('<f8', '<i8'), /x.npy: its numbers are of type <i8/);
    refuse(matrix.replace('False', 'True'), /row-major/);
    refuse(matrix.replace('(2, 1)', '(2,)'), /not a matrix/);
    refuse(matrix.replace('(2, 1)', '(3, 1)'), /16 bytes do not make a matrix of 3 x 1/);
    expect(() => readNumpy(Buffer.from('not a numpy file'), 'x.npy')).toThrow(/does not begin as one/);
    expect(() => readNumpy(npy(matrix, body).subarray(0, 30), 'x.npy')).toThrow(/cut off/);
  });
});
