// What must hold whatever the numbers: a margin of nothing gives the parent loss, turning everything changes
// nothing, and no arrangement goes below NormFace's bound.
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import type { LossOptions } from '../../src/losses/index.js';
import { cases } from './cases.js';
import { evaluate, expectClose } from './evaluate.js';
import { dot, type Point, unit } from './plain/point.js';
import { batches, jointPoint, OVERLAPPING, pointOf } from './points.js';

describe('without its margin a loss is its parent', () => {
  // The learned scale of `pointOf`.
  const scale = 7.5;
  const parents: readonly (readonly [string, LossOptions, string, LossOptions])[] = [
    ['a-softmax', { margin: 1 }, 'modified-softmax', {}],
    ['l-softmax', { margin: 1 }, 'softmax', { bias: false }],
    ['sphereface-plus', { margin: 3, weight: 0 }, 'a-softmax', { margin: 3 }],
    ['am-softmax', { scale, margin: 0 }, 'normface', {}],
    ['cosface', { scale, margin: 0 }, 'normface', {}],
    ['arcface', { scale, margin: 0 }, 'normface', {}],
    ['arcface', { scale, margin: 0, easyMargin: true }, 'normface', {}],
    ['combined', { scale, m1: 1, m2: 0, m3: 0 }, 'normface', {}],
    ['combined', { scale, m1: 1, m2: 0, m3: 0.3 }, 'cosface', { scale, margin: 0.3 }],
    ['sphereface-r-v1', { scale, margin: 1 }, 'normface', {}],
    ['sphereface-r-v2', { scale, margin: 1 }, 'normface', {}],
    ['sphereface-r-v1', { features: 'none', margin: 1 }, 'modified-softmax', {}],
    ['sphereface-r-v2', { features: 'none', margin: 1 }, 'modified-softmax', {}],
  ];

  test.each(parents)('%s %j is %s %j', (name, options, parent, parentOptions) => {
    for (const batch of [batches.mixed!, batches['classes absent']!]) {
      const point = pointOf(31, batch);
      const [child, expected] = [evaluate(name, point, options), evaluate(parent, point, parentOptions)];
      expectClose([child.value], [expected.value], 1e-6, 'loss');
      expectClose(child.logits, expected.logits, 1e-6, 'logit');
      expectClose(child.gradient.x!, expected.gradient.x!, 1e-5, 'dx');
      expectClose(child.gradient['fc6.weight']!, expected.gradient['fc6.weight']!, 1e-5, 'dW');
    }
  });

  test('a margin that vanishes comes to the parent without a jump', () => {
    const point = pointOf(32, batches.mixed!);
    const parent = evaluate('normface', point).value;
    for (const margin of [1e-2, 1e-3, 1e-4]) {
      for (const name of ['cosface', 'arcface']) {
        expect(Math.abs(evaluate(name, point, { scale, margin }).value - parent)).toBeLessThan(
          scale * 2 * margin,
        );
      }
      const revived = evaluate('sphereface-r-v1', point, { scale, margin: 1 + margin }).value;
      expect(Math.abs(revived - parent)).toBeLessThan(scale * Math.PI * margin);
    }
  });

  test('L2-Softmax on unit class vectors is NormFace', () => {
    const point = pointOf(33, batches.mixed!);
    const units = { ...point, state: { ...point.state, 'fc6.weight': point.state['fc6.weight']!.map(unit) } };
    expectClose(
      [evaluate('l2-softmax', units, { alpha: scale, bias: false }).value],
      [evaluate('normface', units).value],
      1e-6,
    );
  });

  test.each(['all', 'semi-hard', 'hard', 'hardest'])(
    'TSE with T = 1 is half the triplet loss (%s)',
    (mining) => {
      // |a - p|^2 - |a - n|^2 = 2 (a.n - a.p) on the sphere.
      const point = pointOf(34, batches['P x K']!, OVERLAPPING);
      const identity = [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => (i === j ? 1 : 0)));
      const plain = evaluate('triplet', point, { margin: 0.4, mining });
      const projected = evaluate(
        'tse',
        { ...point, state: { ...point.state, projection: identity } },
        { margin: 0.2, mining },
      );
      expect(plain.value).toBeGreaterThan(0);
      expectClose([2 * projected.value], [plain.value], 1e-6, 'loss');
      expect(projected.metrics).toEqual(plain.metrics);
      expectClose(
        projected.gradient.x!.map((v) => 2 * v),
        plain.gradient.x!,
        1e-5,
        'dx',
      );
    },
  );
});

/** A random orthogonal matrix, by Gram and Schmidt. */
function rotation(size: number, seed: number): number[][] {
  const stream = random(seed, 'rotation');
  const rows: number[][] = [];
  while (rows.length < size) {
    let row = Array.from({ length: size }, () => stream.normal());
    for (const other of rows) {
      const along = dot(row, other);
      row = row.map((v, q) => v - along * other[q]!);
    }
    rows.push(unit(row));
  }
  return rows;
}

