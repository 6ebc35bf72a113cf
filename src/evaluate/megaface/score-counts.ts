// Scores too many to keep, counted in a fine histogram: ten thousand probes against a million distractors are ten
// thousand million scores, of which a ROC and the TAR at a FAR of one in a million need only how many lie at or above
// each value. What is read from the counts is conservative: a stated FAR is never below the true one.
import { UserError } from '../../common/errors.js';
import type { VerificationPart } from '../evaluation.js';
import type { Histogram } from '../histogram.js';
import { CARE, type TarAtFar } from '../roc.js';

/** How many scores fell into each of equal bins over [-1, 1]; bin b holds [edge(b), edge(b + 1)). */
export class ScoreCounts {
  /** [bins] */
  readonly counts: Float64Array;

  /** 2^20 bins are 2^-19 wide, about the rounding of one float32 product. A power of 2, so that edges are exact. */
  constructor(readonly bins: number = 2 ** 20) {
    if (!(bins >= 2 && Number.isInteger(Math.log2(bins)))) throw new Error(`${bins} bins: use a power of 2`);
    this.counts = new Float64Array(bins);
  }

  get width(): number {
    return 2 / this.bins;
  }

  get total(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** The lower edge of a bin. */
  edge(bin: number): number {
    return -1 + bin * this.width;
  }

  /** The bin of a score; what rounding put beyond [-1, 1] counts at that end. */
  binOf(score: number): number {
    return Math.min(this.bins - 1, Math.max(0, Math.floor((score + 1) * (this.bins / 2))));
  }

  /** Counts `scores[from]` to `scores[to - 1]`, which must be numbers. */
  add(scores: ArrayLike<number>, from = 0, to = scores.length): void {
    const { counts } = this;
    const half = this.bins / 2;
    const last = this.bins - 1;
    for (let i = from; i < to; i++) {
      const bin = Math.floor((scores[i]! + 1) * half);
      counts[bin < 0 ? 0 : Math.min(bin, last)]! += 1;
    }
  }

  /** How many scores lie in the bin of `score` or above it: at least as many as reach `score`. */
  reaching(score: number): number {
    let sum = 0;
    for (let bin = this.binOf(score); bin < this.bins; bin++) sum += this.counts[bin]!;
    return sum;
  }

  /** The lowest edge that at most `allowed` scores reach, and how many do; the edge past the last bin if none. */
  lowestEdge(allowed: number): { edge: number; reached: number } {
    let reached = 0;
    let bin = this.bins;
    while (bin > 0 && reached + this.counts[bin - 1]! <= allowed) reached += this.counts[--bin]!;
    return { edge: this.edge(bin), reached };
  }
}

export interface CountedOptions {
  /** False accept rates, each in (0, 1]. */
  fars: readonly number[];
  /** How far a counted impostor score may be from the true one; 0 by default. */
  rounding?: number;
  /** Bins of the two histograms, 90 by default: 2 degrees each. */
  bins?: number;
}

/**
 * Verification figures from genuine scores (any order, as exact as they are given) and counted impostor scores.
 * TAR at FAR is the TAR at the lowest bin edge that no more than the allowed impostor scores reach, raised by
 * `rounding`: the true FAR there is at most the stated one, and the TAR is at least the one at a threshold a bin and
 * twice the rounding higher than the best. AUC and EER take the scores of a bin for equal. The ROC is thinned to 50
 * points for a factor of ten of FAR, and to steps of 1/200 of TAR. Throws a UserError without scores of a kind, for a
 * genuine score that is NaN, and for a FAR outside (0, 1].
 */
export function countedVerification(
  genuine: Float64Array,
  impostors: ScoreCounts,
  { fars, rounding = 0, bins = 90 }: CountedOptions,
): VerificationPart {
  const total = impostors.total;
  if (genuine.length === 0 || total === 0)
    throw new UserError(
      `verification: no score of ${genuine.length === 0 ? 'the same person' : 'different people'}; both kinds are needed`,
    );
  if (genuine.some(Number.isNaN))
    throw new UserError('verification: a score is not a number; check the features and the model');
  const rising = Float64Array.from(genuine).sort();
  const counted = new ScoreCounts(impostors.bins);
  counted.add(rising);
  return {
    samePairs: genuine.length,
    differentPairs: total,
    ...curves(counted.counts, genuine.length, impostors.counts, total),
    tarAtFar: fars.map((far) => tarAt(far, rising, impostors, total, rounding)),
    scores: {
      same: coarse(counted, { from: -1, to: 1, bins }, (score) => score),
      different: coarse(impostors, { from: -1, to: 1, bins }, (score) => score),
    },
    angles: {
      unit: 'degrees',
      same: coarse(counted, { from: 0, to: 180, bins }, inDegrees),
      different: coarse(impostors, { from: 0, to: 180, bins }, inDegrees),
    },
  };
}

/** Index of the first entry of a rising list that is at or above `value`. */
export function firstAtLeast(rising: ArrayLike<number>, value: number, from = 0, to = rising.length): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle]! >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function tarAt(
  far: number,
  genuine: Float64Array,
  impostors: ScoreCounts,
  total: number,
  rounding: number,
): TarAtFar {
  if (!(far > 0 && far <= 1)) throw new UserError(`FAR ${far}: a false accept rate lies in (0, 1]`);
  const falseAccepts = Math.floor(far * total * (1 + 1e-12));
  if (falseAccepts < 1) {
    const reason = `needs at least ${Math.ceil(1 / far - 1e-6)} impostor scores, there are ${total}`;
    return { far, tar: null, threshold: null, falseAccepts, reason };
  }
  const { edge } = impostors.lowestEdge(falseAccepts);
  const first = firstAtLeast(genuine, edge + rounding);
  return {
    far,
    tar: (genuine.length - first) / genuine.length,
    // The highest threshold of equal TAR, which also has the lowest FAR.
    threshold: first < genuine.length ? genuine[first]! : null,
    falseAccepts,
    ...(falseAccepts < CARE && { reason: `rests on ${falseAccepts} of ${total} impostor scores` }),
  };
}

