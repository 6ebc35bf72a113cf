// The figures of one verification experiment, whatever its protocol: accuracy over folds, AUC, EER and TAR at
// FAR with intervals, histograms, and a ROC thinned to its corners. Everything but `trials` is plain JSON.
import { bootstrap, type Resampled, type Units } from './bootstrap.js';
import { cornersOf } from './corners.js';
import type { CrossValidation, FoldOutcome } from './folds.js';
import { type AngleHistograms, angleHistogramsOfCosines, type Histogram, histograms } from './histogram.js';
import { widened } from './resample.js';
import { ratesOf, rocCurve, sortTrials, type TarAtFar, tarsAtFars } from './roc.js';

/** False accept rates that are reported unless others are asked for. */
export const standardFars: readonly number[] = [1e-1, 1e-2, 1e-3, 1e-4];

/** Settings that every protocol shares. */
export interface VerificationOptions {
  /** False accept rates, each in (0, 1]; 1e-1 .. 1e-4 by default. */
  fars?: readonly number[];
  /** Bootstrap draws, 1,000 by default; 0 leaves the intervals out. */
  replicates?: number;
  /** Of the bootstrap (and of the drawn pairs, where there are any); 1 by default. */
  seed?: number;
  /** Bins of the histograms, 90 by default: 2 degrees each. */
  bins?: number;
}

/** Figures of one experiment. Rates are shares, 0..1; intervals are 95 %. */
export interface VerificationResult {
  pairs: number;
  samePairs: number;
  differentPairs: number;
  /** Mean over folds. */
  accuracy: number;
  /** Over folds, with n - 1. */
  standardDeviation: number;
  standardError: number;
  accuracyInterval?: [number, number];
  folds: FoldOutcome[];
  /** The folds' thresholds, in the mode's own unit. */
  thresholds: number[];
  auc: number;
  aucInterval?: [number, number];
  eer: number;
  eerInterval?: [number, number];
  tarAtFar: TarAtFar[];
  /** Points of the ROC where it turns (straight lines between them are exact). */
  roc: { far: number[]; tar: number[] };
  angles: AngleHistograms;
  /** Cosines, [-1, 1]. */
  scores: { same: Histogram; different: Histogram };
  /** How the intervals were made; absent when there are none. */
  intervals?: { resampled: Resampled; replicates: number; seed: number };
  /** The single trials: cosines as tested, 1 for same, and 1 where it was judged rightly. Leave out of JSON. */
  trials: { scores: Float64Array; same: Uint8Array; correct: Uint8Array };
}

/**
 * Puts the figures together. `cosines` and `same` are [n], every pair's cosine in the fold where it is tested;
 * `units` names what is resampled (pairs when absent). Throws UserError as sortTrials does.
 */
export function verificationFigures(
  validation: CrossValidation,
  cosines: Float64Array,
  same: Uint8Array,
  options: VerificationOptions & { units?: Units; resampled?: Resampled },
): VerificationResult {
  const { fars = standardFars, replicates = 1000, seed = 1, bins = 90 } = options;
  const sorted = sortTrials(cosines, same);
  const { auc, eer } = ratesOf(sorted, [])!;
  const tarAtFar = tarsAtFars(sorted, fars);
  const found =
    replicates > 0
      ? bootstrap(sorted, validation.correct, { units: options.units, fars, replicates, seed })
      : undefined;
  // Those of whom there are pairs of one person, who could have been missed.
  const once = new Set(
    [...same.keys()].filter((trial) => same[trial]).map((trial) => options.units?.[trial]?.[0] ?? trial),
  ).size;
  const result: VerificationResult = {
    pairs: same.length,
    samePairs: sorted.sameCount,
    differentPairs: sorted.differentCount,
    accuracy: validation.accuracy,
    standardDeviation: validation.standardDeviation,
    standardError: validation.standardError,
    accuracyInterval: found && widened(validation.accuracy, once, found.accuracy),
    folds: validation.folds,
    thresholds: validation.folds.map((fold) => fold.threshold),
    auc,
    aucInterval: found?.auc,
    eer,
    eerInterval: found && widened(eer, once, found.eer),
    tarAtFar: tarAtFar.map((entry, k) =>
      found && entry.tar !== null ? { ...entry, interval: widened(entry.tar, once, found.tar[k]!) } : entry,
    ),
    roc: corners(cosines, same),
    angles: angleHistogramsOfCosines(cosines, same, bins),
    scores: histograms(cosines, same, { from: -1, to: 1, bins }),
    trials: { scores: cosines, same, correct: validation.correct },
  };
  if (found) {
    const resampled = options.units ? (options.resampled ?? 'people') : 'pairs';
    result.intervals = { resampled, replicates: found.replicates, seed };
  }
  return result;
}

/** The ROC at the points where it turns. */
function corners(cosines: Float64Array, same: Uint8Array): { far: number[]; tar: number[] } {
  const { far, tar } = rocCurve(cosines, same);
  const kept = cornersOf(far, tar);
  return { far: kept.map((i) => far[i]!), tar: kept.map((i) => tar[i]!) };
}
