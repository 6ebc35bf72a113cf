// Quality falls as a face is made worse, step by step; and the pose of a head that was turned is found again.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { readPhotograph } from '../../src/data/index.js';
import { alignFace } from '../../src/face/align/face.js';
import { readLandmarkFile } from '../../src/face/align/landmark-file.js';
import { templateNamed, templatePoints } from '../../src/face/align/template.js';
import type { Detection, Landmarks } from '../../src/face/index.js';
import { HEAD, pose } from '../../src/face/pose.js';
import { faceQuality, judge, type QualityMeasures } from '../../src/face/quality.js';
import { noise } from '../data/pictures.js';

const radians = (degrees: number) => (degrees * Math.PI) / 180;

/** The landmarks of a head turned by these degrees, seen from afar at `eyes` pixels between the eyes. */
function turned({ yaw = 0, pitch = 0, roll = 0 }, eyes = 60): Landmarks {
  const [a, b, c] = [radians(yaw), radians(pitch), radians(roll)];
  return HEAD.map(([x, y, z]) => {
    // About x, so that the nose goes down; about y, so that it goes right; then in the plane.
    const [y1, z1] = [y * Math.cos(b) + z * Math.sin(b), z * Math.cos(b) - y * Math.sin(b)];
    const x2 = x * Math.cos(a) + z1 * Math.sin(a);
    return [
      100 + (eyes / 2) * (x2 * Math.cos(c) - y1 * Math.sin(c)),
      100 + (eyes / 2) * (x2 * Math.sin(c) + y1 * Math.cos(c)),
    ];
  }) as unknown as Landmarks;
}

describe('pose', () => {
  test.each([
    [{ yaw: 0, pitch: 0, roll: 0 }],
    [{ yaw: 35, pitch: 0, roll: 0 }],
    [{ yaw: -60, pitch: 0, roll: 10 }],
    [{ yaw: 0, pitch: 25, roll: -20 }],
    [{ yaw: 0, pitch: -30, roll: 0 }],
  ])('%o is found again', (angles) => {
    const found = pose(turned(angles));
    for (const name of ['yaw', 'pitch', 'roll'] as const) expect(found[name]).toBeCloseTo(angles[name], 6);
  });

  test.each([
    { yaw: 30, pitch: 20, roll: 0 },
    { yaw: -40, pitch: -15, roll: 30 },
  ])('turned about two axes ($yaw, $pitch) it is near', (angles) => {
    const found = pose(turned(angles));
    expect(Math.abs(found.yaw - angles.yaw)).toBeLessThan(5);
    expect(Math.abs(found.pitch - angles.pitch)).toBeLessThan(5);
  });

  test('a nose to the right of the eyes’ middle turns the head to the right', () => {
    expect(pose(turned({ yaw: 20 }))).toMatchObject({ yaw: expect.closeTo(20, 6) });
    const [left, right, nose] = turned({ yaw: 20 });
    expect(nose[0]).toBeGreaterThan((left[0] + right[0]) / 2);
  });
});

const arcface = templateNamed('arcface');

/** Structure of every size, as a face has, grey enough to be darkened and lit. */
async function face(): Promise<Uint8Array> {
  const layer = (size: number) =>
    sharp(noise(size, size, 3, size), { raw: { width: size, height: size, channels: 3 } })
      .resize(112, 112, { kernel: 'cubic' })
      .raw()
      .toBuffer();
  const [coarse, middle, fine] = await Promise.all([6, 28, 112].map(layer));
  return Uint8Array.from(coarse!, (value, i) => 20 + 0.55 * value + 0.25 * middle![i]! + 0.1 * fine![i]!);
}
const detected = (landmarks: Landmarks = turned({}), score = 0.95): Detection => ({
  box: { x: 40, y: 40, width: 120, height: 150 },
  score,
  landmarks,
});
const blurred = async (pixels: Uint8Array, sigma: number) =>
  new Uint8Array(
    await sharp(pixels, { raw: { width: 112, height: 112, channels: 3 } })
      .blur(sigma)
      .raw()
      .toBuffer(),
  );

/** Expects every quality to be below the one before, from a good face to one that has the reason. */
function expectFalling(qualities: readonly ReturnType<typeof faceQuality>[], reason: RegExp): void {
  const scores = qualities.map(({ score }) => score);
  for (let i = 1; i < scores.length; i++) expect(scores[i], `${scores}`).toBeLessThan(scores[i - 1]!);
  expect(qualities[0]!.reasons).toEqual([]);
  expect(qualities.at(-1)!.reasons[0]).toMatch(reason);
}

