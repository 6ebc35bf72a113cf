// Which of several faces is meant.

import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { chooseFaces } from '../../src/face/detect/choose.js';
import { type Detection, type FaceChoice, faceChoices, type Landmarks } from '../../src/face/index.js';
import { noise } from '../data/pictures.js';

/** Where eyes, nose and mouth are in the box of an upright face, in shares of it. */
const POINTS = [
  [0.28, 0.4],
  [0.72, 0.4],
  [0.5, 0.62],
  [0.32, 0.8],
  [0.68, 0.8],
] as const;
const face = (x: number, y: number, width: number, height: number, score: number): Detection => ({
  box: { x, y, width, height },
  score,
  landmarks: POINTS.map(([u, v]) => [x + u * width, y + v * height]) as unknown as Landmarks,
});
const size = { width: 200, height: 100 };
const sure = face(0, 0, 20, 30, 0.99);
const central = face(95, 45, 12, 12, 0.6);
const large = face(140, 20, 40, 70, 0.8);
const wide = face(10, 60, 90, 5, 0.7);
const faces = [sure, large, wide, central];

describe('of several faces', () => {
  test.each<[FaceChoice, Detection[]]>([
    ['largest', [large]],
    ['central', [central]],
    ['best', [sure]],
    ['all', faces],
  ])('%s', (choice, expected) => {
    expect(chooseFaces(faces, size, choice)).toEqual(expected);
    const backwards = chooseFaces([...faces].reverse(), size, choice);
    expect(backwards).toEqual(choice === 'all' ? [...faces].reverse() : expected);
  });

  test('among equals the earlier, which is the surer, is taken', () => {
    const [first, second] = [face(0, 45, 10, 10, 0.9), face(190, 45, 10, 10, 0.9)];
    for (const choice of ['largest', 'central', 'best'] as const)
      expect(chooseFaces([first, second], size, choice)).toEqual([first]);
  });
});

describe('the largest', () => {
  test('is the one of which most is inside the photograph', () => {
    const cut = face(170, 10, 90, 90, 0.9);
    const whole = face(50, 20, 60, 60, 0.9);
    expect(chooseFaces([cut, whole], size, 'largest')).toEqual([whole]);
    expect(chooseFaces([cut, face(50, 20, 40, 40, 0.9)], size, 'largest')).toEqual([cut]);
  });

  test('is none that lies outside, whatever its size', () => {
    const outside = face(-300, 0, 200, 200, 0.9);
    expect(chooseFaces([outside, central], size, 'largest')).toEqual([central]);
  });

  test('is no larger detection that the detector hardly believes', () => {
    const doubtful = face(10, 10, 70, 70, 0.5);
    const sound = face(110, 20, 60, 60, 0.95);
    expect(chooseFaces([doubtful, sound], size, 'largest')).toEqual([sound]);
  });

  test('is no blurred bystander before somebody who is sharp', async () => {
    const [width, height] = [400, 200];
    // Structures of 40 pixels everywhere, and those of one pixel where it is sharp.
    const coarse = await sharp(noise(5, 10, 3), { raw: { width: 10, height: 5, channels: 3 } })
      .resize(width, height, { kernel: 'cubic' })
      .raw()
      .toBuffer();
    const fine = noise(height, width, 3);
    const mixed = (sharpFrom: number) =>
      Uint8Array.from(coarse, (value, i) =>
        Math.floor(i / 3) % width < sharpFrom ? value : 0.7 * value + 0.3 * fine[i]!,
      );
    const [pixels, sharpPixels] = [mixed(200), mixed(0)];
    const bystander = face(10, 10, 180, 180, 0.9);
    const subject = face(240, 40, 120, 120, 0.9);
    const faces = [bystander, subject];
    expect(chooseFaces(faces, { width, height, pixels }, 'largest')).toEqual([subject]);
    expect(chooseFaces(faces, { width, height, pixels: sharpPixels }, 'largest')).toEqual([bystander]);
  });
});

test.each(faceChoices)('of none, %s is none; of one it is that one', (choice) => {
  expect(chooseFaces([], size, choice)).toEqual([]);
  expect(chooseFaces([wide], size, choice)).toEqual([wide]);
});

test('all is a list of its own', () => {
  const all = chooseFaces(faces, size, 'all');
  expect(all).not.toBe(faces);
});
