// What a calibration makes of a similarity: a threshold for a false match rate and a number of comparisons, and the
// probability that two faces are one person, or that a face is one of several people (Bayes' rule).
import { UserError } from '../../common/errors.js';
import type { Calibration } from './calibration-file.js';
import type { Decision } from './thresholds.js';

/**
 * The false match rate of one comparison at which a search of `comparisons` independent ones finds somebody for a
 * stranger at a rate of `fmr`: 1 - (1 - fmr)^(1 / comparisons). The inverse of `falsePositiveRate`.
 */
export function perComparison(fmr: number, comparisons: number): number {
  return comparisons === 1 ? fmr : -Math.expm1(Math.log1p(-fmr) / comparisons);
}

/** A decision by a calibration. */
export interface CalibratedDecision extends Decision {
  readonly fmr: number;
  readonly on: string;
  /** The false match rate of one comparison. */
  readonly perComparison: number;
  /** Whether fewer than ten impostor pairs were as alike as the threshold, so that it stands on the tail's fit. */
  readonly extrapolated: boolean;
  /** Of the threshold, 95 %. */
  readonly interval?: readonly [number, number];
}

/**
 * The decision at a false match rate of `fmr` for a search of so many `comparisons` (default 1: two faces). Throws a
 * UserError for a rate that the calibration cannot tell.
 */
export function decideBy(
  { impostors, data }: Pick<Calibration, 'impostors' | 'data'>,
  fmr: number,
  comparisons = 1,
): CalibratedDecision {
  const rate = perComparison(fmr, comparisons);
  const { table, supportedTo } = impostors;
  const [first, last] = [table[0]!, table[table.length - 1]!];
  // Rates that differ in their last digits only are one.
  const at = table.findIndex((point) => point.fmr <= rate * (1 + 1e-9));
  if (rate > first.fmr * (1 + 1e-9) || at < 0) {
    const among = comparisons > 1 ? ` of one comparison (${fmr} among ${comparisons} comparisons)` : '';
    throw new UserError(
      `the calibration on ${data.name} tells false match rates from ${round(last.fmr)} to ${round(first.fmr)}, not ${round(rate)}${among}; choose another --fmr${rate < last.fmr ? ', or calibrate on more people' : ''}`,
    );
  }
  const below = table[at]!;
  const above = table[Math.max(0, at - 1)]!;
  const share = at === 0 ? 1 : Math.min(1, Math.log(above.fmr / rate) / Math.log(above.fmr / below.fmr));
  const between = (a: number, b: number) => a + share * (b - a);
  return {
    threshold: between(above.threshold, below.threshold),
    fmr,
    perComparison: rate,
    on: `${data.people} people of ${data.name}, ${data.impostorPairs.toLocaleString('en')} pairs`,
    extrapolated: rate < supportedTo * (1 - 1e-9),
    ...(above.interval &&
      below.interval && {
        interval: [
          between(above.interval[0], below.interval[0]),
          between(above.interval[1], below.interval[1]),
        ] as const,
      }),
  };
}

const round = (rate: number): number => Number(rate.toPrecision(2));

/** How much likelier a similarity is for one person than for two. */
export interface Evidence {
  /** Natural logarithm of the likelihood ratio. */
  readonly llr: number;
  /** Whether it was held at what the calibration's people support: the true one may be further from 0. */
  readonly limited: boolean;
}

/** The log-likelihood ratio of a cosine. */
export function evidenceOf({ probability }: Pick<Calibration, 'probability'>, similarity: number): Evidence {
  const { slope, intercept, limits } = probability;
  const llr = slope * similarity + intercept;
  const held = Math.min(limits[1], Math.max(limits[0], llr));
  return { llr: held, limited: held !== llr };
}

/** The probability of the same person after a log-likelihood ratio, `prior` (0..1) being the one before. */
export function posterior(llr: number, prior: number): number {
  return 1 / (1 + ((1 - prior) / prior) * Math.exp(-llr));
}

/**
 * The probability of each of N people that a face is theirs, from its log-likelihood ratio to each: the face is
 * somebody of them with probability `prior`, each as likely as the other, else a stranger. With independent scores
 *   P(i) = (prior / N) LR_i / (1 - prior + (prior / N) sum_j LR_j),
 * so that what is left of 1 belongs to the stranger. The more people, the more evidence one of them needs.
 */
export function posteriors(llrs: readonly number[], prior: number): number[] {
  const each = Math.log(prior / llrs.length);
  const stranger = Math.log1p(-prior);
  const terms = llrs.map((llr) => llr + each);
  const most = terms.reduce((a, b) => Math.max(a, b), stranger);
  const total = terms.reduce((sum, term) => sum + Math.exp(term - most), Math.exp(stranger - most));
  return terms.map((term) => Math.exp(term - most) / total);
}
