// The figures of the searches in one gallery: FNIR at FPIR with its DET curve, and the cumulative match characteristic
// of the mated probes (Phillips et al., 2000; ISO/IEC 19795-1), each also for people who are drawn again, which is where
// the intervals come from.

import type { CmcCurve, DetCurve, FnirAtFpir } from '../evaluation.js';
import { type ResampleOptions, resamplePeople, widened } from '../resample.js';
import type { SortedTrials } from '../roc.js';
import { detCurve, fnirsAtFpirs, operatingPoints, sortSearches } from './det.js';
import type { Searches } from './searches.js';

/** What every search in one gallery is measured by. */
export interface SearchSettings {
  /** [probes] number of each probe's person. */
  personOf: Uint32Array;
  fpirs: readonly number[];
  rank: number;
}

/** The searches of one gallery as figures that can be weighed by how often each person was drawn. */
export interface WeighableSearches {
  trials: SortedTrials;
  ranks: number[];
  /** For each of the FPIRs: FNIR, then for each its threshold; undefined when all of one kind weigh nothing. */
  points(weights?: Float64Array): number[] | undefined;
  /** Share of mated searches within each of `ranks`. */
  cmc(weights?: Float64Array): number[];
}

/** See {@link WeighableSearches}. Weights are by the person's number. */
export function weighable(searches: Searches, { personOf, fpirs, rank }: SearchSettings): WeighableSearches {
  const { mated, nonMated, mateScores, ranks, bestScores } = searches;
  const hits = mateScores.map((score, i) => (ranks[i]! <= rank ? score : -Infinity));
  const trials = sortSearches(hits, bestScores);
  const personAt = Uint32Array.from(trials.order, (trial) =>
    trial < mated.length ? personOf[mated[trial]!]! : personOf[nonMated[trial - mated.length]!]!,
  );
  const shown = cmcRanks(searches.gallery);
  // The first place in `shown` at which each mated search counts.
  const firstShown = Uint32Array.from(ranks, (mine) => shown.findIndex((one) => one >= mine));
  const byPlace = new Float64Array(personAt.length);
  return {
    trials,
    ranks: shown,
    points(weights) {
      if (weights)
        personAt.forEach((person, place) => {
          byPlace[place] = weights[person]!;
        });
      const found = operatingPoints(trials, fpirs, weights && byPlace);
      return found && [...found.map(({ fnir }) => fnir), ...found.map(({ threshold }) => threshold)];
    },
    cmc(weights) {
      const counts = shown.map(() => 0);
      let total = 0;
      mated.forEach((probe, i) => {
        const weight = weights ? weights[personOf[probe]!]! : 1;
        counts[firstShown[i]!]! += weight;
        total += weight;
      });
      let sum = 0;
      return counts.map((count) => {
        sum += count;
        return sum / total;
      });
    },
  };
}

/** DET and CMC of one gallery with intervals. */
export function identificationFigures(
  searches: Searches,
  settings: SearchSettings,
  options: ResampleOptions,
): { det: DetCurve; cmc: CmcCurve } {
  const { fpirs, rank, personOf } = settings;
  const figures = weighable(searches, settings);
  const points = fnirsAtFpirs(figures.trials, fpirs);
  const people = (list: Uint32Array) => [...new Set(Array.from(list, (probe) => personOf[probe]!))];
  const strata = [people(searches.mated), people(searches.nonMated)];
  const found = intervalsOf(
    strata,
    (weights) => {
      const drawn = figures.points(weights);
      return drawn && [...drawn, ...figures.cmc(weights)];
    },
    options,
  );
  const { ranks } = figures;
  const rates = figures.cmc();
  const matedPeople = strata[0]!.length;
  const cmcIntervals = found
    .slice(2 * fpirs.length)
    .map((interval, i) => interval && widened(rates[i]!, matedPeople, interval));
  return {
    det: {
      gallery: searches.gallery,
      mated: searches.mated.length,
      nonMated: searches.nonMated.length,
      rank,
      ...detCurve(figures.trials),
      points: points.map((point, k) => withIntervals(point, found[k], found[fpirs.length + k], matedPeople)),
    },
    cmc: {
      gallery: searches.gallery,
      trials: searches.mated.length,
      ranks,
      rates,
      ...(cmcIntervals.length > 0 && { intervals: cmcIntervals as [number, number][] }),
    },
  };
}

function withIntervals(
  point: FnirAtFpir,
  interval: [number, number] | undefined,
  thresholdInterval: [number, number] | undefined,
  matedPeople: number,
): FnirAtFpir {
  if (point.fnir === null) return point;
  return {
    ...point,
    ...(interval && { interval: widened(point.fnir, matedPeople, interval) }),
    ...(thresholdInterval && point.threshold !== null && { thresholdInterval }),
  };
}

/** {@link resamplePeople}, but nothing when there is only one person of a kind: nobody else could be drawn. */
export function intervalsOf(...args: Parameters<typeof resamplePeople>): ReturnType<typeof resamplePeople> {
  return args[0].every((stratum) => stratum.length >= 2) ? resamplePeople(...args) : [];
}

/** 1 .. 10, then 20, 50, 100, 200, .. up to the gallery's size. */
export function cmcRanks(gallery: number): number[] {
  const ranks = Array.from({ length: Math.min(10, gallery) }, (_, i) => i + 1);
  for (let decade = 10; decade < gallery; decade *= 10)
    for (const step of [2, 5, 10]) if (step * decade < gallery) ranks.push(step * decade);
  if (gallery > 10) ranks.push(gallery);
  return ranks;
}
