// People who are in two sets at once, so that a model trained on the one is not measured on the other: by name, by a
// photograph that both have, and by likeness. Whether a likeness is suspicious depends on how alike strangers come out in this very comparison, and nearly
// all of its pairs are strangers: the bulk tells the tail (an empirical null; Efron, 2004), and with the number of
// comparisons each find has a number of false finds to be expected.
import { UserError } from '../../common/errors.js';
import { random } from '../../common/random.js';
import { nameKey } from '../../data/person-names.js';
import { BINS, eachProduct, Highest, nearestPeople } from './nearest.js';
import { requireOneLength } from './nearest-images.js';
import { type NullTail, nullTail, tailLevel, tailRate } from './null-tail.js';
import { FEWEST, type PersonTemplates } from './person-templates.js';
import type { PhotographScan, SharedPhotograph } from './shared-photographs.js';

/** The same name in both sets, in whatever spelling. */
export interface NameMatch {
  train: string;
  test: string;
}

/**
 * The people of `train` and `test` whose names are the same (see `nameKey`), in the order of `train`; of several
 * spellings in `test`, the first.
 */
export function sameNames(train: readonly string[], test: readonly string[]): NameMatch[] {
  const known = new Map<string, string>();
  for (const name of test) {
    const key = nameKey(name);
    if (key !== undefined && !known.has(key)) known.set(key, name);
  }
  return train.flatMap((name) => {
    const found = known.get(nameKey(name) ?? '');
    return found === undefined ? [] : [{ train: name, test: found }];
  });
}

/** A person of the training set and the one of the test set who may be the same. */
export interface OverlapPair {
  train: string;
  test: string;
  /** What speaks for it; none: it is only the most alike. */
  evidence: ('name' | 'embeddings' | 'photograph')[];
  /** Images of each. */
  images: { train: number; test: number };
  /** Cosine of the two people's templates; absent when only names were compared. */
  similarity?: number;
  /** Pairs of different people to be expected at this similarity or above, in all comparisons. */
  expectedFalse?: number;
  /** The same by how alike the training people are to one another. */
  expectedByTraining?: number;
  /** The photographs that both have, the surest first; absent for none. */
  photographs?: SharedPhotograph[];
  /** The two images that are most alike, or of the photographs the first, by their paths. */
  alike?: { train: string; test: string; similarity: number };
  /** More images of each, those first that are most alike to one of the other's. */
  others?: { train: string[]; test: string[] };
  /** The next person of the test set. */
  next?: { test: string; similarity: number };
}

/** How the similarity from which on two people count as one was found. */
export interface OverlapLevel {
  /** Training people times test people. */
  comparisons: number;
  /** From which similarity on; absent where there are too few people to tell and none was given. */
  similarity?: number;
  /** How many false finds it was set for; absent where the similarity was given. */
  expectedFalse?: number;
  /** The tail of the comparisons, and that of the training people among themselves; absent for too few people. */
  tail?: NullTail;
  training?: NullTail & { people: number };
  /** In steps of .01 from the tail's beginning on: comparisons seen there or above, and expected by either tail. */
  curve: { similarity: number; seen: number; expected: number; byTraining?: number }[];
  /** Training people who look like one: labels that may share a person. */
  sharedLabels: { a: string; b: string; similarity: number }[];
}

export interface OverlapResult {
  /** Taken as overlap, the surest first. */
  found: OverlapPair[];
  /** The most alike of the others, to look at. */
  candidates: OverlapPair[];
  /** Absent when only names were compared. */
  level?: OverlapLevel;
  /** How photographs were looked for; absent where they were not. */
  photographs?: Omit<PhotographScan, 'found'>;
}

export interface OverlapOptions {
  /** False finds that may be expected in all comparisons; 1 by default. */
  expectedFalse?: number;
  /** Take pairs from this cosine on instead. */
  minSimilarity?: number;
  /** How many others are listed; 30 by default. */
  candidates?: number;
  /** Draws the training people who are compared with each other, where there are more than `trainingPeople` (3,000). */
  seed?: number;
  trainingPeople?: number;
  /** Photographs that are in both sets. */
  photographs?: PhotographScan;
}

