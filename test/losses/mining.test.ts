// Mining in the graph: every triplet is of one kind, each kind satisfies its inequality, the parts make up the
// whole, and what ties shares the gradient.
import { describe, expect, test } from 'vitest';
import { evaluate, expectClose, expectGradients, expectValues } from './evaluate.js';
import { plain } from './plain/index.js';
import { type Point, squaredDistance, unit } from './plain/point.js';
import { allTriplets } from './plain/triplets.js';
import { batches, OVERLAPPING, pointOf } from './points.js';

const KINDS = { easy: 'easy', 'semi-hard': 'semiHard', hard: 'hard' } as const;
const seeds = Array.from({ length: 6 }, (_, i) => 50 + i);
const crowd = (seed: number) => pointOf(seed, batches['P x K']!, OVERLAPPING);

describe.each(['triplet', 'tse'])('%s', (name) => {
  test('counts add up to all triplets, and every kind is met', () => {
    const total = { easy: 0, semiHard: 0, hard: 0 };
    for (const seed of seeds) {
      const { metrics } = evaluate(name, crowd(seed));
      expect(metrics.easy! + metrics.semiHard! + metrics.hard!).toBe(allTriplets(crowd(seed).labels).length);
      for (const kind of Object.values(KINDS)) total[kind] += metrics[kind]!;
    }
    for (const kind of Object.values(KINDS)) expect(total[kind]).toBeGreaterThan(20);
  });

  test('the loss over all is that of the kinds, weighed by their counts', () => {
    for (const seed of seeds) {
      const all = evaluate(name, crowd(seed), { mining: 'all' });
      const parts = Object.entries(KINDS).map(([mining, kind]) => {
        const { value, metrics } = evaluate(name, crowd(seed), { mining });
        return { value, count: metrics[kind]! };
      });
      const count = parts.reduce((sum, part) => sum + part.count, 0);
      const whole = parts.reduce((sum, part) => sum + part.value * part.count, 0) / count;
      expectClose([all.value], [whole], 1e-9);
    }
  });

  test('easy triplets cost nothing, semi-hard ones less than the margin, hard ones the margin or more', () => {
    for (const seed of seeds) {
      for (const margin of [0.1, 0.5]) {
        const cost = (mining: string) => evaluate(name, crowd(seed), { mining, margin });
        expect(cost('easy').value).toBe(0);
        expect(cost('easy').gradient.x!.every((v) => v === 0)).toBe(true);
        const [semiHard, hard, hardest] = ['semi-hard', 'hard', 'hardest'].map(cost);
        if (semiHard!.metrics.semiHard! > 0) expect(semiHard!.value).toBeGreaterThan(0);
        expect(semiHard!.value).toBeLessThan(margin);
        if (hard!.metrics.hard! > 0) expect(hard!.value).toBeGreaterThanOrEqual(margin - 1e-6);
        expect(hardest!.value).toBeGreaterThanOrEqual(cost('all').value - 1e-9);
      }
    }
  });
});

test('a semi-hard negative is farther than the positive and within the margin of it', () => {
  // Batches of two images of one person and one of another hold two triplets, whose distances are plain to see.
  const margin = 0.4;
  let met = 0;
  for (let seed = 0; seed < 300; seed++) {
    const point = pointOf(
      seed,
      { labels: [0, 0, 1], classes: 2 },
      { length: 3, projected: 3, size: 1, pull: [1, 1] },
    );
    const [a, b, n] = point.x.map(unit) as [number[], number[], number[]];
    const positive = squaredDistance(a, b);
    const negatives = [squaredDistance(a, n), squaredDistance(b, n)];
    const semiHard = negatives.filter((d) => positive < d && d < positive + margin);
    const hard = negatives.filter((d) => d <= positive);
    const { value, metrics } = evaluate('triplet', point, { margin });
    expect([metrics.semiHard, metrics.hard]).toEqual([semiHard.length, hard.length]);
    const costs = semiHard.map((d) => positive - d + margin);
    expectClose([value], [costs.reduce((sum, c) => sum + c, 0) / Math.max(1, costs.length)], 1e-6);
    met += semiHard.length;
  }
  expect(met).toBeGreaterThan(30);
});

test('TPE counts each triplet as easy or hard', () => {
  for (const seed of seeds) {
    const { metrics } = evaluate('tpe', crowd(seed));
    expect(Object.keys(metrics).sort()).toEqual(['easy', 'hard']);
    expect(metrics.easy! + metrics.hard!).toBe(allTriplets(crowd(seed).labels).length);
  }
});

describe('ties share the gradient evenly', () => {
  const axis = (q: number, value = 1) => [0, 0, 0, 0].map((_, i) => (i === q ? value : 0));
  const { state } = crowd(1);
  /** Every distance is one of three. */
  const tied: Point = {
    x: [axis(0), axis(1), axis(2), axis(3), axis(0, -1), axis(1, -1)],
    labels: [0, 0, 0, 1, 1, 1],
    classes: 2,
    state: {
      ...state,
      projection: [0, 1, 2, 3].map((q) => axis(q)),
    },
  };

  test.each(['triplet', 'tse', 'tpe'])('hardest of %s', (name) => {
    const options = { mining: 'hardest' } as const;
    const actual = evaluate(name, tied, options);
    expectValues(actual, plain(name, tied, options));
    // Differences with respect to the projection are left out: it turns the tied similarities apart.
    expectGradients({ ...actual, built: { ...actual.built, parameters: [] } }, tied, (at, fixed) =>
      plain(name, at, options, fixed),
    );
  });

  test('two equal positives get the same gradient', () => {
    const point: Point = { ...tied, x: [axis(0), axis(1), axis(1), axis(2), axis(3), axis(3)] };
    const { gradient } = evaluate('triplet', point, { mining: 'hardest', margin: 1 });
    expect(gradient.x!.slice(4, 8).some((v) => v !== 0)).toBe(true);
    expectClose(gradient.x!.slice(4, 8), gradient.x!.slice(8, 12), 1e-9);
  });

  test('the nearest centres of the range loss', () => {
    const point: Point = {
      ...tied,
      x: [axis(0), axis(0, 3), axis(1), axis(1, 3), axis(2), axis(2, 3)],
      labels: [0, 0, 1, 1, 2, 2],
      classes: 3,
    };
    const options = { alpha: 0.3, beta: 1, margin: 20 };
    const actual = evaluate('range', point, options);
    expectValues(actual, plain('range', point, options));
    expectGradients(actual, point, (at, fixed) => plain('range', at, options, fixed));
  });
});
