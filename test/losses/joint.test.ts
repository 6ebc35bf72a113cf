// Joint losses: the weighted sum of their parts, each with its own state, options and annealing.
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { nameOf } from '../../src/graph/index.js';
import { lossNamed } from '../../src/losses/index.js';
import { evaluate, expectGradients, expectValues } from './evaluate.js';
import { type JointOptions, plainJoint } from './plain/index.js';
import { batches, jointPoint, OVERLAPPING } from './points.js';

const joints: readonly (readonly [string, JointOptions, readonly string[]])[] = [
  ['softmax+center', {}, ['softmax.fc6.weight', 'softmax.fc6.bias', 'center.centres']],
  [
    'softmax+center',
    { softmax: { bias: false }, center: { rate: 0.2 }, weights: { center: 0.008 } },
    ['softmax.fc6.weight', 'center.centres'],
  ],
  [
    'softmax+contrastive',
    { weights: { softmax: 0.5, contrastive: 2 } },
    ['softmax.fc6.weight', 'softmax.fc6.bias'],
  ],
  ['center+normface', {}, ['center.centres', 'normface.fc6.weight', 'normface.scale']],
  ['softmax+mhe', { mhe: { power: 0 } }, ['softmax.fc6.weight', 'softmax.fc6.bias']],
  ['modified-softmax+mhe', { mhe: { power: 1 }, weights: { mhe: 3 } }, ['modified-softmax.fc6.weight']],
  ['arcface+triplet+mhe', { triplet: { mining: 'all' }, arcface: { scale: 8 } }, ['arcface.fc6.weight']],
  ['coco+range', { coco: { scale: 4 }, range: { alpha: 1, beta: 1, margin: 3 } }, ['coco.centroids']],
  ['softmax+center-invariant', {}, ['softmax.fc6.weight', 'softmax.fc6.bias', 'center-invariant.centres']],
  ['a-softmax+tse', {}, ['a-softmax.fc6.weight', 'tse.projection']],
  ['coco+mhe', { coco: { scale: 4 } }, ['coco.centroids']],
  [
    'softmax+center+center-invariant',
    { center: { rate: 0.3 }, weights: { 'center-invariant': 0.5 } },
    ['softmax.fc6.weight', 'softmax.fc6.bias', 'center.centres'],
  ],
  ['center-invariant+center', { 'center-invariant': { rate: 0.3 } }, ['center-invariant.centres']],
];

describe.each(joints)('%s %j', (names, options, parameters) => {
  const parts = names.split('+');

  test.each(Object.entries(batches))('%s', (_, batch) => {
    const point = { ...jointPoint(parts, 11, batch, { ...OVERLAPPING, size: 0.6 }), lambda: 5 };
    const actual = evaluate(names, point, options);
    expectValues(actual, plainJoint(names, point, options));
    expectGradients(actual, point, (at, fixed) => plainJoint(names, at, options, fixed));
    expect(actual.built.parameters.map((p) => p.name)).toEqual(parameters);
  });
});

describe('a joint loss', () => {
  const point = { ...jointPoint(['a-softmax', 'mhe'], 3, batches.mixed!), lambda: 5 };

  test('keeps the annealing of its parts, under their names', () => {
    const { schedule } = evaluate('a-softmax+mhe', point).built.terms;
    expect(schedule.map((entry) => nameOf(entry.input))).toEqual(['a-softmax.lambda']);
    expect(schedule[0]!.at(1)).toBeCloseTo(892.857, 3);
  });

  test('A-Softmax with the energy of its class vectors is SphereFace+', () => {
    const { 'a-softmax.fc6.weight': weights, ...state } = point.state;
    const alone = { ...point, state: { ...state, 'fc6.weight': weights! } };
    expect(evaluate('a-softmax+mhe', point).value).toBeCloseTo(evaluate('sphereface-plus', alone).value, 9);
  });

  test.each([
    ['a part that does not exist', 'softmax+centre', /centre/],
    ['the energy alone', 'mhe', /mhe/],
    ['the energy before the class vectors', 'mhe+softmax', /before it/],
    ['the energy beside a loss without class vectors', 'contrastive+mhe', /mhe/],
    ['the same part twice', 'softmax+softmax', /softmax/],
  ])('%s is refused', (_, names, message) => {
    const attempt = () => evaluate(names, jointPoint(names.split('+'), 1, batches.mixed!));
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow(message);
  });

  test.each([
    ['options of a loss that is no part', { arcface: {} }, /arcface/],
    ['a weight of a loss that is no part', { weights: { arcface: 1 } }, /arcface/],
    ['a weight below 0', { weights: { center: -1 } }, /center.*-1.*must be/],
    ['a weight in words', { weights: { center: 'much' } }, /center.*"much".*must be/],
    ["a part's option out of range", { center: { rate: -1 } }, /rate is -1; it must be/],
    ['an option that the part does not have', { center: { speed: 1 } }, "center has no option 'speed'"],
  ])('%s is refused', (_, options, message) => {
    expect(() => lossNamed('softmax+center').check(options)).toThrow(UserError);
    expect(() => lossNamed('softmax+center').check(options)).toThrow(message);
  });
});
