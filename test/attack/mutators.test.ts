// The fuzzer's changes: the same stream of random numbers gives the same files, whatever was run before; formats stay
// formats where a change is to pass their checks.
import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { caseOf, corpusOf } from '../../attack/fuzz/cases.js';
import { byteMutators } from '../../attack/fuzz/mutate/bytes.js';
import { numpy, protobuf, safetensors } from '../../attack/fuzz/mutate/containers.js';
import { crc32, pngOf } from '../../attack/fuzz/mutate/images.js';
import { structured } from '../../attack/fuzz/mutate/index.js';
import { json } from '../../attack/fuzz/mutate/json.js';
import type { Structure } from '../../attack/fuzz/mutate/mutator.js';
import type { Files } from '../../attack/fuzz/reader.js';
import { readers } from '../../attack/fuzz/readers/index.js';
import { tinyModel } from '../../attack/fuzz/samples.js';
import { random } from '../../src/common/random.js';
import { writeSafetensors } from '../../src/data/safetensors.js';
import { decodeModel } from '../../src/lower/onnx.js';

/** Runs every mutator of a structure some times; the results. */
const changes = ({ mutators }: Structure, bytes: Uint8Array, times = 20): Uint8Array[] =>
  mutators.flatMap((mutator, m) =>
    Array.from({ length: times }, (_, i) => mutator(new Uint8Array(bytes), random(1, m, i), [bytes])),
  );

const hashOf = (files: Files): string => {
  const hash = createHash('sha256');
  for (const [name, bytes] of Object.entries(files)) hash.update(`${name} ${bytes.length} `).update(bytes);
  return hash.digest('hex');
};

describe('a case', () => {
  test.each(readers.map((reader) => [reader.name, reader] as const))(
    'of %s is the same whatever was run before',
    async (_, reader) => {
      const [first, second] = [await corpusOf(reader), await corpusOf(reader)];
      const numbers = Array.from({ length: 40 }, (_, i) => i + first.files.length);
      const before = first.files.map(hashOf);
      const forwards = numbers.map((number) => hashOf(caseOf(first, 7, number)));
      const backwards = [...numbers].reverse().map((number) => hashOf(caseOf(second, 7, number)));
      expect(backwards.reverse()).toEqual(forwards);
      expect(first.files.map(hashOf)).toEqual(before);
    },
  );

  test('differs from case to case and from seed to seed', async () => {
    const corpus = await corpusOf(readers.find(({ name }) => name === 'npy')!);
    const text = (seed: number, number: number) => JSON.stringify(caseOf(corpus, seed, number));
    const cases = new Set(Array.from({ length: 200 }, (_, i) => text(1 + (i % 2), 10 + Math.floor(i / 2))));
    expect(cases.size).toBeGreaterThan(150);
  });
});

test('changes of bytes leave the file before them as it is', () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => i & 255);
  const before = bytes.slice();
  for (const [m, mutator] of byteMutators.entries())
    for (let i = 0; i < 50; i++) mutator(bytes, random(2, m, i), [bytes]);
  expect(bytes).toEqual(before);
});

describe('changes behind a header', () => {
  test('keep the length that safetensors and NumPy files announce right', () => {
    const tensor = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } as const;
    for (const changed of changes(safetensors, writeSafetensors(new Map([['a', tensor]]))))
      expect(Number(new DataView(changed.buffer, changed.byteOffset).getBigUint64(0, true))).toBe(
        changed.length - 16,
      );
    const literal = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }\n";
    const file = Buffer.concat([
      Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(literal.length)}\x00`, 'latin1'),
      Buffer.from(literal),
      new Uint8Array(4),
    ]);
    expect(numpy.fits(file)).toBe(true);
    for (const changed of changes(numpy, file))
      expect(10 + new DataView(changed.buffer, changed.byteOffset).getUint16(8, true)).toBe(
        changed.length - 4,
      );
  });

  test('keep the lengths around a field of a Protocol Buffers message right', () => {
    const decodes = (bytes: Uint8Array) => {
      try {
        decodeModel(bytes);
        return true;
      } catch (error) {
        // What is inside may be nonsense; what is around it may not.
        return !/index out of range|invalid wire type/.test((error as Error).message);
      }
    };
    const all = changes(protobuf, tinyModel({ a: 'b' }), 100);
    expect(all.filter(decodes).length / all.length).toBeGreaterThan(0.7);
  });

  test('keep JSON JSON, mostly', () => {
    const parses = (bytes: Uint8Array) => {
      try {
        JSON.parse(Buffer.from(bytes).toString());
        return true;
      } catch {
        return false;
      }
    };
    const bytes = Buffer.from(JSON.stringify({ a: [1, { b: 'c' }], d: null }));
    const all = changes({ ...json, mutators: json.mutators.slice(0, -1) }, bytes);
    expect(all.filter(parses).length / all.length).toBeGreaterThan(0.8);
  });
});

test('a PNG put together again is read by the image library', async () => {
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
  const png = await sharp({ create: { width: 3, height: 2, channels: 3, background: '#123' } })
    .png()
    .toBuffer();
  const chunks: [string, Uint8Array][] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
    chunks.push([
      png.toString('latin1', at + 4, at + 8),
      png.subarray(at + 8, at + 8 + png.readUInt32BE(at)),
    ]);
  expect(Buffer.from(pngOf(chunks))).toEqual(png);
});

test('a format is known by its content', async () => {
  const known = async (name: string) => {
    const { files } = await corpusOf(readers.find((reader) => reader.name === name)!);
    return files.flatMap((one) => Object.values(one)).map((bytes) => structured(bytes).length);
  };
  for (const name of [
    'pickle',
    'checkpoint',
    'caffemodel',
    'npy',
    'safetensors',
    'onnx',
    'scores',
    'settings',
  ])
    expect(Math.min(...(await known(name))), name).toBeGreaterThan(0);
});
