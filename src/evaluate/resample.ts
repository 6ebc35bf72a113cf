// Percentile intervals of figures over people who are drawn again (Efron's bootstrap, by strata): those who are
// enrolled and those who are not are different kinds of people, so each kind is drawn among itself.
import { random } from '../common/random.js';
import { interval } from './bootstrap.js';

export interface ResampleOptions {
  /** Draws, 1,000 by default; 0 leaves the intervals out. */
  replicates?: number;
  /** 1 by default. */
  seed?: number;
}

/**
 * 95 % intervals of every figure that `figures` computes from how often each person was drawn: `weights` is by the
 * person's number. As many are drawn of each of `strata` (numbers of people) as there are in it. A draw for which
 * `figures` gives undefined is left out. An interval that reaches infinity, or without two draws, is undefined.
 */
export function resamplePeople(
  strata: readonly (readonly number[])[],
  figures: (weights: Float64Array) => readonly number[] | undefined,
  { replicates = 1000, seed = 1 }: ResampleOptions = {},
): ([number, number] | undefined)[] {
  const draw = random(seed, 'bootstrap');
  const people = strata.reduce(
    (most, stratum) => stratum.reduce((a, person) => Math.max(a, person + 1), most),
    0,
  );
  const weights = new Float64Array(people);
  const drawn: number[][] = [];
  for (let replicate = 0; replicate < replicates; replicate++) {
    weights.fill(0);
    for (const stratum of strata) {
      for (let i = 0; i < stratum.length; i++) weights[stratum[draw.integer(stratum.length)]!]! += 1;
    }
    figures(weights)?.forEach((value, k) => {
      drawn[k] ??= [];
      drawn[k].push(value);
    });
  }
  return drawn.map((values) => {
    if (values.length < 2) return undefined;
    const bounds = interval(values);
    return bounds.every(Number.isFinite) ? bounds : undefined;
  });
}

/**
 * The 95 % interval of a rate of 0 or 1 among so many people, where drawing them again can show nothing else: Clopper
 * and Pearson's, as if each person were one trial. Undefined for another rate.
 */
export function edgeInterval(rate: number, people: number): [number, number] | undefined {
  const least = 0.025 ** (1 / people);
  return rate === 0 ? [0, 1 - least] : rate === 1 ? [least, 1] : undefined;
}

/** The interval of a rate from drawing people again, no narrower than {@link edgeInterval}. */
export function widened(rate: number, people: number, drawn: [number, number]): [number, number] {
  const edge = edgeInterval(rate, people);
  return edge ? [Math.min(edge[0], drawn[0]), Math.max(edge[1], drawn[1])] : drawn;
}
