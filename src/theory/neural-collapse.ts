// Neural collapse (Papyan, Han and Donoho, PNAS 2020): late in training the features of a class draw together
// (NC1), the centred class means become a regular simplex (NC2), the classifier becomes those means (NC3), and
// its decision that of the nearest class mean (NC4). Four measures, to log during training.
import { UserError } from '../common/errors.js';
import { type ClassVariability, classVariability } from './class-variability.js';
import { products } from './products.js';
import { type SimplexMeasures, simplexMeasures } from './simplex-measures.js';
import { classMeans, countVectors, squaredNorm, type Vectors } from './vectors.js';

/**
 * The measures, NC1 as `withinVariability` and `withinOverBetween`; NaN where class means coincide, so that there is
 * nothing to measure against.
 */
export interface NeuralCollapse extends ClassVariability {
  readonly classes: number;
  readonly samples: number;
  /** NC2 of the centred class means. */
  readonly means: SimplexMeasures;
  /** NC2 of the class vectors, as they are. */
  readonly classVectors?: SimplexMeasures;
  /** NC3, |W/|W| - M/|M||^2 (Frobenius), M the centred means: from 0 (the same) to 4 (opposite). */
  readonly selfDuality?: number;
  /** NC4, share of samples for which the classifier and the nearest class mean decide alike: 0 to 1. */
  readonly agreement?: number;
}

/** What the classifier is, and what is measured. */
export interface NeuralCollapseOptions {
  /** [C, D], row l the class vector of label l, as the decision uses it: of unit length where the loss makes it so. */
  classVectors?: Vectors;
  /** [C]; zero unless given. */
  biases?: ArrayLike<number>;
  /** [N], the label that the classifier decides for each feature, where that is not the largest w . x + b. */
  decisions?: ArrayLike<number>;
  /** 'normalised' scales features to unit length first, so that only directions count; 'raw' is the default. */
  features?: 'raw' | 'normalised';
}

/**
 * The four measures of `features` ([N, D]) under `labels` ([N]), with a classifier or (NC1, NC2) without.
 *
 * With mu_c the mean of class c and mu_G the mean of the mu_c: S_W is the mean over classes of their covariance, S_B
 * that of (mu_c - mu_G)(mu_c - mu_G)^T. Every class counts the same, whatever its size; in the balanced sets
 * of the paper this is its definition. Classes of one sample add nothing to S_W. NC3 and NC4 compare the
 * classes that have samples. Ties in NC4 go to the lower label.
 *
 * About 3 N D K + 3 min(K, D)^3 multiply-adds: a second for 2,000 features of length 512 in 300 classes.
 * Throws UserError for fewer than two classes, a feature without direction, counts that differ, and labels
 * that have no class vector.
 */
export function neuralCollapse(
  features: Vectors,
  labels: ArrayLike<number>,
  options: NeuralCollapseOptions = {},
): NeuralCollapse {
  const kind = options.features ?? 'raw';
  const found = classMeans(features, labels, kind);
  const classes = found.labels.length;
  if (classes < 2)
    throw new UserError('neural collapse: all features have one label; give at least two classes');
  const { length } = features;
  const rows = kind === 'raw' ? features : unitRows(features);
  const centred: Vectors = { length, original: centre(found.means, length) };
  const chosen = options.classVectors && chooseRows(options.classVectors, length, found.labels);
  const biases = options.biases && chooseBiases(options.biases, options.classVectors, found.labels);
  return {
    classes,
    samples: found.classOf.length,
    ...classVariability(rows, found, centred),
    means: simplexMeasures(centred),
    ...(chosen && {
      classVectors: simplexMeasures(chosen),
      selfDuality: selfDuality(chosen, centred),
    }),
    ...((options.decisions || chosen) && {
      agreement: agreement(
        options.decisions ?? decisionsOf(features, found.labels, chosen!, biases),
        rows,
        found.labels,
        { length, original: found.means },
      ),
    }),
  };
}

