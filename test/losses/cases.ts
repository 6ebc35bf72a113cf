// Every loss with every option that changes its formula: the table that the agreement, edge and property
// tests go through.
import type { LossOptions } from '../../src/losses/index.js';
import type { Options } from './plain/point.js';
import { OVERLAPPING, type Spread } from './points.js';

export interface Case {
  title: string;
  name: string;
  options: LossOptions & Partial<Options>;
  /** What it declares: learned first, then what it keeps. */
  learned: readonly string[];
  kept: readonly string[];
  spread: Partial<Spread>;
  lambda: number;
}

interface Family {
  learned?: readonly string[];
  kept?: readonly string[];
  spread?: Partial<Spread>;
  lambda?: number;
}

const row = (name: string, options: Case['options'] = {}, family: Family = {}): Case => ({
  title: `${name} ${JSON.stringify(options)}${family.lambda ? ` lambda ${family.lambda}` : ''}`,
  name,
  options,
  learned: family.learned ?? [],
  kept: family.kept ?? [],
  spread: family.spread ?? {},
  lambda: family.lambda ?? 0,
});

const head: Family = { learned: ['fc6.weight'] };
const biased: Family = { learned: ['fc6.weight', 'fc6.bias'] };
const scaled: Family = { learned: ['fc6.weight', 'scale'] };
const pairs: Family = { spread: OVERLAPPING };
const projected: Family = { learned: ['projection'], spread: OVERLAPPING };
const shorter: Family = { learned: ['projection'], spread: { ...OVERLAPPING, projected: 3 } };
const centred: Family = { kept: ['centres'], spread: { ...OVERLAPPING, size: 0.8 } };

const every = <T>(values: readonly T[], make: (value: T) => Case[]): Case[] => values.flatMap(make);

export const cases: readonly Case[] = [
  row('softmax', {}, biased),
  row('softmax', { bias: false }, head),
  row('modified-softmax', {}, head),
  ...every([1, 2, 3, 4], (margin) => [
    ...every([0, 5, 892.857], (lambda) => [row('a-softmax', { margin }, { ...head, lambda })]),
    ...every([0, 5], (lambda) => [row('l-softmax', { margin }, { ...head, lambda })]),
  ]),
  ...every([0, 1, 2], (power) => [row('sphereface-plus', { power, weight: 0.7 }, { ...head, lambda: 5 })]),
  row('sphereface-plus', { margin: 2 }, head),
  row('l2-softmax', {}, biased),
  row('l2-softmax', { alpha: 9.5, bias: false }, head),
  row('l2-softmax', { learned: true }, { learned: ['fc6.weight', 'scale', 'fc6.bias'] }),
  row('l2-softmax', { learned: true, bias: false }, scaled),
  row('normface', {}, scaled),
  row('coco', {}, { kept: ['centroids'] }),
  row('coco', { scale: 16 }, { kept: ['centroids'] }),
  row('am-softmax', {}, head),
  row('am-softmax', { scale: 12, margin: 0.4 }, head),
  row('cosface', {}, head),
  row('cosface', { scale: 12, margin: 0.1 }, head),
  row('arcface', {}, head),
  row('arcface', { scale: 12, margin: 1 }, head),
  row('arcface', { easyMargin: true }, head),
  row('combined', {}, head),
  ...every(
    [
      [1, 0.5, 0],
      [1, 0, 0.35],
      [0.9, 0.4, 0.15],
      [4, 0, 0],
      [1.35, 0.1, 0],
      [3.3, 2, 0.5],
      [0.5, 3, 0],
    ],
    ([m1, m2, m3]) => [row('combined', { scale: 16, m1: m1!, m2: m2!, m3: m3! }, head)],
  ),
  ...every(['sphereface-r-v1', 'sphereface-r-v2'], (name) =>
    every(['hard', 'none'] as const, (features) =>
      every(['exact', 'detached'] as const, (gradient) => [row(name, { features, gradient }, head)]),
    ),
  ),
  row('sphereface-r-v1', { scale: 10, margin: 3 }, head),
  row('sphereface-r-v2', { scale: 10, margin: 3 }, head),
  row('contrastive', {}, pairs),
  row('contrastive', { margin: 1.3, normalize: true }, pairs),
  row('marginal', {}, pairs),
  row('marginal', { threshold: 0.8, margin: 0.6 }, pairs),
  ...every(['all', 'easy', 'semi-hard', 'hard', 'hardest'] as const, (mining) => [
    row('triplet', { mining }, pairs),
    row('triplet', { mining, margin: 0.9 }, pairs),
    row('tse', { mining }, projected),
    row('tse', { mining, margin: 2, length: 3 }, shorter),
  ]),
  ...every(['all', 'hard', 'hardest'] as const, (mining) => [
    row('tpe', { mining }, projected),
    row('tpe', { mining, length: 3 }, shorter),
  ]),
  row('center', {}, centred),
  row('center', { rate: 0.1 }, centred),
  row('center-invariant', {}, centred),
  row('center-invariant', { rate: 1 }, centred),
  row('range', {}, { spread: { ...OVERLAPPING, size: 20 } }),
  row('range', { k: 1, alpha: 0.5, beta: 0.25, margin: 2 }, pairs),
  row('range', { k: 1e9, alpha: 1, beta: 0, margin: 9 }, pairs),
  row('range', { k: 5, alpha: 1, beta: 1, margin: 9 }, { spread: { ...OVERLAPPING, size: 0.8 } }),
];

/** One row a loss, with the defaults. */
export const oneEach: readonly Case[] = [...new Set(cases.map(({ name }) => name))].map((name) => ({
  ...cases.find((c) => c.name === name)!,
  title: name,
  options: {},
}));
