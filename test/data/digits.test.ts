// The handwritten digits and their split.
import { describe, expect, test } from 'vitest';
import { digits, splitDigits } from '../../src/data/digits.js';

const all = digits();

test('there are 10,000 digits, about a thousand of each, mostly paper', () => {
  expect([all.labels.length, all.images.length]).toEqual([10_000, 7_840_000]);
  const counts = Array(10).fill(0);
  for (const label of all.labels) counts[label]++;
  expect(Math.min(...counts)).toBeGreaterThan(850);
  const ink = all.images.reduce((sum, value) => sum + value, 0) / all.images.length;
  expect(ink).toBeGreaterThan(25);
  expect(ink).toBeLessThan(45); // MNIST's mean is 33
  expect(all.images.reduce((most, value) => Math.max(most, value), 0)).toBe(255);
});

describe('a split', () => {
  const split = splitDigits(all, { seed: 1, heldOut: [4, 9], testShare: 0.25 });

  test('keeps whole classes out and numbers the others from 0', () => {
    expect([split.classes, split.heldOutClasses]).toEqual([
      [0, 1, 2, 3, 5, 6, 7, 8],
      [4, 9],
    ]);
    expect([split.train.classes, split.heldOut.classes]).toEqual([8, 2]);
    expect(new Set(split.train.labels).size).toBe(8);
    const count = all.labels.filter((label) => label === 4 || label === 9).length;
    expect(split.heldOut.labels.length).toBe(count);
    expect(split.train.labels.length + split.test.labels.length + count).toBe(10_000);
  });

  test('shares no image between training and test', () => {
    const key = (pixels: Uint8Array, i: number) =>
      Buffer.from(pixels.subarray(i * 784, i * 784 + 784)).toString('latin1');
    const train = new Set(Array.from(split.train.labels, (_, i) => key(split.train.pixels, i)));
    const shared = Array.from(split.test.labels, (_, i) => key(split.test.pixels, i)).filter((k) =>
      train.has(k),
    );
    expect(shared).toEqual([]);
  });

  test('depends on the seed alone', () => {
    const again = splitDigits(all, { seed: 1, heldOut: [9, 4], testShare: 0.25 });
    const other = splitDigits(all, { seed: 2, heldOut: [9, 4], testShare: 0.25 });
    for (const part of ['train', 'test', 'heldOut'] as const) {
      expect(Buffer.compare(again[part].pixels, split[part].pixels)).toBe(0);
      expect(Buffer.compare(other[part].pixels, split[part].pixels)).not.toBe(0);
    }
  });

  test('can be made small', () => {
    const small = splitDigits(all, { seed: 1, perClass: 10 });
    expect([small.train.labels.length, small.test.labels.length]).toEqual([80, 20]);
  });

  test('refuses digits that are not there, and fewer than two to train on', () => {
    expect(() => splitDigits(all, { seed: 1, heldOut: [10] })).toThrow(/digit 10/);
    expect(() => splitDigits(all, { seed: 1, heldOut: [0, 1, 2, 3, 4, 5, 6, 7, 8] })).toThrow(
      /1 digits left/,
    );
  });
});
