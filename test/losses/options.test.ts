// Options of losses: what is out of range is refused in words that say what is valid, unknown ones are named,
// and the rest is completed from the defaults.
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { losses, lossNamed } from '../../src/losses/index.js';
import { defaults } from './plain/index.js';

const number = ['4', null, Number.NaN, Number.POSITIVE_INFINITY, true];
const words = {
  positive: 'a number above 0',
  mining: /'all', 'easy', 'semi-hard', 'hard' or 'hardest'/,
  flag: 'true or false',
};

/** Loss, option, values that are refused, and what the refusal says. */
const ranges: readonly (readonly [string, string, readonly unknown[], string | RegExp])[] = [
  ['softmax', 'bias', ['yes', 1, null], words.flag],
  ...['a-softmax', 'l-softmax', 'sphereface-plus'].map(
    (name) => [name, 'margin', [0, 5, 2.5, -1, ...number], '1, 2, 3 or 4'] as const,
  ),
  ...['a-softmax', 'sphereface-plus'].map(
    (name) => [name, 'gradient', ['fast', 'detached', 1], "'exact' or 'caffe'"] as const,
  ),
  ...['a-softmax', 'l-softmax', 'sphereface-plus'].map(
    (name) => [name, 'annealing', [7, 'slow', null], /base, gamma, power, minimum/] as const,
  ),
  ['sphereface-plus', 'power', [3, -1, 0.5, '2'], '0, 1 or 2'],
  ['sphereface-plus', 'weight', [-0.1, ...number], 'a number of at least 0'],
  ['l2-softmax', 'alpha', [0, -1, ...number], words.positive],
  ['l2-softmax', 'learned', ['no'], words.flag],
  ['l2-softmax', 'bias', [0], words.flag],
  ...['normface', 'am-softmax', 'cosface', 'arcface', 'combined', 'sphereface-r-v1', 'sphereface-r-v2'].map(
    (name) => [name, 'scale', [0, -64, ...number], words.positive] as const,
  ),
  ['coco', 'scale', [0, -1, 'automatic', null, Number.NaN], "'auto' or a number above 0"],
  ['am-softmax', 'margin', [-0.1, 2.1, ...number], 'a number from 0 to 2'],
  ['cosface', 'margin', [-0.1, 2.1, ...number], 'a number from 0 to 2'],
  ['arcface', 'margin', [-0.1, 1.6, 28.6, ...number], 'a number from 0 to pi / 2'],
  ['arcface', 'easyMargin', ['yes'], words.flag],
  ['combined', 'm1', [0, -1, 9, ...number], 'a number above 0 to 8'],
  ['combined', 'm2', [-0.1, 3.2, ...number], /a number from 0 to pi$/],
  ['combined', 'm3', [-0.1, 2.1, ...number], 'a number from 0 to 2'],
  ...['sphereface-r-v1', 'sphereface-r-v2'].flatMap((name) => [
    [name, 'margin', [0.9, 9, ...number], 'a number from 1 to 8'] as const,
    [name, 'features', ['soft', 1], "'hard' or 'none'"] as const,
    [name, 'gradient', ['caffe', null], "'exact' or 'detached'"] as const,
  ]),
  ['contrastive', 'margin', [0, -1, ...number], words.positive],
  ['contrastive', 'normalize', ['yes'], words.flag],
  ['marginal', 'threshold', [-0.1, 4.1, ...number], 'a number from 0 to 4'],
  ['marginal', 'margin', [-0.1, 4.1, ...number], 'a number from 0 to 4'],
  ['triplet', 'margin', [0, -1, 4.1, ...number], 'a number above 0 to 4'],
  ['triplet', 'mining', ['semihard', 'none', 1], words.mining],
  ['tse', 'margin', [0, -1, ...number], words.positive],
  ['tse', 'mining', ['semihard'], words.mining],
  ['tpe', 'mining', ['easy', 'semi-hard'], "'all', 'hard' or 'hardest'"],
  ...['tse', 'tpe'].map(
    (name) => [name, 'length', [-1, 2.5, ...number], 'a whole number from 0 on'] as const,
  ),
  ...['center', 'center-invariant'].map(
    (name) => [name, 'rate', [0, -0.5, 1.1, ...number], 'a number above 0 to 1'] as const,
  ),
  ['range', 'k', [0, -1, 1.5, ...number], 'a whole number from 1 on'],
  ...['alpha', 'beta', 'margin'].map(
    (option) => ['range', option, [-1, ...number], 'a number of at least 0'] as const,
  ),
  ['mhe', 'power', [3, -1, 0.5, '2'], '0, 1 or 2'],
];

test('every option of every loss is in the table', () => {
  const named = (rows: (readonly [string, string])[]) =>
    rows.map(([loss, option]) => `${loss}.${option}`).sort();
  const all = Object.entries(defaults).flatMap(([loss, options]) =>
    Object.keys(options).map((option) => [loss, option] as const),
  );
  expect(named(ranges.map(([loss, option]) => [loss, option]))).toEqual(named(all));
});

describe.each(ranges)('%s.%s', (name, option, refused, valid) => {
  test.each(refused.map((value) => [value]))('%j is refused, with the range', (value) => {
    const attempt = () => losses[name]!.check({ [option]: value });
    expect(attempt).toThrow(UserError);
    const shown = typeof value === 'number' ? value : JSON.stringify(value);
    expect(attempt).toThrow(`${name}: ${option} is ${shown}; it must be `);
    expect(attempt).toThrow(valid);
  });

  test('the words of the range are those of the list of losses', () => {
    expect(losses[name]!.options[option]!.valid).toMatch(valid);
  });
});

describe('annealing', () => {
  test.each(['a-softmax', 'l-softmax', 'sphereface-plus'])('of %s is checked part by part', (name) => {
    const check = (annealing: object) => () => losses[name]!.check({ annealing });
    for (const part of ['base', 'gamma', 'power', 'minimum']) {
      expect(check({ [part]: -1 })).toThrow(UserError);
      expect(check({ [part]: -1 })).toThrow(`annealing.${part} is -1; it must be a number of at least 0`);
      expect(check({ [part]: 'much' })).toThrow(`annealing.${part}`);
    }
    expect(check({ speed: 1 })).toThrow(/annealing .* base, gamma, power, minimum/);
  });
});

describe('names', () => {
  test.each(Object.keys(defaults))('an unknown option of %s is named, with those it has', (name) => {
    const attempt = () => losses[name]!.check({ angle: 1 });
    const takes = Object.keys(defaults[name]!).join(', ') || 'none';
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow(`${name} has no option 'angle'; it takes ${takes}`);
  });

  test('an unknown loss is named, with those there are', () => {
    for (const name of ['sphereface', 'softmax+centre', '', 'softmax+']) {
      expect(() => lossNamed(name)).toThrow(UserError);
    }
    expect(() => lossNamed('sphereface')).toThrow(/'sphereface'.*a-softmax.*center/s);
  });
});

test('options are completed from the defaults, undefined ones too', () => {
  expect(losses['a-softmax']!.check({ margin: undefined, annealing: { minimum: 0 } })).toEqual({
    ...defaults['a-softmax'],
    annealing: { ...defaults['a-softmax']!.annealing, minimum: 0 },
  });
  expect(losses.arcface!.check({ margin: 0.3 })).toEqual({ ...defaults.arcface, margin: 0.3 });
});
