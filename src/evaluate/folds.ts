// K-fold verification: for every fold the threshold comes from the other folds alone, and is judged on the
// fold itself. The figure is the mean over folds, its uncertainty the standard error of that mean.
import { UserError } from '../common/errors.js';
import type { ThresholdRule } from './thresholds.js';

/** What happened in one fold. */
export interface FoldOutcome {
  /** The fold's own number, as the pairs state it. */
  fold: number;
  /** Share of the fold's pairs judged rightly, 0..1. */
  accuracy: number;
  /** From the other folds, in the mode's own unit. */
  threshold: number;
  /** How many candidate thresholds did equally well on the other folds. */
  maximisers: number;
  pairs: number;
}

/** Result of K-fold verification. */
export interface CrossValidation {
  /** Mean of the folds' accuracies, 0..1. */
  accuracy: number;
  /** Standard deviation over folds, with n - 1. */
  standardDeviation: number;
  /** standardDeviation / sqrt(number of folds). */
  standardError: number;
  folds: FoldOutcome[];
  /** [n] each pair's score in the fold where it is tested. */
  heldOut: Float64Array;
  /** [n] 1 where the pair was judged rightly in the fold where it is tested. */
  correct: Uint8Array;
}

/** Splits trial scores into rising lists of same and different pairs, for the trials that `keep` picks. */
export function splitScores(
  scores: Float64Array,
  same: ArrayLike<number | boolean>,
  keep: (trial: number) => boolean,
): { same: Float64Array; different: Float64Array } {
  const kept: [number[], number[]] = [[], []];
  scores.forEach((score, trial) => {
    if (keep(trial)) kept[same[trial] ? 0 : 1].push(score);
  });
  return { same: Float64Array.from(kept[0]).sort(), different: Float64Array.from(kept[1]).sort() };
}

/** Throws a UserError for a list with a single fold. */
export function requireSeveralFolds(file: string, folds: number): void {
  if (folds < 2)
    throw new UserError(`${file}: one fold; two are needed, as a fold's threshold comes from the others`);
}

/**
 * Runs the protocol. `foldOf` and `same` are [n]; `scoresFor(fold)` gives the [n] scores to use when `fold`
 * is the test fold (they may depend on the other folds, such as on their mean feature).
 * Throws UserError with fewer than two folds, with a missing kind of pair, or for a score that is NaN.
 */
export function crossValidate(
  foldOf: ArrayLike<number>,
  same: ArrayLike<number | boolean>,
  scoresFor: (fold: number) => Float64Array,
  rule: ThresholdRule,
): CrossValidation {
  const numbers = [...new Set(Array.from(foldOf))].sort((a, b) => a - b);
  if (numbers.length < 2) {
    throw new UserError(`verification: ${numbers.length} fold(s); the threshold comes from the other folds`);
  }
  const n = foldOf.length;
  const heldOut = new Float64Array(n);
  const correct = new Uint8Array(n);
  const folds = numbers.map((fold): FoldOutcome => {
    const scores = scoresFor(fold);
    const bad = scores.findIndex(Number.isNaN);
    if (bad >= 0)
      throw new UserError(`pair ${bad + 1} of ${n}: its score is not a number; check its features`);
    const training = splitScores(scores, same, (trial) => foldOf[trial] !== fold);
    if (training.same.length === 0 || training.different.length === 0) {
      throw new UserError(`fold ${fold}: the other folds need pairs of both kinds to choose a threshold`);
    }
    const choice = rule.choose(training.same, training.different);
    let pairs = 0;
    let right = 0;
    for (let trial = 0; trial < n; trial++) {
      if (foldOf[trial] !== fold) continue;
      heldOut[trial] = scores[trial]!;
      correct[trial] = rule.correct(scores[trial]!, choice.threshold, Boolean(same[trial])) ? 1 : 0;
      right += correct[trial]!;
      pairs++;
    }
    return { fold, accuracy: right / pairs, ...choice, pairs };
  });
  const { mean, deviation } = spread(folds.map((fold) => fold.accuracy));
  return {
    accuracy: mean,
    standardDeviation: deviation,
    standardError: deviation / Math.sqrt(folds.length),
    folds,
    heldOut,
    correct,
  };
}

/** Mean and standard deviation (n - 1; 0 for a single value). */
export function spread(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}
