// Figures of scores that were made elsewhere: those of the exact mode on any scale, distances as negated scores.
import { describe, expect, test } from 'vitest';
import { verifyScores } from '../../src/evaluate/verify-list.js';

// By hand: fold 0 holds 9 8 (same) 1 7 (different), fold 1 holds 6 5 (same) 2 3 (different).
const scores = [9, 8, 1, 7, 6, 5, 2, 3];
const same = [1, 1, 0, 0, 1, 1, 0, 0];
const foldOf = [0, 0, 0, 0, 1, 1, 1, 1];
const input = { scores, same, foldOf, replicates: 0 };

describe('scores', () => {
  test('are judged by thresholds of the other folds, ties never split', () => {
    const found = verifyScores(input);
    // Fold 0 by fold 1: 4 parts 3 from 5; it accepts 9 8 7, rejects 1. Fold 1 by fold 0: 7.5; it rejects 6 and 5.
    expect(found.thresholds).toEqual([4, 7.5]);
    expect(found.folds.map(({ accuracy }) => accuracy)).toEqual([0.75, 0.5]);
    expect(found.accuracy).toBe(0.625);
    // 16 comparisons of a same with a different score: 6 < 7 and 5 < 7 are wrong.
    expect(found.auc).toBe(14 / 16);
    expect(found.tarAtFar.find(({ far }) => far === 0.1)).toMatchObject({
      tar: null,
      reason: 'needs at least 10 impostor scores, there are 4',
    });
    expect('angles' in found).toBe(false);
  });

  test('fill histograms from the lowest to the highest', () => {
    const { scores: found } = verifyScores({ ...input, bins: 4 });
    expect(found.same).toMatchObject({ from: 1, width: 2, counts: [0, 0, 2, 2], total: 4, mean: 7 });
    expect(found.different).toMatchObject({ counts: [2, 1, 0, 1], mean: 3.25 });
  });

  test('that are distances give the same figures, thresholds negated', () => {
    const found = verifyScores({ ...input, scores: scores.map((score) => 10 - score), distance: true });
    expect(found).toMatchObject({ accuracy: 0.625, auc: 14 / 16, thresholds: [-6, -2.5] });
    expect(verifyScores({ ...input, scores: [0, 0, 1, 1, 0, 0, 1, 1], distance: true })).toMatchObject({
      accuracy: 1,
      auc: 1,
    });
  });

  test('that are all alike are half right', () => {
    expect(verifyScores({ ...input, scores: scores.map(() => 3) })).toMatchObject({ auc: 0.5, eer: 0.5 });
  });

  test('that nothing confuses leave open what so few people leave open', () => {
    const units = [1, 1, 2, 2, 3, 3, 1, 2].map((one, i) => [one, same[i] ? one : one + 1] as const);
    const found = verifyScores({ ...input, scores: same, replicates: 50, fars: [0.25], units });
    expect(found).toMatchObject({ accuracy: 1, eer: 0, tarAtFar: [{ tar: 1 }] });
    // Pairs of one person are of persons 1 and 3: (1 - p)^2 = .025.
    const least = Math.sqrt(0.025);
    expect(found.accuracyInterval).toEqual([least, 1]);
    expect(found.eerInterval).toEqual([0, 1 - least]);
    expect(found.tarAtFar[0]!.interval).toEqual([least, 1]);
  });

  test('that are no numbers, or of one kind, are refused', () => {
    const bad = (value: number) => () => verifyScores({ ...input, scores: [9, value, ...scores.slice(2)] });
    expect(bad(Number.NaN)).toThrow('pair 2 of 8: its score NaN is not a finite number');
    expect(bad(Number.POSITIVE_INFINITY)).toThrow('its score Infinity is not a finite number');
    expect(() => verifyScores({ ...input, same: same.map(() => 1) })).toThrow(/pairs of both kinds/);
  });
});
