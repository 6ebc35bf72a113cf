// Batch normalisation: the batch's statistics while training, the running ones it keeps, and that folding them into
// the convolutions changes no value.
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { input, type Tensor } from '../../src/graph/index.js';
import {
  convolution,
  depthwiseConvolution,
  foldNormalizations,
  type Normalization,
  Scope,
} from '../../src/nn/index.js';
import { distinctValues } from '../support/example.js';
import { interpret, type Values } from '../support/interpreter.js';

const SHAPE = [3, 2, 4, 5];
const SIZE = 3 * 2 * 4 * 5;

/** One convolution and one depthwise convolution, both normalised. */
function network(norm: Normalization): { y: Tensor; scope: Scope } {
  const scope = new Scope();
  const first = convolution(scope, 'a', input('x', SHAPE), { channels: 3, norm });
  return { y: depthwiseConvolution(scope.child('b'), 'c', first, { stride: 2, norm }), scope };
}

/** Values for the parameters; variances are positive. */
const valuesOf = (scope: Scope): Record<string, Values> =>
  Object.fromEntries(
    scope.parameters.map(({ name, shape }, i) => {
      const values = distinctValues(
        shape.reduce((a, b) => a * b, 1),
        i,
      );
      return [name, name.endsWith('running_var') ? values.map((v) => 0.5 + Math.abs(v)) : values];
    }),
  );

describe('to train', () => {
  /** A 1x1 convolution by 1, so that the normalisation is seen alone. */
  const alone = (channels: number) => {
    const scope = new Scope();
    const x = input('x', [3, channels, 2, 2]);
    const y = depthwiseConvolution(scope, 'a', x, { kernel: [1, 1], padding: 0, norm: 'batch' });
    const kept = (name: string) => scope.parameters.find((p) => p.name === `a.norm.${name}`)!.next!;
    return { y, next: [kept('running_mean'), kept('running_var')] };
  };
  const given = {
    x: Float64Array.from({ length: 24 }, (_, i) => Math.sin(3 * i) + (i % 8 < 4 ? 100 : -3)),
    'a.weight': [1, 1],
    'a.norm.weight': [2, 0.5],
    'a.norm.bias': [-1, 3],
    'a.norm.running_mean': [10, 20],
    'a.norm.running_var': [1, 4],
  };
  const channel = (values: Values, c: number) => [...values].filter((_, i) => Math.floor(i / 4) % 2 === c);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const squares = (values: readonly number[]) =>
    values.reduce((total, v) => total + (v - mean(values)) ** 2, 0);

  test('every channel has the mean beta and, but for epsilon, the deviation gamma', () => {
    const [y] = interpret([alone(2).y], given) as [Values];
    for (const [c, gamma, beta] of [
      [0, 2, -1],
      [1, 0.5, 3],
    ] as const) {
      const variance = squares(channel(given.x, c)) / 12;
      expect(mean(channel(y, c))).toBeCloseTo(beta, 4);
      const expected = (gamma ** 2 * variance) / (variance + 1e-5);
      expect(squares(channel(y, c)) / 12 / expected).toBeCloseTo(1, 6);
    }
  });

  test('a tenth of the batch goes into what is kept, its variance unbiased', () => {
    const [means, variances] = interpret(alone(2).next, given) as [Values, Values];
    for (const c of [0, 1]) {
      const values = channel(given.x, c);
      const before = [given['a.norm.running_mean'][c]!, given['a.norm.running_var'][c]!] as const;
      expect(means[c]! / (0.9 * before[0] + 0.1 * mean(values))).toBeCloseTo(1, 6);
      expect(variances[c]! / (0.9 * before[1] + (0.1 * squares(values)) / 11)).toBeCloseTo(1, 6);
    }
  });

  test('one value a channel has no variance: the batch is refused', () => {
    const build = (n: number) =>
      convolution(new Scope(), 'a', input('x', [n, 2, 1, 1]), { channels: 2, norm: 'batch' });
    expect(() => build(1)).toThrow(UserError);
    expect(() => build(1)).toThrow(/a batch of 2 images or more/);
    expect(build(2).shape).toEqual([2, 2, 1, 1]);
  });
});

describe('folded', () => {
  test('a network computes what it does by its running statistics', () => {
    const { y, scope } = network('running');
    const values = valuesOf(scope);
    const folded = network('folded');
    const weights = foldNormalizations(
      new Map(Object.entries(values).map(([name, v]) => [name, Float32Array.from(v)])),
    );
    expect([...weights.keys()].sort()).toEqual(folded.scope.parameters.map((p) => p.name).sort());
    const x = distinctValues(SIZE, 3);
    const single = Object.fromEntries(
      Object.entries(values).map(([name, v]) => [name, Float32Array.from(v)]),
    );
    const [expected] = interpret([y], { ...single, x });
    const [actual] = interpret([folded.y], { ...Object.fromEntries(weights), x });
    const largest = Math.max(...expected!.map(Math.abs));
    expected!.forEach((v, i) => {
      expect(Math.abs(actual![i]! - v) / largest).toBeLessThan(1e-6);
    });
  });

  test('what has no normalisation stays the very same', () => {
    const weights = new Map([['fc.weight', Float32Array.of(1, 2)]]);
    expect(foldNormalizations(weights)).toEqual(weights);
    expect(foldNormalizations(weights).get('fc.weight')).toBe(weights.get('fc.weight'));
  });

  test('a tensor that is missing, of another length or below zero is named', () => {
    const { scope } = network('running');
    const broken = (name: string, data?: number[]) => () => {
      const weights = new Map(Object.entries(valuesOf(scope)).map(([key, v]) => [key, Float32Array.from(v)]));
      if (data) weights.set(name, Float32Array.from(data));
      else weights.delete(name);
      return foldNormalizations(weights);
    };
    expect(broken('a.norm.running_mean')).toThrow(UserError);
    expect(broken('a.norm.running_mean')).toThrow(/'a.norm.running_mean' .* 3 numbers and has none/);
    expect(broken('b.c.norm.bias', [1, 2])).toThrow(/'b.c.norm.bias' .* 3 numbers and has 2/);
    expect(broken('a.weight')).toThrow(/'a.weight' should have 3 kernels and has no numbers/);
    expect(broken('a.norm.running_var', [1, -1, 1])).toThrow(/'a.norm.running_var' is below zero/);
  });
});
