// The sets of images that trained figures learn from: digits, the people with most images, and the long tail.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { classCounts, digitSet, faceSet, longTail, withCounts } from '../../src/train/figure-data.js';
import { writeFaces } from './faces.js';

describe('digits of a figure', () => {
  it('are the classes asked for, in order, with a fifth kept for testing', () => {
    const { names, train, test } = digitSet({ seed: 1, classes: [4, 9], perClass: 50 });
    expect(names).toEqual(['4', '9']);
    expect(classCounts(train)).toEqual([40, 40]);
    expect(classCounts(test)).toEqual([10, 10]);
    expect(digitSet({ seed: 1, perClass: 20 }).names).toHaveLength(10);
  });

  it('depend on the seed alone', () => {
    const pixels = (seed: number) => digitSet({ seed, classes: [0, 1], perClass: 5 }).train.pixels;
    expect(pixels(1)).toEqual(pixels(1));
    expect(pixels(1)).not.toEqual(pixels(2));
  });
});

describe('faces of a figure', async () => {
  // person0 has 8 images, person1 5, the others 9.
  const folder = await writeFaces(5, 9);
  const remove = (person: string, count: number) => {
    for (const name of readdirSync(join(folder, person)).slice(0, count)) rmSync(join(folder, person, name));
  };
  remove('person0', 1);
  remove('person1', 4);

  it('are those of the people with most images, ties by name', async () => {
    const { names, train, test } = await faceSet(folder, { seed: 1, people: 4, testShare: 0.25 });
    expect(names).toEqual(['person2', 'person3', 'person4', 'person0']);
    expect(classCounts(train)).toEqual([7, 7, 7, 6]);
    expect(classCounts(test)).toEqual([2, 2, 2, 2]);
    expect([train.height, train.width, train.channels]).toEqual([56, 48, 3]);
  });

  it('are all of those with enough images when no number is asked for', async () => {
    const all = await faceSet(folder, { seed: 1, minImages: 6, testShare: 0 });
    expect(all.names).toEqual(['person2', 'person3', 'person4', 'person0']);
    expect(all.test.labels).toHaveLength(0);
  });

  it('share no image between training and test, and no person is mixed with another', async () => {
    const { train, test, names } = await faceSet(folder, { seed: 1, people: 3, testShare: 0.3 });
    const length = 56 * 48 * 3;
    const image = (set: typeof train, i: number) => set.pixels.subarray(i * length, (i + 1) * length);
    const distance = (a: Uint8Array, b: Uint8Array) =>
      a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / length;
    // An image is a noisy copy of its person's pattern: the nearest training image is of the same person.
    test.labels.forEach((label, i) => {
      const distances = [...train.labels.keys()].map((j) => distance(image(test, i), image(train, j)));
      const nearest = Math.min(...distances);
      expect(nearest).toBeGreaterThan(0);
      expect(train.labels[distances.indexOf(nearest)]).toBe(label);
    });
    expect(names).toHaveLength(3);
  });

  it('are refused when the folder has too few people', async () => {
    await expect(faceSet(folder, { seed: 1, people: 6, testShare: 0.3 })).rejects.toThrow(
      /5 people with enough images; the figure needs 6/,
    );
  });
});

describe('a long tail', () => {
  it('falls from the most to the fewest by one factor', () => {
    const sizes = longTail(10, 800, 20);
    expect([sizes[0], sizes[9]]).toEqual([800, 20]);
    for (let i = 1; i < 10; i++) expect(sizes[i]! / sizes[i - 1]!).toBeCloseTo(40 ** (-1 / 9), 1);
    expect(longTail(1, 7, 2)).toEqual([7]);
  });

  it('gives every class the number of images asked for, and its own images', () => {
    const { train } = digitSet({ seed: 1, classes: [0, 1, 2], perClass: 50 });
    const few = withCounts(train, [40, 1, 7]);
    expect(classCounts(few)).toEqual([40, 1, 7]);
    const length = 28 * 28;
    const first = (label: number, set: typeof train) => {
      const at = set.labels.indexOf(label);
      return set.pixels.slice(at * length, (at + 1) * length);
    };
    for (const label of [0, 1, 2]) expect(first(label, few)).toEqual(first(label, train));
  });

  it('says which class has too few', () => {
    const { train } = digitSet({ seed: 1, classes: [0, 1], perClass: 10 });
    expect(() => withCounts(train, [8, 9])).toThrow('class 1 has 8 images; 9 are asked for');
  });
});
