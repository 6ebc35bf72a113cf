// Area resampling against its definition in plain loops.
import { describe, expect, test } from 'vitest';
import { areaSums, type RgbImage, resample, type Window } from '../../src/data/resample.js';
import { hashed } from '../support/fixtures.js';

const image = (width: number, height: number, salt = 1): RgbImage => ({
  width,
  height,
  pixels: Uint8Array.from(hashed({ shape: [height, width, 3], salt, amplitude: 127.9, offset: 127.9 })),
});

/** Channel `c` of place (column, row) of `size`: the mean over its bin, pixel by pixel; outside is 0. */
function mean(
  { width, height, pixels }: RgbImage,
  window: Window,
  size: { width: number; height: number },
  c: number,
  row: number,
  column: number,
): number {
  let [sum, count] = [0, 0];
  for (let y = 0; y < window.height; y++) {
    for (let x = 0; x < window.width; x++) {
      // A bin holds every pixel that it touches at all.
      const touches = (p: number, i: number, n: number, m: number) =>
        p * m < (i + 1) * n && (p + 1) * m > i * n;
      if (!touches(y, row, window.height, size.height) || !touches(x, column, window.width, size.width))
        continue;
      const [px, py] = [window.x + x, window.y + y];
      if (px >= 0 && py >= 0 && px < width && py < height) sum += pixels[3 * (py * width + px) + c]!;
      count++;
    }
  }
  return sum / count;
}

describe('every pixel is the mean of those below it', () => {
  test.each<[string, Window, { width: number; height: number }]>([
    [
      'the whole image, shrunk by a whole number',
      { x: 0, y: 0, width: 12, height: 9 },
      { width: 4, height: 3 },
    ],
    [
      'the whole image, shrunk so that bins share pixels',
      { x: 0, y: 0, width: 12, height: 9 },
      { width: 7, height: 5 },
    ],
    ['a window, as it is', { x: 3, y: 2, width: 5, height: 4 }, { width: 5, height: 4 }],
    ['a window, enlarged', { x: 3, y: 2, width: 5, height: 4 }, { width: 11, height: 9 }],
    ['a single pixel, enlarged', { x: 11, y: 8, width: 1, height: 1 }, { width: 3, height: 2 }],
    ['a window over the upper left corner', { x: -4, y: -3, width: 9, height: 8 }, { width: 4, height: 4 }],
    ['a window over the lower right corner', { x: 8, y: 4, width: 9, height: 9 }, { width: 4, height: 6 }],
    ['a window around the image', { x: -2, y: -5, width: 20, height: 17 }, { width: 6, height: 6 }],
    ['a window beside the image', { x: 20, y: 2, width: 4, height: 4 }, { width: 2, height: 2 }],
  ])('%s', (_, window, size) => {
    const source = image(12, 9);
    const planes = resample(areaSums(source), window, size);
    expect(planes.length).toBe(3 * size.width * size.height);
    for (let c = 0, at = 0; c < 3; c++)
      for (let row = 0; row < size.height; row++)
        for (let column = 0; column < size.width; column++, at++)
          expect(planes[at]).toBeCloseTo(mean(source, window, size, c, row, column), 4);
  });
});

test('several windows lie one behind another in one array', () => {
  const sums = areaSums(image(10, 10));
  const windows = [0, 1, 2].map((i): Window => ({ x: i, y: 2 * i, width: 6, height: 5 }));
  const size = { width: 3, height: 4 };
  const all = new Float32Array(3 * 36);
  windows.forEach((window, i) => {
    resample(sums, window, size, all, 36 * i);
  });
  expect([...all]).toEqual(windows.flatMap((window) => [...resample(sums, window, size)]));
});

test('sums beyond 32 bits cancel: the lower right corner of 17 million white pixels is white', () => {
  const [width, height] = [4200, 4100];
  const sums = areaSums({ width, height, pixels: new Uint8Array(3 * width * height).fill(255) });
  const corner = { x: width - 64, y: height - 64, width: 64, height: 64 };
  expect([...resample(sums, corner, { width: 1, height: 1 })]).toEqual([255, 255, 255]);
});
