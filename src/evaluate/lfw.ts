// Face verification by the protocol of Labeled Faces in the Wild (Huang et al., 2007, View 2) in three named
// modes: as SphereFace publishes it, as InsightFace publishes it, and with an exact threshold. The modes give
// different figures on the same features, so a figure always carries its mode.
import { UserError } from '../common/errors.js';
import { noDirection, squaredNorm } from '../theory/vectors.js';
import type { Resampled, Units } from './bootstrap.js';
import { crossValidate, splitScores, spread } from './folds.js';
import { allowedFalseAccepts, fewImpostors } from './roc.js';
import { type Features, type Fusion, fuse, type Templates } from './templates.js';
import { exactRule, insightfaceRule, spherefaceRule, type ThresholdRule } from './thresholds.js';
import { type VerificationOptions, type VerificationResult, verificationFigures } from './verification.js';

export type LfwMode = 'sphereface' | 'insightface' | 'exact';

/** A trial: two rows of the features, whether they show one person, and the fold it belongs to. */
export interface VerificationPair {
  first: number;
  second: number;
  same: boolean;
  fold: number;
}

export interface LfwInput extends VerificationOptions {
  features: Features;
  pairs: readonly VerificationPair[];
  mode: LfwMode;
  /** The mode's own by default; 'none' when there are no mirror features. */
  fusion?: Fusion;
  /** The person in each row of the features; without it the bootstrap draws images. */
  people?: readonly (string | number)[];
  /** The file of each row of the features, for error messages. */
  files?: readonly string[];
}

export interface LfwResult extends VerificationResult {
  mode: LfwMode;
  fusion: Fusion;
  /** What was done, in words. */
  protocol: string;
  /** What the thresholds are thresholds of. */
  thresholdOf: 'cosine' | 'squared distance';
  /** Of the insightface mode: TAR at FAR 1e-3 as its code reports it, fold by fold. */
  foldTar?: FoldTar;
}

/** TAR at a FAR whose threshold comes from the other folds; not known (null) where they have too few impostor scores. */
export interface FoldTar {
  far: number;
  tar: number | null;
  standardDeviation: number | null;
  measuredFar: number;
  /** Why there is no figure, or why to read it with care. */
  reason?: string;
}

const modes: Record<LfwMode, { fusion: Fusion; rule: ThresholdRule; scores: string }> = {
  sphereface: {
    fusion: 'concatenate',
    rule: spherefaceRule,
    scores: 'cosine after subtracting the mean feature of the other folds',
  },
  insightface: {
    fusion: 'sum',
    rule: insightfaceRule,
    scores: 'squared distance of normalised features',
  },
  exact: { fusion: 'concatenate', rule: exactRule, scores: 'cosine' },
};

/**
 * The LFW protocol over any number of folds. All arithmetic is float64.
 *
 * - `sphereface`: per fold, the mean of both images' features of all pairs of the other folds, every image
 *   counted as often as its pairs name it (as the published MATLAB code does), is subtracted before the cosine.
 * - `insightface`: squared distance of the normalised sums; also `foldTar`.
 * - `exact`: cosine, nothing subtracted.
 *
 * AUC, EER, TAR at FAR, ROC and histograms pool every pair's cosine from the fold where it is tested (in the
 * sphereface mode the ten means differ a little; in the insightface mode cosine = 1 - squared distance / 2).
 * Throws UserError naming the pair for a row that is not there, and for a feature without a direction.
 */
export function lfw(input: LfwInput): LfwResult {
  const { features, pairs, mode, people } = input;
  const chosen = modes[mode];
  if (!chosen) throw new UserError(`mode '${mode}': choose one of ${Object.keys(modes).join(', ')}`);
  const fusion = input.fusion ?? (features.mirrored ? chosen.fusion : 'none');
  const templates = fuse(features, fusion);
  checkPairs(pairs, templates, input.files);
  const same = Uint8Array.from(pairs, (pair) => (pair.same ? 1 : 0));
  const foldOf = pairs.map((pair) => pair.fold);

  let scoresFor: (fold: number) => Float64Array;
  if (mode === 'sphereface') {
    scoresFor = (fold) => pairCosines(templates, pairs, meanOfOthers(templates, pairs, fold));
  } else {
    const cosines = pairCosines(templates, pairs, new Float64Array(templates.length));
    const scores = mode === 'exact' ? cosines : squaredDistances(templates, pairs);
    scoresFor = () => scores;
  }
  const validation = crossValidate(foldOf, same, scoresFor, chosen.rule);
  const distances = mode === 'insightface';
  const cosines = distances ? validation.heldOut.map((distance) => 1 - distance / 2) : validation.heldOut;

  if (people && people.length * features.length !== features.original.length) {
    throw new UserError(
      `${people.length} people named for ${features.original.length / features.length} images`,
    );
  }
  const units: Units = pairs.map(({ first, second }) =>
    people ? [people[first]!, people[second]!] : [first, second],
  );
  const resampled: Resampled = people ? 'people' : 'images';
  return {
    mode,
    fusion,
    protocol: `${chosen.scores}; ${chosen.rule.description}; ${validation.folds.length} folds`,
    thresholdOf: distances ? 'squared distance' : 'cosine',
    ...verificationFigures(validation, cosines, same, { ...input, units, resampled }),
    ...(distances ? { foldTar: foldTar(validation.heldOut, same, foldOf, 1e-3) } : {}),
  };
}

