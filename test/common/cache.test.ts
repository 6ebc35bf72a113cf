// The cache saves work and never changes a result: what is damaged is made again, and no folder is no harm.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cached, cacheFolder } from '../../src/common/cache.js';
import { temporaryFolder } from '../data/pictures.js';

const before = process.env.HYPERSPHERE_CACHE;
let folder = '';
beforeEach(() => {
  folder = join(temporaryFolder(), 'not', 'there', 'yet');
  process.env.HYPERSPHERE_CACHE = folder;
});
afterEach(() => {
  if (before === undefined) delete process.env.HYPERSPHERE_CACHE;
  else process.env.HYPERSPHERE_CACHE = before;
});

/** Something to build that counts how often it was built. */
function building(bytes: Uint8Array) {
  let built = 0;
  const get = (name = 'thing.onnx') =>
    cached(name, () => {
      built++;
      return bytes;
    });
  return { get, built: () => built };
}
const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 37) % 256);
const plain = (content: Uint8Array) => Uint8Array.from(content);

describe('what was built', () => {
  test('is built once, and every name is a thing of its own', () => {
    const { get, built } = building(bytes);
    expect(plain(get())).toEqual(bytes);
    expect(plain(get())).toEqual(bytes);
    expect(built()).toBe(1);
    expect(plain(get('other.onnx'))).toEqual(bytes);
    expect(built()).toBe(2);
  });

  test('lies there as it is, for other programs, and nothing unfinished lies beside it', () => {
    building(bytes).get();
    const names = readdirSync(join(folder, 'built')).sort();
    expect(names[0]).toBe('thing.onnx');
    expect(names.filter((name) => name.includes('tmp'))).toEqual([]);
    expect(plain(readFileSync(join(folder, 'built', 'thing.onnx')))).toEqual(bytes);
  });

  test('may be empty', () => {
    const { get, built } = building(new Uint8Array());
    expect(get()).toHaveLength(0);
    expect(get()).toHaveLength(0);
    expect(built()).toBe(1);
  });

  test.each([
    ['cut off', (whole: Uint8Array) => whole.subarray(0, 500)],
    ['emptied', () => new Uint8Array()],
    ['one bit off', (whole: Uint8Array) => whole.map((byte, i) => (i === 700 ? byte ^ 1 : byte))],
    ['something else', () => new TextEncoder().encode('<html>')],
  ])('is built again when its file is %s', (_, damage) => {
    const { get, built } = building(bytes);
    get();
    const file = join(folder, 'built', 'thing.onnx');
    writeFileSync(file, damage(readFileSync(file)));
    expect(plain(get())).toEqual(bytes);
    expect(built()).toBe(2);
    expect(plain(get())).toEqual(bytes);
    expect(built()).toBe(2);
  });

  test('is built every time where nothing can be kept, without a complaint', () => {
    const file = join(temporaryFolder(), 'a file');
    writeFileSync(file, 'in the way');
    process.env.HYPERSPHERE_CACHE = join(file, 'cache');
    const { get, built } = building(bytes);
    expect(plain(get())).toEqual(bytes);
    expect(plain(get())).toEqual(bytes);
    expect(built()).toBe(2);
    expect(statSync(file).size).toBe(10);
  });

  test('that cannot be built is a failure, and is not kept', () => {
    expect(() =>
      cached('thing.onnx', () => {
        throw new Error('no weights');
      }),
    ).toThrow('no weights');
    expect(plain(building(bytes).get())).toEqual(bytes);
  });
});

describe('the folder', () => {
  test('is the one that is named, else the one of the system', () => {
    expect(cacheFolder({ HYPERSPHERE_CACHE: '/somewhere' })).toBe('/somewhere');
    const system = cacheFolder({});
    expect(system.startsWith(homedir())).toBe(true);
    expect(system).toMatch(/hypersphere/);
  });

  test.runIf(process.platform === 'linux')('follows XDG_CACHE_HOME unless that is empty', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/x' })).toBe('/x/hypersphere');
    expect(cacheFolder({ XDG_CACHE_HOME: '' })).toBe(join(homedir(), '.cache', 'hypersphere'));
  });
});