/** AUC, EER and the thinned ROC in one pass from the highest bin down (compare ratesOf in roc.ts). */
function curves(same: Float64Array, sameTotal: number, different: Float64Array, differentTotal: number) {
  const roc = { far: [0], tar: [0] };
  let area = 0;
  let eer: number | undefined;
  let [far, tar] = [0, 0];
  let [accepted, falselyAccepted] = [0, 0];
  for (let bin = same.length - 1; bin >= 0; bin--) {
    if (same[bin] === 0 && different[bin] === 0) continue;
    accepted += same[bin]!;
    falselyAccepted += different[bin]!;
    const nextTar = accepted / sameTotal;
    const nextFar = falselyAccepted / differentTotal;
    area += (nextFar - far) * (tar + nextTar) * 0.5;
    const gap = nextFar - (1 - nextTar);
    if (eer === undefined && gap >= 0) {
      const before = far - (1 - tar);
      eer = far + ((nextFar - far) * -before) / (gap - before);
    }
    // The corner before the first false accept is kept whatever the distance, as is the end.
    if (far === 0 && nextFar > 0 && tar > 0) point(roc, far, tar);
    const drawn = roc.far.length - 1;
    if (nextFar > 0 && (nextFar >= roc.far[drawn]! * STEP || nextTar >= roc.tar[drawn]! + 1 / 200))
      point(roc, nextFar, nextTar);
    [far, tar] = [nextFar, nextTar];
  }
  point(roc, 1, 1);
  return { auc: area, eer: eer!, roc };
}

const STEP = 10 ** (1 / 50);

function point(roc: { far: number[]; tar: number[] }, far: number, tar: number): void {
  if (roc.far.at(-1) === far && roc.tar.at(-1) === tar) return;
  roc.far.push(far);
  roc.tar.push(tar);
}

const inDegrees = (cosine: number) => (Math.acos(cosine) * 180) / Math.PI;

/** The counts over wider bins of what `unitOf` makes of the middle of each fine one. */
function coarse(
  fine: ScoreCounts,
  { from, to, bins }: { from: number; to: number; bins: number },
  unitOf: (score: number) => number,
): Histogram {
  const counts = new Array<number>(bins).fill(0);
  let [total, sum, squares] = [0, 0, 0];
  fine.counts.forEach((count, bin) => {
    if (count === 0) return;
    const value = unitOf(fine.edge(bin + 0.5));
    const wide = Math.floor(((value - from) / (to - from)) * bins);
    counts[Math.min(bins - 1, Math.max(0, wide))]! += count;
    // Means and squared deviations of two groups together (Chan, Golub and LeVeque, 1983).
    const mean = total > 0 ? sum / total : 0;
    squares += total > 0 ? ((value - mean) ** 2 * total * count) / (total + count) : 0;
    total += count;
    sum += value * count;
  });
  return {
    from,
    width: (to - from) / bins,
    counts,
    total,
    mean: total > 0 ? sum / total : Number.NaN,
    standardDeviation: total > 1 ? Math.sqrt(squares / (total - 1)) : 0,
  };
}
