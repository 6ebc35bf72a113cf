// Open-set verification of a labelled set whose classes were not trained on: same and different pairs are
// drawn, and judged by K-fold verification with an exact threshold.
import { UserError } from '../common/errors.js';
import { cosineAt, type Vectors } from '../theory/vectors.js';
import { crossValidate } from './folds.js';
import { differentPairs, groupByClass, samePairs } from './pairs.js';
import { exactRule } from './thresholds.js';
import { type VerificationOptions, type VerificationResult, verificationFigures } from './verification.js';

export interface VerifyPairsOptions extends VerificationOptions {
  /** Pairs to draw in all, half of each kind; 6,000 by default, fewer when the set has fewer. */
  pairs?: number;
  /** 10 by default. */
  folds?: number;
}

export interface PairVerification extends VerificationResult {
  /** Of the drawn pairs and of the bootstrap. */
  seed: number;
  classes: number;
}

/**
 * Verification among the classes of `features` ([N, D]) and `labels` ([N]): as many same as different pairs,
 * all distinct, drawn uniformly within each kind from `seed` and dealt to `folds` in turn; cosine scores, the
 * threshold of a fold from the others (see exactRule). Images, not pairs, are resampled for the intervals,
 * which therefore hold for these classes and say nothing about others. Images recur across folds.
 * Only `original` is read: fuse mirror features first.
 * Throws UserError with one class, without two images of any class, or with fewer pairs of a kind than folds.
 */
export function verifyPairs(
  features: Vectors,
  labels: ArrayLike<number>,
  options: VerifyPairsOptions = {},
): PairVerification {
  const { pairs = 6000, folds = 10, seed = 1 } = options;
  const groups = groupByClass(features, labels);
  const count = Math.min(Math.floor(pairs / 2), groups.samePairs, groups.differentPairs);
  if (count < folds) {
    throw new UserError(
      `verification: ${groups.members.length} class(es) give ${groups.samePairs} same and ${groups.differentPairs} different pairs, ${pairs} asked for; ${folds} folds need at least ${folds} of each`,
    );
  }
  const sample = { count, seed, distinct: true };
  const drawn = [...samePairs(groups, sample), ...differentPairs(groups, sample)];
  const same = Uint8Array.from(drawn, (_, i) => (i < count ? 1 : 0));
  const foldOf = drawn.map((_, i) => (i % count) % folds);
  const { length, original } = features;
  const cosines = Float64Array.from(drawn, ([i, j]) =>
    cosineAt(original, i * length, original, j * length, length),
  );
  const validation = crossValidate(foldOf, same, () => cosines, exactRule);
  return {
    ...verificationFigures(validation, cosines, same, {
      ...options,
      seed,
      units: drawn,
      resampled: 'images',
    }),
    seed,
    classes: groups.members.length,
  };
}
