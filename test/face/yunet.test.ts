// YuNet's decoder against OpenCV's own (the fixture's maker is test/fixtures/make_yunet_fixture.py), and how a
// photograph comes to lie on a network's canvas.
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPhotograph } from '../../src/data/index.js';
import { fitInto, fitScaled, letterbox } from '../../src/face/detect/letterbox.js';
import { openOnnxDetector } from '../../src/face/detect/onnx-detector.js';
import { yunet } from '../../src/face/detect/yunet.js';
import type { Detection } from '../../src/face/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';

const SHARED = '../shared';
const weights = (size: string) => `${SHARED}/weights/yunet/yunet_n_${size}.onnx`;
const { threshold, photographs } = JSON.parse(
  readFileSync(new URL('../fixtures/yunet/detections.json', import.meta.url), 'utf8'),
) as {
  threshold: number;
  photographs: { file: string; width: number; height: number; faces: number[][] }[];
};

/** A detection in the order of OpenCV's rows. */
const row = ({ box, landmarks, score }: Detection) => [
  box.x,
  box.y,
  box.width,
  box.height,
  ...landmarks.flat(),
  score,
];

/** The mean distance of the landmarks of two such rows, over the distance between the eyes of the second. */
function distance(a: readonly number[], b: readonly number[]): number {
  const apart = (k: number) => Math.hypot(a[k]! - b[k]!, a[k + 1]! - b[k + 1]!);
  return (
    [4, 6, 8, 10, 12].reduce((sum, k) => sum + apart(k), 0) / 5 / Math.hypot(b[6]! - b[4]!, b[7]! - b[5]!)
  );
}

describe.skipIf(!existsSync(SHARED))('YuNet (skipped where ../shared is absent)', () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice('cpu', { threads: 1 });
  });
  afterAll(() => device?.close());
  const read = (file: string) => readPhotograph(`${SHARED}/data/photos/${file}`);

  test("finds at a photograph's own size what OpenCV finds", async () => {
    const detector = await openOnnxDetector(weights('dynamic'), { device });
    expect(detector).toMatchObject({ name: 'yunet', threshold });
    const found = await detector.detect(await Promise.all(photographs.map(({ file }) => read(file))));
    photographs.forEach(({ file, faces }, i) => {
      expect(found[i]!.length, file).toBe(faces.length);
      faces.forEach((face, j) => {
        const worst = Math.max(...row(found[i]![j]!).map((value, k) => Math.abs(value - face[k]!)));
        // Another JPEG decoder may round pixels otherwise.
        expect(worst, file).toBeLessThan(0.5);
      });
    });
  });

  // YuNet's landmarks scatter with the scale of the face, in OpenCV as here: by 7 % of the distance between the eyes,
  // on average, at 320 pixels. In the larger file these photographs keep their size, and only the border is wider.
  test.each([
    ['320_320', 0.25],
    ['640_640', 0.02],
  ])('the file of the fixed size %s finds the main face in its place', async (size, tolerance) => {
    const detector = await openOnnxDetector(weights(size), { device });
    for (const { file, faces } of photographs) {
      const [found] = await detector.detect([await read(file)]);
      const main = faces.reduce((a, b) => (b[2]! > a[2]! ? b : a));
      const nearest = Math.min(...found!.map((face) => distance(row(face), main)));
      expect(nearest, file).toBeLessThan(tolerance);
    }
  });

  test('a large photograph is shrunk, and its faces are told in its own pixels', async () => {
    const { file, faces } = photographs.find(({ faces }) => faces.length > 3)!;
    const detector = await openOnnxDetector(weights('dynamic'), { device });
    const [found] = await detector.detect([enlarged(await read(file), 4)]);
    const main = faces[0]!.map((value, k) => (k < 4 ? 4 * value : 4 * (value + 0.5) - 0.5));
    expect(distance(row(found![0]!), main)).toBeLessThan(0.15);
    for (const k of [0, 1, 2, 3])
      expect(Math.abs(row(found![0]!)[k]! - main[k]!)).toBeLessThan(0.1 * main[2]!);
  });

  test('a least size of faces drops smaller ones, a threshold those of a lower score', async () => {
    const { file, faces } = photographs.find(({ faces }) => faces.length > 3)!;
    const photograph = await read(file);
    const least = faces.map(([, , width]) => width!).sort((a, b) => b - a)[2]!;
    const wide = await openOnnxDetector(weights('dynamic'), { device, minFace: least - 0.01 });
    expect((await wide.detect([photograph]))[0]).toHaveLength(3);
    const sure = faces[1]!.at(-1)!;
    const strict = await openOnnxDetector(weights('dynamic'), { device, threshold: sure - 0.001 });
    expect((await strict.detect([photograph]))[0]).toHaveLength(2);
  });

  test('a photograph of one pixel has no face', async () => {
    const detector = await openOnnxDetector(weights('dynamic'), { device });
    const one = { width: 1, height: 1, pixels: new Uint8Array(3), scale: 1 };
    expect(await detector.detect([one])).toEqual([[]]);
  });
});

