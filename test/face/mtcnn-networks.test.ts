// P-, R- and O-Net against an independent port in PyTorch, and the files that their weights come from.
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { networkGraph, networkModel, networks } from '../../src/face/detect/mtcnn/networks.js';
import { rowsOf, strips } from '../../src/face/detect/mtcnn/strips.js';
import { mtcnnModels, readWeights } from '../../src/face/detect/mtcnn/weights.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { expectClose, floats, type Hashed, hashed, type StoredArray } from '../support/fixtures.js';
import { caffemodel, formulaFolder, formulaWeights, names } from './mtcnn-files.js';

interface NetworkCase {
  image: Hashed;
  parameters: { shape: number[]; salt: number }[];
  box: StoredArray;
  probability: StoredArray;
  landmarks?: StoredArray;
}
const reference = JSON.parse(
  readFileSync(new URL('../fixtures/mtcnn/networks.json', import.meta.url), 'utf8'),
) as Record<(typeof names)[number], NetworkCase>;

let device: Device;
let folder: string;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
  folder = formulaFolder();
  vi.stubEnv('HYPERSPHERE_CACHE', join(folder, 'cache'));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
  await device.close();
});

/** Probabilities of logits along axis 1. */
function softmax(logits: Float32Array, images: number): Float32Array {
  const each = logits.length / images / 2;
  return logits.map((_, i) => {
    const at = Math.floor(i / (2 * each)) * 2 * each + (i % each);
    return Math.exp(logits[i]!) / (Math.exp(logits[at]!) + Math.exp(logits[at + each]!));
  });
}

describe('the networks give what the port in PyTorch gives', () => {
  test.each(names)('%s, several images at once', async (name) => {
    const { image, parameters, box, probability, landmarks } = reference[name];
    const weights = formulaWeights(name);
    // Both sides mean the same parameters in the same order.
    expect([...networkGraph(networks[name]).weights.values()].map(({ shape }) => shape)).toEqual(
      parameters.map(({ shape }) => (shape.length === 2 ? [...shape, 1, 1] : shape)),
    );
    const model = await device.load(networkModel(networks[name], weights));
    const results = await model.run({ x: { data: hashed(image), shape: image.shape } });
    await model.dispose();
    expect(results.box!.shape).toEqual(box.shape);
    // PReLU as a sum rounds at the size of what it is given, of which a small slope leaves little.
    expectClose(results.box!.data as Float32Array, floats(box), 4e-6, 'shifts');
    const seen = softmax(results.face!.data as Float32Array, image.shape[0]!);
    expectClose(seen, floats(probability), 2e-6, 'probability');
    expect(Object.keys(results).includes('landmarks')).toBe(landmarks !== undefined);
    if (landmarks) expectClose(results.landmarks!.data as Float32Array, floats(landmarks), 2e-6, 'landmarks');
  });
});

test('P-Net gives the same of an image in strips and of the whole', async () => {
  const model = await device.load(networkModel(networks.det1, formulaWeights('det1')));
  const width = 19;
  const see = async (data: Float32Array, height: number) => {
    const { face, box } = await model.run({ x: { data, shape: [1, 3, height, width] } });
    // Rows first, so that those of strips can be put one behind another.
    return [face!, box!].map(({ data, shape: [, channels, rows, columns] }) =>
      Array.from({ length: rows! }, (_, row) =>
        Array.from({ length: channels! }, (_, c) => {
          const from = (c * rows! + row) * columns!;
          return [...(data as Float32Array).subarray(from, from + columns!)];
        }),
      ),
    );
  };
  for (const height of [12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 40, 41]) {
    const planes = hashed({ shape: [3, height, width], salt: height, amplitude: 127.5, offset: 127.5 });
    const whole = await see(planes, height);
    for (const pixels of [1, 14 * width, 20 * width]) {
      const parts = [...strips(height, width, pixels)];
      const seen: Awaited<ReturnType<typeof see>>[] = [];
      for (const part of parts) seen.push(await see(rowsOf(planes, { width, height }, part), part.height));
      whole.forEach((map, head) => {
        const joined = seen.flatMap((maps) => maps[head]!);
        expect(joined.length, `rows of ${parts.length} strips of ${height} rows`).toBe(map.length);
        expectClose(joined.flat(2), map.flat(2), 1e-6, `height ${height}`);
      });
      // Strips are where the rows of the map say that they are.
      let row = 0;
      parts.forEach(({ top }, i) => {
        expect(top).toBe(2 * row);
        row += seen[i]![0]!.length;
      });
    }
  }
  expect([...strips(40, width, 14 * width)].length).toBeGreaterThan(3);
  expect([...strips(10, width, 1e9)]).toEqual([]);
  await model.dispose();
});

