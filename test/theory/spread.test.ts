// How far apart directions can lie, and so how large CosFace's margin can be: against arrangements that are
// known to be best, arrangements that are built here, and caps counted by sampling.
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { capShare, cosFaceMarginBounds, largestCosine } from '../../src/theory/index.js';

const degrees = (angle: number) => Math.cos((angle * Math.PI) / 180);

/** The largest cosine between two of the rows. */
function largest(rows: number[][]): number {
  let top = -1;
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [rows[i]!, rows[j]!];
      let sum = 0;
      for (let t = 0; t < a.length; t++) sum += a[t]! * b[t]!;
      top = Math.max(top, sum);
    }
  }
  return top;
}

describe('the largest margin of CosFace', () => {
  test('in the plane it is 1 - cos(2 pi / K), met by even directions', () => {
    for (const k of [2, 3, 4, 7, 8]) {
      const even = Array.from({ length: k }, (_, i) => (2 * Math.PI * i) / k).map((a) => [
        Math.cos(a),
        Math.sin(a),
      ]);
      const { atLeast, atMost } = cosFaceMarginBounds(k, 2);
      expect(atLeast).toBe(atMost);
      expect(atMost).toBeCloseTo(1 - Math.cos((2 * Math.PI) / k), 12);
      expect(1 - largest(even)).toBeCloseTo(atMost, 12);
    }
    // Eight people in two dimensions, the toy of the paper: about 0.29.
    expect(cosFaceMarginBounds(8, 2).atMost).toBeCloseTo(0.29, 2);
  });

  test('it is K/(K-1) while a simplex fits, and exactly 1 from there to 2D', () => {
    expect(cosFaceMarginBounds(10, 9)).toEqual({ atLeast: 1 + 1 / 9, atMost: 1 + 1 / 9 });
    for (const k of [11, 14, 18]) expect(cosFaceMarginBounds(k, 9)).toEqual({ atLeast: 1, atMost: 1 });
    expect(cosFaceMarginBounds(19, 9).atMost).toBeLessThan(1);
    expect(cosFaceMarginBounds(3, 1)).toEqual({ atLeast: 0, atMost: 0 });
  });

  // Best arrangements that are known: smallest angle of the square antiprism, the icosahedron, the 24-cell, the
  // shortest vectors of E8 and of the Leech lattice.
  test.each([
    [8, 3, degrees(74.8585)],
    [12, 3, 1 / Math.sqrt(5)],
    [24, 4, 0.5],
    [240, 8, 0.5],
    [196_560, 24, 0.5],
  ])('%i directions in %i dimensions: the known best lies between the bounds', (k, d, cosine) => {
    const { atLeast, atMost } = largestCosine(k, d);
    expect(atLeast).toBeLessThanOrEqual(cosine);
    expect(atMost).toBeGreaterThanOrEqual(cosine);
  });

  test('no directions, random or repelled, go below the lower bound', () => {
    const draw = random(7, 'spread');
    for (const [k, d] of [
      [9, 3],
      [12, 4],
      [30, 5],
      [40, 12],
    ] as const) {
      let rows = Array.from({ length: k }, () => Array.from({ length: d }, () => draw.normal()));
      for (let step = 0; step < 200; step++) {
        rows = rows.map((row) => row.map((v) => v / Math.hypot(...row)));
        expect(largest(rows)).toBeGreaterThanOrEqual(largestCosine(k, d).atLeast);
        // Each is pushed from the others, the nearer the harder.
        rows = rows.map((row, i) =>
          row.map((v, t) =>
            rows.reduce((sum, other, j) => {
              if (i === j) return sum;
              const near = Math.exp(12 * (row.reduce((s, u, n) => s + u * other[n]!, 0) - 1));
              return sum - 0.3 * near * other[t]!;
            }, v),
          ),
        );
      }
    }
  });

  test('the chirps of p = 13: 169 directions in 26 dimensions, no cosine above 1/sqrt(13)', () => {
    const p = 13;
    const rows = Array.from({ length: p * p }, (_, index) => {
      const [a, b] = [Math.floor(index / p), index % p];
      return Array.from({ length: p }, (_, t) => (2 * Math.PI * ((a * t * t + b * t) % p)) / p).flatMap(
        (phase) => [Math.cos(phase) / Math.sqrt(p), Math.sin(phase) / Math.sqrt(p)],
      );
    });
    expect(largest(rows)).toBeLessThanOrEqual(1 / Math.sqrt(p) + 1e-12);
    expect(largestCosine(p * p, 2 * p).atMost).toBeCloseTo(1 / Math.sqrt(p), 12);
    expect(largestCosine(p * p, 2 * p).atLeast).toBeLessThan(1 / Math.sqrt(p));
  });

  test('10,575 people in 512 dimensions leave a margin of .93 at least: not much smaller than K/(K-1)', () => {
    const { atLeast, atMost } = cosFaceMarginBounds(10_575, 512);
    expect(atLeast).toBeCloseTo(0.9369, 4);
    // 1 - (K - 2D) / (D (K - 2)).
    expect(atMost).toBeCloseTo(1 - 9551 / (512 * 10_573), 12);
  });

  test('more classes never leave a larger margin', () => {
    for (const d of [2, 3, 8, 64]) {
      let previous = 2;
      for (let k = 2; k < 400; k += 7) {
        const { atLeast, atMost } = cosFaceMarginBounds(k, d);
        expect(atLeast).toBeLessThanOrEqual(atMost);
        expect(atMost).toBeLessThanOrEqual(previous + 1e-12);
        previous = atMost;
      }
    }
  });
});

describe('share of a cap', () => {
  test('closed forms: angle/pi on the circle, (1 - cos)/2 on the sphere, half of any at 90 degrees', () => {
    expect(capShare(1, 2)).toBeCloseTo(1 / Math.PI, 12);
    expect(capShare(1, 3)).toBeCloseTo((1 - Math.cos(1)) / 2, 12);
    expect(capShare(1, 4)).toBeCloseTo((1 - Math.sin(2) / 2) / Math.PI, 12);
    for (const d of [2, 3, 10, 511, 512]) {
      expect(capShare(Math.PI / 2, d)).toBeCloseTo(0.5, 12);
      expect(capShare(Math.PI, d)).toBeCloseTo(1, 12);
      expect(capShare(0, d)).toBe(0);
    }
  });

  test('in 6 dimensions, against counting random directions', () => {
    const draw = random(3, 'caps');
    const count = 40_000;
    let inside = 0;
    for (let i = 0; i < count; i++) {
      const v = Array.from({ length: 6 }, () => draw.normal());
      if (v[0]! > Math.cos(1.1) * Math.hypot(...v)) inside++;
    }
    const share = capShare(1.1, 6);
    expect(Math.abs(inside / count - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / count));
  });
});

test('values out of range are errors', () => {
  expect(() => cosFaceMarginBounds(1, 5)).toThrow(/classes is 1; it must be a whole number from 2 on/);
  expect(() => cosFaceMarginBounds(5, 0)).toThrow(/dimensions is 0; it must be a whole number from 1 on/);
  expect(() => capShare(1, 1)).toThrow(/dimensions is 1/);
});
