// The trade-off of missed people and strangers taken for somebody: by hand with ties, against plain loops, and in closed
// form.
import { describe, expect, it } from 'vitest';
import { random } from '../../src/common/random.js';
import { cornersOf } from '../../src/evaluate/corners.js';
import {
  detCurve,
  fnirsAtFpirs,
  operatingPoints,
  sortSearches,
} from '../../src/evaluate/identification/det.js';
import { edgeInterval, resamplePeople, widened } from '../../src/evaluate/resample.js';

const searches = (hits: number[], best: number[]) =>
  sortSearches(Float64Array.from(hits), Float64Array.from(best));

describe('FNIR at FPIR', () => {
  // Falling: .9 mate, .8 stranger, .7 mate, .6 two strangers and a mate, .5 mate, .2 stranger, .1 stranger.
  const byHand = searches([0.9, 0.7, 0.6, 0.5], [0.8, 0.6, 0.6, 0.2, 0.1]);

  it('follows from counting, and equal scores pass together', () => {
    const [none, one, two, three] = operatingPoints(byHand, [0.1, 0.2, 0.4, 0.6])!;
    // Nothing but the mate at .9 lies above the best stranger.
    expect(none).toEqual({ threshold: 0.9, fnir: 0.75, measured: 0 });
    // One of five strangers may pass: down to the mate at .7. The two at .6 only pass together.
    expect(one).toEqual({ threshold: 0.7, fnir: 0.5, measured: 0.2 });
    expect(two).toEqual(one);
    // With three the mate at .6 passes, and the one at .5 above the next stranger.
    expect(three).toEqual({ threshold: 0.5, fnir: 0, measured: 0.6 });
  });

  it('a mate outside of the first R candidates never counts', () => {
    const trials = searches([0.9, -Infinity], [0.5, 0.4]);
    expect(operatingPoints(trials, [0.5])).toEqual([{ threshold: 0.5, fnir: 0.5, measured: 0.5 }]);
    const { thresholds, fpir, fnir } = detCurve(trials);
    expect(thresholds.every(Number.isFinite)).toBe(true);
    expect([fpir.at(-1), fnir.at(-1)]).toEqual([1, 0.5]);
  });

  it('is not known with fewer than 1 / FPIR searches for strangers, and careful below ten', () => {
    const hits = [2, 3];
    const strangers = (n: number) => Array.from({ length: n }, (_, i) => i / n);
    expect(fnirsAtFpirs(searches(hits, strangers(99)), [0.01])).toEqual([
      {
        fpir: 0.01,
        fnir: null,
        threshold: null,
        falsePositives: 0,
        reason: 'needs at least 100 non-mated searches, there are 99',
      },
    ]);
    expect(fnirsAtFpirs(searches(hits, strangers(100)), [0.01, 0.1])).toEqual([
      {
        fpir: 0.01,
        fnir: 0,
        threshold: 0.99,
        falsePositives: 1,
        reason: 'rests on 1 of 100 non-mated searches',
      },
      { fpir: 0.1, fnir: 0, threshold: 0.9, falsePositives: 10 },
    ]);
    // .003 of 1,000 are three, although .003 * 1000 is a little less in binary.
    expect(fnirsAtFpirs(searches(hits, strangers(1000)), [0.003])[0]!.falsePositives).toBe(3);
  });

  it('has no threshold when every high score is one of too many equal ones', () => {
    const trials = searches([0.1, 0.2], new Array(20).fill(0.5));
    expect(fnirsAtFpirs(trials, [0.1])).toEqual([
      {
        fpir: 0.1,
        fnir: 1,
        threshold: null,
        falsePositives: 2,
        reason: 'rests on 2 of 20 non-mated searches',
      },
    ]);
  });

  it('is what plain loops over all thresholds find, with many ties', () => {
    const draw = random(3, 'det');
    for (let round = 0; round < 40; round++) {
      const hits = Array.from({ length: 30 }, () => (draw.integer(7) === 0 ? -Infinity : draw.integer(12)));
      const best = Array.from({ length: 25 }, () => draw.integer(10));
      const fpirs = [0.04, 0.1, 0.3, 0.9];
      const found = operatingPoints(searches(hits, best), fpirs)!;
      fpirs.forEach((fpir, k) => {
        let lowest = { threshold: Infinity, fnir: 1, measured: 0 };
        for (const threshold of [...hits, ...best].filter(Number.isFinite)) {
          const measured = best.filter((score) => score >= threshold).length / best.length;
          const missed = hits.filter((score) => !(score >= threshold)).length;
          if (measured <= fpir && threshold < lowest.threshold)
            lowest = { threshold, fnir: missed / hits.length, measured };
        }
        expect(found[k]).toEqual(lowest);
      });
    }
  });

  it('of normal scores is Phi(z - 2): mates N(2, 1), best strangers N(0, 1)', () => {
    const draw = random(5, 'normal');
    const hits = Array.from({ length: 40_000 }, () => 2 + draw.normal());
    const best = Array.from({ length: 40_000 }, () => draw.normal());
    const [one, ten] = fnirsAtFpirs(searches(hits, best), [0.01, 0.1]);
    // z(.99) = 2.326348, z(.9) = 1.281552; Phi(.326348) = .62792, Phi(-.718448) = .23624.
    expect(Math.abs(one!.fnir! - 0.62792)).toBeLessThan(0.02);
    expect(Math.abs(one!.threshold! - 2.326348)).toBeLessThan(0.05);
    expect(Math.abs(ten!.fnir! - 0.23624)).toBeLessThan(0.012);
  });

  it('a search of weight 2 counts as two, one of weight 0 not at all', () => {
    const trials = searches([0.9, 0.5], [0.6, 0.4]);
    const weightOf = [2, 1, 0, 3];
    const weights = Float64Array.from(trials.order, (trial) => weightOf[trial]!);
    expect(operatingPoints(trials, [0.5], weights)).toEqual(
      operatingPoints(searches([0.9, 0.9, 0.5], [0.4, 0.4, 0.4]), [0.5]),
    );
    expect(operatingPoints(trials, [0.5], Float64Array.from(trials.same))).toBeUndefined();
  });

  it('refuses lists without searches of a kind, scores that are no numbers, and rates out of range', () => {
    expect(() => searches([], [1])).toThrow('there is no mated search');
    expect(() => searches([1], [])).toThrow('there is no non-mated search');
    expect(() => searches([1, Number.NaN], [1])).toThrow('mated search 2 of 2: its score is not a number');
    for (const fpir of [0, 1, -0.1, Number.NaN])
      expect(() => fnirsAtFpirs(searches([1], [0]), [fpir])).toThrow(`FPIR ${fpir}: a false positive`);
  });
});

