// Everything that a calibration says, from the templates of a labelled set of people whom the model was not trained on:
// probabilities, and thresholds for a false match rate and a gallery size, with what they rest on.
import { UserError } from '../../common/errors.js';
import { type AskedThreshold, type Calibration, falsePositiveRate, perComparison } from '../../face/index.js';
import type { Vectors } from '../../theory/vectors.js';
import { type AllPairs, allPairs, drawPeople, reaching, weightOf } from '../all-pairs.js';
import { interval } from '../bootstrap.js';
import { widened } from '../resample.js';
import { HIGHEST_RATE, type ImpostorCurve, impostorCurve, redrawn } from './curve.js';
import { calibrateProbability } from './probability.js';
import { searchStrangers } from './searches.js';

export interface CalibrateOptions {
  /** Each above 0, up to a half; .001 by default. */
  fmrs?: readonly number[];
  /** People in a gallery that the rates are for; 1, 100 and 10,000 by default. */
  gallerySizes?: readonly number[];
  /** Of the same person, for the fit and as the file's own; .5 by default. */
  prior?: number;
  /** Draws of the bootstrap over people; 200 by default, 0 leaves the intervals out. */
  replicates?: number;
  seed?: number;
  /** Called with what is done next, in words. */
  onStage?(what: string): void;
}

/** What is measured: a calibration without its model and the names of things. */
export interface CalibrationFigures extends Omit<Calibration, 'format' | 'model' | 'data'> {
  data: Omit<Calibration['data'], 'name' | 'leftOut'>;
  /** Pairs of labels that look like one person, the most alike first. */
  suspects: Suspect[];
}

/** Two labels with a pair of images more alike than most pairs of one person. */
export interface Suspect {
  labels: [string, string];
  cosine: number;
}

/** Pairs of one person, and people who have them, that a calibration needs. */
const [LEAST_PAIRS, LEAST_PEOPLE] = [10, 2];

/**
 * Calibrates on `templates` [N, D] under `labels` [N]. Pairs count the same for false match rates, people for
 * probabilities. Throws a UserError for too few people or pairs, for a template without a direction, and for rates
 * and sizes that cannot be.
 */
export function calibrate(
  templates: Vectors,
  labels: readonly string[],
  options: CalibrateOptions = {},
): CalibrationFigures {
  const { fmrs = [1e-3], gallerySizes = [1, 100, 10_000], prior = 0.5, replicates = 200, seed = 1 } = options;
  refuse(fmrs, gallerySizes, prior);
  options.onStage?.('comparing all pairs');
  const pairs = allPairs(templates, labels);
  const { sizes, genuine, impostor } = pairs;
  const several = sizes.filter((size) => size > 1).length;
  if (several < LEAST_PEOPLE || genuine.cosines.length < LEAST_PAIRS)
    throw new UserError(
      `calibration: ${sizes.length} ${sizes.length === 1 ? 'person' : 'people'}, ${several} of them with several images that make ${genuine.cosines.length} pairs of one person; at least ${LEAST_PEOPLE} with ${LEAST_PAIRS} pairs are needed`,
    );
  const asked = gallerySizes.flatMap((gallerySize) =>
    fmrs.map((fmr) => ({ fmr, gallerySize, perComparison: perComparison(fmr, gallerySize) })),
  );
  const curve = impostorCurve(
    impostor,
    asked.map((one) => one.perComparison),
  );
  options.onStage?.('fitting probabilities');
  const probability = calibrateProbability(pairs, prior, seed);
  const thresholds = asked.map((one) => askedThreshold(one, curve, pairs));
  const table = curve.rates.map((fmr, k) => ({ fmr, threshold: curve.thresholds[k]! }));
  if (replicates > 1) {
    options.onStage?.('drawing people again');
    const intervals = redraw(curve, pairs, thresholds, replicates, seed);
    intervals.table.forEach((range, k) => {
      Object.assign(table[k]!, { interval: range });
    });
    thresholds.forEach((one, k) => {
      const at = curve.rates.indexOf(one.perComparison);
      const fnmrInterval = intervals.fnmr[k];
      if (one.threshold !== null && fnmrInterval)
        Object.assign(one, { interval: intervals.table[at], fnmrInterval });
    });
  }
  options.onStage?.('searching random galleries');
  for (const gallerySize of new Set(gallerySizes)) {
    const rows = thresholds.filter((one) => one.gallerySize === gallerySize && one.threshold !== null);
    if (gallerySize >= sizes.length || rows.length === 0) continue;
    const { galleries, searches, found } = searchStrangers(
      templates,
      pairs.personOf,
      gallerySize,
      rows.map((one) => one.threshold!),
      { seed },
    );
    rows.forEach((one, k) => {
      const { falsePositives, people } = found[k]!;
      one.searched = {
        ...{ galleries, searches, falsePositives, people, fpir: falsePositives / searches },
        predicted: falsePositiveRate(one.perComparison, gallerySize),
      };
    });
  }
  const { supportedTo, tail } = curve;
  return {
    data: {
      people: sizes.length,
      images: labels.length,
      genuinePairs: genuine.cosines.length,
      impostorPairs: impostor.cosines.length,
    },
    replicates,
    seed,
    probability,
    impostors: { supportedTo, ...(tail && { tail }), table },
    thresholds,
    suspects: suspectsOf(pairs, [...new Set(labels)]),
  };
}

