// Threshold rules of the three modes against plain loops over every candidate, and K-fold verification.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  crossValidate,
  exactRule,
  insightfaceRule,
  spherefaceRule,
  type ThresholdRule,
} from '../../src/evaluate/index.js';

const sorted = (values: number[]) => Float64Array.from(values).sort();
const scoreList = fc
  .array(fc.integer({ min: -8, max: 8 }), { minLength: 1, maxLength: 12 })
  .map((list) => sorted(list.map((value) => value / 8)));

function correctCount(rule: ThresholdRule, threshold: number, same: Float64Array, different: Float64Array) {
  return (
    same.filter((score) => rule.correct(score, threshold, true)).length +
    different.filter((score) => rule.correct(score, threshold, false)).length
  );
}

describe('sphereface rule', () => {
  it('is the mean of all maximisers of the 20,001-point grid', () => {
    fc.assert(
      fc.property(scoreList, scoreList, (same, different) => {
        const grid = Array.from({ length: 20_001 }, (_, i) => (i - 10_000) / 10_000);
        const counts = grid.map((t) => correctCount(spherefaceRule, t, same, different));
        const most = Math.max(...counts);
        const best = grid.filter((_, i) => counts[i] === most);
        const choice = spherefaceRule.choose(same, different);
        expect(choice.maximisers).toBe(best.length);
        expect(choice.threshold).toBeCloseTo(best.reduce((a, b) => a + b, 0) / best.length, 12);
      }),
      { numRuns: 15 },
    );
  });

  it('judges a score that equals the threshold wrong either way', () => {
    expect(spherefaceRule.correct(0.5, 0.5, true)).toBe(false);
    expect(spherefaceRule.correct(0.5, 0.5, false)).toBe(false);
  });
});

describe('insightface rule', () => {
  it('is the first maximiser of the grid 0:.01:4, small distances being the same', () => {
    fc.assert(
      fc.property(scoreList, scoreList, (a, b) => {
        const same = sorted([...a].map((v) => 2 * (v + 1)));
        const different = sorted([...b].map((v) => 2 * (v + 1)));
        const grid = Array.from({ length: 400 }, (_, i) => i * 0.01);
        const counts = grid.map((t) => correctCount(insightfaceRule, t, same, different));
        const first = counts.indexOf(Math.max(...counts));
        expect(insightfaceRule.choose(same, different).threshold).toBe(grid[first]);
      }),
      { numRuns: 50 },
    );
    expect(insightfaceRule.correct(0.5, 0.5, true)).toBe(false);
    expect(insightfaceRule.correct(0.5, 0.5, false)).toBe(true);
  });
});

describe('exact rule', () => {
  it('no threshold at all does better', () => {
    fc.assert(
      fc.property(scoreList, scoreList, (same, different) => {
        const { threshold } = exactRule.choose(same, different);
        const reached = correctCount(exactRule, threshold, same, different);
        for (let t = -1.2; t < 1.2; t += 1 / 32) {
          expect(reached).toBeGreaterThanOrEqual(correctCount(exactRule, t, same, different));
        }
      }),
    );
  });

  it('separates neighbouring floating-point numbers and takes the middle of a gap', () => {
    const upper = 0.5 + 2 ** -53;
    const tight = exactRule.choose(sorted([upper]), sorted([0.5]));
    expect(correctCount(exactRule, tight.threshold, sorted([upper]), sorted([0.5]))).toBe(2);
    expect(exactRule.choose(sorted([0.8]), sorted([0.2])).threshold).toBeCloseTo(0.5, 12);
  });
});

describe('K-fold verification', () => {
  // Fold 0 is best split at 0, the other three at 10: whoever looks at fold 0 itself scores it perfectly.
  const foldOf = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3];
  const same = foldOf.map((_, i) => (i % 4 < 2 ? 1 : 0));
  const scores = Float64Array.from(foldOf, (fold, i) => [1, 2, -1, -2][i % 4]! + (fold === 0 ? 0 : 10));

  it('the threshold comes from the other folds', () => {
    const result = crossValidate(foldOf, same, () => scores, exactRule);
    expect(result.folds[0]).toMatchObject({ fold: 0, accuracy: 0.5, pairs: 4 });
    expect(result.folds[0]!.threshold).toBe(10);
    // With fold 0 among the training trials, 10 still wins for the others.
    expect(result.folds[1]!.accuracy).toBe(1);
    expect(result.accuracy).toBeCloseTo((0.5 + 1 + 1 + 1) / 4, 12);
    expect([...result.correct.subarray(0, 4)]).toEqual([0, 0, 1, 1]);
  });

  it('standard error = standard deviation with n - 1 over the root of the number of folds', () => {
    const { standardDeviation, standardError } = crossValidate(foldOf, same, () => scores, exactRule);
    expect(standardDeviation).toBeCloseTo(0.25, 12);
    expect(standardError).toBeCloseTo(0.125, 12);
  });

  it('a fold may have its own scores, and its trials are judged by them', () => {
    const result = crossValidate(
      foldOf,
      same,
      (fold) => scores.map((score) => score + 100 * fold),
      exactRule,
    );
    expect(result.heldOut[4]).toBe(111);
    expect(result.folds.map((fold) => fold.threshold)).toEqual([10, 110, 210, 310]);
  });

  it('a single fold, a training set of one kind and a NaN score are errors', () => {
    expect(() => crossValidate([0, 0], [1, 0], () => new Float64Array(2), exactRule)).toThrow(/1 fold/);
    expect(() => crossValidate([0, 0, 1], [1, 0, 1], () => new Float64Array(3), exactRule)).toThrow(/both/);
    const broken = scores.map((score, i) => (i === 5 ? Number.NaN : score));
    expect(() => crossValidate(foldOf, same, () => broken, exactRule)).toThrow(/pair 6 of 16/);
  });
});
