// MTCNN's steps between the networks against closed forms, and the whole cascade against an independent port that
// follows the released code (test/fixtures/make_mtcnn_fixture.py).
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Photograph, readPhotograph } from '../../src/data/index.js';
import type { Detection } from '../../src/face/detect/detection.js';
import {
  pickWindows,
  pyramidScales,
  shifted,
  squared,
  wholePixels,
} from '../../src/face/detect/mtcnn/candidates.js';
import { type MtcnnOptions, openMtcnn } from '../../src/face/detect/mtcnn/open.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { hashed } from '../support/fixtures.js';
import { formulaFolder } from './mtcnn-files.js';

const shared = '../shared';
const withoutShared = !existsSync(join(shared, 'weights/mtcnn-npy'));

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

async function detect(
  place: string,
  photographs: readonly Photograph[],
  options: Omit<MtcnnOptions, 'device'> = {},
): Promise<Detection[][]> {
  const detector = await openMtcnn(place, { ...options, device });
  try {
    return await detector.detect(photographs);
  } finally {
    await detector.close();
  }
}

/** A detection as numbers: box, landmarks. */
const numbers = ({ box, landmarks }: Detection): number[] => [
  box.x,
  box.y,
  box.width,
  box.height,
  ...landmarks.flat(),
];

function expectSame(actual: readonly Detection[], expected: readonly Detection[], pixels: number): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((face, i) => {
    expect(face.score).toBeCloseTo(expected[i]!.score, 4);
    numbers(face).forEach((v, k) => {
      expect(Math.abs(v - numbers(expected[i]!)[k]!)).toBeLessThanOrEqual(pixels);
    });
  });
}

describe('the pyramid', () => {
  test('begins where the least face fills a window and ends before the image is smaller than one', () => {
    expect(pyramidScales(40, 100, 20, 0.5)).toEqual([0.6, 0.3]);
    expect(pyramidScales(39, 100, 20, 0.5)).toEqual([0.6]);
    expect(pyramidScales(12, 12, 12, 0.709)).toEqual([1]);
    const scales = pyramidScales(1000, 700, 20, 0.709);
    scales.forEach((scale, k) => {
      expect(scale).toBeCloseTo(0.6 * 0.709 ** k, 12);
    });
    expect(scales.length).toBe(1 + Math.floor(Math.log(12 / (700 * 0.6)) / Math.log(0.709)));
  });
  test('is empty where no face of the least size has room', () => {
    expect(pyramidScales(19, 500, 20, 0.709)).toEqual([]);
  });
});

describe('windows', () => {
  test("cell (row 2, column 3) at half size is P-Net's 12 pixels from (6, 4) on, twice as large", () => {
    const [rows, columns] = [3, 5];
    const at = 2 * columns + 3;
    const face = new Float32Array(2 * rows * columns).fill(-1);
    face.fill(1, 0, rows * columns);
    [face[at], face[rows * columns + at]] = [0, Math.log(3)];
    const box = Float32Array.from({ length: 4 * rows * columns }, (_, i) => i);
    const found = pickWindows({ face, box, columns, top: 0 }, 0.5, 0.6);
    // Pixels 2 * 3 + 1 to 2 * 3 + 12, counted from 1, times 2: 14 to 36, and 10 to 32 downwards.
    expect(found).toEqual([
      {
        box: { x: 13, y: 9, width: 23, height: 23 },
        score: expect.closeTo(0.75, 6),
        shifts: [at, at + 15, at + 30, at + 45],
      },
    ]);
    expect(pickWindows({ face, box, columns, top: 0 }, 0.5, 0.76)).toEqual([]);
  });
});

describe('boxes between the networks', () => {
  const box = { x: 10, y: 20, width: 40, height: 60 };
  test('edges move by shares of width and height', () => {
    expect(shifted(box, [0.1, -0.1, 0.2, 0.05])).toEqual({ x: 14, y: 14, width: 44, height: 69 });
    expect(shifted(box, [0, 0, 0, 0])).toEqual(box);
    expect(shifted({ ...box, width: 41, height: 61 }, [0.1, -0.1, 0.2, 0.05], 1)).toEqual({
      x: 14,
      y: 14,
      width: 45,
      height: 70,
    });
  });
  test('a square has the same centre and the longer side', () => {
    expect(squared(box)).toEqual({ x: 0, y: 20, width: 60, height: 60 });
    expect(squared({ ...box, width: 80 })).toEqual({ x: 10, y: 10, width: 80, height: 80 });
  });
  test('first and last pixel are cut towards 0, counted from 1', () => {
    expect(wholePixels({ x: 2.7, y: -2.7, width: 5.5, height: 9.9 })).toEqual({
      x: 2, // first 3.7 -> 3, last 8.2 -> 8
      y: -2, // first -1.7 -> -1, last 7.2 -> 7
      width: 6,
      height: 9,
    });
    expect(wholePixels(box)).toEqual(box);
  });
});

