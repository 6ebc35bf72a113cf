// Verification of videos by the protocol of YouTube Faces (Wolf, Hassner and Maoz, CVPR 2011): two sets of frames, one
// score. How frames become a score is named with the figure, because it moves it by as much as a better network does.
import { UserError } from '../common/errors.js';
import { products } from '../theory/products.js';
import { countVectors, noDirection, squaredNorm, type Vectors } from '../theory/vectors.js';
import type { Units } from './bootstrap.js';
import { crossValidate } from './folds.js';
import { exactRule } from './thresholds.js';
import { type VerificationOptions, type VerificationResult, verificationFigures } from './verification.js';

export const aggregationNames = ['mean-feature', 'mean-score', 'max-score'] as const;
export type Aggregation = (typeof aggregationNames)[number];

interface AggregationRule {
  readonly description: string;
  /** The first frames of a video that are used unless another number is asked for; absent for all. */
  readonly frames?: number;
  /** The rows of a video that are compared, from its frames; the score of two videos is the largest product of rows. */
  summarise(frames: Vectors, norms: Float64Array): Vectors;
}

/** The aggregations. A mean of all products of frames is the product of the frames' means, so no pair is listed. */
export const aggregations: Record<Aggregation, AggregationRule> = {
  'mean-feature': {
    description: "cosine of the means of the frames' templates",
    summarise: (frames) => {
      const mean = meanRow(frames);
      const norm = Math.sqrt(squaredNorm(mean, 0, mean.length));
      if (!(norm > 0)) throw new UserError('the mean of its frames is zero, so it has no direction');
      return { length: frames.length, original: mean.map((value) => value / norm) };
    },
  },
  'mean-score': {
    description: 'mean of the cosines of all pairs of frames',
    frames: 100,
    summarise: (frames, norms) => ({ length: frames.length, original: meanRow(frames, norms) }),
  },
  'max-score': {
    description: 'largest cosine of all pairs of frames',
    frames: 100,
    // Kept as float32, as the features come: there are up to a hundred rows a video.
    summarise: ({ length, original }, norms) => ({
      length,
      original: Float32Array.from(original, (value, i) => value / norms[Math.floor(i / length)]!),
    }),
  },
};

/** Mean of the rows, divided by their `norms` where these are given. */
function meanRow({ length, original }: Vectors, norms?: Float64Array): Float64Array {
  const mean = new Float64Array(length);
  original.forEach((value, i) => {
    mean[i % length]! += norms ? value / norms[Math.floor(i / length)]! : value;
  });
  return mean.map((sum) => (sum * length) / original.length);
}

/**
 * What is compared of a video, from the templates of its frames, [frames, D]. Throws a UserError that begins with
 * `name` for a video without frames, and a frame without a direction.
 */
export function videoTemplate(frames: Vectors, aggregation: Aggregation, name: string): Vectors {
  const count = countVectors(frames);
  if (count === 0) throw new UserError(`${name}: the video has no frame`);
  const norms = Float64Array.from({ length: count }, (_, i) =>
    Math.sqrt(squaredNorm(frames.original, i * frames.length, frames.length)),
  );
  norms.forEach((norm, i) => {
    if (!(norm > 0 && norm < Number.POSITIVE_INFINITY))
      throw new UserError(`${name}: frame ${i + 1} of ${count}: ${noDirection(norm)}`);
  });
  try {
    return aggregations[aggregation].summarise(frames, norms);
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** The score of two videos, from {@link videoTemplate} of each. */
export function videoScore(a: Vectors, b: Vectors): number {
  return products(a, b).reduce((most, product) => Math.max(most, product), Number.NEGATIVE_INFINITY);
}

export interface YtfInput extends VerificationOptions {
  /** {@link videoTemplate} of each video, all by one aggregation. */
  videos: readonly Vectors[];
  /** Places among the videos. */
  pairs: readonly { first: number; second: number; same: boolean; fold: number }[];
  aggregation: Aggregation;
  /** The person in each video: who is drawn for the intervals. */
  people: readonly string[];
}

export interface YtfResult extends VerificationResult {
  aggregation: Aggregation;
}

/**
 * Verification over folds with the threshold of the others (see exactRule), AUC, EER and TAR at FAR of all scores.
 * Throws a UserError for a pair of videos that are not there, and as crossValidate does.
 */
export function ytf({ videos, pairs, aggregation, people, ...options }: YtfInput): YtfResult {
  if (people.length !== videos.length)
    throw new UserError(`ytf: ${videos.length} videos but ${people.length} people`);
  const scores = Float64Array.from(pairs, ({ first, second }, i) => {
    const missing = [first, second].find((place) => !videos[place]);
    if (missing !== undefined)
      throw new UserError(
        `pair ${i + 1} of ${pairs.length}: video ${missing} is not among the ${videos.length}`,
      );
    return videoScore(videos[first]!, videos[second]!);
  });
  const same = Uint8Array.from(pairs, (pair) => (pair.same ? 1 : 0));
  const foldOf = pairs.map(({ fold }) => fold);
  const validation = crossValidate(foldOf, same, () => scores, exactRule);
  const units: Units = pairs.map(({ first, second }) => [people[first]!, people[second]!]);
  return {
    aggregation,
    ...verificationFigures(validation, scores, same, { ...options, units, resampled: 'people' }),
  };
}
