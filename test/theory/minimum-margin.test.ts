// The bounds on m of SphereFace, as closed forms and on the circle itself, which knows no formula.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import {
  arrangeOnCircle,
  aSoftmaxTarget,
  circleDistances,
  evenDistances,
  MINIMUM_MARGIN_MANY_CLASSES,
  MINIMUM_MARGIN_TWO_CLASSES,
  minimumMarginAt,
  separates,
  twoClassDistances,
} from '../../src/theory/index.js';

const onCircle = (m: number, directions: number[]) =>
  arrangeOnCircle((theta) => aSoftmaxTarget(theta, m), directions);
const everyAngle = Array.from({ length: 180 }, (_, i) => ((i + 1) * Math.PI) / 180);
const spread = (k: number) => Array.from({ length: k }, (_, i) => (2 * Math.PI * i) / k);

describe('two classes', () => {
  test('both cases are the printed terms', () => {
    for (const m of [2, 3.7, 5]) {
      const border = ((m - 1) * Math.PI) / m;
      const near = 0.9 * border;
      expect(twoClassDistances(m, near).intra).toBeCloseTo(near / (m - 1) + near / (m + 1), 12);
      const far = (border + Math.PI) / 2;
      expect(twoClassDistances(m, far).intra).toBeCloseTo((2 * Math.PI - far) / (m + 1) + far / (m + 1), 12);
      for (const theta of [near, far]) {
        expect(twoClassDistances(m, theta).inter).toBeCloseTo(((m - 1) * theta) / (m + 1), 12);
      }
    }
  });

  test('they are what the circle shows', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1.2, max: 8, noNaN: true }),
        fc.double({ min: 0.05, max: Math.PI, noNaN: true }),
        (m, theta12) => {
          const [closed, followed] = [twoClassDistances(m, theta12), onCircle(m, [0, theta12])];
          expect(followed.intra).toBeCloseTo(closed.intra, 6);
          expect(followed.inter).toBeCloseTo(closed.inter, 6);
        },
      ),
    );
  });

  test('m = 3.7 fails and m = 3.8 holds, on the circle at every degree up to 131', () => {
    for (const theta12 of everyAngle.filter((angle) => angle < (Math.sqrt(3) - 1) * Math.PI)) {
      expect(separates(onCircle(3.7, [0, theta12]))).toBe(false);
      expect(separates(onCircle(3.8, [0, theta12]))).toBe(true);
    }
  });

  test('2 + sqrt 3 separates at every angle, and nothing less does', () => {
    expect(MINIMUM_MARGIN_TWO_CLASSES).toBeCloseTo(3.7320508, 7);
    for (const theta12 of everyAngle) {
      expect(separates(twoClassDistances(MINIMUM_MARGIN_TWO_CLASSES + 1e-9, theta12))).toBe(true);
    }
    expect(
      everyAngle.every((angle) => separates(twoClassDistances(MINIMUM_MARGIN_TWO_CLASSES - 1e-6, angle))),
    ).toBe(false);
  });

  test('the smallest m at one angle: at it the distances are equal, below it they fail, above they hold', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: Math.PI, noNaN: true }),
        fc.double({ min: 1e-3, max: 3, noNaN: true }),
        (theta12, more) => {
          const m = minimumMarginAt(theta12);
          const { intra, inter } = twoClassDistances(m, theta12);
          expect(intra).toBeCloseTo(inter, 9);
          expect(separates(onCircle(m + more, [0, theta12]))).toBe(true);
          const less = Math.max(1.01, m - more);
          expect(separates(onCircle(less, [0, theta12]))).toBe(false);
        },
      ),
    );
  });

  test('the second case is the milder one: 3 suffices for opposite classes', () => {
    expect(minimumMarginAt(Math.PI)).toBeCloseTo(3, 12);
    expect(minimumMarginAt((Math.sqrt(3) - 1) * Math.PI)).toBeCloseTo(2 + Math.sqrt(3), 12);
    expect(minimumMarginAt(1)).toBe(MINIMUM_MARGIN_TWO_CLASSES);
  });
});

