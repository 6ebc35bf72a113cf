import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { halfToNumber } from '../../src/data/element-types.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../src/data/index.js';
import {
  memoryTemplates,
  openTemplates,
  type TemplateType,
  topK,
  writeTemplates,
} from '../../src/search/index.js';
import { numberToHalf } from '../../src/search/pack.js';
import { unitRows } from './rows.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'templates-'));
});
afterAll(() => rm(folder, { recursive: true }));

const D = 40;
const N = 1500;
const rows = unitRows(N, D, 1);
const types = ['float32', 'float16', 'int8'] as const;

/** `rows` in pieces of `each` rows. */
function* pieces(each: number): Generator<Float32Array> {
  for (let first = 0; first < N; first += each) yield rows.subarray(first * D, Math.min(N, first + each) * D);
}

async function written(name: string, type: TemplateType, each = 700): Promise<string> {
  const file = join(folder, name);
  await writeTemplates(file, { count: N, length: D, type }, pieces(each));
  return file;
}

describe('half precision', () => {
  test('every number of it comes back with its own bits', () => {
    const wrong = Array.from({ length: 2 ** 16 }, (_, half) => half).filter(
      (half) => !Number.isNaN(halfToNumber(half)) && numberToHalf(halfToNumber(half)) !== half,
    );
    expect(wrong).toEqual([]);
    expect(halfToNumber(numberToHalf(Number.NaN))).toBeNaN();
  });

  test('the nearest is taken, and the even one of two', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0x7bfe }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (half, part) => {
          const [low, high] = [halfToNumber(half), halfToNumber(half + 1)];
          const value = Math.fround(low + part * (high - low));
          const given = halfToNumber(numberToHalf(value));
          expect(Math.abs(given - value)).toBe(Math.min(value - low, high - value));
          const middle = numberToHalf((low + high) / 2);
          expect(middle % 2).toBe(0);
          expect([half, half + 1]).toContain(middle);
        },
      ),
    );
    expect(numberToHalf(65519)).toBe(0x7bff);
    expect(numberToHalf(65520)).toBe(0x7c00);
    expect(numberToHalf(-65520)).toBe(0xfc00);
  });
});

describe('a file of templates', () => {
  // Half a step of the last digit: 2^-12 of numbers below 1/2 or 1; half of 1/127 of a row's largest number, and what
  // bringing the row back to unit length changes.
  const bounds = { float32: 1e-7, float16: 2 ** -12, int8: 0.75 / 127 };

  test.each(types)('%s: rows come back within the rounding, as unit vectors', async (type) => {
    const source = await openTemplates(await written(`${type}.bin`, type));
    expect(source).toMatchObject({ count: N, length: D, type });
    const all = new Float32Array(N * D);
    await source.read(0, N, all);
    const some = new Float32Array(D * 3).fill(7);
    await source.read(777, 2, some);
    expect([...some.subarray(0, 2 * D)]).toEqual([...all.subarray(777 * D, 779 * D)]);
    expect([...some.subarray(2 * D)]).toEqual(new Array(D).fill(7));
    for (let row = 0; row < N; row++) {
      let squares = 0;
      let farthest = 0;
      for (let d = row * D; d < (row + 1) * D; d++) {
        farthest = Math.max(farthest, Math.abs(all[d]! - rows[d]!));
        squares += all[d]! ** 2;
      }
      expect(farthest).toBeLessThanOrEqual(bounds[type]);
      expect(Math.abs(Math.sqrt(squares) - 1)).toBeLessThan(type === 'float16' ? 1e-3 : 1e-6);
    }
    await source.close();
  });

  test.each(types)('%s: searching the file is searching its rows in memory', async (type) => {
    const source = await openTemplates(await written(`${type}.search`, type));
    const all = new Float32Array(N * D);
    await source.read(0, N, all);
    const probes = unitRows(5, D, 2);
    const memory = await topK(probes, memoryTemplates(all, D), { k: 7 });
    const file = await topK(probes, source, { k: 7, rows: 1024 });
    expect(file.rows).toEqual(memory.rows);
    for (const [i, score] of file.scores.entries())
      expect(Math.abs(score - memory.scores[i]!)).toBeLessThan(1e-6);
    await source.close();
  });

  test.each(types)('%s: the pieces it is written in do not matter', async (type) => {
    const whole = await readFile(await written('whole', type, N));
    expect(await readFile(await written('single', type, 1))).toEqual(whole);
  });

  test('is a safetensors file with templates and scales', async () => {
    const { tensors, metadata } = readSafetensors(await readFile(await written('plain', 'int8')));
    expect(metadata).toEqual({ format: 'hypersphere-templates/1' });
    expect(tensors.get('templates')).toMatchObject({ dtype: 'int8', shape: [N, D] });
    expect(tensors.get('scales')).toMatchObject({ dtype: 'float32', shape: [N] });
  });

  test.each([1, 2, 4])('takes %i bytes a number', async (bytes) => {
    const type = ({ 1: 'int8', 2: 'float16', 4: 'float32' } as const)[bytes]!;
    const { size } = await stat(await written('size', type));
    expect(size - N * D * bytes).toBeLessThan(512 + (type === 'int8' ? 4 * N : 0));
  });

  test('rows of any length are made unit vectors', async () => {
    const file = join(folder, 'long');
    await writeTemplates(file, { count: 1, length: 2, type: 'float32' }, [Float32Array.of(30, -40)]);
    const source = await openTemplates(file);
    const row = new Float32Array(2);
    await source.read(0, 1, row);
    expect([...row]).toEqual([Math.fround(0.6), Math.fround(-0.8)]);
    await source.close();
  });

  test('int8 candidates scored again with the float32 file are the exact answer', async () => {
    const [exact, rough] = await Promise.all([
      openTemplates(await written('exact', 'float32')),
      openTemplates(await written('rough', 'int8')),
    ]);
    const probes = unitRows(20, D, 9);
    const truth = await topK(probes, memoryTemplates(rows, D), { k: 10 });
    const again = await topK(probes, rough, { k: 10, exact });
    expect(again.rows).toEqual(truth.rows);
    await exact.close();
    await rough.close();
  });
});

