// Thresholds for a false match rate from every pair of a labelled set: the cosine that so few pairs of different
// people reach, the share of one person's pairs that then miss it, and how far both would move with other people.
// Rates as in ISO/IEC 19795-1; intervals by drawing people again (Snijders and Borgatti, 1999), as in bootstrap.ts.
import { UserError } from '../common/errors.js';
import type { Vectors } from '../theory/vectors.js';
import {
  type AllPairs,
  allowedAt,
  allPairs,
  drawPeople,
  firstAbove,
  lowest,
  reaching,
  weightOf,
} from './all-pairs.js';
import { interval } from './bootstrap.js';
import { widened } from './resample.js';

/** A threshold; the rates are shares, 0..1. */
export interface ThresholdAtFmr {
  /** The rate asked for. */
  fmr: number;
  /** Accept at or above this cosine: the lowest one seen at which no more than `fmr` of the impostor pairs pass. */
  threshold: number;
  /** Impostor pairs that pass. */
  falseMatches: number;
  /** Share of genuine pairs below the threshold. */
  fnmr: number;
  /** 95 % percentile intervals over drawn people; `fmr` and `fnmr` are those at the threshold as it stands. */
  intervals?: { threshold: [number, number]; fmr: [number, number]; fnmr: [number, number] };
}

export interface ThresholdsAtFmr {
  people: number;
  images: number;
  genuinePairs: number;
  impostorPairs: number;
  points: ThresholdAtFmr[];
  /** Draws of the bootstrap, and its seed. */
  replicates: number;
  seed: number;
}

export interface ThresholdsOptions {
  /** Each in (0, 1]; .1, .01, .001 and .0001 by default. */
  fmrs?: readonly number[];
  /** 200 by default; 0 leaves the intervals out. */
  replicates?: number;
  seed?: number;
}

/**
 * Thresholds of `templates` [N, D] under `labels` [N], over all N (N - 1) / 2 pairs: the pairs of a person with
 * many images count as often as there are. Cosines are rounded to 2^-23. Throws a UserError for a rate that
 * fewer than 1 / rate impostor pairs cannot tell, for one person alone, or when no person has two images.
 */
export function thresholdsAtFmr(
  templates: Vectors,
  labels: readonly (string | number)[],
  { fmrs = [1e-1, 1e-2, 1e-3, 1e-4], replicates = 200, seed = 1 }: ThresholdsOptions = {},
): ThresholdsAtFmr {
  const pairs = allPairs(templates, labels);
  const { sizes, genuine, impostor } = pairs;
  const count = impostor.cosines.length;
  if (count === 0 || genuine.cosines.length === 0)
    throw new UserError(
      `thresholds need pairs of one person and of two: there are ${genuine.cosines.length} and ${count}`,
    );
  const points = fmrs.map((fmr): ThresholdAtFmr => {
    if (!(fmr > 0 && fmr <= 1)) throw new UserError(`FMR ${fmr}: a false match rate lies in (0, 1]`);
    const allowed = allowedAt(fmr, count);
    if (allowed < 1)
      throw new UserError(
        `FMR ${fmr}: needs at least ${Math.ceil(1 / fmr)} impostor pairs, there are ${count}`,
      );
    const { threshold, falseMatches } = lowest(impostor.cosines, allowed);
    const accepted = reaching(genuine.cosines, threshold);
    return { fmr, threshold, falseMatches, fnmr: 1 - accepted / genuine.cosines.length };
  });
  if (replicates > 1) addIntervals(points, pairs, replicates, seed);
  return {
    people: sizes.length,
    images: labels.length,
    genuinePairs: genuine.cosines.length,
    impostorPairs: count,
    points,
    replicates,
    seed,
  };
}

/** A drawn person brings all pairs along: those of p weigh w_p, those of p and q weigh w_p w_q. */
function addIntervals(
  points: ThresholdAtFmr[],
  { genuine, impostor, sizes }: AllPairs,
  replicates: number,
  seed: number,
): void {
  const seen = points.map(() => ({ threshold: [] as number[], fmr: [] as number[], fnmr: [] as number[] }));
  const ranks = points.map(({ threshold }) => ({
    genuine: reaching(genuine.cosines, threshold),
    impostor: reaching(impostor.cosines, threshold),
  }));
  for (const drawn of drawPeople(sizes, replicates, seed)) {
    points.forEach(({ fmr }, k) => {
      const into = seen[k]!;
      const [passes] = firstAbove(impostor, drawn.weights, [fmr * drawn.impostor]) as [number];
      into.threshold.push(lowest(impostor.cosines, passes).threshold);
      into.fmr.push(weightOf(impostor, drawn.weights, ranks[k]!.impostor) / drawn.impostor);
      into.fnmr.push(1 - weightOf(genuine, drawn.weights, ranks[k]!.genuine) / drawn.genuine);
    });
  }
  points.forEach((point, k) => {
    const { threshold, fmr, fnmr } = seen[k]!;
    if (threshold.length > 1)
      point.intervals = {
        threshold: interval(threshold),
        fmr: interval(fmr),
        fnmr: widened(point.fnmr, sizes.filter((size) => size > 1).length, interval(fnmr)),
      };
  });
}