describe('the curve', () => {
  it('falls in FNIR as FPIR rises, and holds every operating point', () => {
    const draw = random(9, 'curve');
    const hits = Array.from({ length: 200 }, () => draw.normal() + 1);
    const best = Array.from({ length: 300 }, () => draw.normal());
    const trials = searches(hits, best);
    const { thresholds, fpir, fnir } = detCurve(trials);
    for (let i = 1; i < fpir.length; i++) {
      expect(thresholds[i]).toBeLessThan(thresholds[i - 1]!);
      expect(fpir[i]).toBeGreaterThanOrEqual(fpir[i - 1]!);
      expect(fnir[i]).toBeLessThanOrEqual(fnir[i - 1]!);
    }
    expect(fpir.length).toBeLessThan(500);
    for (const target of [0.01, 0.1, 0.5]) {
      const [point] = operatingPoints(trials, [target])!;
      const within = fnir.filter((_, i) => fpir[i]! <= target);
      expect(Math.min(...within)).toBe(point!.fnir);
    }
  });

  it('keeps its corners only', () => {
    expect(cornersOf([0, 0, 0, 1, 2, 2, 3], [9, 8, 7, 7, 7, 6, 5])).toEqual([0, 2, 4, 5, 6]);
    expect(cornersOf([1], [1])).toEqual([0]);
    expect(cornersOf([], [])).toEqual([]);
  });
});

describe('people drawn again', () => {
  it('are as many of each kind as there are', () => {
    const sums: number[][] = [];
    resamplePeople(
      [[0, 2, 3], [1]],
      (weights) => {
        sums.push([weights[0]! + weights[2]! + weights[3]!, weights[1]!]);
        return [0];
      },
      { replicates: 20, seed: 4 },
    );
    expect(sums).toEqual(Array.from({ length: 20 }, () => [3, 1]));
  });

  it('give the interval of a mean, and none that reaches infinity', () => {
    // Mean of 400 people who are 0 or 1 by turns: standard error .025, 95 % within 1.96 of them.
    const people = Array.from({ length: 400 }, (_, i) => i);
    const mean = (weights: Float64Array) => weights.reduce((sum, w, i) => sum + w * (i % 2), 0) / 400;
    let turn = 0;
    const found = resamplePeople([people], (weights) => [mean(weights), ++turn % 2 ? Infinity : 1], {
      replicates: 2000,
    });
    expect(Math.abs(found[0]![0] - 0.451)).toBeLessThan(0.006);
    expect(Math.abs(found[0]![1] - 0.549)).toBeLessThan(0.006);
    expect(found[1]).toBeUndefined();
    expect(resamplePeople([people], () => undefined)).toEqual([]);
    expect(resamplePeople([people], () => [0.5], { replicates: 1 })).toEqual([undefined]);
  });

  it('no miss among ten people leaves up to 31 % possible (Clopper and Pearson)', () => {
    const [low, high] = edgeInterval(0, 10)!;
    expect(low).toBe(0);
    // (1 - p)^10 = .025 at the upper end.
    expect((1 - high) ** 10).toBeCloseTo(0.025, 12);
    expect(edgeInterval(1, 10)).toEqual([1 - high, 1]);
    expect(edgeInterval(0.5, 10)).toBeUndefined();
    // Where drawing people moved a threshold, it may show more than that.
    expect(widened(0, 10, [0, 0.4])).toEqual([0, 0.4]);
    expect(widened(0, 10, [0, 0])).toEqual([low, high]);
    expect(widened(1, 10, [0.9, 1])).toEqual([1 - high, 1]);
    expect(widened(0.5, 10, [0.4, 0.6])).toEqual([0.4, 0.6]);
  });
});
