// Evaluates a loss's graph in double precision, and compares it with plain loops.
import { expect } from 'vitest';
import { random } from '../../src/common/random.js';
import { gradients, input, nameOf, type Tensor } from '../../src/graph/index.js';
import { type LossOptions, losses, type marginHead } from '../../src/losses/index.js';
import { Scope } from '../../src/nn/index.js';
import { interpret } from '../support/interpreter.js';
import { crossEntropy, differences, type Sample } from './plain.js';

export const CLASSES = 5;
export const LENGTH = 4;

/** Features at all kinds of angles to their classes, so that every piece of psi is met. */
export function sampleOf(seed: number, samples = 12): Sample {
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
export function evaluate(name: string, sample: Sample, options: LossOptions = {}, lambda?: number) {
  return evaluateTerms(sample, (context) => losses[name]!.build(context, options), lambda);
}

export function evaluateTerms(
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

export function expectClose(actual: readonly number[], expected: readonly number[], tolerance = 1e-7): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(1e-3, ...expected.map(Math.abs));
  actual.forEach((v, i) => {
    expect(Math.abs(v - expected[i]!) / scale, `entry ${i}: ${v}, expected ${expected[i]}`).toBeLessThan(
      tolerance,
    );
  });
}

/** Value, gradients and plain logits of a loss against plain loops. */
export function expectAgreement(
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
