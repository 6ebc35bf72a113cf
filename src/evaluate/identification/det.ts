// The detection error trade-off of searches in one gallery (ISO/IEC 19795-1; the reports of NIST's FRVT 1:N): how
// often a person who is not enrolled is taken for somebody (FPIR), and how often one who is enrolled is missed (FNIR),
// as the threshold falls. A search is reduced to one number, so this is a curve of two lists, sorted once.
import { UserError } from '../../common/errors.js';
import { cornersOf } from '../corners.js';
import type { DetCurve, FnirAtFpir } from '../evaluation.js';
import { CARE, type SortedTrials, sortTrials } from '../roc.js';

/**
 * Sorts searches: `hits` [M] are the mates' scores of mated searches, -Infinity where the mate is not among the
 * candidates that count; `best` [K] are the highest scores of non-mated searches. Trial i of the result is hit i, trial
 * M + j is best j. Throws a UserError when either list is empty or holds NaN.
 */
export function sortSearches(hits: Float64Array, best: Float64Array): SortedTrials {
  for (const [kind, scores] of [
    ['mated', hits],
    ['non-mated', best],
  ] as const) {
    if (scores.length === 0)
      throw new UserError(`open-set identification: there is no ${kind} search; both kinds are needed`);
    const broken = scores.findIndex(Number.isNaN);
    if (broken >= 0)
      throw new UserError(
        `${kind} search ${broken + 1} of ${scores.length}: its score is not a number; check its features and the model`,
      );
  }
  const scores = new Float64Array(hits.length + best.length);
  scores.set(hits);
  scores.set(best, hits.length);
  return sortTrials(
    scores,
    Uint8Array.from(scores, (_, i) => (i < hits.length ? 1 : 0)),
  );
}

/** Where a system would be run to keep an FPIR. */
export interface OperatingPoint {
  /**
   * The lowest score of any search at which the FPIR is at most the one asked for: a candidate counts at or above it.
   * Infinity when every score is one of too many equal ones.
   */
  threshold: number;
  /** Share of mated searches that miss there, which no allowed threshold undercuts. */
  fnir: number;
  /** The FPIR there, at most the one asked for. */
  measured: number;
}

/**
 * Operating points at `fpirs`, in one pass; ties are never split. `weights` ([n], by place) makes every search count
 * that often; undefined when all of one kind weigh nothing.
 */
export function operatingPoints(
  trials: SortedTrials,
  fpirs: readonly number[],
  weights?: Float64Array,
): OperatingPoint[] | undefined {
  let mated = trials.sameCount;
  let nonMated = trials.differentCount;
  if (weights) {
    mated = 0;
    nonMated = 0;
    for (let i = 0; i < weights.length; i++) {
      if (trials.same[i]) mated += weights[i]!;
      else nonMated += weights[i]!;
    }
    if (mated === 0 || nonMated === 0) return undefined;
  }
  const points = fpirs.map((): OperatingPoint => ({ threshold: Infinity, fnir: 1, measured: 0 }));
  let found = 0;
  let falsePositives = 0;
  let place = 0;
  for (let group = 0; group < trials.ends.length; group++) {
    for (const end = trials.ends[group]!; place < end; place++) {
      const weight = weights ? weights[place]! : 1;
      if (trials.same[place]) found += weight;
      else falsePositives += weight;
    }
    const threshold = trials.values[group]!;
    if (threshold === -Infinity) break;
    const measured = falsePositives / nonMated;
    let allowed = false;
    for (let k = 0; k < fpirs.length; k++) {
      if (measured > fpirs[k]!) continue;
      points[k] = { threshold, fnir: (mated - found) / mated, measured };
      allowed = true;
    }
    if (!allowed && fpirs.length > 0) break;
  }
  return points;
}

/** False positives that an FPIR allows among so many searches; .1 of 30 is 3, whatever its binary digits. */
export const allowedFalsePositives = (fpir: number, nonMated: number): number =>
  Math.floor(fpir * nonMated * (1 + 1e-12));

/**
 * FNIR at every one of `fpirs`, each in (0, 1), without intervals. With fewer than 1 / FPIR non-mated searches the
 * rate is not known: null with a reason. Throws a UserError for an FPIR out of range.
 */
export function fnirsAtFpirs(trials: SortedTrials, fpirs: readonly number[]): FnirAtFpir[] {
  for (const fpir of fpirs) {
    if (!(fpir > 0 && fpir < 1))
      throw new UserError(`FPIR ${fpir}: a false positive identification rate lies between 0 and 1`);
  }
  const points = operatingPoints(trials, fpirs)!;
  const searches = trials.differentCount;
  return fpirs.map((fpir, k) => {
    const falsePositives = allowedFalsePositives(fpir, searches);
    if (falsePositives < 1) {
      const needed = Math.ceil(1 / fpir - 1e-6);
      const reason = `needs at least ${needed} non-mated searches, there are ${searches}`;
      return { fpir, fnir: null, threshold: null, falsePositives, reason };
    }
    const { threshold, fnir } = points[k]!;
    return {
      fpir,
      fnir,
      threshold: Number.isFinite(threshold) ? threshold : null,
      falsePositives,
      ...(falsePositives < CARE && {
        reason: `rests on ${falsePositives} of ${searches} non-mated searches`,
      }),
    };
  });
}

/** The curve at its corners, from the highest score down to an FPIR of 1 (or the lowest score of a mate that counts). */
export function detCurve(trials: SortedTrials): Pick<DetCurve, 'thresholds' | 'fpir' | 'fnir'> {
  const thresholds: number[] = [];
  const fpir: number[] = [];
  const fnir: number[] = [];
  let found = 0;
  let place = 0;
  for (const [group, end] of trials.ends.entries()) {
    if (trials.values[group] === -Infinity) break;
    for (; place < end; place++) found += trials.same[place]!;
    thresholds.push(trials.values[group]!);
    fpir.push((end - found) / trials.differentCount);
    fnir.push((trials.sameCount - found) / trials.sameCount);
  }
  const kept = cornersOf(fpir, fnir);
  const at = (values: number[]) => kept.map((i) => values[i]!);
  return { thresholds: at(thresholds), fpir: at(fpir), fnir: at(fnir) };
}
