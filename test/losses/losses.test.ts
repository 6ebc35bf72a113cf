// Every loss against plain loops: its value, and its gradient against differences of those loops.
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { random } from '../../src/common/random.js';
import { gradients, input, nameOf, sub, type Tensor } from '../../src/graph/index.js';
import { type LossOptions, losses, marginHead, psiOf, replaceCosine } from '../../src/losses/index.js';
import { initialParameters, Scope } from '../../src/nn/index.js';
import { interpret } from '../support/interpreter.js';
import {
  angleBetween,
  angularLogits,
  aSoftmaxLogits,
  crossEntropy,
  differences,
  dot,
  lengthOf,
  logitGradients,
  psiOfAngle,
  type Sample,
  softmaxLogits,
  unit,
} from './plain.js';

const CLASSES = 5;
const LENGTH = 4;

/** Features at all kinds of angles to their classes, so that every piece of psi is met. */
function sampleOf(seed: number, samples = 12): Sample {
  const stream = random(seed, 'losses');
  const vector = () => Array.from({ length: LENGTH }, () => stream.normal());
  const weights = Array.from({ length: CLASSES }, vector);
  const labels = Array.from({ length: samples }, (_, i) => i % CLASSES);
  const x = labels.map((label, i) => {
    const pull = 3 - (6 * i) / (samples - 1);
    return vector().map((v, q) => v + pull * weights[label]![q]!);
  });
  return { x, labels, weights, bias: Array.from({ length: CLASSES }, () => stream.normal()) };
}

/** A loss's graph on a sample, evaluated in double precision: value, logits, and gradients by parameter. */
function evaluate(name: string, sample: Sample, options: LossOptions = {}, lambda?: number) {
  return evaluateTerms(sample, (context) => losses[name]!.build(context, options), lambda);
}

function evaluateTerms(
  { x, labels, weights, bias }: Sample,
  build: (context: {
    scope: Scope;
    embedding: Tensor;
    labels: Tensor;
    classes: number;
  }) => ReturnType<typeof marginHead>,
  lambda?: number,
) {
  const scope = new Scope();
  const embedding = input('x', [x.length, x[0]!.length]);
  const classes = weights.length;
  const terms = build({ scope, embedding, labels: input('labels', [labels.length], 'int32'), classes });
  const leaves = [embedding, ...scope.parameters.map((p) => p.tensor)];
  const derived = gradients(terms.loss, leaves);
  const given = {
    x: x.flat(),
    labels,
    'fc6.weight': weights.flat(),
    'fc6.bias': bias ?? [],
    ...(lambda !== undefined && { lambda: [lambda] }),
  };
  const metricNames = Object.keys(terms.metrics);
  const outputs = [terms.loss, terms.logits!, ...derived, ...metricNames.map((name) => terms.metrics[name]!)];
  const [value, logits, ...rest] = interpret(outputs, given);
  return {
    value: value![0]!,
    logits: [...logits!],
    gradient: Object.fromEntries(leaves.map((leaf, i) => [nameOf(leaf), [...rest[i]!]])),
    metrics: Object.fromEntries(metricNames.map((name, i) => [name, rest[leaves.length + i]![0]!])),
    schedule: terms.schedule,
    parameters: scope.parameters,
  };
}

function expectClose(actual: readonly number[], expected: readonly number[], tolerance = 1e-7): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(1e-3, ...expected.map(Math.abs));
  actual.forEach((v, i) => {
    expect(Math.abs(v - expected[i]!) / scale, `entry ${i}: ${v}, expected ${expected[i]}`).toBeLessThan(
      tolerance,
    );
  });
}

/** Value, gradients and plain logits of a loss against plain loops. */
function expectAgreement(
  actual: ReturnType<typeof evaluate>,
  sample: Sample,
  logitsOf: (sample: Sample) => number[][],
  tolerance?: number,
): void {
  const loss = (changed: Partial<Sample>) => crossEntropy(logitsOf({ ...sample, ...changed }), sample.labels);
  expectClose([actual.value], [loss({})], tolerance);
  expectClose(actual.gradient.x!, differences(sample.x, (x) => loss({ x })).flat(), 1e-6);
  expectClose(
    actual.gradient['fc6.weight']!,
    differences(sample.weights, (weights) => loss({ weights })).flat(),
    1e-6,
  );
}

