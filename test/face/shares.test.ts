// Who of several ranks does what of a list.
import { expect, test } from 'vitest';
import { shares } from '../../src/face/embed/shares.js';

test('shares follow each other, are whole units, and differ by one at most', () => {
  expect(shares(8, 2, 3)).toEqual([0, 4, 6, 8]);
  expect(shares(7, 2, 2)).toEqual([0, 4, 7]);
  for (const [count, unit, ranks] of [
    [0, 4, 3],
    [1, 4, 3],
    [1000, 32, 7],
    [1024, 32, 5],
    [33, 32, 2],
  ] as const) {
    const starts = shares(count, unit, ranks);
    expect(starts).toHaveLength(ranks + 1);
    expect([starts[0], starts.at(-1)]).toEqual([0, count]);
    const units = starts.slice(1).map((end, rank) => Math.ceil((end - starts[rank]!) / unit));
    expect(Math.max(...units) - Math.min(...units)).toBeLessThanOrEqual(1);
    for (const start of starts.slice(1, -1)) expect(start === count || start % unit === 0).toBe(true);
  }
});
