// The least-squares similarity transform against closed forms, random perturbations, scikit-image, OpenCV, and the
// equations of Matlab's cp2tform.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  apply,
  compose,
  invert,
  residual,
  scaleOf,
  similarity,
  type Transform,
} from '../../../src/face/align/similarity.js';
import { templateNamed, templatePoints } from '../../../src/face/align/template.js';
import type { Point } from '../../../src/face/index.js';

const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/align/align.json', import.meta.url), 'utf8'),
) as {
  fits: {
    from: Point[];
    to: Point[];
    umeyama: number[];
    opencv: number[];
    cp2tform: number[];
    mirrored: boolean;
  }[];
};

const template = templatePoints(templateNamed('arcface'));

/** Turn by `angle`, scale, shift. */
const known = (angle: number, scale: number, x: number, y: number): Transform => {
  const [p, q] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  return [p, -q, x, q, p, y];
};
const expectSame = (actual: readonly number[], expected: readonly number[], tolerance = 1e-12) =>
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!), `entry ${i} of ${actual}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(expected[i]!)),
    );
  });

const coordinate = fc.double({ min: -500, max: 500, noNaN: true });
const points = fc
  .array(fc.tuple(coordinate, coordinate), { minLength: 5, maxLength: 5 })
  .filter((list) => list.some(([x, y]) => Math.hypot(x - list[0]![0], y - list[0]![1]) > 1));
const transforms = fc
  .tuple(
    fc.double({ min: -3, max: 3, noNaN: true }),
    fc.double({ min: 0.1, max: 10, noNaN: true }),
    coordinate,
    coordinate,
  )
  .map((numbers) => known(...numbers));

describe('a known transform is recovered', () => {
  test.each([
    ['a turn', known(0.7, 1, 0, 0)],
    ['a scale', known(0, 2.5, 0, 0)],
    ['a shift', known(0, 1, 17, -30)],
    ['all three', known(-2.1, 0.3, 100, 7)],
  ])('%s', (_, transform) => {
    const moved = template.map((point) => apply(transform, point));
    expectSame(similarity(template, moved), transform);
    expectSame(similarity(template, moved, { error: 'from' }), transform);
    expectSame(similarity(template, moved, { reflection: true }), transform);
  });

  test('a mirror image, only when reflection is allowed', () => {
    const mirror: Transform = [-2, 0, 50, 0, 2, 3];
    const moved = template.map((point) => apply(mirror, point));
    expectSame(similarity(template, moved, { reflection: true }), mirror);
    const [a, b, , d, e] = similarity(template, moved);
    expect(a * e - b * d).toBeGreaterThan(0);
  });

  test('two points suffice', () => {
    expectSame(
      similarity(
        [
          [0, 0],
          [1, 0],
        ],
        [
          [2, 3],
          [2, 5],
        ],
      ),
      known(Math.PI / 2, 2, 2, 3),
    );
  });
});

describe('properties', () => {
  test('no perturbed similarity transform leaves a smaller error', () => {
    const change = fc.double({ min: -0.05, max: 0.05, noNaN: true });
    fc.assert(
      fc.property(points, points, fc.tuple(change, change, change, change), (from, to, [p, q, x, y]) => {
        const best = similarity(from, to);
        const [a, b, c, d, e, f] = best;
        const other: Transform = [a + p, b - q, c + 10 * x, d + q, e + p, f + 10 * y];
        const least = residual(best, from, to);
        expect(residual(other, from, to)).toBeGreaterThanOrEqual(least - 1e-9 * (1 + least));
      }),
    );
  });

  test('points that are moved first give the transform that moves them back first', () => {
    fc.assert(
      fc.property(points, transforms, (from, moved) => {
        const direct = similarity(from, template);
        const other = similarity(
          from.map((point) => apply(moved, point)),
          template,
        );
        for (const point of from) expectSame(apply(compose(moved, other), point), apply(direct, point), 1e-6);
      }),
    );
  });

  test('the way back undoes the way there, and scales multiply', () => {
    fc.assert(
      fc.property(transforms, transforms, fc.tuple(coordinate, coordinate), (first, second, point) => {
        expectSame(apply(invert(first), apply(first, point)), point, 1e-9);
        expectSame(apply(compose(first, second), point), apply(second, apply(first, point)), 1e-9);
        expectSame([scaleOf(compose(first, second))], [scaleOf(first) * scaleOf(second)], 1e-9);
      }),
    );
  });

  test('with the error among the points started from, no scale can make that error smaller', () => {
    for (const { from, to } of fixture.fits.slice(0, 6)) {
      const back = invert(similarity(from, to, { error: 'from' }));
      expect(residual(back, to, from)).toBeLessThan(residual(invert(similarity(from, to)), to, from));
    }
  });
});

describe('as others compute it', () => {
  test.each(fixture.fits.map((fit, i) => [i, fit] as const))(
    'landmarks %i',
    (_, { from, to, umeyama, opencv, cp2tform, mirrored }) => {
      expectSame(similarity(from, to), umeyama, 1e-9);
      if (!mirrored) expectSame(similarity(from, to), opencv, 1e-5);
      expectSame(similarity(from, to, { error: 'from', reflection: true }), cp2tform, 1e-9);
      const [a, b, , d, e] = similarity(from, to, { error: 'from', reflection: true });
      expect(a * e - b * d < 0).toBe(mirrored);
    },
  );
});

describe('points that have no transform are refused', () => {
  const here: Point = [5.1, 7.3];
  test.each([
    ['all in one place', [here, here, here, here, here], /lie in one place/],
    ['not finite', [[Number.NaN, 1], here, here, here, here], /not finite/],
    ['too few', [here], /1 points cannot be laid on 5/],
  ] as const)('%s', (_, from, message) => {
    expect(() => similarity(from as readonly Point[], template)).toThrow(message);
  });

  test('a target in one place', () => {
    expect(() => similarity(template, [here, here, here, here, here])).toThrow(/lie in one place/);
  });
});