/**
 * Who is in both sets. Of all comparisons, at most one a person of the smaller set can be of one person, so that twice
 * as many of the most alike are only counted, and the tail is fitted to the next nine times as many; that needs 60
 * people or more in the larger set. The second opinion is the likeness of training people with different labels, each
 * person's template with `train.reduced` of the others: from as many images as the test people have, as a mean of few
 * images is less like anything; among them one pair for ten people may be labels that share a person. Throws a
 * UserError for an empty set or templates of different lengths.
 */
export function findOverlap(
  train: PersonTemplates,
  test: PersonTemplates,
  {
    expectedFalse = 1,
    minSimilarity,
    candidates = 30,
    seed = 1,
    trainingPeople = 3000,
    photographs,
  }: OverlapOptions = {},
): OverlapResult {
  const [n, k] = [train.people.length, test.people.length];
  if (n === 0 || k === 0)
    throw new UserError(`${n === 0 ? 'training' : 'test'} people: there are none to compare`);
  requireOneLength(train.length, test.length);
  for (const [which, { people, means, length }] of [
    ['training', train],
    ['test', test],
  ] as const) {
    const bad = means.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw new UserError(
        `${which} person ${people[Math.floor(bad / length)]}: the template holds numbers that are not finite; check the model`,
      );
  }
  const comparisons = n * k;
  const last = Math.max(10, 2 * Math.min(n, k));
  const nearest = nearestPeople(train, test, 10 * last);
  const tail =
    comparisons >= 30 * last
      ? nullTail(nearest.falling, { pairs: comparisons, first: 10 * last, last })
      : undefined;
  const among = trainingTail(train, trainingPeople, seed);
  const level = minSimilarity ?? (tail && tailLevel(tail, comparisons, expectedFalse));

  const pair = (i: number, j: number, cosine: number): OverlapPair => {
    const other = nearest.best[i] === j ? nearest.second[i]! : nearest.best[i]!;
    return {
      train: train.people[i]!,
      test: test.people[j]!,
      evidence: level !== undefined && cosine >= level ? ['embeddings'] : [],
      images: { train: train.images[i]!, test: test.images[j]! },
      similarity: cosine,
      ...(tail && { expectedFalse: comparisons * tailRate(tail, cosine) }),
      ...(among && { expectedByTraining: comparisons * tailRate(among.tail, cosine) }),
      ...(other >= 0 && { next: { test: test.people[other]!, similarity: cosineOf(train, i, test, other) } }),
    };
  };
  const pairs = new Map<string, OverlapPair>();
  const between = (i: number, j: number): OverlapPair => {
    const key = `${i} ${j}`;
    if (!pairs.has(key)) {
      const cosine = nearest.best[i] === j ? nearest.bestCosine[i]! : cosineOf(train, i, test, j);
      pairs.set(key, pair(i, j, cosine));
    }
    return pairs.get(key)!;
  };
  const placeIn = ({ people }: PersonTemplates) => new Map(people.map((name, i) => [name, i]));
  const [rowOf, columnOf] = [placeIn(train), placeIn(test)];
  for (const same of sameNames(train.people, test.people))
    between(rowOf.get(same.train)!, columnOf.get(same.test)!).evidence.unshift('name');
  const { found: sharing = [], ...looked } = photographs ?? {};
  for (const shared of sharing) {
    const one = between(rowOf.get(shared.train)!, columnOf.get(shared.test)!);
    one.evidence.push('photograph');
    one.photographs = shared.photographs;
  }
  train.people.forEach((_, i) => {
    between(i, nearest.best[i]!);
  });
  const falling = [...pairs.values()].sort((a, b) => b.similarity! - a.similarity!);
  return {
    found: falling.filter(({ evidence }) => evidence.length > 0),
    candidates: falling.filter(({ evidence }) => evidence.length === 0).slice(0, candidates),
    ...(photographs && { photographs: looked as Omit<PhotographScan, 'found'> }),
    level: {
      comparisons,
      ...(level !== undefined && { similarity: level }),
      ...(level !== undefined && minSimilarity === undefined && { expectedFalse }),
      ...(tail && { tail }),
      ...(among && { training: { ...among.tail, people: among.people.length } }),
      curve: tail ? curveOf(nearest.bins, comparisons, tail, among?.tail) : [],
      sharedLabels: among && level !== undefined ? sharedLabels(train, among.people, level) : [],
    },
  };
}

