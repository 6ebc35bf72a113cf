// psi as numbers and as a graph, against equation 7 with arccos.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gradients, input, sum } from '../../src/graph/index.js';
import { psi, psiOf, psiSlope, psiSlopeOf } from '../../src/losses/index.js';
import { interpret } from '../support/interpreter.js';
import { psi as psiOfAngle } from './plain/margins.js';

describe.each([1, 2, 3, 4])('psi with m = %i', (m) => {
  const grid = Float64Array.from({ length: 401 }, (_, i) => Math.cos((i * Math.PI) / 400));

  test('is equation 7 without arccos', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: Math.PI, noNaN: true }), (theta) => {
        expect(psi(Math.cos(theta), m)).toBeCloseTo(psiOfAngle(theta, m), 9);
      }),
    );
  });

  test('falls from 1 at 0 to 1 - 2m at pi, without a step', () => {
    expect(psi(1, m)).toBe(1);
    expect(psi(-1, m)).toBeCloseTo(1 - 2 * m, 12);
    for (let i = 1; i < grid.length; i++) {
      expect(psi(grid[i]!, m)).toBeLessThanOrEqual(psi(grid[i - 1]!, m) + 1e-12);
      expect(psi(grid[i - 1]!, m) - psi(grid[i]!, m)).toBeLessThan((2 * m * Math.PI) / 400);
    }
  });

  test('lies below the cosine, so that it makes the task harder', () => {
    for (const c of grid) expect(psi(c, m)).toBeLessThanOrEqual(c + 1e-12);
  });

  test('has slope m^2 at both ends, 0 between its pieces, and never less than 0', () => {
    expect(psiSlope(1, m)).toBeCloseTo(m * m, 9);
    expect(psiSlope(-1, m)).toBeCloseTo(m * m, 9);
    for (let k = 1; k < m; k++) expect(psiSlope(Math.cos((k * Math.PI) / m), m)).toBeCloseTo(0, 9);
    for (const c of grid) expect(psiSlope(c, m)).toBeGreaterThanOrEqual(-1e-12);
  });

  test('is the same as a graph, and so are its slope and the gradient of the graph', () => {
    const c = input('c', [grid.length]);
    const [derived] = gradients(sum(psiOf(c, m)), [c]);
    const [values, slopes, gradient] = interpret([psiOf(c, m), psiSlopeOf(c, m), derived!], { c: grid });
    grid.forEach((cosine, i) => {
      // The graph holds its thresholds in single precision, which moves values near them by less than this.
      expect(values![i]).toBeCloseTo(psi(cosine, m), 6);
      expect(m === 1 ? slopes![0] : slopes![i]).toBeCloseTo(psiSlope(cosine, m), 5);
      expect(gradient![i]).toBeCloseTo(psiSlope(cosine, m), 5);
    });
  });
});
