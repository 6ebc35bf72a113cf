// Curves and rates of verification scores. A higher score means more alike, and a pair is accepted when its
// score is at or above the threshold. One sort, then one pass over groups of equal scores, so ties are never
// split; trials may carry weights, which is what the bootstrap needs.
import { UserError } from '../common/errors.js';

/** Trials in falling order of score, with the ends of the groups of equal scores. */
export interface SortedTrials {
  /** Index of the trial at each place. */
  readonly order: Uint32Array;
  /** 1 for a pair of the same person, at each place. */
  readonly same: Uint8Array;
  /** Place after the last of each group of equal scores. */
  readonly ends: Uint32Array;
  /** The score of each group, falling. */
  readonly values: Float64Array;
  readonly sameCount: number;
  readonly differentCount: number;
}

/**
 * Sorts trials, O(n log n). `scores` and `same` are [n]; `same` holds 1/true for pairs of one person.
 * Throws UserError for a score that is NaN (naming the first pair), unequal counts, or a missing kind.
 */
export function sortTrials(scores: ArrayLike<number>, same: ArrayLike<number | boolean>): SortedTrials {
  const n = scores.length;
  if (same.length !== n) throw new UserError(`${n} scores but ${same.length} same/different marks`);
  for (let i = 0; i < n; i++) {
    if (Number.isNaN(scores[i])) {
      throw new UserError(
        `pair ${i + 1} of ${n}: its score is not a number; check its features and the model`,
      );
    }
  }
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => {
    const x = scores[a]!;
    const y = scores[b]!;
    return x > y ? -1 : x < y ? 1 : a - b;
  });
  const kinds = Uint8Array.from(order, (trial) => (same[trial] ? 1 : 0));
  const ends: number[] = [];
  const values: number[] = [];
  let sameCount = 0;
  for (let place = 0; place < n; place++) {
    sameCount += kinds[place]!;
    if (place + 1 === n || scores[order[place + 1]!] !== scores[order[place]!]) {
      ends.push(place + 1);
      values.push(scores[order[place]!]!);
    }
  }
  if (sameCount === 0 || sameCount === n) {
    const missing = sameCount === 0 ? 'the same person' : 'different people';
    throw new UserError(`verification: no pair of ${missing} among ${n}; both kinds are needed`);
  }
  return {
    order,
    same: kinds,
    ends: Uint32Array.from(ends),
    values: Float64Array.from(values),
    sameCount,
    differentCount: n - sameCount,
  };
}

/** A receiver operating characteristic; its polyline joins the points in order. */
export interface RocCurve {
  /** Accept at or above; the first is Infinity (nothing accepted). */
  thresholds: Float64Array;
  /** False accept rate, rising from 0 to 1. */
  far: Float64Array;
  /** True accept rate, rising from 0 to 1. */
  tar: Float64Array;
}

/** The ROC with a point at every distinct score. Errors as {@link sortTrials}. */
export function rocCurve(scores: ArrayLike<number>, same: ArrayLike<number | boolean>): RocCurve {
  const trials = sortTrials(scores, same);
  const points = trials.ends.length + 1;
  const curve = {
    thresholds: new Float64Array(points).fill(Infinity),
    far: new Float64Array(points),
    tar: new Float64Array(points),
  };
  let accepted = 0;
  let place = 0;
  trials.ends.forEach((end, group) => {
    for (; place < end; place++) accepted += trials.same[place]!;
    curve.thresholds[group + 1] = trials.values[group]!;
    curve.tar[group + 1] = accepted / trials.sameCount;
    curve.far[group + 1] = (end - accepted) / trials.differentCount;
  });
  return curve;
}

/** Rates of one set of (weighted) trials. */
export interface Rates {
  auc: number;
  eer: number;
  /** TAR at each asked FAR. */
  tar: number[];
  /** The score at or above which each TAR accepts; Infinity when nothing may be accepted. */
  thresholds: number[];
}

/**
 * AUC, EER and TAR at every one of `fars`, in one pass. `weights` ([n], by place, not by trial) makes every
 * trial count that often; undefined when all of one kind weigh nothing.
 */
