import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { readTorchCheckpoint } from '../../src/data/index.js';

const folder = new URL('../fixtures/checkpoints/', import.meta.url);
const open = (file: string) => readFileSync(new URL(file, folder));
const expected = JSON.parse(open('expected.json').toString()) as Record<
  string,
  Record<string, { shape: number[]; dtype: string; data: number[] }>
>;

describe('reading PyTorch checkpoints', () => {
  test.each(Object.entries(expected))('%s holds the tensors that PyTorch saved', (file, tensors) => {
    const checkpoint = readTorchCheckpoint(open(file), file);
    expect([...checkpoint.tensors.keys()]).toEqual(Object.keys(tensors));
    for (const [name, tensor] of checkpoint.tensors) {
      const { shape, dtype, data } = tensors[name]!;
      expect({ shape: tensor.shape, dtype: tensor.dtype }, name).toEqual({ shape, dtype });
      expect(tensor.numbers(), name).toEqual(Float32Array.from(data));
    }
  });

  test('how each was saved, and what lay beside the network', () => {
    const seen = (file: string) => {
      const { format, under, aside } = readTorchCheckpoint(open(file), file);
      return [format, under, aside];
    };
    expect(seen('state.pth')).toEqual(['zip', [], []]);
    expect(seen('training.pth')).toEqual(['zip', ['state_dict'], ['epoch', 'best', 'args', 'optimizer']]);
    expect(seen('legacy.pth')[0]).toBe('legacy');
    expect(seen('script.pt')[0]).toBe('TorchScript');
    expect(seen('arrays-4.pkl')[0]).toBe('pickle');
  });

  test('what a hostile pickle would have Python execute is not executed', () => {
    const bytes = open('hostile.pth');
    expect(bytes.toString('latin1')).toContain('posix\nsystem');
    expect([...readTorchCheckpoint(bytes, 'hostile.pth').tensors.keys()]).toEqual(['weight']);
    expect(existsSync('executed-by-a-pickle')).toBe(false);
  });

  test.each(['state.pth', 'legacy.pth', 'arrays-4.pkl'])('%s cut off anywhere is refused', (file) => {
    const bytes = open(file);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readTorchCheckpoint(bytes.subarray(0, length), file), String(length)).toThrow(UserError);
    }
  });

  test.each([
    [
      'another archive',
      zipSync({ 'a.txt': Buffer.from('x') }),
      /x: a zip archive, but no PyTorch checkpoint \(it holds a.txt/,
    ],
    [
      'TorchScript of old',
      zipSync({ 'net/model.json': Buffer.from('{}') }),
      /before PyTorch 1.4; save the network's state_dict/,
    ],
    ['an archive without the storages', withoutStorages(), /storage 0, which the file lacks/],
    ['an archive that claims to hold gigabytes', inflated(), /cannot be right|cut off/],
    ['an archive of a few kilobytes that unpacks to 65 MiB', bomb(), /unpacks to more than 64 MiB/],
    ['an archive that claims to hold 2^31 files', crowded(), /zip archive cannot be read/],
    ['an archive whose files share their bytes', overlapping(), /its files overlap/],
    ['a key of lists in lists, each twice', nestedKey(), /holds no tensors/],
    ['a text', Buffer.from('hello'), /neither a zip archive nor a pickle/],
    [
      'a parameter of a parameter of a parameter...',
      zipSync({
        'a/data.pkl': Buffer.from(
          `\x80\x02ctorch._utils\n_rebuild_parameter\nq\x000${'h\x00('.repeat(1e5)}N${'\x89tR'.repeat(1e5)}.`,
          'latin1',
        ),
      }),
      /is of a kind that is not read/,
    ],
    [
      'a module in a module in a module...',
      zipSync({
        'a/data.pkl': Buffer.from(`\x80\x02${'}U\x08_modules'.repeat(1e5)}N${'s'.repeat(1e5)}.`, 'latin1'),
      }),
      /holds no tensors/,
    ],
    ['no tensors', zipSync({ 'a/data.pkl': Buffer.from('\x80\x02}.', 'latin1') }), /holds no tensors; save/],
    [
      'a whole module without storages, by pickle alone',
      Buffer.from('\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(NK\x00))t.R.', 'latin1'),
      UserError,
    ],
  ])('%s is refused', (_, bytes, says) => {
    expect(() => readTorchCheckpoint(bytes, 'x')).toThrow(UserError);
    expect(() => readTorchCheckpoint(bytes, 'x')).toThrow(says);
  });

  test.each([
    ['longer than its storage', 'K\x00K\x05\x85K\x01\x85', /reaches beyond its storage of 8 bytes/],
    ['repeated without end', 'K\x00J\xff\xff\xff\x7f\x85K\x00\x85', /reaches beyond its storage/],
    ['with a negative offset', 'J\xff\xff\xff\xffK\x01\x85K\x01\x85', /not described properly/],
    ['with more sizes than strides', 'K\x00K\x01K\x01\x86K\x01\x85', /not described properly/],
  ])('a tensor %s is refused', (_, place, says) => {
    const storage = '(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x02tQ';
    const pickle = `\x80\x02}U\x01wctorch._utils\n_rebuild_tensor_v2\n(${storage}${place}\x89}tRs.`;
    const bytes = zipSync({ 'a/data.pkl': Buffer.from(pickle, 'latin1'), 'a/data/0': new Uint8Array(8) });
    expect(() => readTorchCheckpoint(bytes, 'x')).toThrow(says);
  });

  test('damaged bytes give tensors or a UserError, nothing else', () => {
    const damaged = fc.constantFrom('training.pth', 'legacy.pth', 'module.pth').chain((file) => {
      const bytes = open(file);
      return fc
        .array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
        .map((changes) => {
          const copy = Uint8Array.from(bytes);
          for (const [at, byte] of changes) copy[at] = byte;
          return copy;
        });
    });
    fc.assert(
      fc.property(damaged, (bytes) => {
        try {
          for (const tensor of readTorchCheckpoint(bytes, 'x').tensors.values()) tensor.numbers();
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

function withoutStorages(): Uint8Array {
  const storage = '(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x02tQ';
  const pickle = `\x80\x02}U\x01wctorch._utils\n_rebuild_tensor_v2\n(${storage}K\x00K\x02\x85K\x01\x85\x89}tRs.`;
  return zipSync({ 'a/data.pkl': Buffer.from(pickle, 'latin1') });
}

/** A checkpoint whose directory announces 2^31 files (PyTorch writes the 64-bit end of a directory). */
function crowded(): Uint8Array {
  const bytes = Uint8Array.from(open('state.pth'));
  const end = Buffer.from(bytes).lastIndexOf(Buffer.from([0x50, 0x4b, 6, 6]));
  new DataView(bytes.buffer).setUint32(end + 32, 2 ** 31, true);
  return bytes;
}

/** Storages of zeros: each is an honest file of the archive, and all of them together are large. */
function bomb(): Uint8Array {
  const storages = Array.from({ length: 13 }, (_, i) => [`a/data/${i}`, new Uint8Array(5 * 2 ** 20)]);
  return zipSync({ ...Object.fromEntries(storages), 'a/data.pkl': Buffer.from('\x80\x02}.', 'latin1') });
}

/** A small archive whose directory says that its file is of 2^31 bytes. */
function inflated(): Uint8Array {
  const bytes = zipSync({ 'a/data.pkl': [Buffer.alloc(1000), { level: 9 }] });
  const directory = Buffer.from(bytes).indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(directory + 24, 2 ** 31, true);
  return bytes;
}

/** An archive whose directory names the bytes of its one file many times over. */
function overlapping(): Uint8Array {
  const bytes = Buffer.from(zipSync({ 'a/data.pkl': [Buffer.alloc(1e6), { level: 9 }] }));
  const [start, end] = [
    [0x50, 0x4b, 1, 2],
    [0x50, 0x4b, 5, 6],
  ].map((magic) => bytes.lastIndexOf(Buffer.from(magic))) as [number, number];
  const [entry, tail] = [bytes.subarray(start, end), Buffer.from(bytes.subarray(end))];
  tail.writeUInt16LE(10, 8);
  tail.writeUInt16LE(10, 10);
  tail.writeUInt32LE(10 * entry.length, 12);
  return Buffer.concat([bytes.subarray(0, start), ...new Array<Buffer>(10).fill(entry), tail]);
}

/** A dictionary whose key is a pair of pairs of pairs..., 2^100 empty tuples if it were written out. */
function nestedKey(): Uint8Array {
  const pairs = Array.from({ length: 100 }, (_, i) => {
    const [of, as] = [String.fromCharCode(i), String.fromCharCode(i + 1)];
    return `h${of}h${of}\x86q${as}0`;
  });
  const pickle = `\x80\x02)q\x000${pairs.join('')}}h\x64Ns.`;
  return zipSync({ 'a/data.pkl': Buffer.from(pickle, 'latin1') });
}
