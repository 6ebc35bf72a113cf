// Verification of trials that somebody else listed or scored: folds as the field cuts them, and figures of scores that
// no embedding stands behind, on whatever scale they are.
import { UserError } from '../common/errors.js';
import type { Resampled, Units } from './bootstrap.js';
import { crossValidate } from './folds.js';
import { type Histogram, histograms } from './histogram.js';
import { exactRule } from './thresholds.js';
import { type VerificationOptions, type VerificationResult, verificationFigures } from './verification.js';

/**
 * The fold, from 0, of each of `count` trials in file order: contiguous, the first `count` mod `folds` of them one
 * longer, as scikit-learn's KFold without shuffling cuts them. Throws UserError with fewer trials than folds, in which
 * `file` is named.
 */
export function contiguousFolds(count: number, folds = 10, file = 'pairs'): number[] {
  if (count < folds)
    throw new UserError(
      `${file}: ${count} pairs cannot make ${folds} folds; give a list of more pairs, or fewer --folds`,
    );
  const short = Math.floor(count / folds);
  const longer = count % folds;
  const before = longer * (short + 1);
  return Array.from({ length: count }, (_, i) =>
    i < before ? Math.floor(i / (short + 1)) : longer + Math.floor((i - before) / short),
  );
}

/** A word of care when folds hold pairs of one kind only, as those of a sorted list do; undefined when none does. */
export function foldsOfOneKind(trials: readonly { same: boolean; fold: number }[]): string | undefined {
  const kinds = new Map<number, Set<boolean>>();
  for (const { same, fold } of trials) kinds.set(fold, (kinds.get(fold) ?? new Set()).add(same));
  const single = [...kinds.values()].filter(({ size }) => size === 1).length;
  if (single === 0) return undefined;
  return `${single} of ${kinds.size} folds hold pairs of one kind only, as in a list that was sorted: the mean over folds says less than it seems to`;
}

export interface ScoresInput extends VerificationOptions {
  /** [n] */
  scores: ArrayLike<number>;
  /** [n] whether a trial is of one person. */
  same: ArrayLike<number | boolean>;
  /** [n] */
  foldOf: ArrayLike<number>;
  /** Whether a smaller score means more alike: the figures are then of the negated scores. */
  distance?: boolean;
  /** [n] what the bootstrap draws; trials themselves without it. */
  units?: Units;
  resampled?: Resampled;
}

/** As of embeddings, without what only cosines have: angles. */
export type ScoresResult = Omit<VerificationResult, 'angles'> & {
  scores: { same: Histogram; different: Histogram };
};

/**
 * Figures of scores of any scale, by the exact mode: a sweep over the scores of the other folds, ties never split.
 * Histograms reach from the lowest to the highest score. Throws UserError for a score that is not finite, a missing
 * kind of pair, or fewer than two folds.
 */
export function verifyScores(input: ScoresInput): ScoresResult {
  const { scores: given, same: marks, foldOf, distance = false, bins = 90 } = input;
  const same = Uint8Array.from(marks, (mark) => (mark ? 1 : 0));
  // Not -score: that makes -0 of 0, which prints as such.
  const scores = Float64Array.from(given, (score) => (distance ? 0 - score : score));
  const bad = scores.findIndex((score) => !Number.isFinite(score));
  if (bad >= 0)
    throw new UserError(
      `pair ${bad + 1} of ${scores.length}: its score ${given[bad]} is not a finite number`,
    );
  const validation = crossValidate(foldOf, same, () => scores, exactRule);
  const { angles: _, ...figures } = verificationFigures(validation, scores, same, input);
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const score of scores) {
    from = Math.min(from, score);
    to = Math.max(to, score);
  }
  if (to === from) to = from + 1;
  return { ...figures, scores: histograms(scores, same, { from, to, bins }) };
}
