import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { elementTypes, halfToNumber } from '../../src/data/element-types.js';
import { readNumpyDictionary } from '../../src/data/index.js';
import { readNumpy } from '../../src/data/numpy.js';

const bytes = readFileSync(new URL('../fixtures/checkpoints/arrays.npy', import.meta.url));

describe('a dictionary of arrays in a .npy file', () => {
  test('row-major float32, whatever type, byte order and order of axes it was saved in', () => {
    const counting = { shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) };
    expect([...readNumpyDictionary(bytes, 'arrays.npy')]).toEqual([
      // b is big-endian float64 in Fortran order.
      [
        'conv',
        new Map([
          ['a', counting],
          ['b', counting],
        ]),
      ],
      ['fc', new Map([['c', { shape: [4], data: Float32Array.of(0, 1, 2, 3) }]])],
    ]);
  });

  test('cut off anywhere it is an error that names the file', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readNumpyDictionary(bytes.subarray(0, length), 'arrays.npy')).toThrow(UserError);
    }
  });

  test('a matrix of a type that is named like a property of every object is refused', () => {
    const header = "{'descr': 'toString', 'fortran_order': False, 'shape': (1, 1), }".padEnd(117);
    const matrix = Buffer.concat([
      Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, 'latin1'),
      Buffer.alloc(4),
    ]);
    expect(() => readNumpy(matrix, 'm.npy')).toThrow(/m\.npy: its numbers are of type toString/);
  });

  test('a file of numbers is told from a dictionary', () => {
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }".padEnd(117);
    const matrix = Buffer.concat([
      Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, 'latin1'),
      Buffer.alloc(4),
    ]);
    expect(() => readNumpyDictionary(matrix, 'm.npy')).toThrow('m.npy: holds numbers, not a dictionary');
  });

  const mtcnn = '../shared/weights/mtcnn-npy';
  test.skipIf(!existsSync(mtcnn))(
    'the published MTCNN (skipped where ../shared/weights/mtcnn-npy is absent)',
    () => {
      const layers = readNumpyDictionary(readFileSync(`${mtcnn}/det1.npy`), 'det1.npy');
      const shapes = Array.from(layers, ([layer, arrays]) => [
        layer,
        ...Array.from(arrays.values(), ({ shape }) => shape),
      ]);
      expect(shapes).toEqual([
        ['conv4-2', [1, 1, 32, 4], [4]],
        ['conv4-1', [1, 1, 32, 2], [2]],
        ['conv3', [3, 3, 16, 32], [32]],
        ['conv2', [3, 3, 10, 16], [16]],
        ['conv1', [3, 3, 3, 10], [10]],
        ['PReLU1', [10]],
        ['PReLU2', [16]],
        ['PReLU3', [32]],
      ]);
    },
  );
});

describe('number types', () => {
  test('half precision: zeros, the smallest, the largest, infinity', () => {
    const halves: [number, number][] = [
      [0x0000, 0],
      [0x8000, -0],
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x3c00, 1],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x7c00, Number.POSITIVE_INFINITY],
      [0x7e00, Number.NaN],
    ];
    for (const [bits, value] of halves) expect(halfToNumber(bits)).toBe(value);
  });

  test('bfloat16 is the upper half of float32', () => {
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, -1.5);
    expect(elementTypes.bfloat16.read(view, 0, false)).toBe(-1.5);
  });
});
