// What A-Softmax has beside its formula: the gradient of the original layer, annealing, the constraint on its
// class vectors, and continuity of its gradient where psi changes its piece.
import { describe, expect, test } from 'vitest';
import { input, nameOf } from '../../src/graph/index.js';
import { initialParameters } from '../../src/nn/index.js';
import { interpret } from '../support/interpreter.js';
import { evaluate, expectClose } from './evaluate.js';
import { crossEntropy, trainedLogits } from './plain/classification.js';
import { psi } from './plain/margins.js';
import { angleBetween, lengthOf, type Options, type Point, unit } from './plain/point.js';
import { batches, pointOf } from './points.js';

/** (softmax - onehot) / N of the mean cross-entropy. */
const logitGradients = (logits: number[][], labels: number[]): number[][] =>
  logits.map((row, i) => {
    const largest = Math.max(...row);
    const total = row.reduce((sum, z) => sum + Math.exp(z - largest), 0);
    return row.map((z, j) => (Math.exp(z - largest) / total - (j === labels[i] ? 1 : 0)) / logits.length);
  });

describe.each([1, 2, 3, 4])('A-Softmax with margin %i', (margin) => {
  const point = pointOf(3, batches.mixed!);

  test('the loss never falls when the margin grows', () => {
    if (margin === 1) return;
    const [smaller, larger] = [margin - 1, margin].map(
      (m) => evaluate('a-softmax', point, { margin: m }).value,
    );
    expect(larger).toBeGreaterThan(smaller!);
  });

  test.each([0, 5])("the 'caffe' gradient is the original layer's, at lambda %d", (lambda) => {
    const weights = point.state['fc6.weight']!.map(unit);
    const renormalised: Point = { ...point, lambda, state: { 'fc6.weight': weights } };
    const actual = evaluate('a-softmax', renormalised, { margin, gradient: 'caffe' });
    const logits = trainedLogits('a-softmax', renormalised, { margin } as Options);
    expectClose([actual.value], [crossEntropy(logits, point.labels)]);
    const t = logitGradients(logits, point.labels);
    const dW = weights.map((row, j) =>
      row.map((_, q) => point.x.reduce((total, x, i) => total + t[i]![j]! * x[q]!, 0)),
    );
    expectClose(actual.gradient['fc6.weight']!, dW.flat());
    const dx = point.x.map((x, i) =>
      x.map((_, q) =>
        weights.reduce((total, w, j) => {
          if (j !== point.labels[i] || margin === 1) return total + t[i]![j]! * w[q]!;
          const theta = angleBetween(x, w);
          const step = 1e-6;
          // d psi / d cos(theta) = -psi'(theta) / sin(theta)
          const a = -(psi(theta + step, margin) - psi(theta - step, margin)) / (2 * step) / Math.sin(theta);
          const b = (psi(theta, margin) - Math.cos(theta) * a) / lengthOf(x);
          const part = (a * w[q]! + b * x[q]!) / Math.hypot(a, b);
          return total + (t[i]![j]! * (part + lambda * w[q]!)) / (1 + lambda);
        }, 0),
      ),
    );
    expectClose(actual.gradient.x!, dx.flat(), 1e-6);
  });
});

describe.each([
  ['a-softmax', 4, {}],
  ['a-softmax', 3, { gradient: 'caffe' }],
  ['l-softmax', 2, {}],
] as const)('%s with m = %i, where lambda waits for the angles', (name, margin, options) => {
  const point = pointOf(3, batches.mixed!);
  const base = 1000;
  const annealing = { base, gamma: 1, power: 1, minimum: 0 };
  /** At running means of the cosine and of psi, and a scheduled lambda. */
  const waiting = (cosine: number, target: number, lambda: number) => {
    const state = { ...point.state, 'annealing.cosine': [[cosine]], 'annealing.target': [[target]] };
    return evaluate(
      name,
      { ...point, state, lambda },
      { margin, ...options, annealing: { ...annealing, wait: true } },
    );
  };

  test('the margin leaves half of the mean cosine', () => {
    for (const [cosine, target] of [
      [0.1, -2.9],
      [0.4, -1.9],
      [0.6, -1],
    ] as const) {
      const lambda = waiting(cosine, target, 0.1).metrics.lambda!;
      expect((lambda * cosine + target) / (1 + lambda)).toBeCloseTo(cosine / 2, 5);
    }
  });

  test('lambda stays between its schedule and its base', () => {
    expect(waiting(0.6, -1, 50).metrics.lambda).toBe(50);
    expect(waiting(0.9, 0.8, 0.1).metrics.lambda).toBeCloseTo(0.1, 7);
    for (const cosine of [0, -0.2, 1e-9]) expect(waiting(cosine, -3, 50).metrics.lambda).toBe(base);
  });

  test('value and gradient are those of that lambda on a schedule', () => {
    const actual = waiting(0.4, -1.9, 0.1);
    const same = evaluate(name, { ...point, lambda: actual.metrics.lambda! }, { margin, ...options });
    expectClose([actual.value], [same.value]);
    expectClose(actual.gradient.x!, same.gradient.x!);
    expectClose(actual.gradient['fc6.weight']!, same.gradient['fc6.weight']!);
  });

  test('the running means take a tenth of each batch, from zero', () => {
    const { next, metrics, built } = waiting(0.4, -1.9, 0.1);
    expectClose(next['annealing.cosine']!, [0.9 * 0.4 + 0.1 * metrics.cosine!], 1e-6);
    const cosines = point.x.map((x, i) =>
      Math.cos(angleBetween(x, point.state['fc6.weight']![point.labels[i]!]!)),
    );
    const mean = cosines.reduce((sum, c) => sum + psi(Math.acos(c), margin), 0) / cosines.length;
    expectClose(next['annealing.target']!, [0.9 * -1.9 + 0.1 * mean], 1e-6);
    const start = initialParameters(built.parameters, 7);
    expect([...start.get('annealing.cosine')!, ...start.get('annealing.target')!]).toEqual([0, 0]);
  });
});

