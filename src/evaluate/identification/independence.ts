// How a gallery's threshold compares with what single comparisons would predict: if all comparisons of a search were
// independent, a stranger would be taken for somebody with the chance 1 - (1 - FMR)^N, so the threshold grows with N.
// Comparisons of one probe are not independent (a face that resembles one person resembles others); how far that
// matters is measured here, on the same searches.
import { falsePositiveRate } from '../../face/gallery.js';
import { perComparison } from '../../face/models/calibrated.js';
import type { FnirAtFpir } from '../evaluation.js';
import { Highest } from '../overlap/nearest.js';
import type { Templates } from '../templates.js';
import { type Searches, scoresInto } from './searches.js';

/** One threshold of one gallery beside what independence predicts. Rates are shares, 0..1. */
export interface Independence {
  /** Templates in the gallery, N. */
  gallery: number;
  fpir: number;
  threshold: number;
  /** FPIR of the searches at the threshold. */
  measuredFpir: number;
  /** Share of all comparisons of non-mated probes with the gallery that reach the threshold, and their number. */
  fmr: number;
  comparisons: number;
  /** 1 - (1 - FMR)^N. */
  predictedFpir: number;
  /** The lowest score that no more than 1 - (1 - FPIR)^(1/N) of the comparisons reach; null if there is none. */
  predictedThreshold: number | null;
}

/**
 * For every one of `points` that has a threshold. `gallery` [G, D] and `probes` [P, D] are those that were searched;
 * only the non-mated probes with the best candidates are scored again, as no other comparison is among the highest.
 */
export function independence(
  searches: Searches,
  gallery: Templates,
  probes: Templates,
  points: readonly FnirAtFpir[],
): Independence[] {
  const { gallery: N, nonMated, bestScores } = searches;
  const known = points.flatMap(({ fpir, threshold }) => (threshold === null ? [] : [{ fpir, threshold }]));
  if (known.length === 0) return [];
  const comparisons = nonMated.length * N;
  const allowed = known.map(({ fpir }) => Math.floor(perComparison(fpir, N) * comparisons * (1 + 1e-12)));
  const lowest = Math.min(...known.map(({ threshold }) => threshold));
  const falling = [...bestScores.keys()].sort((a, b) => bestScores[b]! - bestScores[a]!);
  // The m highest comparisons are among those of the m probes with the highest candidates; one more tells of a tie.
  const probesNeeded = falling.filter(
    (search, i) => i <= Math.max(...allowed) || bestScores[search]! >= lowest,
  );
  const scores = new Float64Array(gallery.original.length / gallery.length);
  const reaching = (threshold: number, list: Float64Array) => {
    let count = 0;
    for (const score of list) if (score >= threshold) count++;
    return count;
  };
  const top = new Highest(Math.max(...allowed) + 1);
  const matches = known.map(() => 0);
  for (const search of probesNeeded) {
    scoresInto(scores, gallery, probes, nonMated[search]!);
    const own = scores.subarray(0, N);
    for (const score of own) top.add(score);
    known.forEach(({ threshold }, k) => {
      matches[k]! += reaching(threshold, own);
    });
  }
  const highest = top.falling();
  return known.map(({ fpir, threshold }, k) => {
    const fmr = matches[k]! / comparisons;
    let count = Math.min(allowed[k]!, highest.length);
    while (count > 0 && count < highest.length && highest[count - 1] === highest[count]) count--;
    return {
      gallery: N,
      fpir,
      threshold,
      measuredFpir: reaching(threshold, bestScores) / nonMated.length,
      fmr,
      comparisons,
      predictedFpir: falsePositiveRate(fmr, N),
      predictedThreshold: count > 0 ? highest[count - 1]! : null,
    };
  });
}