describe('turning embeddings and everything learned together changes nothing but directions', () => {
  const TURNED = /(fc6\.weight|centres|centroids|projection)$/;
  const turn = rotation(4, 41);
  const turned = (rows: number[][]) => rows.map((row) => turn.map((axis) => dot(axis, row)));
  const turnedPoint = (point: Point): Point => ({
    ...point,
    x: turned(point.x),
    state: Object.fromEntries(
      Object.entries(point.state).map(([name, rows]) => [name, TURNED.test(name) ? turned(rows) : rows]),
    ),
  });
  const rowsOf = (values: number[]) =>
    Array.from({ length: values.length / 4 }, (_, i) => values.slice(4 * i, 4 * i + 4));

  function expectInvariant(name: string, point: Point, options: LossOptions): void {
    const [before, after] = [point, turnedPoint(point)].map((at) => evaluate(name, at, options));
    expectClose([after!.value], [before!.value], 1e-9, 'loss');
    expectClose(after!.logits, before!.logits, 1e-9, 'logit');
    for (const [what, values] of Object.entries({ ...before!.gradient, ...before!.next })) {
      const actual = { ...after!.gradient, ...after!.next }[what]!;
      const follows = what === 'x' || TURNED.test(what);
      expectClose(actual, follows ? turned(rowsOf(values)).flat() : values, 1e-7, what);
    }
  }

  test.each(cases)('$title', ({ name, options, spread, lambda }) => {
    expectInvariant(name, pointOf(42, batches['P x K']!, spread, lambda), options);
  });

  test.each(['softmax+center', 'arcface+triplet', 'normface+mhe'])('%s', (names) => {
    const point = jointPoint(names.split('+'), 43, batches['P x K']!, OVERLAPPING);
    expectInvariant(names, point, {});
  });
});

describe("NormFace's lower bound log(1 + (K-1) e^(-s K/(K-1)))", () => {
  const bound = (classes: number, s: number): number =>
    Math.log1p((classes - 1) * Math.exp((-s * classes) / (classes - 1)));
  /** As many samples of each class, on which the bound rests. */
  const balanced = (classes: number) => Array.from({ length: 2 * classes }, (_, i) => i % classes);
  const at = (x: number[][], labels: number[], weights: number[][], s: number) =>
    evaluate('normface', {
      x,
      labels,
      classes: weights.length,
      state: { 'fc6.weight': weights, scale: [[s]] },
    });
  /** K unit vectors with equal angles: the axes less their mean. */
  const simplex = (classes: number): number[][] =>
    Array.from({ length: classes }, (_, i) =>
      unit(Array.from({ length: classes }, (_, j) => (i === j ? 1 : 0) - 1 / classes)),
    );

  test.each([2, 3, 5, 8])('holds for random arrangements of %i classes', (classes) => {
    for (let seed = 0; seed < 20; seed++) {
      const { x, labels, state } = pointOf(seed, { labels: balanced(classes), classes });
      for (const s of [0.5, 4, 20]) {
        expect(at(x, labels, state['fc6.weight']!, s).value).toBeGreaterThanOrEqual(bound(classes, s));
        // Features on their class vectors are the best that these class vectors allow.
        const best = labels.map((label) => state['fc6.weight']![label]!);
        expect(at(best, labels, state['fc6.weight']!, s).value).toBeGreaterThanOrEqual(bound(classes, s));
      }
    }
  });

  test.each([2, 3, 5, 8])('is met by the simplex of %i classes, where the gradient is zero', (classes) => {
    const weights = simplex(classes);
    const labels = balanced(classes);
    for (const s of [0.5, 4, 20]) {
      const x = labels.map((label) => weights[label]!.map((v) => 3 * v));
      const { value, gradient } = at(x, labels, weights, s);
      expect(Math.abs(value - bound(classes, s))).toBeLessThan(1e-7);
      for (const name of ['x', 'fc6.weight']) {
        for (const v of gradient[name]!) expect(Math.abs(v)).toBeLessThan(1e-9);
      }
    }
  });

  test('descent comes down to it and not below', () => {
    const [classes, s] = [4, 3];
    const labels = balanced(classes);
    let { x, state } = pointOf(5, { labels, classes });
    let weights = state['fc6.weight']!;
    const moved = (rows: number[][], gradient: number[]) =>
      rows.map((row, i) => unit(row.map((v, q) => v - gradient[i * row.length + q]!)));
    let value = Number.POSITIVE_INFINITY;
    for (let step = 0; step < 400; step++) {
      const now = at(x, labels, weights, s);
      value = now.value;
      expect(value).toBeGreaterThanOrEqual(bound(classes, s) - 1e-9);
      x = moved(x, now.gradient.x!);
      weights = moved(weights, now.gradient['fc6.weight']!);
    }
    expect(value / bound(classes, s)).toBeCloseTo(1, 4);
  });
});