describe('A-Softmax', () => {
  const point = pointOf(4, batches.mixed!);
  const scheduleOf = (name: string, options = {}) => evaluate(name, point, options).built.terms.schedule;

  test('margin 1 is modified softmax, and has no schedule', () => {
    const one = evaluate('a-softmax', point, { margin: 1 });
    expect(one.value).toBe(evaluate('modified-softmax', point).value);
    expect(one.built.terms.schedule).toEqual([]);
  });

  test('lambda without end is modified softmax', () => {
    expect(evaluate('a-softmax', { ...point, lambda: 1e12 }).value).toBeCloseTo(
      evaluate('modified-softmax', point).value,
      8,
    );
  });

  test.each(['a-softmax', 'sphereface-plus'])('lambda of %s follows the published schedule', (name) => {
    const schedule = scheduleOf(name);
    const at = (step: number) => schedule[0]!.at(step);
    expect(nameOf(schedule[0]!.input)).toBe('lambda');
    expect(at(1)).toBeCloseTo(892.857, 3);
    expect(at(100)).toBeCloseTo(76.923, 3);
    expect(at(1000)).toBeCloseTo(8.2645, 4);
    expect(at(1658)).toBeGreaterThan(5);
    expect(at(1659)).toBe(5);
    expect(at(28_000)).toBe(5);
  });

  test('lambda of L-Softmax falls much faster, and to 0', () => {
    const [lambda] = scheduleOf('l-softmax');
    expect(lambda!.at(1000)).toBeCloseTo(1000 * 1.025 ** -35, 9);
    expect(lambda!.at(1e7)).toBeLessThan(1e-60);
  });

  test('other annealings are followed', () => {
    const [lambda] = scheduleOf('a-softmax', {
      annealing: { base: 1500, gamma: 2.5e-5, power: 35, minimum: 0 },
    });
    expect(lambda!.at(1000)).toBeCloseTo(1500 * 1.025 ** -35, 9);
  });

  test("class vectors start at unit length and are kept there with the 'caffe' gradient alone", () => {
    const [exact] = evaluate('a-softmax', point).built.parameters;
    expect(exact!.constraint).toBeUndefined();
    const { parameters } = evaluate('a-softmax', point, { gradient: 'caffe' }).built;
    const start = initialParameters(parameters, 7).get('fc6.weight')!;
    for (let at = 0; at < start.length; at += 4) {
      expect(lengthOf([...start.subarray(at, at + 4)])).toBeCloseTo(1, 6);
    }
    const moved = input('moved', [2, 2]);
    const [kept] = interpret([parameters[0]!.constraint!(moved)], { moved: [3, 4, 0, -2] });
    expectClose([...kept!], [0.6, 0.8, 0, -1], 1e-9);
  });

  test('the gradient is continuous where psi changes its piece', () => {
    const plane = (theta: number): Point => ({
      x: [[3 * Math.cos(theta), 3 * Math.sin(theta)]],
      labels: [0],
      classes: 2,
      state: {
        'fc6.weight': [
          [1, 0],
          [0, 1],
        ],
      },
    });
    for (const margin of [2, 3, 4]) {
      for (let k = 1; k < margin; k++) {
        const at = (shift: number) =>
          evaluate('a-softmax', plane((k * Math.PI) / margin + shift), { margin }).gradient.x!;
        expectClose(at(-1e-7), at(1e-7), 1e-5);
      }
    }
  });
});