describe('bad files', () => {
  const write = async (name: string, bytes: Uint8Array) => {
    await writeFile(join(folder, name), bytes);
    return join(folder, name);
  };
  /** A file with a tensor of `shape`: F32, or I8 where `scales` are asked for (0 leaves them out). */
  const tensors = (
    shape: number[],
    {
      name = 'templates',
      format = 'hypersphere-templates/1',
      scales,
    }: { name?: string; format?: string; scales?: number } = {},
  ): Uint8Array => {
    const size = shape.reduce((a, b) => a * b, 1);
    const rows: StoredTensor =
      scales === undefined
        ? { dtype: 'float32', shape, data: new Float32Array(size) }
        : { dtype: 'int8', shape, data: new Int8Array(size) };
    const all = new Map([[name, rows]]);
    if (scales) all.set('scales', { dtype: 'float32', shape: [scales], data: new Float32Array(scales) });
    return writeSafetensors(all, { format });
  };
  test.each<[string, () => Uint8Array, RegExp]>([
    ['an empty file', () => new Uint8Array(0), /only 0 bytes/],
    [
      'a file of another kind',
      () => new TextEncoder().encode('not templates at all'),
      /damaged or no safetensors/,
    ],
    ['a header cut off', () => tensors([2, 3]).subarray(0, 30), /cut off inside the header/],
    ['rows cut off', () => tensors([2, 3]).subarray(0, -1), /cut off inside tensor 'templates'/],
    [
      'bytes too many',
      () => Buffer.concat([tensors([2, 3]), Buffer.alloc(4)]),
      /4 bytes after the last tensor/,
    ],
    ['embeddings', () => tensors([2, 3], { name: 'embeddings' }), /no tensor 'templates'; make it with/],
    ['rows that nobody called unit', () => tensors([2, 3], { format: 'x' }), /promises unit rows/],
    ['three axes', () => tensors([2, 3, 1]), /is F32 \[2,3,1\]; needed is/],
    ['int8 without scales', () => tensors([2, 3], { scales: 0 }), /'scales' is missing; needed is F32 \[2\]/],
    ['int8 with scales of other rows', () => tensors([2, 3], { scales: 3 }), /'scales' is F32 \[3\]/],
  ])('%s is one sentence with the name', async (name, bytes, message) => {
    const file = await write(name.replaceAll(' ', '-'), bytes());
    await expect(openTemplates(file)).rejects.toThrow(UserError);
    await expect(openTemplates(file)).rejects.toThrow(message);
    await expect(openTemplates(file)).rejects.toThrow(file);
  });

  test('no file and a folder', async () => {
    await expect(openTemplates(join(folder, 'none'))).rejects.toThrow(/none: no such file/);
    await expect(openTemplates(folder)).rejects.toThrow(/is a folder, not a file/);
  });

  test('a file that is cut off while it is searched', async () => {
    const file = await written('shrinks', 'float32');
    const source = await openTemplates(file);
    await truncate(file, 3000);
    await expect(topK(unitRows(1, D, 1), source, { k: 1 })).rejects.toThrow(
      /shrinks: cut off while it was read/,
    );
    await source.close();
  });

  test.each([
    ['too few rows', N + 1, rows, /1501 templates were announced and only 1500 came/],
    ['too many rows', N - 1, rows, /1499 templates were announced and more came/],
    ['a row of zeros', 2, new Float32Array(2 * D).fill(1, 0, D), /template 1: every number is zero/],
    ['NaN', 1, new Float32Array(D).fill(Number.NaN), /template 0: it holds numbers that are not finite/],
  ])('%s leave no file', async (name, count, values, message) => {
    const file = join(folder, `out-${name}`);
    const attempt = writeTemplates(file, { count, length: D, type: 'int8' }, [values]);
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.toThrow(message);
    for (const left of [file, `${file}.tmp`]) await expect(stat(left)).rejects.toThrow(/ENOENT/);
  });

  test('a file without rows is an empty gallery', async () => {
    const file = join(folder, 'empty');
    await writeTemplates(file, { count: 0, length: D, type: 'float16' }, []);
    const source = await openTemplates(file);
    await expect(topK(unitRows(1, D, 1), source, { k: 1 })).rejects.toThrow(/the gallery is empty/);
    await source.close();
  });
});
