// Drawing same and different pairs from a labelled set, uniformly within each kind and from a seed.
import { UserError } from '../common/errors.js';
import { random } from '../common/random.js';
import { countVectors, noDirection, squaredNorm, type Vectors } from '../theory/vectors.js';

/** Rows of a labelled set, class by class. */
export interface ClassGroups {
  readonly labels: ArrayLike<number>;
  readonly members: readonly Uint32Array[];
  /** Number of distinct pairs of one class, and of two classes. */
  readonly samePairs: number;
  readonly differentPairs: number;
}

/** How many pairs to draw; `distinct` pairs differ from each other (as unordered pairs). */
export interface PairSample {
  count: number;
  seed: number;
  distinct: boolean;
}

/** Groups the rows of `features` by label. Throws UserError on unequal counts or a row without a direction. */
export function groupByClass(features: Vectors, labels: ArrayLike<number>): ClassGroups {
  const count = countVectors(features);
  if (labels.length !== count) throw new UserError(`${count} features but ${labels.length} labels`);
  const groups = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const norm = Math.sqrt(squaredNorm(features.original, i * features.length, features.length));
    if (!(norm > 0 && norm < Infinity)) throw new UserError(`feature ${i}: ${noDirection(norm)}`);
    const group = groups.get(labels[i]!);
    if (group) group.push(i);
    else groups.set(labels[i]!, [i]);
  }
  const members = [...groups].sort(([a], [b]) => a - b).map(([, rows]) => Uint32Array.from(rows));
  const within = members.reduce((sum, rows) => sum + (rows.length * (rows.length - 1)) / 2, 0);
  return {
    labels,
    members,
    samePairs: within,
    differentPairs: (count * (count - 1)) / 2 - within,
  };
}

/** Pairs of one class, every such pair equally likely; at most as many as there are when distinct. */
export function samePairs(groups: ClassGroups, sample: PairSample): [number, number][] {
  const draw = random(sample.seed, 'same pairs');
  const ends: number[] = [];
  let total = 0;
  for (const rows of groups.members) {
    total += (rows.length * (rows.length - 1)) / 2;
    ends.push(total);
  }
  const one = (): [number, number] => {
    const at = draw.uniform() * total;
    let low = 0;
    for (let high = ends.length - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if (ends[middle]! > at) high = middle;
      else low = middle + 1;
    }
    const rows = groups.members[low]!;
    const i = draw.integer(rows.length);
    const j = draw.integer(rows.length - 1);
    return [rows[i]!, rows[j < i ? j : j + 1]!];
  };
  return drawPairs(groups, sample, total, one, true);
}

/** Pairs of two classes, every such pair equally likely; at most as many as there are when distinct. */
export function differentPairs(groups: ClassGroups, sample: PairSample): [number, number][] {
  const draw = random(sample.seed, 'different pairs');
  const { labels } = groups;
  const one = (): [number, number] => {
    for (;;) {
      const i = draw.integer(labels.length);
      const j = draw.integer(labels.length);
      if (labels[i] !== labels[j]) return [i, j];
    }
  };
  return drawPairs(groups, sample, groups.differentPairs, one, false);
}

function drawPairs(
  groups: ClassGroups,
  sample: PairSample,
  available: number,
  one: () => [number, number],
  same: boolean,
): [number, number][] {
  if (available === 0) return [];
  if (!sample.distinct) return Array.from({ length: sample.count }, one);
  // When most pairs are wanted, list them all and shuffle; otherwise draw and skip what was drawn before.
  if (sample.count * 2 >= available) {
    const all: [number, number][] = [];
    for (let i = 0; i < groups.labels.length; i++) {
      for (let j = i + 1; j < groups.labels.length; j++) {
        if ((groups.labels[i] === groups.labels[j]) === same) all.push([i, j]);
      }
    }
    return random(sample.seed, 'all pairs').shuffle(all).slice(0, sample.count);
  }
  const seen = new Set<number>();
  const pairs: [number, number][] = [];
  while (pairs.length < sample.count) {
    const pair = one();
    const key = Math.min(...pair) * groups.labels.length + Math.max(...pair);
    if (seen.has(key)) continue;
    seen.add(key);
    pairs.push(pair);
  }
  return pairs;
}
