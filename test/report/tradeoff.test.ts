// Trade-offs as they are drawn: step curves that begin at one false accept, are firm from ten on, and know nothing
// below; axes on which rates are read; names that do not overlap.
import { describe, expect, test } from 'vitest';
import {
  brief,
  decades,
  deviateAxis,
  logAxis,
  plainAxis,
  probit,
  share,
} from '../../src/report/evaluation/axes.js';
import { spread } from '../../src/report/evaluation/frame.js';
import { marksOf, missAt, stepsOf, type Tradeoff } from '../../src/report/evaluation/tradeoff.js';
import { rocPlot, searchDetPlot } from '../../src/report/evaluation/tradeoff-plot.js';

const curve = (
  falseRates: number[],
  missRates: number[],
  falseTrials: number,
  missTrials = 100,
): Tradeoff => ({
  ...{ name: 'a', colour: 'var(--class-0)', falseRates, missRates, falseTrials, missTrials },
});

describe('a trade-off', () => {
  // Scores 9 8 (same) 7 (different) 6 (same) 5 5 (one of each) 4 (different), worked out by hand.
  const byHand = curve([0, 0, 1 / 3, 1 / 3, 2 / 3, 1], [1, 0.5, 0.5, 0.25, 0, 0], 3, 4);

  test('has at a false accept rate the fewest misses of a threshold with at most that rate', () => {
    expect(missAt(byHand, 0)).toBe(0.5);
    expect(missAt(byHand, 0.3)).toBe(0.5);
    expect(missAt(byHand, 1 / 3)).toBe(0.25);
    // Between two points nothing is interpolated, also where a tie joins them by a slope.
    expect(missAt(byHand, 0.6)).toBe(0.25);
    expect(missAt(byHand, 1)).toBe(0);
    expect(missAt(curve([0.5, 1], [0.2, 0], 2), 0.4)).toBeUndefined();
  });

  test('begins at one false accept, whatever the curve says below', () => {
    const steps = stepsOf(byHand, { misses: false });
    expect(steps.map(({ from, to, miss }) => [from, to, miss])).toEqual([
      [1 / 3, 2 / 3, 0.25],
      [2 / 3, 1, 0],
    ]);
    expect(steps.every(({ firm }) => !firm)).toBe(true);
  });

  test('is firm from ten false accepts on, and cut there', () => {
    const rates = Array.from({ length: 101 }, (_, i) => i / 100);
    const fine = curve(
      rates,
      rates.map((rate) => 0.5 - rate / 2),
      1000,
    );
    const steps = stepsOf(fine, { misses: false });
    expect(steps[0]).toEqual({ from: 1 / 1000, to: 10 / 1000, miss: 0.5, firm: false });
    for (const { from, firm } of steps) expect(firm).toBe(from >= 10 / 1000 - 1e-12);
    for (const [i, step] of steps.slice(1).entries()) expect(step.from).toBe(steps[i]!.to);
    expect(steps.at(-1)!.to).toBe(1);
    // The first corner beyond ten does not start before it.
    const late = stepsOf(curve([0, 0.5, 1], [0.6, 0.3, 0], 1000), { misses: false });
    expect(late.map(({ from, to, firm }) => [from, to, firm])).toEqual([
      [0.001, 0.01, false],
      [0.01, 0.5, true],
      [0.5, 1, true],
    ]);
  });

  test('of two errors rests on misses too: pale below ten of them, gone below one', () => {
    const steps = stepsOf(curve([0.1, 0.2, 0.3, 0.4], [0.5, 0.1, 0.09, 0], 1000), { misses: true });
    expect(steps.map(({ miss, firm }) => [miss, firm])).toEqual([
      [0.5, true],
      [0.1, true],
      [0.09, false],
    ]);
  });

  test('of very many points is thinned to what can be seen, and keeps its level to within a pixel', () => {
    const n = 100_000;
    const rates = Array.from({ length: n }, (_, i) => (i + 1) / n);
    const many = curve(
      rates,
      rates.map((rate) => 1 - rate ** 0.3),
      n,
      n,
    );
    const steps = stepsOf(many, { misses: false });
    expect(steps.length).toBeLessThan(1000);
    for (const { from, miss } of steps) {
      expect(miss).toBeLessThanOrEqual(missAt(many, from)!);
      expect(miss).toBeGreaterThanOrEqual(missAt(many, from * 10 ** (1 / 150))! - 1e-12);
    }
  });

  test('is marked at 1, 2, 5, 10 .. false accepts, as far as there are pairs', () => {
    expect(marksOf({ falseTrials: 60 })).toEqual([1, 2, 5, 10, 20, 50]);
    expect(marksOf({ falseTrials: 1 })).toEqual([1]);
  });
});

