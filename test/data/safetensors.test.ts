import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../src/data/safetensors.js';

const example = (): Map<string, StoredTensor> =>
  new Map<string, StoredTensor>([
    ['conv1_1.weight', { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, -2.5, 3, 0, 1e-30, 7) }],
    ['step', { dtype: 'int64', shape: [], data: BigInt64Array.of(28000n) }],
    ['flags', { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) }],
    ['exact', { dtype: 'float64', shape: [1], data: Float64Array.of(Math.PI) }],
    ['none', { dtype: 'int32', shape: [0, 4], data: new Int32Array(0) }],
  ]);

/** A file with any header over `body` zero bytes. */
function fileOf(header: unknown, body = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + body);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

describe('safetensors', () => {
  test('what is written is read back, types, shapes and metadata', () => {
    const bytes = writeSafetensors(example(), { format: 'test', note: 'Grüße' });
    const { tensors, metadata } = readSafetensors(bytes);
    expect([...tensors]).toEqual([...example()]);
    expect(metadata).toEqual({ format: 'test', note: 'Grüße' });
  });

  test('any names and any numbers survive', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.float32Array({ maxLength: 9 }), { maxKeys: 5, noNullPrototype: true }),
        (content) => {
          const tensors = new Map<string, StoredTensor>(
            Object.entries(content)
              .filter(([name]) => name !== '__proto__' && name !== '__metadata__')
              .map(([name, data]) => [name, { dtype: 'float32', shape: [data.length], data }]),
          );
          const read = readSafetensors(writeSafetensors(tensors)).tensors;
          expect(new Set(read.keys())).toEqual(new Set(tensors.keys()));
          for (const [name, { data }] of tensors) expect(read.get(name)!.data).toEqual(data);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('the layout is the published one: length, JSON padded to eight bytes, little-endian data', () => {
    const bytes = writeSafetensors(
      new Map([['x', { dtype: 'float32', shape: [1], data: Float32Array.of(1) }]]),
    );
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))).toEqual({
      x: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
    });
    expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 0x80, 0x3f]);
  });

  test('bytes that start anywhere in a larger buffer are read', () => {
    const bytes = writeSafetensors(example());
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect([...readSafetensors(shifted.subarray(3)).tensors]).toEqual([...example()]);
  });

  test('a file cut off anywhere is an error that names the file', () => {
    const bytes = writeSafetensors(example(), { format: 'test' });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readSafetensors(bytes.subarray(0, length), 'model.safetensors')).toThrow(UserError);
    }
    expect(() => readSafetensors(bytes.subarray(0, 20), 'model.safetensors')).toThrow(
      /^model\.safetensors: cut off inside the header/,
    );
  });

  test.each([
    ['an absurd header length', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x7f, 1), /header of .* bytes/],
    ['no JSON', fileOf('{"x":'), /header is not JSON/],
    ['no object', fileOf([]), /not an object/],
    ['metadata that are no texts', fileOf({ __metadata__: { step: 3 } }), /metadata/],
    ['a tensor without shape', fileOf({ x: { dtype: 'F32', data_offsets: [0, 4] } }, 4), /tensor 'x' is not/],
    ['a negative size', fileOf({ x: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, 4), /tensor 'x'/],
    [
      'too few bytes for the shape',
      fileOf({ x: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, 4),
      /4 bytes/,
    ],
    [
      'offsets beyond the file',
      fileOf({ x: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }, 4),
      /cut off/,
    ],
    [
      'an unknown type',
      fileOf({ x: { dtype: 'F4', shape: [2], data_offsets: [0, 1] } }, 1),
      /type F4; only F64/,
    ],
    ['a gap', fileOf({ x: { dtype: 'U8', shape: [1], data_offsets: [1, 2] } }, 2), /overlap or leave gaps/],
    ['bytes left over', fileOf({ x: { dtype: 'U8', shape: [1], data_offsets: [0, 1] } }, 2), /1 bytes after/],
    [
      'overlapping tensors',
      fileOf(
        {
          x: { dtype: 'U8', shape: [2], data_offsets: [0, 2] },
          y: { dtype: 'U8', shape: [2], data_offsets: [1, 3] },
        },
        3,
      ),
      /overlap/,
    ],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(message);
    expect(() => readSafetensors(bytes)).toThrow(UserError);
  });

  test('a tensor whose numbers do not fill its shape is not written', () => {
    const wrong: StoredTensor = { dtype: 'float32', shape: [3], data: new Float32Array(2) };
    expect(() => writeSafetensors(new Map([['x', wrong]]))).toThrow(/'x': 2 numbers/);
  });
});
