// Mean templates of people, worked out by hand and by plain loops.
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { peopleOf, personTemplates } from '../../src/evaluate/overlap/person-templates.js';

const vectors = (rows: number[][]) => ({
  length: rows[0]!.length,
  original: Float64Array.from(rows.flat()),
});
const given =
  (all: number[][], asked: number[] = []) =>
  async (rows: readonly number[]) => {
    asked.push(rows.length);
    return vectors(rows.map((row) => all[row]!));
  };
const nameOf = (row: number) => `image ${row}`;

describe('people of a list', () => {
  const images = ['ann/1', 'bo/1', 'ann/2', 'x'].map((path) => ({
    path,
    person: path.includes('/') ? path.split('/')[0]! : null,
  }));

  test('are in its order, each with all rows; an image in no folder is nobody, or one of its own', () => {
    const people = [
      { name: 'ann', rows: [0, 2] },
      { name: 'bo', rows: [1] },
    ];
    expect(peopleOf(images)).toEqual(people);
    expect(peopleOf(images, { loose: true })).toEqual([...people, { name: 'x', rows: [3] }]);
  });
});

describe('a person', () => {
  test('is the mean of unit templates, whatever their lengths', async () => {
    const all = [
      [3, 0],
      [0, 0.5],
      [0, -7],
    ];
    const people = [
      { name: 'ann', rows: [0, 1] },
      { name: 'bo', rows: [2] },
    ];
    const made = await personTemplates(people, given(all), nameOf);
    expect(made).toMatchObject({ length: 2, people: ['ann', 'bo'], images: [2, 1] });
    expect([...made.means]).toEqual([Math.fround(Math.SQRT1_2), Math.fround(Math.SQRT1_2), 0, -1]);
    expect(made.reduced).toBeUndefined();
  });

  test('may lie across the portions in which images are read', async () => {
    const draw = random(3, 'portions');
    const all = Array.from({ length: 9000 }, () => [draw.normal(), draw.normal(), draw.normal()]);
    const people = Array.from({ length: 6 }, (_, p) => ({
      name: `${p}`,
      rows: Array.from({ length: 1500 }, (_, i) => 6 * i + p),
    }));
    const asked: number[] = [];
    const { means, images } = await personTemplates(people, given(all, asked), nameOf);
    expect(asked).toEqual([4096, 4096, 808]);
    expect(images).toEqual(new Array(6).fill(1500));
    people.forEach(({ rows }, p) => {
      const sum = [0, 0, 0];
      for (const row of rows) for (let d = 0; d < 3; d++) sum[d]! += all[row]![d]! / Math.hypot(...all[row]!);
      for (let d = 0; d < 3; d++) expect(means[3 * p + d]).toBeCloseTo(sum[d]! / Math.hypot(...sum), 6);
    });
  });

  test('has a second template from as many images as others have, all of them where there are fewer', async () => {
    const all = Array.from({ length: 8 }, (_, i) => [Math.cos(i / 8), Math.sin(i / 8)]);
    const people = [
      { name: 'ann', rows: [0, 1, 2, 3, 4, 5] },
      { name: 'bo', rows: [6, 7] },
    ];
    const one = await personTemplates(people, given(all), nameOf, { fewer: { counts: [1], seed: 4 } });
    // One image of each, as it is.
    const [a, b] = [0, 1].map((p) => [...one.reduced!.subarray(2 * p, 2 * p + 2)]);
    const among = (rows: number[]) => rows.map((row) => all[row]!.map(Math.fround));
    expect(among([0, 1, 2, 3, 4, 5])).toContainEqual(a);
    expect(among([6, 7])).toContainEqual(b);
    const many = await personTemplates(people, given(all), nameOf, { fewer: { counts: [50], seed: 4 } });
    many.reduced!.forEach((value, i) => {
      expect(value).toBeCloseTo(many.means[i]!, 6);
    });
  });

  test('is made of the images that can be read, and left out when none can', async () => {
    const all = [
      [0, 0],
      [0, 2],
      [0, 0],
    ];
    const people = [
      { name: 'ann', rows: [0, 1] },
      { name: 'bo', rows: [2] },
    ];
    const made = await personTemplates(people, given(all), nameOf);
    expect(made).toMatchObject({ people: ['ann'], images: [1] });
    expect([...made.means]).toEqual([0, 1]);
  });

  test('with numbers that are not finite is an error that names the image', async () => {
    const people = [{ name: 'ann', rows: [0, 1] }];
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
      await expect(
        personTemplates(
          people,
          given([
            [1, 0],
            [bad, 1],
          ]),
          nameOf,
        ),
      ).rejects.toThrow(/^image 1: .*not finite/);
  });
});
