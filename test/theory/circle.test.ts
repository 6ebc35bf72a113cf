// Boundaries found by following the circle, against closed forms: whatever the margin function is.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { psi } from '../../src/losses/psi.js';
import {
  angularMarginOnCircle,
  arrangeOnCircle,
  aSoftmaxAngularMargin,
  boundariesOnCircle,
} from '../../src/theory/index.js';

const angles = fc.double({ min: 0.05, max: Math.PI, noNaN: true });

describe('two classes on the circle', () => {
  test('without a margin the boundaries are the bisector and its opposite', () => {
    fc.assert(
      fc.property(angles, (theta12) => {
        const { inner, outer } = boundariesOnCircle(Math.cos, theta12);
        expect(inner).toBeCloseTo(theta12 / 2, 9);
        expect(outer).toBeCloseTo(Math.PI - theta12 / 2, 9);
      }),
    );
  });

  test.each([2, 3, 4])(
    'psi with m = %i: theta_12/(m+1) inside, theta_12/(m-1) or (2 pi - theta_12)/(m+1) outside',
    (m) => {
      fc.assert(
        fc.property(angles, (theta12) => {
          const target = (theta: number) => psi(Math.cos(theta), m);
          const { inner, outer } = boundariesOnCircle(target, theta12);
          const near = theta12 <= ((m - 1) * Math.PI) / m;
          expect(inner).toBeCloseTo(theta12 / (m + 1), 7);
          expect(outer).toBeCloseTo(near ? theta12 / (m - 1) : (2 * Math.PI - theta12) / (m + 1), 7);
          expect(angularMarginOnCircle(target, theta12)).toBeCloseTo(aSoftmaxAngularMargin(m, theta12), 7);
        }),
      );
    },
  );

  test('CosFace: theta_12/2 and pi - theta_12/2, both less arcsin(m / (2 sin(theta_12/2)))', () => {
    fc.assert(
      fc.property(angles, fc.double({ min: 0, max: 0.99, noNaN: true }), (theta12, share) => {
        // The largest margin that theta_12 leaves room for is 1 - cos(theta_12).
        const m = share * (1 - Math.cos(theta12));
        const { inner, outer } = boundariesOnCircle((theta) => Math.cos(theta) - m, theta12);
        const lost = Math.asin(m / (2 * Math.sin(theta12 / 2)));
        expect(inner).toBeCloseTo(theta12 / 2 - lost, 6);
        expect(outer).toBeCloseTo(Math.PI - theta12 / 2 - lost, 6);
      }),
    );
  });

  test('ArcFace: (theta_12 - m)/2, so that its margin is m at every angle', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.51, max: Math.PI, noNaN: true }), (theta12) => {
        const target = (theta: number) =>
          theta <= Math.PI - 0.5 ? Math.cos(theta + 0.5) : Math.cos(theta) - 0.5 * Math.sin(0.5);
        expect(angularMarginOnCircle(target, theta12)).toBeCloseTo(0.5, 9);
      }),
    );
  });

  test('a margin that leaves a class no room has no boundary', () => {
    expect(boundariesOnCircle((theta) => Math.cos(theta) - 0.5, 0.9)).toEqual({
      inner: Number.NaN,
      outer: Number.NaN,
    });
    expect(boundariesOnCircle((theta) => Math.cos(theta) - 0.5, 1.1).inner).toBeGreaterThan(0);
  });

  test('an angle that is none is an error', () => {
    expect(() => boundariesOnCircle(Math.cos, 0)).toThrow(/theta_12 is 0; it must be an angle/);
    expect(() => boundariesOnCircle(Math.cos, 3.2)).toThrow(/up to pi/);
  });
});

describe('many classes on the circle', () => {
  test('without a margin K even classes fill the circle: arcs of 2 pi/K, nothing between', () => {
    for (const k of [2, 3, 5, 8]) {
      const found = arrangeOnCircle(
        Math.cos,
        Array.from({ length: k }, (_, i) => 1 + (2 * Math.PI * i) / k),
      );
      expect(found.intra).toBeCloseTo((2 * Math.PI) / k, 9);
      expect(found.inter).toBeCloseTo(0, 9);
    }
  });

  test('the order of the classes does not matter, nor where the circle begins', () => {
    const target = (theta: number) => psi(Math.cos(theta), 3);
    const one = arrangeOnCircle(target, [0, 1, 2.5, 4]);
    const two = arrangeOnCircle(target, [14, 10, 11, 12.5]);
    expect(two.intra).toBeCloseTo(one.intra, 9);
    expect(two.inter).toBeCloseTo(one.inter, 9);
    expect(two.arcs[1]!.after).toBeCloseTo(one.arcs[0]!.after, 9);
  });

  test('one class, or two in one place, is an error', () => {
    expect(() => arrangeOnCircle(Math.cos, [1])).toThrow(/at least two directions/);
    expect(() => arrangeOnCircle(Math.cos, [1, 1])).toThrow(/two directions are the same/);
  });
});
