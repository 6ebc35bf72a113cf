// Table 1 of SphereFace in the plane, and the angular boundaries against the relation they solve.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { psi } from '../../src/losses/psi.js';
import {
  angularBoundaries,
  aSoftmaxAngularMargin,
  aSoftmaxDemands,
  aSoftmaxTarget,
  modifiedSoftmaxDemands,
  softmaxDemands,
} from '../../src/theory/index.js';

const at = (angle: number, length = 1): number[] => [length * Math.cos(angle), length * Math.sin(angle)];
const plane = fc.tuple(
  fc.double({ min: 0.01, max: 5, noNaN: true }),
  fc.double({ min: -3, max: 3, noNaN: true }),
);

describe('Table 1', () => {
  test('softmax: the line (W_1 - W_2) . x + b_1 - b_2 = 0, and one boundary for both', () => {
    const classes = {
      weights: [
        [3, 1],
        [1, 2],
      ],
      biases: [0.5, -1],
    } as const;
    expect(softmaxDemands([2, 4], classes)).toEqual({ first: 2 * 2 - 4 + 1.5, second: -(2 * 2 - 4 + 1.5) });
    // On the line 2 x - y + 1.5 = 0.
    expect(softmaxDemands([1, 3.5], classes).first).toBeCloseTo(0, 12);
    expect(softmaxDemands([1, 3.5], { weights: classes.weights }).first).toBeCloseTo(-1.5, 12);
  });

  test('modified softmax: the bisector, whatever the lengths of the class vectors', () => {
    const classes = { weights: [at(0.2, 7), at(1.4, 0.3)] } as const;
    const { first, second } = modifiedSoftmaxDemands(at(0.8, 2), classes);
    expect([first, second].every((value) => Math.abs(value) < 1e-12)).toBe(true);
    expect(modifiedSoftmaxDemands(at(0.7, 2), classes).first).toBeCloseTo(
      2 * (Math.cos(0.5) - Math.cos(0.7)),
      12,
    );
  });

  test.each([2, 3, 4])(
    'A-Softmax, m = %i: class 1 ends at theta_12/(m+1), class 2 begins as far from W_2',
    (m) => {
      const theta12 = 1.1;
      const classes = { weights: [at(0), at(theta12)] } as const;
      const first = (angle: number) => aSoftmaxDemands(at(angle, 3), classes, m).first;
      const second = (angle: number) => aSoftmaxDemands(at(angle, 3), classes, m).second;
      const edge = theta12 / (m + 1);
      expect(first(edge)).toBeCloseTo(0, 9);
      expect(first(edge - 0.01)).toBeGreaterThan(0);
      expect(first(edge + 0.01)).toBeLessThan(0);
      expect(second(theta12 - edge)).toBeCloseTo(0, 9);
      expect(second(theta12 - edge + 0.01)).toBeGreaterThan(0);
      // What lies between belongs to neither: the margin.
      expect(first(theta12 / 2)).toBeLessThan(0);
      expect(second(theta12 / 2)).toBeLessThan(0);
      expect(theta12 - 2 * edge).toBeCloseTo(aSoftmaxAngularMargin(m, theta12), 12);
    },
  );

  test('within theta <= pi/m the demand is the printed |x| (cos(m theta_1) - cos theta_2)', () => {
    const x = at(0.6, 2);
    const { first } = aSoftmaxDemands(x, { weights: [at(0, 5), at(2)] }, 3);
    expect(first).toBeCloseTo(2 * (Math.cos(1.8) - Math.cos(1.4)), 12);
  });

  test('with m = 1 A-Softmax is modified softmax', () => {
    fc.assert(
      fc.property(plane, plane, plane, ([a, b], [c, d], [e, f]) => {
        const classes = { weights: [at(b, a), at(d, c)] } as const;
        const [one, two] = [aSoftmaxDemands(at(f, e), classes, 1), modifiedSoftmaxDemands(at(f, e), classes)];
        expect(one.first).toBe(two.first);
        expect(one.first).toBeCloseTo(-one.second, 9);
      }),
    );
  });

  test('the target is the psi of the loss for whole m, and falls without a step for every m', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.double({ min: 0, max: Math.PI, noNaN: true }),
        (m, theta) => {
          expect(aSoftmaxTarget(theta, m)).toBeCloseTo(psi(Math.cos(theta), m), 8);
        },
      ),
    );
    for (const m of [1.3, 2.5, 3.7]) {
      for (let i = 0; i < 500; i++) {
        const fall = aSoftmaxTarget((i * Math.PI) / 500, m) - aSoftmaxTarget(((i + 1) * Math.PI) / 500, m);
        expect(fall).toBeGreaterThanOrEqual(-1e-12);
        expect(fall).toBeLessThan((2 * m * Math.PI) / 500);
      }
    }
  });

  test('what has no boundary is an error that says why', () => {
    const weights = [
      [1, 0],
      [0, 1],
    ] as const;
    expect(() => aSoftmaxDemands([0, 0], { weights }, 2)).toThrow(/no direction/);
    expect(() => softmaxDemands([1, 2, 3], { weights })).toThrow(
      /x has 3 numbers, the class vectors 2 and 2/,
    );
    expect(() => aSoftmaxDemands([1, 0], { weights }, 0.5)).toThrow(
      /m is 0.5; it must be a number of at least 1/,
    );
    expect(() => aSoftmaxAngularMargin(Number.NaN, 1)).toThrow(/m is NaN/);
  });
});

