// A-Softmax against plain loops: value, both gradients, annealing, options and edges.
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { input, nameOf } from '../../src/graph/index.js';
import { losses } from '../../src/losses/index.js';
import { initialParameters } from '../../src/nn/index.js';
import { interpret } from '../support/interpreter.js';
import { CLASSES, evaluate, expectAgreement, expectClose, LENGTH, sampleOf } from './evaluate.js';
import {
  angleBetween,
  angularLogits,
  aSoftmaxLogits,
  crossEntropy,
  lengthOf,
  logitGradients,
  psiOfAngle,
  type Sample,
  unit,
} from './plain.js';

describe.each([1, 2, 3, 4])('A-Softmax with margin %i', (margin) => {
  const sample = sampleOf(3);

  test.each([0, 5, 892.857])('agrees with the formula at lambda %d', (lambda) => {
    const actual = evaluate('a-softmax', sample, { margin }, lambda);
    expectAgreement(actual, sample, (s) => aSoftmaxLogits(s, margin, lambda));
    expectClose(actual.logits, angularLogits(sample).flat());
  });

  test('the loss never falls when the margin grows', () => {
    if (margin === 1) return;
    const [smaller, larger] = [margin - 1, margin].map(
      (m) => evaluate('a-softmax', sample, { margin: m }, 0).value,
    );
    expect(larger).toBeGreaterThan(smaller!);
  });

  test.each([0, 5])("the 'caffe' gradient is the original layer's, at lambda %d", (lambda) => {
    const renormalised = { ...sample, weights: sample.weights.map(unit) };
    const actual = evaluate('a-softmax', renormalised, { margin, gradient: 'caffe' }, lambda);
    const logits = aSoftmaxLogits(renormalised, margin, lambda);
    expectClose([actual.value], [crossEntropy(logits, sample.labels)]);
    const t = logitGradients(logits, sample.labels);
    const dW = renormalised.weights.map((row, j) =>
      row.map((_, q) => sample.x.reduce((total, x, i) => total + t[i]![j]! * x[q]!, 0)),
    );
    expectClose(actual.gradient['fc6.weight']!, dW.flat());
    const dx = sample.x.map((x, i) =>
      x.map((_, q) =>
        renormalised.weights.reduce((total, w, j) => {
          if (j !== sample.labels[i] || margin === 1) return total + t[i]![j]! * w[q]!;
          const theta = angleBetween(x, w);
          const step = 1e-6;
          // d psi / d cos(theta) = -psi'(theta) / sin(theta)
          const a =
            -(psiOfAngle(theta + step, margin) - psiOfAngle(theta - step, margin)) /
            (2 * step) /
            Math.sin(theta);
          const b = (psiOfAngle(theta, margin) - Math.cos(theta) * a) / lengthOf(x);
          const part = (a * w[q]! + b * x[q]!) / Math.hypot(a, b);
          return total + (t[i]![j]! * (part + lambda * w[q]!)) / (1 + lambda);
        }, 0),
      ),
    );
    expectClose(actual.gradient.x!, dx.flat(), 1e-6);
  });
});