/** Every pixel as a square of `times` x `times`. */
function enlarged({ width, height, pixels }: Awaited<ReturnType<typeof readPhotograph>>, times: number) {
  const large = new Uint8Array(width * height * 3 * times * times);
  for (let y = 0, to = 0; y < height * times; y++)
    for (let x = 0; x < width * times; x++)
      for (let c = 0; c < 3; c++)
        large[to++] = pixels[(Math.floor(y / times) * width + Math.floor(x / times)) * 3 + c]!;
  return { width: width * times, height: height * times, pixels: large, scale: 1 };
}

describe('canvas', () => {
  test('a photograph is laid on multiples of 32, shrunk to 640 unless small faces are wanted', () => {
    const fit = (width: number, height: number, minFace?: number) =>
      yunet.fit({ width, height }, undefined, minFace);
    expect(fit(250, 250)).toEqual({
      content: { width: 250, height: 250 },
      canvas: { width: 256, height: 256 },
    });
    expect(fit(1600, 1000)).toEqual({
      content: { width: 640, height: 400 },
      canvas: { width: 640, height: 416 },
    });
    expect(fit(1600, 1000, 20).content).toEqual({ width: 800, height: 500 });
    expect(fit(1600, 1000, 5).content).toEqual({ width: 1600, height: 1000 });
    expect(fit(1, 1).canvas).toEqual({ width: 32, height: 32 });
    expect(fit(20000, 3).content).toEqual({ width: 640, height: 1 });
  });

  test('a fixed canvas is filled along one side', () => {
    expect(fitInto({ width: 320, height: 320 }, { width: 100, height: 50 }).content).toEqual({
      width: 320,
      height: 160,
    });
    expect(fitInto({ width: 320, height: 320 }, { width: 1000, height: 2000 }).content).toEqual({
      width: 160,
      height: 320,
    });
    const small = { width: 100, height: 50 };
    expect(yunet.fit(small, { width: 320, height: 320 }, undefined).content).toEqual(small);
  });

  // A ramp stays a ramp: red grows by 3 a pixel along x, green by 2 along y, blue is constant.
  const ramp = (width: number, height: number) => ({
    width,
    height,
    pixels: Uint8Array.from({ length: width * height * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
      return [10 + 3 * x, 20 + 2 * y, 77][i % 3]!;
    }),
  });
  test.each([
    ['as it is', 1],
    ['shrunk by whole pixels', 0.5],
    ['shrunk by a share of pixels', 0.7],
    ['enlarged', 1.6],
  ])('%s: pixel centres keep their place, black lies around it, planes have their order', (_, scale) => {
    const photograph = ramp(40, 30);
    const fit = fitScaled(scale, 32, photograph);
    const format = { order: 'bgr', mean: 100, scale: 0.5 } as const;
    const planes = letterbox(photograph, fit, format);
    const { canvas, content } = fit;
    const plane = canvas.width * canvas.height;
    expect(planes).toHaveLength(3 * plane);
    const at = (c: number, x: number, y: number) => planes[c * plane + y * canvas.width + x]! / 0.5 + 100;
    for (let y = 0; y < canvas.height; y++) {
      for (let x = 0; x < canvas.width; x++) {
        if (x >= content.width || y >= content.height) {
          for (const c of [0, 1, 2]) expect(at(c, x, y)).toBeCloseTo(0, 4);
          continue;
        }
        // Where this pixel's centre lies in the photograph; beyond the outermost centres the edge is repeated.
        const [px, py] = [
          ((x + 0.5) * photograph.width) / content.width - 0.5,
          ((y + 0.5) * photograph.height) / content.height - 0.5,
        ];
        const clamped = (p: number, n: number) => Math.min(Math.max(p, 0), n - 1);
        expect(at(0, x, y)).toBeCloseTo(77, 3);
        // Pixels are steps, so the mean over a part of some is off the ramp by up to an eighth of a step each side.
        expect(Math.abs(at(1, x, y) - (20 + 2 * clamped(py, photograph.height)))).toBeLessThan(0.5);
        expect(Math.abs(at(2, x, y) - (10 + 3 * clamped(px, photograph.width)))).toBeLessThan(0.75);
      }
    }
  });

  test('shrinking takes the mean of all pixels below', () => {
    const { pixels, width, height } = ramp(6, 4);
    const noisy = pixels.map((value, i) => (value * 31 + i * 17) % 256);
    const fit = { canvas: { width: 3, height: 2 }, content: { width: 3, height: 2 } };
    const planes = letterbox({ pixels: noisy, width, height }, fit, { order: 'rgb', mean: 0, scale: 1 });
    for (let c = 0; c < 3; c++)
      for (let y = 0; y < 2; y++)
        for (let x = 0; x < 3; x++) {
          let sum = 0;
          for (const dy of [0, 1])
            for (const dx of [0, 1]) sum += noisy[((2 * y + dy) * 6 + 2 * x + dx) * 3 + c]!;
          expect(planes[c * 6 + y * 3 + x]).toBeCloseTo(sum / 4, 3);
        }
  });
});