/** Smooth colours from a few waves and a little noise. */
function picture(width: number, height: number, salt: number): Photograph {
  const noise = hashed({ shape: [height, width, 3], salt, amplitude: 40 });
  const pixels = Uint8Array.from(noise, (n, i) => {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return 128 + 80 * Math.sin((x * (c + 2)) / 17 + salt) * Math.cos((y * (4 - c)) / 23) + n;
  });
  return { width, height, pixels, scale: 1 };
}

describe('with weights from a formula', () => {
  const thresholds = [0.55, 0.5, 0.4] as const;

  test('photographs of several sizes together give what each gives alone', async () => {
    const photographs = [picture(70, 50, 1), picture(41, 90, 2), picture(8, 30, 3), picture(70, 50, 4)];
    const together = await detect(folder, photographs, { thresholds });
    expect(together.map((faces) => faces.length > 0)).toEqual([true, true, false, true]);
    for (const [i, photograph] of photographs.entries()) {
      const [alone] = await detect(folder, [photograph], { thresholds });
      expectSame(together[i]!, alone!, 1e-3);
    }
  });

  test('the last threshold is the one that the detector states, and scores lie above it, best first', async () => {
    const photograph = picture(70, 50, 1);
    const [all] = await detect(folder, [photograph], { thresholds });
    const least = (all![0]!.score + all!.at(-1)!.score) / 2;
    const detector = await openMtcnn(folder, { device, thresholds, threshold: least });
    expect(detector.threshold).toBe(least);
    const [some] = await detector.detect([photograph]);
    await detector.close();
    expect(some!.length).toBeGreaterThan(0);
    expect(some!.length).toBeLessThan(all!.length);
    expect(some!.every(({ score }) => score > least)).toBe(true);
    expect(some!.map(({ score }) => score)).toEqual(some!.map(({ score }) => score).sort((a, b) => b - a));
  });

  test('the defaults are the published ones', async () => {
    const detector = await openMtcnn(folder, { device });
    expect([detector.name, detector.threshold]).toEqual(['MTCNN', 0.9]);
    await detector.close();
  });

  test.each<[string, Omit<MtcnnOptions, 'device'>, RegExp]>([
    ['a face of no size', { minFace: 0 }, /the least face must be 1 pixel or more, not 0$/],
    ['a pyramid that never ends', { factor: 1 }, /between 0 and 1, not be 1$/],
    ['a probability above 1', { threshold: 1.5 }, /threshold of MTCNN must lie between 0 and 1, not be 1.5$/],
    ['no number', { thresholds: [0.6, Number.NaN, 0.9] }, /not be NaN$/],
  ])('%s is refused', async (_, options, message) => {
    await expect(openMtcnn(folder, { ...options, device })).rejects.toThrow(message);
  });
});

interface Found {
  box: [left: number, top: number, right: number, bottom: number];
  score: number;
  landmarks: [number, number][];
}
const reference = JSON.parse(
  readFileSync(new URL('../fixtures/mtcnn/photographs.json', import.meta.url), 'utf8'),
) as { thresholds: [number, number, number]; asReleased: Record<string, Found[]> };

/** The port counts pixels of a box from 1 and includes the last; its landmarks count from 0. */
const detection = ({ box: [left, top, right, bottom], score, landmarks }: Found): Detection => ({
  box: { x: left - 1, y: top - 1, width: right - left + 1, height: bottom - top + 1 },
  score,
  landmarks: landmarks as unknown as Detection['landmarks'],
});

describe.skipIf(withoutShared)('with the published weights (skipped where ../shared is absent)', () => {
  const npy = join(shared, 'weights/mtcnn-npy');
  const caffe = join(shared, 'weights/mtcnn-caffe');
  const photograph = (name: string) => readPhotograph(join(shared, 'data/photos', name));

  test.each(Object.keys(reference.asReleased))('%s: the faces that the port finds', async (name) => {
    const { thresholds, asReleased } = reference;
    const [found] = await detect(npy, [await photograph(name)], { thresholds });
    // Decoders of JPEG may differ by a grey level here and there.
    expectSame(found!, asReleased[name]!.map(detection), 0.1);
  });

  test('.npy and .caffemodel files give the same faces', async () => {
    const photographs = await Promise.all(Object.keys(reference.asReleased).slice(0, 3).map(photograph));
    const [one, other] = [await detect(npy, photographs), await detect(caffe, photographs)];
    expect(one.flat().length).toBeGreaterThan(3);
    one.forEach((faces, i) => {
      expectSame(faces, other[i]!, 1e-3);
    });
  });

  test('nothing is found in blackness, nor where there is no room', async () => {
    const black = { width: 200, height: 150, pixels: new Uint8Array(3 * 200 * 150), scale: 1 };
    const tiny = { width: 11, height: 300, pixels: new Uint8Array(3 * 11 * 300).fill(127), scale: 1 };
    const one = { width: 1, height: 1, pixels: Uint8Array.of(255, 255, 255), scale: 1 };
    expect(await detect(npy, [black, tiny, one], { minFace: 12 })).toEqual([[], [], []]);
    expect(await detect(npy, [])).toEqual([]);
  });
});