/** The same by names alone, in the order of the training people. */
export function overlapByName(
  train: readonly { name: string; rows: readonly number[] }[],
  test: readonly { name: string; rows: readonly number[] }[],
): OverlapResult {
  const images = (people: typeof train) => new Map(people.map(({ name, rows }) => [name, rows.length]));
  const [ofTrain, ofTest] = [images(train), images(test)];
  const found = sameNames([...ofTrain.keys()], [...ofTest.keys()]).map(
    (same): OverlapPair => ({
      ...same,
      evidence: ['name'],
      images: { train: ofTrain.get(same.train)!, test: ofTest.get(same.test)! },
    }),
  );
  return { found, candidates: [] };
}

function cosineOf(a: PersonTemplates, i: number, b: PersonTemplates, j: number): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a.means[i * a.length + d]! * b.means[j * a.length + d]!;
  return sum;
}

/** The tail of the training people's likeness to each other; undefined for too few people. */
function trainingTail(
  { length, people, means, reduced = means }: PersonTemplates,
  most: number,
  seed: number,
): { tail: NullTail; people: number[] } | undefined {
  if (people.length < FEWEST) return undefined;
  const drawn = random(seed, 'training people').shuffle(people.map((_, i) => i));
  const chosen = drawn.slice(0, most).sort((a, b) => a - b);
  const highest = new Highest(4 * chosen.length);
  eachProduct(gathered(means, chosen, length), gathered(reduced, chosen, length), length, (i, j, cosine) => {
    if (i !== j) highest.add(cosine);
  });
  const ranks = { first: 4 * chosen.length, last: Math.ceil(0.4 * chosen.length) };
  const pairs = chosen.length * (chosen.length - 1);
  return { tail: nullTail(highest.falling(), { pairs, ...ranks }), people: chosen };
}

function gathered(all: Float32Array, rows: readonly number[], length: number): Float32Array {
  const out = new Float32Array(rows.length * length);
  rows.forEach((row, i) => {
    out.set(all.subarray(row * length, (row + 1) * length), i * length);
  });
  return out;
}

/** Comparisons seen and expected at round similarities or above, from where the tail begins. */
function curveOf(
  bins: Float64Array,
  comparisons: number,
  tail: NullTail,
  training: NullTail | undefined,
): OverlapLevel['curve'] {
  const above = new Float64Array(BINS + 1);
  for (let b = BINS - 1; b >= 0; b--) above[b] = above[b + 1]! + bins[b]!;
  const curve: OverlapLevel['curve'] = [];
  for (let hundredth = Math.ceil(100 * tail.from); hundredth < 100; hundredth++) {
    const similarity = hundredth / 100;
    const bin = BINS / 2 + (hundredth * BINS) / 200;
    curve.push({
      similarity,
      seen: above[bin]!,
      expected: comparisons * tailRate(tail, similarity),
      ...(training && { byTraining: comparisons * tailRate(training, similarity) }),
    });
  }
  return curve;
}

/** Pairs of training labels whose people look like one, the most alike first; 30 at most. */
function sharedLabels(
  { length, people, means }: PersonTemplates,
  chosen: readonly number[],
  level: number,
): OverlapLevel['sharedLabels'] {
  const some = gathered(means, chosen, length);
  const shared: OverlapLevel['sharedLabels'] = [];
  eachProduct(some, some, length, (i, j, cosine) => {
    if (i < j && cosine >= level)
      shared.push({ a: people[chosen[i]!]!, b: people[chosen[j]!]!, similarity: cosine });
  });
  return shared.sort((a, b) => b.similarity - a.similarity).slice(0, 30);
}