export function ratesOf(
  trials: SortedTrials,
  fars: readonly number[],
  weights?: Float64Array,
): Rates | undefined {
  let sameTotal = trials.sameCount;
  let differentTotal = trials.differentCount;
  if (weights) {
    sameTotal = 0;
    differentTotal = 0;
    for (let i = 0; i < weights.length; i++) {
      if (trials.same[i]) sameTotal += weights[i]!;
      else differentTotal += weights[i]!;
    }
    if (sameTotal === 0 || differentTotal === 0) return undefined;
  }
  const tar = fars.map(() => 0);
  const thresholds = fars.map(() => Infinity);
  let area = 0;
  let eer: number | undefined;
  let trueRate = 0;
  let falseRate = 0;
  let trueAccepts = 0;
  let falseAccepts = 0;
  let place = 0;
  for (let group = 0; group < trials.ends.length; group++) {
    for (const end = trials.ends[group]!; place < end; place++) {
      const weight = weights ? weights[place]! : 1;
      if (trials.same[place]) trueAccepts += weight;
      else falseAccepts += weight;
    }
    const nextTrue = trueAccepts / sameTotal;
    const nextFalse = falseAccepts / differentTotal;
    area += (nextFalse - falseRate) * (trueRate + nextTrue) * 0.5;
    // FAR - FRR rises from -1 to 1 along the curve; the EER is where this segment crosses zero.
    const gap = nextFalse - (1 - nextTrue);
    if (eer === undefined && gap >= 0) {
      const before = falseRate - (1 - trueRate);
      eer = falseRate + ((nextFalse - falseRate) * -before) / (gap - before);
    }
    for (let k = 0; k < fars.length; k++) {
      // The highest threshold of equal TAR, which also has the lowest FAR.
      if (nextFalse > fars[k]! || nextTrue <= tar[k]!) continue;
      tar[k] = nextTrue;
      thresholds[k] = trials.values[group]!;
    }
    trueRate = nextTrue;
    falseRate = nextFalse;
  }
  return { auc: area, eer: eer!, tar, thresholds };
}

/** Area under the ROC: the chance that a same pair scores above a different pair; a tie counts half. */
export function auc(scores: ArrayLike<number>, same: ArrayLike<number | boolean>): number {
  return ratesOf(sortTrials(scores, same), [])!.auc;
}

/**
 * Equal error rate: FAR where FAR = FRR on the ROC's polyline, that is with linear interpolation between
 * neighbouring operating points (equal scores make one straight segment).
 */
export function equalErrorRate(scores: ArrayLike<number>, same: ArrayLike<number | boolean>): number {
  return ratesOf(sortTrials(scores, same), [])!.eer;
}

/** TAR at one FAR, or the reason why these trials cannot tell it. */
export interface TarAtFar {
  far: number;
  /** Null when the trials cannot support this FAR: see `reason`. */
  tar: number | null;
  /** Accept at or above this score; null when unsupported or when nothing is accepted. */
  threshold: number | null;
  /** False accepts that FAR allows among these impostor scores: floor(far * impostors). */
  falseAccepts: number;
  /** Why there is no figure, or why to read it with care. */
  reason?: string;
  /** 95 % interval, where one was computed. */
  interval?: [number, number];
}

/** Below this many allowed false accepts a TAR is printed with a word of care. */
export const CARE = 10;

/**
 * TAR at `far` (0..1): the highest TAR among thresholds whose measured FAR is at most `far`; nothing is
 * interpolated and ties are never split. With fewer than 1/far impostor scores the rate is not known, and
 * `tar` is null with a reason.
 */
export function tarAtFar(
  scores: ArrayLike<number>,
  same: ArrayLike<number | boolean>,
  far: number,
): TarAtFar {
  return tarsAtFars(sortTrials(scores, same), [far])[0]!;
}

/** {@link tarAtFar} at several rates of trials already sorted; `weights` as in {@link ratesOf}. */
export function tarsAtFars(
  trials: SortedTrials,
  fars: readonly number[],
  weights?: Float64Array,
): TarAtFar[] {
  for (const far of fars) {
    if (!(far > 0 && far <= 1)) throw new UserError(`FAR ${far}: a false accept rate lies in (0, 1]`);
  }
  const { tar, thresholds } = ratesOf(trials, fars, weights)!;
  return fars.map((far, k) => {
    const impostors = trials.differentCount;
    const falseAccepts = allowedFalseAccepts(far, impostors);
    const reason = fewImpostors(far, impostors);
    if (falseAccepts < 1) return { far, tar: null, threshold: null, falseAccepts, reason };
    const result: TarAtFar = {
      far,
      tar: tar[k]!,
      threshold: Number.isFinite(thresholds[k]!) ? thresholds[k]! : null,
      falseAccepts,
    };
    if (reason) result.reason = reason;
    return result;
  });
}

/** False accepts that `far` allows among so many impostor scores. */
export const allowedFalseAccepts = (far: number, impostors: number): number =>
  Math.floor(far * impostors * (1 + 1e-12));

/** Why so many impostor scores cannot tell a rate at `far`, or why to read it with care; undefined when they can. */
export function fewImpostors(far: number, impostors: number): string | undefined {
  const falseAccepts = allowedFalseAccepts(far, impostors);
  if (falseAccepts < 1)
    return `needs at least ${Math.ceil(1 / far - 1e-6)} impostor scores, there are ${impostors}`;
  return falseAccepts < CARE ? `rests on ${falseAccepts} of ${impostors} impostor scores` : undefined;
}
