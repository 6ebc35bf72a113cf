// One to one: the greatest total worth, as trying every assignment finds it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assign } from '../../src/face/assignment.js';

/** The greatest sum over all ways to give every row a column of its own, or none. */
function best(worth: readonly (readonly number[])[], row = 0, taken = new Set<number>()): number {
  const values = worth[row];
  if (!values) return 0;
  let most = best(worth, row + 1, taken);
  for (const [column, value] of values.entries()) {
    if (taken.has(column) || value === -Infinity) continue;
    most = Math.max(most, value + best(worth, row + 1, new Set([...taken, column])));
  }
  return most;
}

const sum = (worth: readonly (readonly number[])[], given: readonly (number | undefined)[]) =>
  given.reduce<number>((total, column, row) => total + (column === undefined ? 0 : worth[row]![column]!), 0);

const table = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
  .chain(([rows, columns]) =>
    fc.array(
      fc.array(fc.oneof(fc.constant(-Infinity), fc.double({ min: 0, max: 1, noNaN: true })), {
        minLength: columns,
        maxLength: columns,
      }),
      { minLength: rows, maxLength: rows },
    ),
  );

describe('an assignment', () => {
  test('is the best there is, gives no column twice, and no pair that does not go together', () => {
    fc.assert(
      fc.property(table, (worth) => {
        const given = assign(worth);
        const columns = given.filter((column) => column !== undefined);
        expect(new Set(columns).size).toBe(columns.length);
        expect(given).toHaveLength(worth.length);
        expect(sum(worth, given)).toBeCloseTo(best(worth), 9);
      }),
    );
  });

  test('prefers one pair that is sure to two that are hardly possible', () => {
    expect(
      assign([
        [0.05, 0.001],
        [0.002, -Infinity],
      ]),
    ).toEqual([0, undefined]);
  });

  test('makes a pair of no worth rather than none', () => {
    expect(assign([[0], [-Infinity]])).toEqual([0, undefined]);
  });

  test('of nothing is nothing', () => {
    expect(assign([])).toEqual([]);
    expect(assign([[], []])).toEqual([undefined, undefined]);
  });

  test('of 200 rows and 300 columns is found', () => {
    // Row i and column i are worth most together.
    const worth = Array.from({ length: 200 }, (_, i) =>
      Array.from({ length: 300 }, (_, j) => (i === j ? 1 : 0.9 / (1 + Math.abs(i - j)))),
    );
    expect(assign(worth)).toEqual(worth.map((_, i) => i));
  });
});