function checkPairs(
  pairs: readonly VerificationPair[],
  templates: Templates,
  files: readonly string[] | undefined,
): void {
  const { length, original } = templates;
  const count = original.length / length;
  const checked = new Uint8Array(count);
  pairs.forEach((pair, i) => {
    for (const row of [pair.first, pair.second]) {
      const name = `pair ${i + 1} of ${pairs.length}: image ${files?.[row] ?? row}`;
      if (!Number.isInteger(row) || row < 0 || row >= count) {
        throw new UserError(`${name} is not among the ${count} embedded images`);
      }
      if (checked[row]) continue;
      checked[row] = 1;
      const norm = Math.sqrt(squaredNorm(original, row * length, length));
      if (!(norm > 0 && norm < Infinity)) throw new UserError(`${name}: ${noDirection(norm)}`);
    }
  });
}

/** [D] mean over both images of all pairs outside `fold`, images counted as they occur. */
function meanOfOthers(templates: Templates, pairs: readonly VerificationPair[], fold: number): Float64Array {
  const { length, original } = templates;
  const mean = new Float64Array(length);
  let images = 0;
  for (const { first, second, fold: own } of pairs) {
    if (own === fold) continue;
    images += 2;
    for (let d = 0; d < length; d++)
      mean[d]! += original[first * length + d]! + original[second * length + d]!;
  }
  // Without other folds crossValidate refuses to go on; the mean is not used then.
  return images > 0 ? mean.map((sum) => sum / images) : mean;
}

/** Cosine of every pair after subtracting `mean`; NaN where a feature equals the mean. */
function pairCosines(
  templates: Templates,
  pairs: readonly VerificationPair[],
  mean: Float64Array,
): Float64Array {
  const { length, original } = templates;
  return Float64Array.from(pairs, ({ first, second }) => {
    let dot = 0;
    let aa = 0;
    let bb = 0;
    for (let d = 0; d < length; d++) {
      const a = original[first * length + d]! - mean[d]!;
      const b = original[second * length + d]! - mean[d]!;
      dot += a * b;
      aa += a * a;
      bb += b * b;
    }
    return dot / Math.sqrt(aa) / Math.sqrt(bb);
  });
}

/** Squared Euclidean distance of every pair's unit vectors, 0..4. */
function squaredDistances(templates: Templates, pairs: readonly VerificationPair[]): Float64Array {
  const { length, original } = templates;
  const norm = (row: number) => Math.sqrt(squaredNorm(original, row * length, length));
  return Float64Array.from(pairs, ({ first, second }) => {
    const a = norm(first);
    const b = norm(second);
    let sum = 0;
    for (let d = 0; d < length; d++) {
      sum += (original[first * length + d]! / a - original[second * length + d]! / b) ** 2;
    }
    return sum;
  });
}

/**
 * TAR at FAR as FaceNet's and InsightFace's code measures it: per fold, FAR of the other folds at thresholds
 * 0, .001, .. 3.999 (distance < threshold accepts), the threshold for `far` interpolated between the last grid
 * point at or below it and the next, and TAR and FAR measured on the fold at that threshold. That code prints a
 * figure however few impostor scores there are; here it is not known below 1 / far of them.
 */
function foldTar(distances: Float64Array, same: Uint8Array, foldOf: readonly number[], far: number): FoldTar {
  const tars: number[] = [];
  const fars: number[] = [];
  let fewest = Number.POSITIVE_INFINITY;
  for (const fold of new Set(foldOf)) {
    const { different } = splitScores(distances, same, (trial) => foldOf[trial] !== fold);
    fewest = Math.min(fewest, different.length);
    let accepted = 0;
    let threshold = 0;
    let before = 0;
    for (let step = 0; step < 4000; step++) {
      const next = step * 0.001;
      while (accepted < different.length && different[accepted]! < next) accepted++;
      const rate = accepted / different.length;
      if (rate > far) {
        threshold += ((far - before) / (rate - before)) * (next - threshold);
        break;
      }
      threshold = next;
      before = rate;
    }
    const tested = splitScores(distances, same, (trial) => foldOf[trial] === fold);
    const share = (list: Float64Array) =>
      list.filter((distance) => distance < threshold).length / list.length;
    if (tested.same.length > 0) tars.push(share(tested.same));
    if (tested.different.length > 0) fars.push(share(tested.different));
  }
  const { mean, deviation } = spread(tars);
  const measuredFar = spread(fars).mean;
  const reason = fewImpostors(far, fewest);
  if (allowedFalseAccepts(far, fewest) < 1)
    return { far, tar: null, standardDeviation: null, measuredFar, reason };
  return { far, tar: mean, standardDeviation: deviation, measuredFar, ...(reason && { reason }) };
}
