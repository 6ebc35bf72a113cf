// What single losses promise beside their formula: how the optimiser is to treat what they learn, where that
// starts, and the head that takes other margins in one line.
import { describe, expect, test } from 'vitest';
import { gradients, input, sub } from '../../src/graph/index.js';
import { losses, marginHead, psiOf, replaceCosine } from '../../src/losses/index.js';
import { initialParameters, Scope } from '../../src/nn/index.js';
import { interpret } from '../support/interpreter.js';
import {
  build,
  buildWith,
  evaluate,
  evaluateBuilt,
  expectClose,
  expectGradients,
  expectValues,
} from './evaluate.js';
import { defaults, plain } from './plain/index.js';
import { batches, pointOf } from './points.js';

const point = pointOf(5, batches.mixed!);
const parametersOf = (name: string, options = {}) => build(name, [12, 4], 5, options).parameters;

describe('softmax', () => {
  test('the bias has twice the rate and no decay, as in the published definition', () => {
    const bias = parametersOf('softmax').find((p) => p.name === 'fc6.bias')!;
    expect([bias.rate, bias.decay]).toEqual([2, 0]);
  });

  test('huge logits give a finite loss and gradient', () => {
    const large = { ...point, x: point.x.map((row) => row.map((v) => v * 1e4)) };
    const actual = evaluate('softmax', large);
    expectClose([actual.value], [plain('softmax', large).value]);
    expect(actual.gradient.x!.every(Number.isFinite)).toBe(true);
  });
});

test('modified softmax does not see how long class vectors are', () => {
  const weights = point.state['fc6.weight']!.map((row, j) => row.map((v) => v * (j + 1)));
  const longer = { ...point, state: { ...point.state, 'fc6.weight': weights } };
  expectClose([evaluate('modified-softmax', longer).value], [evaluate('modified-softmax', point).value]);
});

test('without a margin the logits in training are those that predict', () => {
  for (const name of ['softmax', 'modified-softmax', 'l2-softmax', 'normface', 'coco']) {
    const { built } = evaluate(name, point);
    const derived = gradients(built.terms.loss, [built.terms.logits!]);
    expect(derived[0]!.shape, name).toEqual([12, 5]);
    expect(built.terms.classVectors!.shape, name).toEqual([5, 4]);
  }
});

describe('learned scales', () => {
  test.each([
    ['normface', { scale: 14 }, 14],
    ['normface', {}, 10],
    ['l2-softmax', { learned: true }, 32],
    ['l2-softmax', { learned: true, alpha: 20 }, 20],
  ])('%s %j starts at %d, without decay, and is kept at .01 or more', (name, options, start) => {
    const parameters = parametersOf(name, options);
    const scale = parameters.find((p) => p.name === 'scale')!;
    expect([...initialParameters(parameters, 1).get('scale')!]).toEqual([start]);
    expect(scale.decay).toBe(0);
    const moved = input('moved', []);
    const kept = (value: number) => interpret([scale.constraint!(moved)], { moved: [value] })[0]![0]!;
    expect(kept(-3)).toBeCloseTo(0.01, 8);
    expect(kept(0.02)).toBe(0.02);
    expect(kept(50)).toBe(50);
  });
});

describe('what is kept', () => {
  test.each([
    ['center', 'centres'],
    ['center-invariant', 'centres'],
    ['coco', 'centroids'],
  ])('%s: the optimiser does not move its %s, and has their next value', (name, kept) => {
    const [parameter] = parametersOf(name);
    expect([parameter!.name, parameter!.rate]).toEqual([kept, 0]);
    expect(parameter!.next!.shape).toEqual(parameter!.shape);
  });

  test.each(['center', 'center-invariant'])('%s: no gradient reaches the centres themselves', (name) => {
    // The centre of an absent class stands still; that of a present one moves towards its samples.
    const absent = pointOf(6, batches['classes absent']!);
    const { next } = evaluate(name, absent);
    const centres = absent.state.centres!;
    for (const j of [1, 2, 4, 5, 6]) expectClose(next.centres!.slice(4 * j, 4 * j + 4), centres[j]!);
    const before = plain('center', absent).value;
    const rows = centres.map((_, j) => next.centres!.slice(4 * j, 4 * j + 4));
    expect(plain('center', { ...absent, state: { centres: rows } }).value).toBeLessThan(before);
  });

  test('coco keeps the centroid of a class that is absent', () => {
    const absent = pointOf(6, batches['classes absent']!);
    const { next } = evaluate('coco', absent);
    for (const j of [1, 2, 4, 5, 6]) {
      expectClose(next.centroids!.slice(4 * j, 4 * j + 4), absent.state.centroids![j]!);
    }
  });
});

describe('the projection of TSE and TPE', () => {
  test.each(['tse', 'tpe'])(
    '%s has as many rows as asked; of its own accord D, and 128 at the most',
    (name) => {
      const shape = (length: number, options = {}) =>
        build(name, [4, length], 3, options).parameters[0]!.shape;
      expect(shape(6)).toEqual([6, 6]);
      expect(shape(200)).toEqual([128, 200]);
      expect(shape(6, { length: 2 })).toEqual([2, 6]);
      expect(losses[name]!.embed!(new Scope(), input('x', [4, 6]), { length: 2 }).shape).toEqual([4, 2]);
    },
  );
});

describe('definitions', () => {
  test.each(Object.values(losses))('$name says what it is', (loss) => {
    expect(loss.title.length).toBeGreaterThan(2);
    expect(loss.formula.length).toBeGreaterThan(5);
    expect(loss.paper).toMatch(/\d{4}/);
    expect(Object.keys(loss.options)).toEqual(Object.keys(defaults[loss.name]!));
    for (const option of Object.values(loss.options)) expect(option.valid.length).toBeGreaterThan(3);
    expect(loss.check({})).toEqual(loss.defaults);
  });

  test('what learns from pairs of one person asks the sampler for them, softmax does not', () => {
    for (const name of ['contrastive', 'marginal', 'triplet', 'tse', 'tpe', 'range']) {
      expect(losses[name]!.needs.imagesPerPerson, name).toBeGreaterThanOrEqual(2);
    }
    for (const name of ['softmax', 'a-softmax', 'arcface', 'center']) {
      expect(losses[name]!.needs.imagesPerPerson, name).toBeUndefined();
    }
  });
});

describe('the head takes other margins as one line each', () => {
  test('CosFace: s (cos - .35)', () => {
    const built = buildWith(
      (context) =>
        marginHead(context, {
          weights: 'unit',
          features: 'unit',
          scale: 16,
          margin: replaceCosine((c) => sub(c, 0.35)),
        }),
      [12, 4],
      5,
    );
    const actual = evaluateBuilt(built, point);
    const options = { scale: 16, margin: 0.35 };
    expectValues(actual, plain('cosface', point, options));
    expectGradients(actual, point, (at) => plain('cosface', at, options));
  });

  test('L-Softmax without annealing: |W_y| |x| psi', () => {
    const built = buildWith(
      (context) =>
        marginHead(context, {
          weights: 'free',
          features: 'free',
          margin: replaceCosine((c) => psiOf(c, 3)),
        }),
      [12, 4],
      5,
    );
    const actual = evaluateBuilt(built, point);
    expectValues(actual, plain('l-softmax', point, { margin: 3 }));
    expectGradients(actual, point, (at) => plain('l-softmax', at, { margin: 3 }));
  });
});
