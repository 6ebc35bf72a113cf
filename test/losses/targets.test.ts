// The margin functions as numbers: they are the papers' formulas, they fall on all of [0, pi], they recover their
// parents and each other, and the graphs compute the same.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { losses } from '../../src/losses/index.js';
import { evaluate, expectClose } from './evaluate.js';
import { defaults } from './plain/index.js';
import { others as plainOthers, targets } from './plain/margins.js';
import type { Options, Point } from './plain/point.js';

const GRID = Array.from({ length: 4001 }, (_, i) => (i * Math.PI) / 4000);

const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const whole = fc.record({ margin: fc.integer({ min: 1, max: 4 }) });
const cosine = fc.record({ margin: between(0, 2) });
const real = fc.record({ margin: between(1, 8) });

/** Valid options of every margin loss. */
const valid: Readonly<Record<string, fc.Arbitrary<Partial<Options>>>> = {
  'a-softmax': whole,
  'l-softmax': whole,
  'sphereface-plus': whole,
  'am-softmax': cosine,
  cosface: cosine,
  arcface: fc.record({ margin: between(0, Math.PI / 2) }),
  combined: fc.record({ m1: between(0.01, 8), m2: between(0, Math.PI), m3: between(0, 2) }),
  'sphereface-r-v1': real,
  'sphereface-r-v2': real,
};

const targetOf = (name: string, options: Partial<Options>) =>
  losses[name]!.target!({ ...options } as Record<string, unknown>);

function expectFalling(values: number[], what: string): void {
  const rises = values.slice(1).map((v, i) => v - values[i]!);
  expect(Math.max(...rises), what).toBeLessThanOrEqual(1e-12);
}

const largestDifference = (a: number[], b: number[]): number =>
  Math.max(...a.map((v, i) => Math.abs(v - b[i]!)));

const expectEqual = (a: number[], b: number[]): void => expect(largestDifference(a, b)).toBeLessThan(1e-9);

test('every loss with a margin has a target here, the others that have one have the cosine', () => {
  for (const { name, kind, target } of Object.values(losses)) {
    if (name in valid) expect(target, name).toBeDefined();
    else if (target) expect(GRID.map(target()), name).toEqual(GRID.map(Math.cos));
    if (kind !== 'classification') expect(target, name).toBeUndefined();
  }
});

describe.each(Object.entries(valid))('%s', (name, options) => {
  const samples = [{}, ...fc.sample(options, { numRuns: 60, seed: 7 })];

  test('is the formula', () => {
    for (const sample of samples) {
      const complete = { ...defaults[name], ...sample } as Options;
      const [target, others] = [targetOf(name, sample), losses[name]!.others?.({ ...sample })];
      const formula = (of: typeof targets) => GRID.map((theta) => of[name]!(theta, complete));
      expectEqual(GRID.map(target), formula(targets));
      if (others) expectEqual(GRID.map(others), formula(plainOthers));
    }
  });

  test('never rises on [0, pi], and neither do the others', () => {
    for (const sample of samples) {
      expectFalling(GRID.map(targetOf(name, sample)), JSON.stringify(sample));
      const others = losses[name]!.others?.({ ...sample });
      if (others) expectFalling(GRID.map(others), `others, ${JSON.stringify(sample)}`);
    }
  });

  test('the graph computes it', () => {
    // The other class vector is at a right angle, so that the loss of one sample gives its true logit away.
    const scale = 3;
    const angles = Array.from({ length: 41 }, (_, i) => 0.01 + (i * (Math.PI - 0.02)) / 40);
    const pointAt = (theta: number): Point => ({
      x: [[Math.cos(theta), Math.sin(theta), 0]],
      labels: [0],
      classes: 2,
      state: {
        'fc6.weight': [
          [1, 0, 0],
          [0, 0, 1],
        ],
      },
    });
    for (const sample of samples.slice(0, 8)) {
      const scaled = 'scale' in defaults[name]!;
      const s = scaled ? scale : 1;
      const given = { ...sample, ...(scaled && { scale }), ...(name === 'sphereface-plus' && { weight: 0 }) };
      const other = s * (losses[name]!.others?.({ ...sample })(Math.PI / 2) ?? 0);
      const actual = angles.map((theta) => {
        const { value } = evaluate(name, pointAt(theta), given);
        return (other - Math.log(Math.expm1(value))) / s;
      });
      expectClose(actual, angles.map(targetOf(name, sample)), 2e-6, JSON.stringify(sample));
    }
  });
});

describe('margins', () => {
  test.each(['a-softmax', 'l-softmax', 'am-softmax', 'cosface', 'arcface', 'sphereface-r-v1'])(
    '%s asks for more than the cosine',
    (name) => {
      for (const sample of fc.sample(valid[name]!, { numRuns: 30, seed: 8 })) {
        const target = targetOf(name, sample);
        expect(Math.max(...GRID.map((theta) => target(theta) - Math.cos(theta)))).toBeLessThanOrEqual(1e-12);
      }
    },
  );

  test('SphereFace-R v2 makes the others look nearer', () => {
    const others = losses['sphereface-r-v2']!.others!({ margin: 1.7 });
    expect(Math.min(...GRID.map((theta) => others(theta) - Math.cos(theta)))).toBeGreaterThanOrEqual(0);
  });

  test('ArcFace with the easy margin falls on either side of 90 degrees, and jumps up by sin(m) there', () => {
    for (const margin of [0.1, 0.5, 1.5]) {
      const target = targetOf('arcface', { margin, easyMargin: true });
      const [near, far] = [GRID.filter((t) => t < Math.PI / 2), GRID.filter((t) => t > Math.PI / 2)];
      expectFalling(near.map(target), 'within');
      expectFalling(far.map(target), 'beyond');
      expect(target(Math.PI / 2 + 1e-9) - target(Math.PI / 2 - 1e-9)).toBeCloseTo(Math.sin(margin), 6);
    }
  });

  test('ArcFace goes on below where cos(theta + m) ends', () => {
    for (const margin of [0.01, 0.5, 1, Math.PI / 2]) {
      const target = targetOf('arcface', { margin });
      expect(target(Math.PI - margin - 1e-9)).toBeCloseTo(-1, 9);
      expect(target(Math.PI - margin + 1e-9)).toBeLessThanOrEqual(-1);
    }
  });
});

describe('the combined margin', () => {
  const same = (a: (theta: number) => number, b: (theta: number) => number, upTo = Math.PI): void => {
    const grid = GRID.filter((theta) => theta <= upTo);
    expectEqual(grid.map(a), grid.map(b));
  };

  test.each([1, 2, 3, 4])('(%i, 0, 0) is psi of SphereFace on all of [0, pi]', (m) => {
    same(targetOf('combined', { m1: m, m2: 0, m3: 0 }), targetOf('a-softmax', { margin: m }));
  });

  test.each([0.1, 0.5, 1.5])('(1, %d, 0) is ArcFace up to pi - m', (m) => {
    same(targetOf('combined', { m1: 1, m2: m, m3: 0 }), targetOf('arcface', { margin: m }), Math.PI - m);
  });

  test.each([0.1, 0.35, 1])('(1, 0, %d) is CosFace on all of [0, pi]', (m) => {
    same(targetOf('combined', { m1: 1, m2: 0, m3: m }), targetOf('cosface', { margin: m }));
  });
});
