import { expect, test } from 'vitest';
import { initialParameters, initialRows, xavier } from '../../src/nn/index.js';
import { placeIn, placesOf, sampleClasses, sampleSize } from '../../src/train/class-sampling.js';

const range = { from: 5, to: 15 };
/** Classes 6 and 8 of the range, one of them twice, and one of another rank. */
const labels = Int32Array.of(6, 8, 100, 8);

test.each([2, 3, 6, 7, 9, 10])(
  'a sample of %d classes of 10 has them rising, with those of the batch',
  (count) => {
    for (let step = 0; step < 50; step++) {
      const sample = sampleClasses(range, labels, count, { seed: 1, step });
      expect(sample).toHaveLength(count);
      expect([...sample]).toEqual([...new Set(sample)].sort((a, b) => a - b));
      expect(sample[0]).toBeGreaterThanOrEqual(range.from);
      expect(sample.at(-1)).toBeLessThan(range.to);
      expect([...sample]).toEqual(expect.arrayContaining([6, 8]));
      expect(sampleClasses(range, labels, count, { seed: 1, step })).toEqual(sample);
    }
  },
);

test.each([3, 7])('every other class is as likely in a sample of %d, and pairs are too', (count) => {
  const steps = 6000;
  const seen = new Float64Array(10);
  let together = 0;
  for (let step = 0; step < steps; step++) {
    const sample = sampleClasses(range, labels, count, { seed: 3, step });
    for (const label of sample) seen[label - range.from]!++;
    if (sample.includes(5) && sample.includes(14)) together++;
  }
  // Without replacement: (count - 2) of 8.
  const share = (count - 2) / 8;
  const both = (share * (count - 3)) / 7;
  const sigma = (p: number) => Math.sqrt((p * (1 - p)) / steps);
  [...seen].forEach((times, i) => {
    if (i === 1 || i === 3) expect(times).toBe(steps);
    else expect(Math.abs(times / steps - share)).toBeLessThan(4 * sigma(share));
  });
  expect(Math.abs(together / steps - both)).toBeLessThanOrEqual(4 * sigma(both));
});

test('a sample is never smaller than a batch may need, nor larger than what there is', () => {
  expect(sampleSize(0.1, 1000, 64)).toBe(100);
  expect(sampleSize(0.01, 1000, 64)).toBe(64);
  expect(sampleSize(0.5, 40, 64)).toBe(40);
});

test('labels find their places in a sample', () => {
  const sample = Int32Array.of(2, 5, 9, 11);
  expect([...sample].map((label) => placeIn(sample, label))).toEqual([0, 1, 2, 3]);
  expect([0, 3, 12].map((label) => placeIn(sample, label))).toEqual([-1, -1, -1]);
  const { places, here } = placesOf(Int32Array.of(9, 3, 2), (label) => placeIn(sample, label));
  expect([...places]).toEqual([2, 0, 0]);
  expect([...here]).toEqual([1, 0, 1]);
});

test('rows of class vectors start alike whatever the rank that draws them', () => {
  const parameter = { name: 'fc6.weight', shape: [10_000, 3], initializer: xavier, perClass: true };
  const all = initialParameters([parameter], 7).get('fc6.weight')!;
  const [from, to] = [4000, 9000];
  expect(initialRows(parameter, 7, { from, to })).toEqual(all.slice(3 * from, 3 * to));
  // The blocks they are drawn in are no copies of each other.
  expect(all.slice(0, 3 * 4096)).not.toEqual(all.slice(3 * 4096, 3 * 8192));
  expect(new Set(all).size).toBeGreaterThan(29_000);
});
