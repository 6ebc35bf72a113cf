// How often strangers are taken for somebody, counted: random galleries of so many people of the set, one photograph of
// each, searched for people who are not in them (FPIR of ISO/IEC 19795-1). Comparisons of one search are not
// independent, so this is the check of every threshold that was made for a gallery size.
import { random } from '../../common/random.js';
import type { Vectors } from '../../theory/vectors.js';
import { l2Normalise } from '../templates.js';

export interface SearchOptions {
  /** 200 by default. */
  galleries?: number;
  seed?: number;
}

/** Searches and those of them that found somebody. */
export interface StrangerSearches {
  galleries: number;
  searches: number;
  /** By threshold: searches with a candidate at or above it, and different people among those who searched. */
  found: { falsePositives: number; people: number }[];
}

/** Products of two numbers that the searches of one gallery size may take: seconds. */
const BUDGET = 8e9;

/**
 * Searches galleries of `size` people, each drawn with one image, for one image of every other person. Large galleries
 * are fewer, and searched for some of the others only. `personOf` is [N]; needs more people than `size`.
 */
export function searchStrangers(
  templates: Vectors,
  personOf: ArrayLike<number>,
  size: number,
  thresholds: readonly number[],
  { galleries = 200, seed = 1 }: SearchOptions = {},
): StrangerSearches {
  const { length, original: unit } = l2Normalise(templates);
  const members: number[][] = [];
  for (let i = 0; i < personOf.length; i++) {
    const own = members[personOf[i]!];
    if (own) own.push(i);
    else members[personOf[i]!] = [i];
  }
  const strangers = Math.max(1, Math.min(members.length - size, Math.floor(BUDGET / (10 * size * length))));
  const rounds = Math.max(1, Math.min(galleries, Math.floor(BUDGET / (strangers * size * length))));
  const draw = random(seed, 'galleries', size);
  const people = Uint32Array.from(members, (_, person) => person);
  const found = thresholds.map(() => ({ falsePositives: 0, people: new Set<number>() }));
  const gallery = new Float64Array(size * length);
  const imageOf = (person: number) => members[person]![draw.integer(members[person]!.length)]! * length;
  for (let round = 0; round < rounds; round++) {
    draw.shuffle(people);
    for (let k = 0; k < size; k++) {
      const at = imageOf(people[k]!);
      gallery.set(unit.subarray(at, at + length), k * length);
    }
    for (let s = 0; s < strangers; s++) {
      const stranger = people[size + s]!;
      const best = highestCosine(gallery, unit, imageOf(stranger), length);
      thresholds.forEach((threshold, t) => {
        if (best < threshold) return;
        found[t]!.falsePositives += 1;
        found[t]!.people.add(stranger);
      });
    }
  }
  return {
    galleries: rounds,
    searches: rounds * strangers,
    found: found.map(({ falsePositives, people }) => ({ falsePositives, people: people.size })),
  };
}

function highestCosine(gallery: Float64Array, unit: Float64Array, at: number, length: number): number {
  let best = -Infinity;
  for (let from = 0; from < gallery.length; from += length) {
    let cosine = 0;
    for (let d = 0; d < length; d++) cosine += gallery[from + d]! * unit[at + d]!;
    if (cosine > best) best = cosine;
  }
  // As pairs are counted: see all-pairs.ts.
  return Math.round(best * 2 ** 23) / 2 ** 23;
}
