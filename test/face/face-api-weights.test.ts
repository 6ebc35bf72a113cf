// Weight files as TensorFlow.js lays them out, also cut into several, quantised to two bytes, damaged or missing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { readFaceApiWeights } from '../../src/face/models/face-api-weights.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weights-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const manifest = (paths: string[]) => [
  {
    paths,
    weights: [
      {
        name: 'a',
        shape: [2],
        dtype: 'float32',
        quantization: { dtype: 'uint16', scale: 0.5, min: -1 },
      },
      { name: 'b', shape: [], dtype: 'int32' },
      { name: 'c', shape: [1, 3], dtype: 'float32', quantization: { dtype: 'uint8', scale: 2, min: 1 } },
      { name: 'd', shape: [1], dtype: 'float32' },
    ],
  },
];
/** 3 and 65535 quantised to two bytes, -7, three bytes, and a quarter. */
const bytes = Uint8Array.of(3, 0, 255, 255, 249, 255, 255, 255, 0, 1, 255, 0, 0, 128, 62);

function put(files: Record<string, Uint8Array | string | object>): void {
  for (const [name, content] of Object.entries(files)) {
    const plain = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(join(folder, name), plain ? content : JSON.stringify(content));
  }
}

function refusal(): string {
  try {
    readFaceApiWeights('m', folder);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message.replaceAll(folder, '');
  }
  throw new Error('it was read');
}

test.each([[[15]], [[1, 14]], [[5, 4, 6]]])('numbers are read from files of %j bytes', (lengths) => {
  const paths = lengths.map((_, i) => `m.${i}.bin`);
  put({ 'm-weights_manifest.json': manifest(paths) });
  let from = 0;
  for (const [i, path] of paths.entries()) {
    put({ [path]: bytes.slice(from, from + lengths[i]!) });
    from += lengths[i]!;
  }
  const weights = readFaceApiWeights('m', folder);
  expect([...weights].map(([name, { shape, data }]) => [name, shape, [...data]])).toEqual([
    ['a', [2], [0.5, 32766.5]],
    ['b', [], [-7]],
    ['c', [1, 3], [1, 3, 511]],
    ['d', [1], [0.25]],
  ]);
});

test('damaged and missing files are named', () => {
  expect(refusal()).toBe('/m-weights_manifest.json: no such file');
  put({ 'm-weights_manifest.json': 'oops' });
  expect(refusal()).toBe('/m-weights_manifest.json: not JSON');
  put({ 'm-weights_manifest.json': { weights: [] } });
  expect(refusal()).toBe('/m-weights_manifest.json: not a TensorFlow.js weight manifest');
  put({ 'm-weights_manifest.json': manifest(['m.bin']) });
  expect(refusal()).toBe('/m.bin: no such file');
  put({ 'm.bin': bytes.slice(0, 10) });
  expect(refusal()).toContain("/m.bin: cut off before the end of 'c'");
  put({ 'm.bin': new Uint8Array(16) });
  expect(refusal()).toBe('/m-weights_manifest.json: describes 15 bytes where the files hold 16');
});
