// Resampling against scikit-image and OpenCV on a picture made by a formula, and what antialiasing is for.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Transform } from '../../../src/face/align/similarity.js';
import { warp } from '../../../src/face/align/warp.js';
import { waves } from './pictures.js';

const { image, warps } = JSON.parse(
  readFileSync(new URL('../../fixtures/align/align.json', import.meta.url), 'utf8'),
) as {
  image: { width: number; height: number };
  warps: ({ name: string; transform: Transform; width: number; height: number } & Record<
    'black' | 'replicate',
    Record<'opencv' | 'skimage', number[]>
  >)[];
};
const picture = { ...image, pixels: waves(image.height, image.width) };

const differences = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length);
  return Array.from(a, (value, i) => Math.abs(value - b[i]!));
};

describe.each(warps.map((each) => [each.name, each] as const))(
  '%s',
  (_, { transform, width, height, ...by }) => {
    test.each(['black', 'replicate'] as const)('%s beyond the picture', (border) => {
      const ours = warp(picture, transform, { width, height, border });
      // Both round: a value halfway between two levels may fall either way.
      expect(Math.max(...differences(ours, by[border].skimage))).toBeLessThanOrEqual(1);
      // OpenCV rounds places to a 32nd of a pixel, up to 1/64 off on each axis: on 18 levels a pixel and at the picture's
      // edges, where black is 255 levels away, that shows. Its halves go to the even level, ours go up.
      const off = differences(ours, by[border].opencv);
      expect(Math.max(...off)).toBeLessThanOrEqual(border === 'black' ? 5 : 2);
      expect(off.reduce((sum, d) => sum + d, 0) / off.length).toBeLessThan(0.25);
    });
  },
);

const flat = { width: 3, height: 3 };

test('an identity copies, a whole shift moves, and what is beyond is black or repeated', () => {
  const identity: Transform = [1, 0, 0, 0, 1, 0];
  expect(warp(picture, identity, image)).toEqual(picture.pixels);
  const pixel = { width: 1, height: 1, pixels: Uint8Array.of(10, 20, 30) };
  const shifted: Transform = [1, 0, 1, 0, 1, 1];
  const black = warp(pixel, shifted, flat);
  expect([...black]).toEqual(Array.from({ length: 27 }, (_, i) => (i >= 12 && i < 15 ? (i - 11) * 10 : 0)));
  const repeated = warp(pixel, shifted, { ...flat, border: 'replicate' });
  expect([...repeated]).toEqual(Array.from({ length: 27 }, (_, i) => ((i % 3) + 1) * 10));
});

test('a picture that is made much smaller keeps the mean of a fine pattern; one sample a pixel does not', () => {
  // Every fourth column is white: a quarter of the light.
  const [width, height] = [320, 320];
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
    Math.floor(i / 3) % 4 === 0 ? 255 : 0,
  );
  const eighth: Transform = [1 / 8, 0, 0.5 / 8 - 0.5, 0, 1 / 8, 0.5 / 8 - 0.5];
  const size = { width: 40, height: 40 };
  const spread = (image: Uint8Array) => Math.max(...[...image].map((value) => Math.abs(value - 255 / 4)));
  expect(spread(warp({ width, height, pixels }, eighth, size))).toBeLessThan(1);
  expect(spread(warp({ width, height, pixels }, eighth, { ...size, antialias: 'none' }))).toBeGreaterThan(60);
});

test('up to three times smaller, antialiasing changes nothing', () => {
  for (const scale of [1, 1 / 2, 1 / 2.9]) {
    const transform: Transform = [scale, 0, 0, 0, scale, 0];
    const size = { width: 12, height: 12 };
    expect(warp(picture, transform, size)).toEqual(warp(picture, transform, { ...size, antialias: 'none' }));
  }
});