describe('in more than two dimensions', () => {
  /**
   * How far class 1 reaches from W_1 in the direction that makes `azimuth` with the direction to W_2. Two samples at
   * azimuths a and b lie widest when theirs differ by a + b, which three dimensions have room for, so they stand
   * for all.
   */
  const reach = (m: number, theta12: number, azimuth: number): number => {
    const toOther = (r: number) =>
      Math.cos(r) * Math.cos(theta12) + Math.sin(r) * Math.sin(theta12) * Math.cos(azimuth);
    const holds = (r: number) => m * r <= Math.acos(Math.min(1, Math.max(-1, toOther(r))));
    let r = 0;
    while (r < Math.PI && holds(r + 1e-3)) r += 1e-3;
    return r;
  };

  test.each([2, 3, MINIMUM_MARGIN_TWO_CLASSES, 4])('m = %f: no class is wider than in the plane', (m) => {
    for (const theta12 of [0.3, 1, 2, 2.6, Math.PI]) {
      const azimuths = Array.from({ length: 31 }, (_, i) => (i * Math.PI) / 30);
      const reaches = azimuths.map((azimuth) => reach(m, theta12, azimuth));
      let widest = 0;
      azimuths.forEach((a, i) => {
        azimuths.forEach((b, j) => {
          const [p, q] = [reaches[i]!, reaches[j]!];
          const apart = Math.min(a + b, 2 * Math.PI - a - b);
          const cosine = Math.cos(p) * Math.cos(q) + Math.sin(p) * Math.sin(q) * Math.cos(apart);
          widest = Math.max(widest, Math.acos(Math.min(1, Math.max(-1, cosine))));
        });
      });
      expect(widest).toBeLessThanOrEqual(twoClassDistances(m, theta12).intra + 1e-9);
      expect(widest).toBeGreaterThan(twoClassDistances(m, theta12).intra - 5e-3);
    }
  });

  test('no two samples of two classes lie nearer than (m-1)/(m+1) theta_12', () => {
    const draw = random(5, 'inter');
    const angleTo = (a: number[], b: number[]) =>
      Math.acos(
        Math.min(
          1,
          Math.max(-1, a.reduce((sum, v, i) => sum + v * b[i]!, 0) / Math.hypot(...a) / Math.hypot(...b)),
        ),
      );
    const [m, theta12] = [2, 1.2];
    const [one, two] = [
      [1, 0, 0, 0],
      [Math.cos(theta12), Math.sin(theta12), 0, 0],
    ];
    const classes: number[][][] = [[], []];
    while (classes[0]!.length < 300 || classes[1]!.length < 300) {
      const x = [draw.normal() + 1, draw.normal() + 1, 0.5 * draw.normal(), 0.5 * draw.normal()];
      const [first, second] = [angleTo(x, one!), angleTo(x, two!)];
      if (m * first <= second) classes[0]!.push(x);
      if (m * second <= first) classes[1]!.push(x);
    }
    let nearest = Math.PI;
    for (const x of classes[0]!) for (const y of classes[1]!) nearest = Math.min(nearest, angleTo(x, y));
    expect(nearest).toBeGreaterThan(twoClassDistances(m, theta12).inter);
    expect(nearest).toBeLessThan(twoClassDistances(m, theta12).inter + 0.1);
  });
});

describe('many classes', () => {
  test.each([3, 4, 7, 12])('%i evenly spread: 2.99 fails, 3.01 holds, at 3 both distances are pi/K', (k) => {
    expect(separates(onCircle(2.99, spread(k)))).toBe(false);
    expect(separates(onCircle(3.01, spread(k)))).toBe(true);
    const { intra, inter } = evenDistances(MINIMUM_MARGIN_MANY_CLASSES, k);
    expect(intra).toBeCloseTo(Math.PI / k, 12);
    expect(inter).toBeCloseTo(Math.PI / k, 12);
    expect(onCircle(3, spread(k)).intra).toBeCloseTo(intra, 9);
  });

  const gaps = fc
    .array(fc.double({ min: 0.05, max: 1, noNaN: true }), { minLength: 2, maxLength: 6 })
    .map((parts) => {
      const sum = parts.reduce((a, b) => a + b, 0);
      return parts.map((part) => (part / sum) * 2 * Math.PI);
    });
  const directionsOf = (list: number[]) =>
    list.map((_, i) => list.slice(0, i).reduce((sum, gap) => sum + gap, 0));

  test('unevenly spread: the closed form is what the circle shows', () => {
    fc.assert(
      fc.property(gaps, fc.double({ min: 1.5, max: 6, noNaN: true }), (list, m) => {
        const [closed, followed] = [circleDistances(m, list), onCircle(m, directionsOf(list))];
        expect(followed.intra).toBeCloseTo(closed.intra, 6);
        expect(followed.inter).toBeCloseTo(closed.inter, 6);
      }),
    );
  });

  test('below 3 no arrangement on the circle is separated', () => {
    fc.assert(
      fc.property(gaps, fc.double({ min: 1.1, max: 2.99, noNaN: true }), (list, m) => {
        expect(separates(circleDistances(m, list))).toBe(false);
      }),
    );
  });

  test('3 is not enough for classes that are not evenly spread', () => {
    const rest = 2 * Math.PI - 0.1;
    expect(separates(circleDistances(3, [0.1, rest / 2, rest / 2]))).toBe(false);
    expect(separates(circleDistances(20, [0.1, rest / 2, rest / 2]))).toBe(false);
  });
});

test('values out of range are errors that state the range', () => {
  expect(() => twoClassDistances(1, 1)).toThrow(/m is 1; it must be a number above 1/);
  expect(() => twoClassDistances(4, 4)).toThrow(/theta_12 is 4/);
  expect(() => evenDistances(4, 1)).toThrow(/classes is 1; it must be a whole number from 2 on/);
  expect(() => circleDistances(4, [1, 1])).toThrow(/sum to 2 pi/);
  expect(() => minimumMarginAt(0)).toThrow(/theta_12 is 0/);
});