describe('a plot', () => {
  test('says the trials behind each point, and draws nothing left of one false accept', () => {
    const { text } = rocPlot([curve([0, 0.01, 0.1, 1], [0.5, 0.2, 0.1, 0], 100, 40)]);
    expect(text).toContain('FAR 0.01 (1 of 100 different pairs): TAR 80 % (32 of 40 same pairs)');
    expect(text).toContain('FAR 0.1 (10 of 100 different pairs): TAR 90 % (36 of 40 same pairs)');
    expect(text).toContain('false accepts among 100 different pairs');
    expect(text).toContain('less than one of 100 different pairs: not known');
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
    const lines = [...text.matchAll(/<path[^>]*stroke="var\(--class-0\)"[^>]*>/g)].map(([path]) =>
      [...path.matchAll(/[ML]([\d.]+),/g)].map(([, x]) => Number(x)),
    );
    const zone = /<rect([^>]*)><title>less than one/.exec(text)![1]!;
    const known = ['x', 'width'].reduce(
      (sum, name) => sum + Number(new RegExp(` ${name}="([\\d.]+)"`).exec(zone)![1]),
      0,
    );
    const drawn = lines.flat();
    expect(drawn.length).toBeGreaterThan(3);
    for (const x of drawn) expect(x).toBeGreaterThanOrEqual(known - 0.02);
  });

  test('dashes what rests on fewer than ten false accepts', () => {
    const few = rocPlot([curve([0, 0.5, 1], [0.5, 0.2, 0], 4, 40)]).text;
    expect(few).toContain('stroke-dasharray="4 3"');
    const strokes = (text: string) => text.match(/<path[^>]*stroke="var\(--class-0\)"/g) ?? [];
    expect(strokes(few)).toHaveLength(1);
    expect(strokes(rocPlot([curve([0, 0.5, 1], [0.5, 0.2, 0], 400, 40)]).text)).toHaveLength(2);
  });

  test.each([1, 2, 9, 10, 11, 1e6])('is whole with %i impostors', (trials) => {
    for (const { text } of [
      rocPlot([curve([0, 1], [0.5, 0], trials)]),
      searchDetPlot([curve([0, 1], [0.5, 0], trials), curve([0, 1], [0, 0], 7, 3)]),
    ])
      expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('axes', () => {
  test('the normal deviate is that of the tables', () => {
    // Abramowitz and Stegun, tables 26.1 and 26.5.
    expect(probit(0.5)).toBe(0);
    expect(probit(0.975)).toBeCloseTo(1.959963984540054, 7);
    expect(probit(0.99)).toBeCloseTo(2.3263478740408408, 7);
    expect(probit(0.001)).toBeCloseTo(-3.090232306167813, 7);
    expect(probit(1e-6)).toBeCloseTo(-4.753424308822899, 7);
    expect([probit(0), probit(1)]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
    for (const p of [1e-7, 0.01, 0.02425, 0.1, 0.3]) expect(probit(p)).toBeCloseTo(-probit(1 - p), 6);
  });

  test('write rates and counts shortly and exactly', () => {
    expect([1, 0.1, 0.001, 0.0001, 1e-5, 1e-6, 0].map(share)).toEqual([
      ...['1', '0.1', '0.001', '0.0001', '1e-5', '1e-6', '0'],
    ]);
    expect([1, 1000, 10_000, 100_000, 1e6, 1e7].map(brief)).toEqual([
      '1',
      '1,000',
      '10k',
      '100k',
      '1M',
      '10M',
    ]);
    expect(decades([0.0003, 1])).toEqual([0.001, 0.01, 0.1, 1]);
    expect(logAxis('', [0.05, 1], share).ticks).toEqual([0.05, 0.1, 0.2, 0.5, 1]);
    expect(plainAxis('', [0.95, 1], share).ticks).toEqual([0.95, 0.96, 0.97, 0.98, 0.99, 1]);
    expect(deviateAxis('', [0.015, 0.5], share).ticks).toEqual([0.02, 0.05, 0.1, 0.2, 0.4]);
  });

  test('names at the ends of curves are pushed apart, in order, and stay in the frame', () => {
    expect(spread([0.5, 0.1, 0.9], 0.1, 0, 1)).toEqual([0.5, 0.1, 0.9]);
    const pushed = spread([1, 1, 0.99, 0.2], 0.1, 0, 1);
    const sorted = [...pushed].sort((a, b) => a - b);
    for (let i = 1; i < 4; i++) expect(sorted[i]! - sorted[i - 1]!).toBeGreaterThanOrEqual(0.1 - 1e-9);
    expect(Math.max(...pushed)).toBeLessThanOrEqual(1);
    expect(pushed[2]).toBeLessThan(Math.min(pushed[0]!, pushed[1]!));
    expect(pushed[3]).toBe(0.2);
  });
});