function refuse(fmrs: readonly number[], gallerySizes: readonly number[], prior: number): void {
  for (const fmr of fmrs)
    if (!(fmr > 0 && fmr <= HIGHEST_RATE))
      throw new UserError(`FMR ${fmr}: a false match rate to calibrate for lies in (0, ${HIGHEST_RATE}]`);
  for (const size of gallerySizes)
    if (!(Number.isSafeInteger(size) && size > 0))
      throw new UserError(`gallery size ${size}: it is a whole number of people from 1 on`);
  if (!(prior > 0 && prior < 1)) throw new UserError(`prior ${prior}: it lies between 0 and 1`);
}

function askedThreshold(
  one: Pick<AskedThreshold, 'fmr' | 'gallerySize' | 'perComparison'>,
  { rates, thresholds, supportedTo, tail }: ImpostorCurve,
  { genuine, impostor }: AllPairs,
): AskedThreshold {
  const extrapolated = one.perComparison < supportedTo;
  const at = rates.indexOf(one.perComparison);
  if (at < 0) {
    const pairs = impostor.cosines.length.toLocaleString('en');
    const reason = tail
      ? `one false match in ${Number((1 / one.perComparison).toPrecision(2)).toLocaleString('en')} pairs is too rare to be told from ${pairs}`
      : `${pairs} pairs are too few, and their highest scores too equal to go on from`;
    return { ...one, threshold: null, extrapolated, falseMatches: 0, fnmr: null, reason };
  }
  const threshold = thresholds[at]!;
  const falseMatches = reaching(impostor.cosines, threshold);
  return {
    ...{ ...one, threshold, extrapolated, falseMatches },
    fnmr: 1 - reaching(genuine.cosines, threshold) / genuine.cosines.length,
    ...(extrapolated && { reason: `rests on the fit of the ${tail!.pairs.toLocaleString('en')} highest` }),
  };
}

/** 95 % intervals of the curve's thresholds, and of the FNMR at each threshold that was asked for. */
function redraw(
  curve: ImpostorCurve,
  { sizes, genuine, impostor }: AllPairs,
  asked: readonly AskedThreshold[],
  replicates: number,
  seed: number,
): { table: [number, number][]; fnmr: ([number, number] | undefined)[] } {
  const thresholds = curve.rates.map((): number[] => []);
  const missed = asked.map((): number[] => []);
  const ranks = asked.map(({ threshold }) => reaching(genuine.cosines, threshold ?? Infinity));
  for (const drawn of drawPeople(sizes, replicates, seed)) {
    redrawn(curve, impostor, drawn.weights, drawn.impostor).forEach((threshold, k) => {
      thresholds[k]!.push(threshold);
    });
    ranks.forEach((rank, k) => {
      missed[k]!.push(1 - weightOf(genuine, drawn.weights, rank) / drawn.genuine);
    });
  }
  const usable = (thresholds[0]?.length ?? 0) > 1;
  const several = sizes.filter((size) => size > 1).length;
  return {
    table: usable ? thresholds.map(interval) : [],
    fnmr: missed.map((values, k) =>
      usable ? widened(asked[k]!.fnmr ?? 0, several, interval(values)) : undefined,
    ),
  };
}

/** Pairs of labels that share a pair of images more alike than three quarters of the pairs of one person. */
function suspectsOf({ genuine, impostor }: AllPairs, labels: readonly string[]): Suspect[] {
  const alike = genuine.cosines[genuine.cosines.length >> 2]!;
  const found = new Map<number, Suspect>();
  for (let k = 0; k < impostor.cosines.length && impostor.cosines[k]! > alike; k++) {
    const [p, q] = [impostor.first[k]!, impostor.second[k]!].sort((a, b) => a - b) as [number, number];
    const key = p * 65536 + q;
    if (!found.has(key)) found.set(key, { labels: [labels[p]!, labels[q]!], cosine: impostor.cosines[k]! });
  }
  return [...found.values()];
}
