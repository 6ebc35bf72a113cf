// Verification of many million pairs of templates. A rate of true accepts only changes at a genuine score, so every
// impostor score is put between two genuine ones, and what is sorted, drawn again and kept is a few thousand counts: the
// figures are exact, ties included, and nothing as long as the list is ever sorted.
import { UserError } from '../../common/errors.js';
import { random } from '../../common/random.js';
import { interval } from '../bootstrap.js';
import { cornersOf } from '../corners.js';
import type { VerificationPart } from '../evaluation.js';
import { angleHistogramsOfCosines, histograms } from '../histogram.js';
import { widened } from '../resample.js';
import { ratesOf, type SortedTrials, tarsAtFars } from '../roc.js';
import type { Templates } from '../templates.js';

/** Pairs of rows of templates, [P] each. */
export interface TemplatePairs {
  first: Uint32Array;
  second: Uint32Array;
  /** 1 for one subject. */
  same: Uint8Array;
}

/** Trials pooled between the genuine scores: a place holds all trials that no genuine score tells apart. */
export interface PooledTrials {
  /** `sameCount` and `differentCount` are those of the single trials. */
  trials: SortedTrials;
  /** [places] how many trials each holds. */
  counts: Float64Array;
  /** [P] the place of every pair. */
  placeOf: Uint32Array;
}

/** Cosines of the pairs, [P], from unit templates. */
export function pairScores({ length, original }: Templates, { first, second }: TemplatePairs): Float64Array {
  return Float64Array.from(first, (a, pair) => {
    let sum = 0;
    for (let d = 0, i = a * length, j = second[pair]! * length; d < length; d++)
      sum += original[i + d]! * original[j + d]!;
    return sum;
  });
}

/** Pools trials, O(P log G) with G genuine ones. Throws a UserError when a kind is missing or a score is NaN. */
export function poolTrials(scores: Float64Array, same: Uint8Array): PooledTrials {
  const broken = scores.findIndex(Number.isNaN);
  if (broken >= 0) throw new UserError(`pair ${broken + 1} of ${scores.length}: its score is not a number`);
  const genuine = scores.filter((_, pair) => same[pair] === 1).sort();
  const different = scores.length - genuine.length;
  if (genuine.length === 0 || different === 0)
    throw new UserError(
      `verification: no pair of ${genuine.length === 0 ? 'one subject' : 'different subjects'} among ${scores.length}; both kinds are needed`,
    );
  // Distinct genuine scores, falling: value v has the places 3v (impostors above it), 3v + 1 and 3v + 2 (genuine ones and
  // impostors that equal it); the last place holds the impostors below all of them.
  const values = genuine.filter((score, i) => score !== genuine[i - 1]).reverse();
  const m = values.length;
  const counts = new Float64Array(3 * m + 1);
  const placeOf = new Uint32Array(scores.length);
  for (let pair = 0; pair < scores.length; pair++) {
    const score = scores[pair]!;
    let [low, high] = [0, m];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle]! <= score) high = middle;
      else low = middle + 1;
    }
    const equal = low < m && values[low] === score;
    const place = 3 * low + (equal ? (same[pair] === 1 ? 1 : 2) : 0);
    placeOf[pair] = place;
    counts[place]! += 1;
  }
  const ends = new Uint32Array(2 * m + 1);
  const tops = new Float64Array(2 * m + 1);
  for (let v = 0; v < m; v++) {
    ends[2 * v] = 3 * v + 1;
    ends[2 * v + 1] = 3 * v + 3;
    tops[2 * v] = v === 0 ? Infinity : values[v - 1]!;
    tops[2 * v + 1] = values[v]!;
  }
  ends[2 * m] = 3 * m + 1;
  tops[2 * m] = values[m - 1]!;
  return {
    trials: {
      order: Uint32Array.from(counts, (_, place) => place),
      same: Uint8Array.from(counts, (_, place) => (place % 3 === 1 ? 1 : 0)),
      ends,
      values: tops,
      sameCount: genuine.length,
      differentCount: different,
    },
    counts,
    placeOf,
  };
}

export interface PairFiguresOptions {
  /** False accept rates, each in (0, 1]. */
  fars: readonly number[];
  /** [T] number of what is drawn again for the intervals, by the template's row: its subject, or itself. */
  units: Uint32Array;
  /** Draws; 0 leaves the intervals out. */
  replicates: number;
  seed: number;
}

/**
 * Rates, ROC and histograms of `scores` [P] of `pairs`. A genuine pair of one unit weighs as often as it was drawn, any
 * other pair the product of its two (see bootstrap.ts). O(P) a draw.
 */
export function pairFigures(
  scores: Float64Array,
  pairs: TemplatePairs,
  { fars, units, replicates, seed }: PairFiguresOptions,
): VerificationPart {
  const { trials, counts, placeOf } = poolTrials(scores, pairs.same);
  const { auc, eer } = ratesOf(trials, [], counts)!;
  const bounds = intervals();
  const once = new Set(pairs.first.filter((_, pair) => pairs.same[pair] === 1).map((row) => units[row]!))
    .size;
  return {
    samePairs: trials.sameCount,
    differentPairs: trials.differentCount,
    auc,
    ...(bounds && { aucInterval: bounds.auc }),
    eer,
    ...(bounds && { eerInterval: widened(eer, once, bounds.eer) }),
    tarAtFar: tarsAtFars(trials, fars, counts).map((entry, k) =>
      bounds && entry.tar !== null ? { ...entry, interval: widened(entry.tar, once, bounds.tar[k]!) } : entry,
    ),
    roc: pooledRoc(trials, counts),
    scores: histograms(scores, pairs.same, { from: -1, to: 1, bins: 90 }),
    angles: angleHistogramsOfCosines(scores, pairs.same),
  };

  function intervals() {
    const count = units.reduce((most, unit) => Math.max(most, unit + 1), 0);
    const draw = random(seed, 'bootstrap');
    const drawn = new Float64Array(count);
    const weights = new Float64Array(counts.length);
    const found = { auc: [] as number[], eer: [] as number[], tar: fars.map(() => [] as number[]) };
    for (let replicate = 0; replicate < replicates; replicate++) {
      drawn.fill(0);
      for (let i = 0; i < count; i++) drawn[draw.integer(count)]! += 1;
      weights.fill(0);
      for (let pair = 0; pair < placeOf.length; pair++) {
        const a = units[pairs.first[pair]!]!;
        const b = units[pairs.second[pair]!]!;
        weights[placeOf[pair]!]! += a === b ? drawn[a]! : drawn[a]! * drawn[b]!;
      }
      const rates = ratesOf(trials, fars, weights);
      if (!rates) continue;
      found.auc.push(rates.auc);
      found.eer.push(rates.eer);
      rates.tar.forEach((tar, k) => {
        found.tar[k]!.push(tar);
      });
    }
    if (found.auc.length < 2) return undefined;
    return { auc: interval(found.auc), eer: interval(found.eer), tar: found.tar.map(interval) };
  }
}

function pooledRoc({ ends, same, sameCount, differentCount }: SortedTrials, counts: Float64Array) {
  const far = [0];
  const tar = [0];
  let [accepted, falselyAccepted, place] = [0, 0, 0];
  for (const end of ends) {
    for (; place < end; place++) {
      if (same[place]) accepted += counts[place]!;
      else falselyAccepted += counts[place]!;
    }
    far.push(falselyAccepted / differentCount);
    tar.push(accepted / sameCount);
  }
  const kept = cornersOf(far, tar);
  return { far: kept.map((i) => far[i]!), tar: kept.map((i) => tar[i]!) };
}
