import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { readCaffemodel, readNumpyDictionary } from '../../src/data/index.js';
import { caffemodel, field, floats, message, varint } from '../support/caffemodel.js';

describe('reading .caffemodel files', () => {
  test('layers with weights in their order, others left out', () => {
    const bytes = caffemodel([
      { name: 'data', type: 'Input', blobs: [] },
      {
        name: 'conv',
        type: 'Convolution',
        blobs: [
          { shape: [2, 1, 1, 2], data: [1, 2, 3, 4] },
          { shape: [2], data: [5, 6] },
        ],
      },
      { name: 'relu', type: 'PReLU', blobs: [{ shape: [2], data: [0.25, 0.5] }] },
    ]);
    expect(readCaffemodel(bytes, 'net.caffemodel')).toEqual([
      {
        name: 'conv',
        type: 'Convolution',
        blobs: [
          { shape: [2, 1, 1, 2], data: Float32Array.of(1, 2, 3, 4) },
          { shape: [2], data: Float32Array.of(5, 6) },
        ],
      },
      { name: 'relu', type: 'PReLU', blobs: [{ shape: [2], data: Float32Array.of(0.25, 0.5) }] },
    ]);
  });

  test('the first generation: four sizes, numbered types', () => {
    const sizes = [1, 1, 2, 3].flatMap((n, i) => [...field(i + 1, 0), ...varint(n)]);
    const blob = [...sizes, ...message(5, floats([1, 2, 3, 4, 5, 6]))];
    const layer = [...message(4, Buffer.from('fc')), ...field(5, 0), ...varint(14), ...message(6, blob)];
    expect(readCaffemodel(Uint8Array.from(message(2, layer)), 'old')).toEqual([
      {
        name: 'fc',
        type: 'InnerProduct',
        blobs: [{ shape: [1, 1, 2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
      },
    ]);
  });

  test('double precision', () => {
    const doubles = Buffer.from(Float64Array.of(0.5, -1e-3).buffer);
    const blob = [...message(7, message(1, varint(2))), ...message(8, doubles)];
    const layer = [...message(1, Buffer.from('p')), ...message(2, Buffer.from('PReLU')), ...message(7, blob)];
    const [read] = readCaffemodel(Uint8Array.from(message(100, layer)), 'x');
    expect(read!.blobs).toEqual([{ shape: [2], data: Float32Array.of(0.5, -1e-3) }]);
  });

  test.each([
    ['nothing', new Uint8Array(), /no layer with weights/],
    ['text', Buffer.from('this is no network at all'), /x: .*no \.caffemodel/],
    [
      'numbers that do not fill the shape',
      caffemodel([{ name: 'c', type: 'PReLU', blobs: [{ shape: [3], data: [1] }] }]),
      /blob 0 of layer 'c'/,
    ],
  ])('%s is refused', (_, bytes, says) => {
    expect(() => readCaffemodel(bytes, 'x')).toThrow(UserError);
    expect(() => readCaffemodel(bytes, 'x')).toThrow(says);
  });

  test('cut off inside a layer it is refused', () => {
    const bytes = caffemodel([{ name: 'c', type: 'PReLU', blobs: [{ shape: [3], data: [1, 2, 3] }] }]);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readCaffemodel(bytes.subarray(0, length), 'x')).toThrow(UserError);
    }
  });

  const weights = '../shared/weights';
  test.skipIf(!existsSync(weights)).each([1, 2, 3])(
    'the published MTCNN, net %i, has the numbers of its NumPy port: [h, w, in, out] there, [out, in, h, w] here (skipped where ../shared/weights is absent)',
    (net) => {
      const read = (file: string) => readFileSync(`${weights}/${file}`);
      const layers = readCaffemodel(read(`mtcnn-caffe/det${net}.caffemodel`), 'caffe');
      const port = readNumpyDictionary(read(`mtcnn-npy/det${net}.npy`), 'npy');
      let compared = 0;
      let channels = 0;
      for (const { name, blobs } of layers) {
        const [a, bias] = [...(port.get(name)?.values() ?? [])];
        // The port lacks the landmarks of the second net.
        if (!a) {
          expect(name).toBe('conv5-3');
          continue;
        }
        const [out, ...inner] = blobs[0]!.shape as [number, ...number[]];
        // An inner product behind 3x3 places: the port has the places first, Caffe the channels.
        const [depth, h, w] =
          inner.length === 3 ? inner : inner[0] === channels * 9 ? [channels, 3, 3] : [inner[0] ?? 1, 1, 1];
        const expected: number[] = [];
        for (let y = 0; y < h!; y++)
          for (let x = 0; x < w!; x++)
            for (let i = 0; i < depth!; i++)
              for (let o = 0; o < out; o++)
                expected.push(blobs[0]!.data[((o * depth! + i) * h! + y) * w! + x]!);
        expect(Array.from(a.data), name).toEqual(expected);
        if (bias) expect(bias.data, name).toEqual(blobs[1]!.data);
        compared += expected.length;
        channels = out;
      }
      const weightsIn = [...port.values()].map((arrays) => [...arrays.values()][0]!.data.length);
      expect(compared).toBe(weightsIn.reduce((sum, count) => sum + count, 0));
    },
  );
});
