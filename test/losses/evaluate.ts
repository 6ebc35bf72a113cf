// Evaluates a loss's graph in double precision, and compares it with plain loops.
import { expect } from 'vitest';
import { gradients, input, nameOf } from '../../src/graph/index.js';
import { type LossOptions, type LossTerms, lossNamed } from '../../src/losses/index.js';
import { type Parameter, Scope } from '../../src/nn/index.js';
import { interpret } from '../support/interpreter.js';
import { differences, type Evaluation, type Point } from './plain/point.js';

/** A loss's graph with everything it declared. */
export interface Built {
  terms: LossTerms;
  /** Those it learns and those it only keeps. */
  parameters: readonly Parameter[];
  embedding: ReturnType<typeof input>;
  labels: ReturnType<typeof input>;
}

type Build = (context: Parameters<ReturnType<typeof lossNamed>['build']>[0]) => LossTerms;

export function build(name: string, shape: readonly [number, number], classes: number, options: LossOptions) {
  return buildWith((context) => lossNamed(name).build(context, options), shape, classes);
}

export function buildWith(make: Build, shape: readonly [number, number], classes: number): Built {
  const scope = new Scope();
  const embedding = input('x', shape);
  const labels = input('labels', [shape[0]], 'int32');
  const terms = make({ scope, embedding, labels, classes });
  return { terms, parameters: scope.parameters, embedding, labels };
}

/** What the optimiser moves. */
export const learned = (parameters: readonly Parameter[]): Parameter[] =>
  parameters.filter(({ rate }) => rate !== 0);

export interface Evaluated {
  value: number;
  /** None: empty. */
  logits: number[];
  /** By name: `x` and every learned parameter. */
  gradient: Record<string, number[]>;
  metrics: Record<string, number>;
  next: Record<string, number[]>;
  built: Built;
}

/** A loss's graph at a point. */
export function evaluate(name: string, point: Point, options: LossOptions = {}): Evaluated {
  const shape = [point.x.length, point.x[0]!.length] as const;
  return evaluateBuilt(build(name, shape, point.classes, options), point);
}

export function evaluateBuilt(built: Built, point: Point): Evaluated {
  const { terms, parameters, embedding } = built;
  const leaves = [embedding, ...learned(parameters).map((p) => p.tensor)];
  const kept = parameters.filter((p) => p.next);
  const metricNames = Object.keys(terms.metrics);
  const outputs = [
    terms.loss,
    ...gradients(terms.loss, leaves),
    ...metricNames.map((name) => terms.metrics[name]!),
    ...kept.map((p) => p.next!),
    ...(terms.logits ? [terms.logits] : []),
  ];
  const [value, ...rest] = interpret(outputs, given(built, point)).map((values) => [...values]);
  const take = (count: number) => rest.splice(0, count);
  const named = (names: string[]) => {
    const values = take(names.length);
    return Object.fromEntries(names.map((name, i) => [name, values[i]!]));
  };
  const gradient = named(leaves.map(nameOf));
  const metrics = named(metricNames);
  const next = named(kept.map((p) => p.name));
  return {
    value: value![0]!,
    gradient,
    metrics: Object.fromEntries(metricNames.map((name) => [name, metrics[name]![0]!])),
    next,
    logits: rest[0] ?? [],
    built,
  };
}

/** Values of all leaves by name. */
function given({ terms, parameters }: Built, { x, labels, state, lambda = 0 }: Point) {
  const values: Record<string, number[]> = { x: x.flat(), labels };
  for (const { name } of parameters) values[name] = state[name]!.flat();
  for (const scheduled of terms.schedule) values[nameOf(scheduled.input)] = [lambda];
  return values;
}

/** Differences relative to the largest expected entry. */
export function expectClose(
  actual: readonly number[],
  expected: readonly number[],
  tolerance = 1e-7,
  what = 'entry',
): void {
  expect(actual.length, `${what}: length`).toBe(expected.length);
  const scale = expected.reduce((largest, v) => Math.max(largest, Math.abs(v)), 1e-3);
  const errors = actual.map((v, i) => Math.abs(v - expected[i]!) / scale);
  // One that is NaN counts as the worst.
  const worst = errors.reduce((at, error, i) => (error <= errors[at]! ? at : i), 0);
  if (errors.length === 0) return;
  expect(errors[worst], `${what} ${worst}: ${actual[worst]}, expected ${expected[worst]}`).toBeLessThan(
    tolerance,
  );
}

function expectAllFinite(numbers: readonly number[], what: string): void {
  const strange = numbers.findIndex((v) => !Number.isFinite(v));
  expect(strange, `${what}: entry ${strange} is ${numbers[strange]}`).toBe(-1);
}

/** Nothing that a step computes is NaN or infinite. */
export function expectFinite(
  { value, logits, gradient, metrics, next }: Omit<Evaluated, 'built'>,
  where = 'here',
): void {
  const values = { loss: [value], logits, metrics: Object.values(metrics), ...next };
  for (const [what, numbers] of Object.entries(values)) {
    expectAllFinite(numbers, `${where}, ${what}`);
  }
  for (const [name, numbers] of Object.entries(gradient)) {
    expectAllFinite(numbers, `${where}, d ${name}`);
  }
}

/** Value, logits, metrics and next state as the loops have them. */
export function expectValues(actual: Evaluated, expected: Evaluation, tolerance = 1e-6): void {
  expectClose([actual.value], [expected.value], tolerance, 'loss');
  expectClose(actual.logits, expected.logits?.flat() ?? [], tolerance, 'logit');
  for (const [name, value] of Object.entries(expected.metrics ?? {})) {
    expect(Object.keys(actual.metrics), 'metrics').toContain(name);
    expectClose([actual.metrics[name]!], [value], tolerance, name);
  }
  const next = expected.next ?? {};
  expect(Object.keys(actual.next).sort()).toEqual(Object.keys(next).sort());
  for (const [name, rows] of Object.entries(next)) {
    expectClose(actual.next[name]!, rows.flat(), tolerance, `next ${name}`);
  }
}

/** Gradients as differences of the loops, whose mined triplets and detached parts stay those of `point`. */
export function expectGradients(
  actual: Evaluated,
  point: Point,
  reference: (point: Point, fixed: Point) => Evaluation,
  tolerance = 1e-5,
): void {
  const dx = differences(point.x, (x) => reference({ ...point, x }, point).value);
  expectClose(actual.gradient.x!, dx.flat(), tolerance, 'dx');
  for (const { name } of learned(actual.built.parameters)) {
    const derived = differences(
      point.state[name]!,
      (rows) => reference({ ...point, state: { ...point.state, [name]: rows } }, point).value,
    );
    expectClose(actual.gradient[name]!, derived.flat(), tolerance, `d ${name}`);
  }
}