describe('quality falls when a face is', () => {
  test('blurred', async () => {
    const sharpFace = await face();
    const steps = [sharpFace];
    for (const sigma of [1.5, 2, 3]) steps.push(await blurred(sharpFace, sigma));
    expectFalling(
      steps.map((pixels) => faceQuality(detected(), pixels, arcface)),
      /^blurred$/,
    );
  });

  test('small', async () => {
    const pixels = await face();
    expectFalling(
      [60, 24, 19, 14].map((eyes) => faceQuality(detected(turned({}, eyes)), pixels, arcface)),
      /^only 14 pixels between the eyes$/,
    );
  });

  test('dark, or too bright', async () => {
    const pixels = await face();
    const lit = (gain: number) => pixels.map((value) => Math.min(255, Math.round(value * gain)));
    const quality = (gain: number) => faceQuality(detected(), lit(gain), arcface);
    expectFalling([1, 0.5, 0.3, 0.2].map(quality), /^too dark$/);
    expectFalling([1, 2, 2.4, 3].map(quality), /^too bright$/);
  });

  test('turned to the side, up or down', async () => {
    const pixels = await face();
    const quality = (angles: object) => faceQuality(detected(turned(angles)), pixels, arcface);
    expectFalling(
      [0, 25, 35, 50].map((yaw) => quality({ yaw })),
      /^turned to the side$/,
    );
    expectFalling(
      [0, -25, -35, -55].map((yaw) => quality({ yaw })),
      /^turned to the side$/,
    );
    expectFalling(
      [0, 25, 30, 40].map((pitch) => quality({ pitch })),
      /^looking down$/,
    );
    expectFalling(
      [0, -25, -30, -40].map((pitch) => quality({ pitch })),
      /^looking up$/,
    );
  });

  test('found with a low score', async () => {
    const pixels = await face();
    expectFalling(
      [0.9, 0.7, 0.5, 0.3].map((score) => faceQuality(detected(undefined, score), pixels, arcface)),
      /^the detector is unsure \(score 0\.30\)$/,
    );
  });
});

test('the score is the product of the parts, and reasons come worst first', () => {
  const good: QualityMeasures = {
    ...{ eyes: 60, sharpness: 0.4, brightness: 130, black: 0, white: 0, detection: 0.9 },
    ...{ yaw: 0, pitch: 0, roll: 0 },
  };
  expect(judge(good)).toMatchObject({ score: 1, reasons: [] });
  const { score, parts, reasons } = judge({ ...good, eyes: 12, yaw: 62, sharpness: 0.02 });
  expect(score).toBeCloseTo(parts.size * parts.pose * parts.sharpness, 12);
  expect(reasons).toEqual(['turned to the side', 'only 12 pixels between the eyes']);
  expect(judge({ ...good, yaw: Number.NaN }).score).toBe(0);
});

test('darker light does not make a face blurred', async () => {
  const pixels = await face();
  const dark = pixels.map((value) => Math.round(value / 2));
  const [light, dim] = [pixels, dark].map((each) => faceQuality(detected(), each, arcface));
  expect(dim!.measures.sharpness).toBeCloseTo(light!.measures.sharpness, 1);
});

const photos = '../shared/data/photos';
describe.skipIf(!existsSync(photos))('photographs (skipped where ../shared/data/photos is absent)', () => {
  test('a face is as good on any template, and worse when it was made small and enlarged', async () => {
    const table = await readLandmarkFile(join(photos, 'faces.tsv'));
    const path = '060367.jpg';
    const photograph = await readPhotograph(join(photos, path));
    const [known] = table.get(path)!;
    const on = (name: string) => {
      const template = templateNamed(name);
      const aligned = alignFace(photograph, known!.landmarks, template);
      return faceQuality({ ...known!, score: 0.9 }, aligned, template);
    };
    const [whole, ...others] = ['arcface', 'sphereface', 'dlib', 'arcface/lower'].map(on);
    expect(whole!.score).toBeGreaterThan(0.8);
    for (const other of others) expect(Math.abs(other.score - whole!.score)).toBeLessThan(0.1);

    const { width, height } = photograph;
    const [w, h] = [Math.round(width / 8), Math.round(height / 8)];
    const raw = { width, height, channels: 3 } as const;
    const small = await sharp(photograph.pixels, { raw }).resize(w, h, { fit: 'fill' }).png().toBuffer();
    const pixels = await sharp(small).resize(width, height, { fit: 'fill' }).raw().toBuffer();
    const aligned = alignFace({ width, height, pixels }, known!.landmarks, arcface);
    expect(faceQuality(known!, aligned, arcface)).toMatchObject({ reasons: ['blurred'] });
  });
});

test('an even grey has no sharpness, and the middle of the template is what counts', () => {
  const grey = new Uint8Array(112 * 112 * 3).fill(128);
  const { measures } = faceQuality(detected(templatePoints(arcface)), grey, arcface);
  expect(measures).toMatchObject({ sharpness: 0, brightness: expect.closeTo(128, 3), black: 0, white: 0 });
  // Black beyond the face, as where a photograph ends, is not seen.
  const bordered = grey.map((value, i) => (Math.floor(i / 336) < 30 ? 0 : value));
  expect(faceQuality(detected(), bordered, arcface).measures.black).toBe(0);
});