describe('angular boundaries', () => {
  /** What each loss makes of theta_1, written anew; on the boundary it equals cos(theta_2). */
  const relation: Record<string, (one: number, m: Readonly<Record<string, number>>) => number> = {
    'modified-softmax': (one) => Math.cos(one),
    'l2-softmax': (one) => Math.cos(one),
    normface: (one) => Math.cos(one),
    coco: (one) => Math.cos(one),
    'a-softmax': (one, { m }) => Math.cos(m! * one),
    'am-softmax': (one, { m }) => Math.cos(one) - m!,
    cosface: (one, { m }) => Math.cos(one) - m!,
    arcface: (one, { m }) => Math.cos(one + m!),
    combined: (one, { m1, m2, m3 }) => Math.cos(m1! * one + m2!) - m3!,
  };

  test.each(angularBoundaries.map((boundary) => [boundary.loss, boundary] as const))(
    '%s: its limit solves its relation, and rises with theta_2',
    (loss, { limit, margins }) => {
      let [previous, solved] = [0, 0];
      for (let i = 0; i <= 200; i++) {
        const two = (Math.PI * i) / 200;
        const one = limit(two, margins);
        if (Number.isNaN(one)) {
          // Not even theta_1 = 0 is good enough.
          expect(relation[loss]!(0, margins)).toBeLessThan(Math.cos(two));
          continue;
        }
        solved++;
        expect(relation[loss]!(one, margins)).toBeCloseTo(Math.cos(two), 9);
        expect(one).toBeGreaterThanOrEqual(previous - 1e-9);
        previous = one;
      }
      expect(solved).toBeGreaterThan(100);
    },
  );

  test('every margin at its neutral value gives the bisector', () => {
    const neutral = { m: 0, m1: 1, m2: 0, m3: 0 };
    for (const { loss, limit } of angularBoundaries) {
      const margins = loss === 'a-softmax' ? { m: 1 } : neutral;
      for (const two of [0.1, 1, 2, 3]) expect(limit(two, margins)).toBeCloseTo(two, 9);
    }
  });

  test('the combined margin is A-Softmax, ArcFace and CosFace when only one of its margins is set', () => {
    const limitOf = (name: string) => angularBoundaries.find(({ loss }) => loss === name)!.limit;
    for (const two of [0.8, 1.5, 2.9]) {
      const combined = (m1: number, m2: number, m3: number) => limitOf('combined')(two, { m1, m2, m3 });
      expect(combined(3, 0, 0)).toBeCloseTo(limitOf('a-softmax')(two, { m: 3 }), 9);
      expect(combined(1, 0.5, 0)).toBeCloseTo(limitOf('arcface')(two, { m: 0.5 }), 9);
      expect(combined(1, 0, 0.25)).toBeCloseTo(limitOf('cosface')(two, { m: 0.25 }), 9);
    }
  });

  test('cosface near the other class: no angle is small enough', () => {
    const { limit } = angularBoundaries.find(({ loss }) => loss === 'cosface')!;
    expect(limit(0.5, { m: 0.35 })).toBeNaN();
    expect(limit(Math.PI / 2, { m: 0.5 })).toBeCloseTo(Math.PI / 3, 12);
  });
});
