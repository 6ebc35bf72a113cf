// Thresholds for a false match rate from every pair of a labelled set: the cosine that so few pairs of different
// people reach, the share of one person's pairs that then miss it, and how far both would move with other people.
// Rates as in ISO/IEC 19795-1; intervals by drawing people again (Snijders and Borgatti, 1999), as in bootstrap.ts.
import { UserError } from '../common/errors.js';
import { random } from '../common/random.js';
import type { Vectors } from '../theory/vectors.js';
import { interval } from './bootstrap.js';
import { l2Normalise } from './templates.js';

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

/** Cosines of pairs with the numbers of the two people, in falling order. */
interface Pairs {
  cosines: Float32Array;
  first: Uint16Array;
  second: Uint16Array;
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
  const people = [...new Set(labels)];
  const sizes = people.map(() => 0);
  const personOf = Uint16Array.from(labels, (label) => people.indexOf(label));
  for (const person of personOf) sizes[person]! += 1;
  const { genuine, impostor } = allPairs(templates, personOf);
  const count = impostor.cosines.length;
  if (count === 0 || genuine.cosines.length === 0)
    throw new UserError(
      `thresholds need pairs of one person and of two: there are ${genuine.cosines.length} and ${count}`,
    );
  const points = fmrs.map((fmr): ThresholdAtFmr => {
    if (!(fmr > 0 && fmr <= 1)) throw new UserError(`FMR ${fmr}: a false match rate lies in (0, 1]`);
    const allowed = Math.floor(fmr * count * (1 + 1e-12));
    if (allowed < 1)
      throw new UserError(
        `FMR ${fmr}: needs at least ${Math.ceil(1 / fmr)} impostor pairs, there are ${count}`,
      );
    const { threshold, falseMatches } = lowest(impostor.cosines, allowed);
    const accepted = reaching(genuine.cosines, threshold);
    return { fmr, threshold, falseMatches, fnmr: 1 - accepted / genuine.cosines.length };
  });
  if (replicates > 1) addIntervals(points, genuine, impostor, sizes, replicates, seed);
  return {
    people: people.length,
    images: labels.length,
    genuinePairs: genuine.cosines.length,
    impostorPairs: count,
    points,
    replicates,
    seed,
  };
}

/** Cosines are sorted as whole multiples of 2^-23, each with the number of its pair in the digits behind. */
const STEPS = 2 ** 23;
const NUMBERS = 2 ** 29;

/** Every pair's cosine, genuine and impostor apart. */
function allPairs(templates: Vectors, personOf: Uint16Array): { genuine: Pairs; impostor: Pairs } {
  const { length, original: unit } = l2Normalise(templates);
  const n = unit.length / length;
  if (personOf.length !== n) throw new UserError(`${n} templates but ${personOf.length} labels`);
  const all = (n * (n - 1)) / 2;
  if (all > NUMBERS) throw new UserError(`thresholds: ${n} images make too many pairs; give 32,768 at most`);
  const keys = [new Float64Array(all), new Float64Array(all)] as const;
  const people = new Uint32Array(all);
  const counts: [number, number] = [0, 0];
  for (let i = 1, pair = 0; i < n; i++) {
    for (let j = 0; j < i; j++, pair++) {
      let cosine = 0;
      for (let d = 0, a = i * length, b = j * length; d < length; d++) cosine += unit[a + d]! * unit[b + d]!;
      const [p, q] = [personOf[i]!, personOf[j]!];
      const kind = p === q ? 0 : 1;
      keys[kind][counts[kind]++] = pair - Math.round(cosine * STEPS) * NUMBERS;
      people[pair] = p * 65536 + q;
    }
  }
  const sorted = (kind: 0 | 1): Pairs => {
    const rising = keys[kind].subarray(0, counts[kind]).sort();
    const cosines = new Float32Array(rising.length);
    const first = new Uint16Array(rising.length);
    const second = new Uint16Array(rising.length);
    rising.forEach((key, k) => {
      const steps = Math.floor(key / NUMBERS);
      const pair = people[key - steps * NUMBERS]!;
      cosines[k] = (0 - steps) / STEPS;
      first[k] = pair >>> 16;
      second[k] = pair & 65535;
    });
    return { cosines, first, second };
  };
  return { genuine: sorted(0), impostor: sorted(1) };
}