describe('files', () => {
  test.each(names)("%s: kernels come out of Caffe's file the right way round", (name) => {
    const read = readWeights(name, 'caffemodel', readFileSync(join(folder, `${name}.caffemodel`)), 'here');
    expect(read).toEqual(formulaWeights(name));
  });

  test('what is built is cached, and built the same from the cache', () => {
    const built = mtcnnModels(folder);
    const files = readdirSync(join(folder, 'cache', 'built'))
      .filter((file) => file.endsWith('.onnx'))
      .sort();
    expect(files.map((file) => file.split('-').slice(0, 2).join('-'))).toEqual(
      names.map((n) => `mtcnn-${n}`),
    );
    const again = mtcnnModels(folder);
    for (const name of names) expect(Buffer.from(again[name]).equals(built[name])).toBe(true);
  });

  const broken = (change: (place: string) => void): string => {
    const place = mkdtempSync(join(tmpdir(), 'mtcnn-'));
    for (const name of names)
      copyFileSync(join(folder, `${name}.caffemodel`), join(place, `${name}.caffemodel`));
    change(place);
    return place;
  };
  test.each<[string, (place: string) => void, RegExp]>([
    [
      'one file is missing',
      (place) => rmSync(join(place, 'det2.caffemodel')),
      /holds no MTCNN.*there is no det2\.caffemodel$/,
    ],
    [
      'the folder is empty',
      (place) => names.map((n) => rmSync(join(place, `${n}.caffemodel`))),
      /holds no MTCNN/,
    ],
    [
      'one file is in the place of another',
      (place) => copyFileSync(join(place, 'det3.caffemodel'), join(place, 'det2.caffemodel')),
      /det2\.caffemodel: not MTCNN's det2: 'conv1' should hold a weight of 756 numbers and holds 864 numbers$/,
    ],
    [
      'a layer is missing',
      (place) => {
        const places = new Map(
          [...networkGraph(networks.det1).weights].filter(([n]) => !n.startsWith('prelu3')),
        );
        writeFileSync(join(place, 'det1.caffemodel'), caffemodel(formulaWeights('det1'), places));
      },
      /det1\.caffemodel: not MTCNN's det1: 'prelu3' should hold a slope of 32 numbers and holds nothing$/,
    ],
    [
      'a file is something else',
      (place) => writeFileSync(join(place, 'det1.caffemodel'), 'not a network'),
      /det1\.caffemodel: .*damaged or no \.caffemodel/,
    ],
    [
      'a .npy file is something else',
      (place) => names.map((n) => writeFileSync(join(place, `${n}.npy`), 'not an array')),
      /det1\.npy: no \.npy file/,
    ],
  ])('%s: one sentence', (_, change, message) => {
    const place = broken(change);
    expect(() => mtcnnModels(place)).toThrow(message);
    expect(() => mtcnnModels(place)).toThrow(expect.objectContaining({ name: 'UserError' }) as Error);
    rmSync(place, { recursive: true });
  });

  test('there is no folder', () => {
    expect(() => mtcnnModels(join(folder, 'nowhere'))).toThrow(/nowhere: holds no MTCNN/);
  });
});
