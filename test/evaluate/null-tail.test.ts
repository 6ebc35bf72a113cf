// The tail of strangers' likeness: exact where 1 - cosine is a power, on the careful side for directions spread evenly.
import { describe, expect, test } from 'vitest';
import { nullTail, tailLevel, tailRate } from '../../src/evaluate/overlap/null-tail.js';

/** The N cosines whose share at or above c is exactly ((1 - c) / .8) ** power. */
const powerLaw = (count: number, power: number) =>
  Float64Array.from({ length: count }, (_, i) => 1 - 0.8 * ((i + 0.5) / count) ** (1 / power));

describe('a tail', () => {
  const falling = powerLaw(100_000, 12);
  const tail = nullTail(falling, { pairs: 100_000, first: 1000, last: 100 });

  test('finds the power with which strangers become rare, and continues it', () => {
    expect(tail.exponent).toBeCloseTo(12, 1);
    for (const rate of [1e-3, 1e-5, 1e-8]) {
      const cosine = 1 - 0.8 * rate ** (1 / 12);
      expect(tailRate(tail, cosine) / rate).toBeGreaterThan(0.93);
      expect(tailRate(tail, cosine) / rate).toBeLessThan(1.07);
    }
  });

  test('has as many pairs above its beginning as there are', () => {
    expect(tail.share).toBe(0.01);
    expect(tailRate(tail, tail.from)).toBe(0.01);
    expect(falling.filter((cosine) => cosine >= tail.from).length).toBe(1000);
  });

  test('is one over its level: a level reaches as many as were allowed', () => {
    for (const allowed of [0.1, 1, 30])
      expect(1e6 * tailRate(tail, tailLevel(tail, 1e6, allowed))).toBeCloseTo(allowed, 8);
    // More than the tail begins with: no lower than its beginning.
    expect(tailLevel(tail, 1e6, 5e4)).toBe(tail.from);
  });

  test('does not see how alike the most alike are, as they may be one person', () => {
    const mixed = Float64Array.from(falling, (cosine, i) => (i < 100 ? 0.999 : cosine));
    expect(nullTail(mixed, { pairs: 100_000, first: 1000, last: 100 })).toEqual(tail);
  });

  test('is a little flatter, never steeper, when half of those are one person', () => {
    const more = Float64Array.of(...new Array(50).fill(0.99), ...falling);
    const flatter = nullTail(more, { pairs: 100_050, first: 1000, last: 100 });
    expect(flatter.exponent / tail.exponent).toBeGreaterThan(0.85);
    expect(flatter.exponent / tail.exponent).toBeLessThan(1);
  });

  test('of pairs that are all equally alike ends there', () => {
    const flat = nullTail(new Float64Array(1000).fill(0.25), { pairs: 1000, first: 100, last: 10 });
    expect(tailRate(flat, 0.25)).toBe(0.1);
    expect(tailRate(flat, 0.26)).toBe(0);
    expect(tailLevel(flat, 1000, 1)).toBe(0.25);
  });
});