/** The lowest value of a falling list that at most `allowed` entries reach, else what only a higher one would. */
function lowest(falling: Float32Array, allowed: number): { threshold: number; falseMatches: number } {
  let falseMatches = Math.min(allowed, falling.length);
  // Equal values pass together or not at all.
  while (
    falseMatches > 0 &&
    falseMatches < falling.length &&
    falling[falseMatches - 1] === falling[falseMatches]
  )
    falseMatches--;
  if (falseMatches > 0) return { threshold: falling[falseMatches - 1]!, falseMatches };
  return { threshold: falling[0]! + 2 ** -23, falseMatches: 0 };
}

/** How many entries of a falling list are at or above `threshold`. */
function reaching(falling: Float32Array, threshold: number): number {
  let [low, high] = [0, falling.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (falling[middle]! >= threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Weight of the first `count` pairs, those of p and q weighing w_p w_q and those of p alone w_p. */
function weightOf({ first, second }: Pairs, weights: Float64Array, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) {
    const [p, q] = [first[k]!, second[k]!];
    sum += p === q ? weights[p]! : weights[p]! * weights[q]!;
  }
  return sum;
}

/** The first impostor pair with which the weight passes `allowed`; the number of pairs if it never does. */
function firstAbove({ first, second }: Pairs, weights: Float64Array, allowed: number): number {
  let sum = 0;
  let k = 0;
  for (; k < first.length; k++) {
    sum += weights[first[k]!]! * weights[second[k]!]!;
    if (sum > allowed) break;
  }
  return k;
}

/** A drawn person brings all pairs along: those of p weigh w_p, those of p and q weigh w_p w_q. */
function addIntervals(
  points: ThresholdAtFmr[],
  genuine: Pairs,
  impostor: Pairs,
  sizes: readonly number[],
  replicates: number,
  seed: number,
): void {
  const draw = random(seed, 'bootstrap');
  const weights = new Float64Array(sizes.length);
  const seen = points.map(() => ({ threshold: [] as number[], fmr: [] as number[], fnmr: [] as number[] }));
  const ranks = points.map(({ threshold }) => ({
    genuine: reaching(genuine.cosines, threshold),
    impostor: reaching(impostor.cosines, threshold),
  }));
  for (let replicate = 0; replicate < replicates; replicate++) {
    weights.fill(0);
    for (let i = 0; i < sizes.length; i++) weights[draw.integer(sizes.length)]! += 1;
    // All images drawn, less each person's own: sum over p < q of w_p n_p w_q n_q.
    let [drawn, own, genuineTotal] = [0, 0, 0];
    for (const [p, weight] of weights.entries()) {
      const images = weight * sizes[p]!;
      drawn += images;
      own += images ** 2;
      genuineTotal += (weight * sizes[p]! * (sizes[p]! - 1)) / 2;
    }
    const impostorTotal = (drawn ** 2 - own) / 2;
    if (impostorTotal === 0 || genuineTotal === 0) continue;
    points.forEach(({ fmr }, k) => {
      const into = seen[k]!;
      const passes = firstAbove(impostor, weights, fmr * impostorTotal);
      into.threshold.push(impostor.cosines[Math.min(passes, impostor.cosines.length - 1)]!);
      into.fmr.push(weightOf(impostor, weights, ranks[k]!.impostor) / impostorTotal);
      into.fnmr.push(1 - weightOf(genuine, weights, ranks[k]!.genuine) / genuineTotal);
    });
  }
  points.forEach((point, k) => {
    const { threshold, fmr, fnmr } = seen[k]!;
    if (threshold.length > 1)
      point.intervals = { threshold: interval(threshold), fmr: interval(fmr), fnmr: interval(fnmr) };
  });
}