describe('A-Softmax', () => {
  const sample = sampleOf(4);

  test('margin 1 is modified softmax, and has no schedule', () => {
    const one = evaluate('a-softmax', sample, { margin: 1 });
    expect(one.value).toBe(evaluate('modified-softmax', sample).value);
    expect(one.schedule).toEqual([]);
  });

  test('lambda without end is modified softmax', () => {
    expect(evaluate('a-softmax', sample, {}, 1e12).value).toBeCloseTo(
      evaluate('modified-softmax', sample).value,
      8,
    );
  });

  test('lambda follows the published schedule', () => {
    const { schedule } = evaluate('a-softmax', sample, {}, 0);
    const at = (step: number) => schedule[0]!.at(step);
    expect(nameOf(schedule[0]!.input)).toBe('lambda');
    expect(at(1)).toBeCloseTo(892.857, 3);
    expect(at(100)).toBeCloseTo(76.923, 3);
    expect(at(1000)).toBeCloseTo(8.2645, 4);
    expect(at(1658)).toBeGreaterThan(5);
    expect(at(1659)).toBe(5);
    expect(at(28_000)).toBe(5);
  });

  test('other annealings are followed', () => {
    const annealing = { base: 1500, gamma: 2.5e-5, power: 35, minimum: 0 };
    const { schedule } = evaluate('a-softmax', sample, { annealing }, 0);
    expect(schedule[0]!.at(1000)).toBeCloseTo(1500 * 1.025 ** -35, 9);
  });

  test("class vectors start at unit length and are kept there with the 'caffe' gradient alone", () => {
    const [exact] = evaluate('a-softmax', sample, {}, 5).parameters;
    expect(exact!.constraint).toBeUndefined();
    const { parameters } = evaluate('a-softmax', sample, { gradient: 'caffe' }, 5);
    const start = initialParameters(parameters, 7).get('fc6.weight')!;
    for (let j = 0; j < CLASSES; j++) {
      expect(lengthOf([...start.subarray(j * LENGTH, (j + 1) * LENGTH)])).toBeCloseTo(1, 6);
    }
    const moved = input('moved', [2, 2]);
    const [kept] = interpret([parameters[0]!.constraint!(moved)], { moved: [3, 4, 0, -2] });
    [0.6, 0.8, 0, -1].forEach((v, i) => {
      expect(kept![i]).toBeCloseTo(v, 9);
    });
  });

  test.each([
    ['margin 5', { margin: 5 }, 'a-softmax: margin is 5; it must be 1, 2, 3 or 4'],
    ['margin 2.5', { margin: 2.5 }, /margin is 2.5/],
    ['a margin in words', { margin: '4' }, /margin is "4"/],
    ['an unknown gradient', { gradient: 'fast' }, /gradient is "fast"; it must be 'exact' or 'caffe'/],
    [
      'a negative lambda',
      { annealing: { minimum: -1 } },
      /annealing.minimum is -1; it must be a number of at least 0/,
    ],
    ['an unknown annealing', { annealing: { speed: 1 } }, /annealing .* base, gamma, power, minimum/],
    [
      'an unknown option',
      { angle: 1 },
      "a-softmax has no option 'angle'; it takes margin, gradient, annealing",
    ],
  ])('%s is refused with the valid range', (_, options, message) => {
    expect(() => losses['a-softmax']!.check(options)).toThrow(UserError);
    expect(() => losses['a-softmax']!.check(options)).toThrow(message);
  });

  test('options are completed from the defaults, undefined ones too', () => {
    expect(losses['a-softmax']!.check({ margin: undefined, annealing: { minimum: 0 } })).toEqual({
      margin: 4,
      gradient: 'exact',
      annealing: { base: 1000, gamma: 0.12, power: 1, minimum: 0 },
    });
  });
});

describe('edges', () => {
  /** One feature in the plane at `theta` to its class, the other class at a right angle. */
  const plane = (theta: number, length = 3): Sample => ({
    x: [[length * Math.cos(theta), length * Math.sin(theta)]],
    labels: [0],
    weights: [
      [1, 0],
      [0, 1],
    ],
  });
  const finite = (actual: ReturnType<typeof evaluate>) =>
    Number.isFinite(actual.value) && Object.values(actual.gradient).every((g) => g.every(Number.isFinite));

  test.each(['exact', 'caffe'] as const)(
    "value and '%s' gradient are finite at cos -1, 0, 1 and every k pi/m",
    (gradient) => {
      for (const margin of [1, 2, 3, 4]) {
        for (let k = 0; k <= margin; k++) {
          for (const lambda of [0, 5]) {
            const sample = plane((k * Math.PI) / margin);
            const actual = evaluate('a-softmax', sample, { margin, gradient }, lambda);
            expect(finite(actual), `margin ${margin}, k ${k}`).toBe(true);
            expectClose([actual.value], [crossEntropy(aSoftmaxLogits(sample, margin, lambda), [0])]);
          }
        }
        expect(finite(evaluate('a-softmax', plane(Math.PI / 2), { margin, gradient }, 0))).toBe(true);
      }
    },
  );

  test.each(['softmax', 'modified-softmax', 'a-softmax'])('%s of a zero embedding is finite', (name) => {
    for (const options of name === 'a-softmax'
      ? [2, 3, 4].flatMap((margin) => [{ margin }, { margin, gradient: 'caffe' }])
      : [{}]) {
      const actual = evaluate(name, { ...plane(0, 0), bias: [0, 0] }, options, 0);
      expect(finite(actual)).toBe(true);
      // |x| psi(0) is measured with the norm's floor of 1e-6.
      expect(actual.value).toBeCloseTo(Math.log(2), 4);
    }
  });

  test('a zero class vector is finite too', () => {
    const sample = {
      ...plane(1),
      weights: [
        [0, 0],
        [0, 1],
      ],
    };
    expect(finite(evaluate('a-softmax', sample, {}, 0))).toBe(true);
  });

  test('the A-Softmax gradient is continuous across the thresholds', () => {
    for (const margin of [2, 3, 4]) {
      for (let k = 1; k < margin; k++) {
        const at = (shift: number) =>
          evaluate('a-softmax', plane((k * Math.PI) / margin + shift), { margin }, 0).gradient.x!;
        expectClose(at(-1e-7), at(1e-7), 1e-5);
      }
    }
  });
});
