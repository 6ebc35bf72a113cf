// Every pair of a labelled set, pairs of one person and of two apart and sorted, and people drawn again for intervals:
// a drawn person brings all pairs along, those of p and q weighing w_p w_q (Snijders and Borgatti, 1999; see
// bootstrap.ts). What thresholds and calibrations are counted from.
import { totalmem } from 'node:os';
import { UserError } from '../common/errors.js';
import { random } from '../common/random.js';
import type { Vectors } from '../theory/vectors.js';
import { l2Normalise } from './templates.js';

/** Cosines of pairs with the numbers of the two people, in falling order. */
export interface Pairs {
  cosines: Float32Array;
  first: Uint16Array;
  second: Uint16Array;
}

export interface AllPairs {
  /** Images of each person, by the person's number: in the order in which they first appear. */
  sizes: number[];
  /** [N], the number of each image's person. */
  personOf: Uint16Array;
  genuine: Pairs;
  impostor: Pairs;
}

/** Cosines are sorted as whole multiples of 2^-23, each with the number of its pair in the digits behind. */
const STEPS = 2 ** 23;
const NUMBERS = 2 ** 29;

/** Bytes a pair takes while all are sorted: 0.4 GB for 6,300 images, 11 GB for the most. */
const BYTES = 20;

/** Images whose pairs fit into `memory` bytes, and can be numbered. */
const most = (memory: number): number =>
  Math.min(32_768, Math.floor((1 + Math.sqrt(1 + (8 * memory) / BYTES)) / 2));

/**
 * All N (N - 1) / 2 pairs of `templates` [N, D] under `labels` [N]; cosines are rounded to 2^-23. Throws a UserError
 * for counts that differ, a template without a direction, or more images than `memory` bytes (default: three
 * quarters of the machine's) bear, 32,768 at most.
 */
export function allPairs(
  templates: Vectors,
  labels: readonly (string | number)[],
  memory = 0.75 * totalmem(),
): AllPairs {
  const { length, original: unit } = l2Normalise(templates);
  const n = unit.length / length;
  if (labels.length !== n) throw new UserError(`${n} templates but ${labels.length} labels`);
  const all = (n * (n - 1)) / 2;
  if (n > most(memory))
    throw new UserError(
      `thresholds: ${n} images make too many pairs for this machine's memory; give ${most(memory).toLocaleString('en')} at most`,
    );
  const numbers = new Map([...new Set(labels)].map((label, number) => [label, number]));
  const personOf = Uint16Array.from(labels, (label) => numbers.get(label)!);
  const sizes = new Array<number>(numbers.size).fill(0);
  for (const person of personOf) sizes[person]! += 1;
  const genuine = sizes.reduce((sum, size) => sum + (size * (size - 1)) / 2, 0);
  const keys = [new Float64Array(genuine), new Float64Array(all - genuine)] as const;
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
    const rising = keys[kind].sort();
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
  return { sizes, personOf, genuine: sorted(0), impostor: sorted(1) };
}

/** The lowest value of a falling list that at most `allowed` entries reach, else what only a higher one would. */
export function lowest(falling: Float32Array, allowed: number): { threshold: number; falseMatches: number } {
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
export function reaching(falling: Float32Array, threshold: number): number {
  let [low, high] = [0, falling.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (falling[middle]! >= threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many of `count` pairs a rate allows; a rate such as .1 of 30 is 3, whatever its binary digits. */
export const allowedAt = (fmr: number, count: number): number => Math.floor(fmr * count * (1 + 1e-12));

/** People drawn again. */
export interface DrawnPeople {
  /** How often each person was drawn. */
  weights: Float64Array;
  /** Weight of all pairs of one person, and of all pairs of two. */
  genuine: number;
  impostor: number;
}

/** Draws as many people as there are, `replicates` times; draws without a pair of one kind are left out. */
export function* drawPeople(
  sizes: readonly number[],
  replicates: number,
  seed: number,
): Generator<DrawnPeople, void, undefined> {
  const draw = random(seed, 'bootstrap');
  const weights = new Float64Array(sizes.length);
  for (let replicate = 0; replicate < replicates; replicate++) {
    weights.fill(0);
    for (let i = 0; i < sizes.length; i++) weights[draw.integer(sizes.length)]! += 1;
    // All images drawn, less each person's own: sum over p < q of w_p n_p w_q n_q.
    let [drawn, own, genuine] = [0, 0, 0];
    for (const [p, weight] of weights.entries()) {
      const images = weight * sizes[p]!;
      drawn += images;
      own += images ** 2;
      genuine += (weight * sizes[p]! * (sizes[p]! - 1)) / 2;
    }
    const impostor = (drawn ** 2 - own) / 2;
    if (impostor > 0 && genuine > 0) yield { weights, genuine, impostor };
  }
}

/** Weight of the first `count` pairs, those of p and q weighing w_p w_q and those of p alone w_p. */
export function weightOf({ first, second }: Pairs, weights: Float64Array, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) {
    const [p, q] = [first[k]!, second[k]!];
    sum += p === q ? weights[p]! : weights[p]! * weights[q]!;
  }
  return sum;
}

/** For each of `allowed` (rising), the first impostor pair with which the weight passes it; their number if none. */
export function firstAbove(
  { first, second }: Pairs,
  weights: Float64Array,
  allowed: readonly number[],
): number[] {
  const places = allowed.map(() => first.length);
  let sum = 0;
  let at = 0;
  for (let k = 0; k < first.length && at < allowed.length; k++) {
    sum += weights[first[k]!]! * weights[second[k]!]!;
    while (at < allowed.length && sum > allowed[at]!) places[at++] = k;
  }
  return places;
}