describe('softmax', () => {
  const sample = sampleOf(1);

  test('with bias', () => {
    const actual = evaluate('softmax', sample);
    expectAgreement(actual, sample, softmaxLogits);
    expectClose(actual.logits, softmaxLogits(sample).flat());
    const gradient = differences([sample.bias!], ([bias]) =>
      crossEntropy(softmaxLogits({ ...sample, bias }), sample.labels),
    );
    expectClose(actual.gradient['fc6.bias']!, gradient.flat(), 1e-6);
    const bias = actual.parameters.find((p) => p.name === 'fc6.bias')!;
    expect([bias.rate, bias.decay]).toEqual([2, 0]);
  });

  test('without bias', () => {
    const actual = evaluate('softmax', sample, { bias: false });
    expectAgreement(actual, sample, (s) => softmaxLogits({ ...s, bias: undefined }));
    expect(actual.parameters.map((p) => p.name)).toEqual(['fc6.weight']);
  });

  test('huge logits give a finite loss and gradient', () => {
    const large = { ...sample, x: sample.x.map((row) => row.map((v) => v * 1e4)) };
    const actual = evaluate('softmax', large);
    expectClose([actual.value], [crossEntropy(softmaxLogits(large), large.labels)]);
    expect(actual.gradient.x!.every(Number.isFinite)).toBe(true);
  });
});

describe('modified softmax', () => {
  const sample = sampleOf(2);

  test('agrees with the formula', () => {
    const actual = evaluate('modified-softmax', sample);
    expectAgreement(actual, sample, angularLogits);
    expectClose(actual.logits, angularLogits(sample).flat());
  });

  test('does not see how long class vectors are', () => {
    const longer = { ...sample, weights: sample.weights.map((row, j) => row.map((v) => v * (j + 1))) };
    expectClose([evaluate('modified-softmax', longer).value], [evaluate('modified-softmax', sample).value]);
  });

  test('the metrics are the mean cosine to the true class and the mean length of the embedding', () => {
    const { cosine, embeddingLength } = evaluate('modified-softmax', sample).metrics;
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(cosine).toBeCloseTo(
      mean(sample.x.map((row, i) => Math.cos(angleBetween(row, sample.weights[sample.labels[i]!]!)))),
      6,
    );
    expect(embeddingLength).toBeCloseTo(mean(sample.x.map(lengthOf)), 6);
  });
});

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

describe('the head takes other margins as one line each', () => {
  const sample = sampleOf(5);
  const s = 16;
  const cosines = ({ x, weights }: Sample): number[][] =>
    x.map((row) => weights.map((w) => dot(unit(row), unit(w))));

  test('CosFace: s (cos - .35)', () => {
    const actual = evaluateTerms(sample, (context) =>
      marginHead(context, {
        weights: 'unit',
        features: 'unit',
        scale: s,
        margin: replaceCosine((c) => sub(c, 0.35)),
      }),
    );
    expectAgreement(actual, sample, (changed) =>
      cosines(changed).map((row, i) => row.map((c, j) => s * (j === sample.labels[i] ? c - 0.35 : c))),
    );
  });

  test('L-Softmax without annealing: |W_y| |x| psi', () => {
    const actual = evaluateTerms(sample, (context) =>
      marginHead(context, {
        weights: 'free',
        features: 'free',
        margin: replaceCosine((c) => psiOf(c, 3)),
      }),
    );
    expectAgreement(actual, sample, (changed) =>
      softmaxLogits({ ...changed, bias: undefined }).map((row, i) =>
        row.map((z, j) => {
          if (j !== sample.labels[i]) return z;
          const [x, w] = [changed.x[i]!, changed.weights[j]!];
          return lengthOf(x) * lengthOf(w) * psiOfAngle(angleBetween(x, w), 3);
        }),
      ),
    );
  });
});
