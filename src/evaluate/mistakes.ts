// The trials that were judged wrongly and lie farthest on the wrong side: what to look at first, because it is there
// that a wrong label, a bad alignment or a weakness of the model shows.
import type { Mistake } from './evaluation.js';

/** Trials as VerificationResult keeps them: scores (higher is more alike), 1 for same, 1 for judged rightly. */
export interface JudgedTrials {
  scores: ArrayLike<number>;
  same: ArrayLike<number>;
  correct: ArrayLike<number>;
}

/**
 * The `count` worst false matches (highest scores) and then the `count` worst false non-matches (lowest scores), the
 * worst first, ties in the order of trials. `faces(trial)` says who was compared and at which threshold.
 */
export function hardestMistakes(
  { scores, same, correct }: JudgedTrials,
  faces: (trial: number) => Pick<Mistake, 'a' | 'b' | 'threshold'>,
  count = 12,
): Mistake[] {
  const wrong = Array.from(scores, (_, trial) => trial).filter((trial) => !correct[trial]);
  const worst = (kind: Mistake['kind'], ofSame: boolean): Mistake[] =>
    wrong
      .filter((trial) => Boolean(same[trial]) === ofSame)
      .sort((i, j) => (ofSame ? scores[i]! - scores[j]! : scores[j]! - scores[i]!) || i - j)
      .slice(0, count)
      .map((trial) => ({ kind, ...faces(trial), score: scores[trial]! }));
  return [...worst('false match', false), ...worst('false non-match', true)];
}