function selfDuality(classVectors: Vectors, centred: Vectors): number {
  const [w, m] = [classVectors.original, centred.original];
  const [wNorm, mNorm] = [w, m].map((data) => Math.sqrt(squaredNorm(data, 0, data.length)));
  let sum = 0;
  for (let i = 0; i < m.length; i++) sum += (w[i]! / wNorm! - m[i]! / mNorm!) ** 2;
  return sum;
}

/** The label of the largest w . x + b for each feature. */
function decisionsOf(
  features: Vectors,
  labels: readonly number[],
  classVectors: Vectors,
  biases: ArrayLike<number> | undefined,
): number[] {
  return largest(products(features, classVectors), labels.length, (c) => biases?.[c] ?? 0, labels);
}

/** Share of the vectors whose nearest mean, labelled row by row, is the one decided. */
function agreement(
  decisions: ArrayLike<number>,
  vectors: Vectors,
  labels: readonly number[],
  means: Vectors,
): number {
  // |x - mu|^2 is smallest where x . mu - |mu|^2 / 2 is largest.
  const halves = labels.map((_, c) => squaredNorm(means.original, c * means.length, means.length) / 2);
  const nearest = largest(products(vectors, means), labels.length, (c) => -halves[c]!, labels);
  if (decisions.length !== nearest.length)
    throw new UserError(`${decisions.length} decisions for ${nearest.length} features`);
  return nearest.filter((label, i) => label === decisions[i]).length / nearest.length;
}

/** For each row of k scores, the label of the largest score with its offset; of equal ones the lower. */
function largest(
  scores: ArrayLike<number>,
  k: number,
  offset: (c: number) => number,
  labels: readonly number[],
): number[] {
  return Array.from({ length: scores.length / k }, (_, row) => {
    let best = 0;
    for (let c = 1; c < k; c++) {
      if (scores[row * k + c]! + offset(c) > scores[row * k + best]! + offset(best)) best = c;
    }
    return labels[best]!;
  });
}

/** Means that differ by less than this share of their length are one mean and its rounding. */
const NOISE = 1e-12;

/** The rows less their mean; exact zeros where they differ by rounding only. */
function centre(rows: Float64Array, length: number): Float64Array {
  const mean = new Float64Array(length);
  const count = rows.length / length;
  rows.forEach((value, i) => {
    mean[i % length]! += value / count;
  });
  const centred = rows.map((value, i) => value - mean[i % length]!);
  const [left, whole] = [centred, rows].map((data) => squaredNorm(data, 0, data.length));
  return left! < NOISE ** 2 * whole! ? centred.fill(0) : centred;
}

function unitRows({ length, original }: Vectors): Vectors {
  const unit = Float64Array.from(original);
  for (let at = 0; at < unit.length; at += length) {
    const norm = Math.sqrt(squaredNorm(original, at, length));
    for (let d = at; d < at + length; d++) unit[d]! /= norm;
  }
  return { length, original: unit };
}

function chooseRows(vectors: Vectors, length: number, labels: readonly number[]): Vectors {
  const count = countVectors(vectors);
  if (vectors.length !== length) {
    throw new UserError(`class vectors have ${vectors.length} numbers, features ${length}`);
  }
  const stray = labels.find((label) => !(Number.isInteger(label) && label >= 0 && label < count));
  if (stray !== undefined) throw new UserError(`label ${stray} has no class vector: there are ${count}`);
  const original = new Float64Array(labels.length * length);
  labels.forEach((label, row) => {
    original.set(vectors.original.subarray(label * length, (label + 1) * length), row * length);
  });
  return { length, original };
}

function chooseBiases(
  biases: ArrayLike<number>,
  vectors: Vectors | undefined,
  labels: readonly number[],
): number[] {
  const count = vectors ? countVectors(vectors) : 0;
  if (biases.length !== count) throw new UserError(`${biases.length} biases for ${count} class vectors`);
  return labels.map((label) => biases[label]!);
}
