// Histograms of the angle between the features of same and of different pairs, as in Fig. 5 of the SphereFace
// paper: how far the two kinds lie apart on the hypersphere says more than one accuracy.
import { cosineAt, degrees, type Vectors } from '../theory/vectors.js';
import { differentPairs, groupByClass, samePairs } from './pairs.js';

/** Counts over equal bins; `counts[i]` covers [from + i width, from + (i + 1) width). */
export interface Histogram {
  from: number;
  width: number;
  counts: number[];
  /** Number of values: the sum of the counts. */
  total: number;
  /** NaN when there are no values. */
  mean: number;
  standardDeviation: number;
}

/** Angles in degrees, [0, 180], of same and different pairs over the same bins. */
export interface AngleHistograms {
  unit: 'degrees';
  same: Histogram;
  different: Histogram;
  /** Present when the pairs are a sample of all pairs, drawn with this seed. */
  seed?: number;
}

/** A histogram that is filled value by value. A value beyond the range counts in the bin at that end. */
export class HistogramBuilder {
  readonly #counts: number[];
  readonly #width: number;
  #total = 0;
  #mean = 0;
  #squares = 0;

  constructor(
    readonly from: number,
    readonly to: number,
    readonly bins: number,
  ) {
    this.#counts = new Array<number>(bins).fill(0);
    this.#width = (to - from) / bins;
  }

  add(value: number): void {
    const bin = Math.floor(((value - this.from) / (this.to - this.from)) * this.bins);
    this.#counts[Math.min(this.bins - 1, Math.max(0, bin))]! += 1;
    // Welford's running mean and sum of squared deviations.
    this.#total += 1;
    const before = value - this.#mean;
    this.#mean += before / this.#total;
    this.#squares += before * (value - this.#mean);
  }

  result(): Histogram {
    return {
      from: this.from,
      width: this.#width,
      counts: [...this.#counts],
      total: this.#total,
      mean: this.#total > 0 ? this.#mean : Number.NaN,
      standardDeviation: this.#total > 1 ? Math.sqrt(this.#squares / (this.#total - 1)) : 0,
    };
  }
}

/** Histograms of values in [from, to] (scores, for instance) of same and different pairs. */
export function histograms(
  values: ArrayLike<number>,
  same: ArrayLike<number | boolean>,
  range: { from: number; to: number; bins: number },
): { same: Histogram; different: Histogram } {
  const { from, to, bins } = range;
  const kinds = [new HistogramBuilder(from, to, bins), new HistogramBuilder(from, to, bins)] as const;
  for (let i = 0; i < values.length; i++) kinds[same[i] ? 0 : 1].add(values[i]!);
  return { same: kinds[0].result(), different: kinds[1].result() };
}

/** Angle histograms of trials whose cosines are known. `bins` over 0..180 degrees, 90 by default. */
export function angleHistogramsOfCosines(
  cosines: ArrayLike<number>,
  same: ArrayLike<number | boolean>,
  bins = 90,
): AngleHistograms {
  const angles = Float64Array.from(cosines, degrees);
  return { unit: 'degrees', ...histograms(angles, same, { from: 0, to: 180, bins }) };
}

/**
 * Angle histograms of an embedded, labelled set: `features` [N, D], `labels` [N]. All N(N-1)/2 pairs when they
 * are at most `maximumPairs` (a million by default); else that many drawn with replacement, half of them same
 * pairs and half different ones, uniform within each kind, and `seed` is in the result.
 * Only `original` is read: fuse mirror features first.
 */
export function angleHistograms(
  features: Vectors,
  labels: ArrayLike<number>,
  options: { bins?: number; maximumPairs?: number; seed?: number } = {},
): AngleHistograms {
  const { bins = 90, maximumPairs = 1_000_000, seed = 1 } = options;
  const { length, original } = features;
  const groups = groupByClass(features, labels);
  const same = new HistogramBuilder(0, 180, bins);
  const different = new HistogramBuilder(0, 180, bins);
  const angle = (i: number, j: number) =>
    degrees(cosineAt(original, i * length, original, j * length, length));
  const count = labels.length;
  if ((count * (count - 1)) / 2 <= maximumPairs) {
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++) (labels[i] === labels[j] ? same : different).add(angle(i, j));
    }
    return { unit: 'degrees', same: same.result(), different: different.result() };
  }
  const half = Math.floor(maximumPairs / 2);
  const sample = { count: half, seed, distinct: false };
  for (const [i, j] of samePairs(groups, sample)) same.add(angle(i, j));
  for (const [i, j] of differentPairs(groups, sample)) different.add(angle(i, j));
  return { unit: 'degrees', same: same.result(), different: different.result(), seed };
}
