// Intervals of the TAR at strict FARs. When people are drawn again the highest impostor scores, which decide the
// threshold, come and go with the few people who made them: at a FAR of one in a million that moves the TAR more than
// the genuine scores do. So the highest impostor scores are kept with the probe that searched, and every draw finds its
// own threshold among them.
import { random } from '../../common/random.js';
import { interval } from '../bootstrap.js';
import { widened } from '../resample.js';
import type { MateRanks } from './mate-ranks.js';
import { firstAtLeast, type ScoreCounts } from './score-counts.js';

/** Scores are kept as whole multiples of 2^-23 above -2, each with its owner in the digits below. */
const STEPS = 2 ** 23;
const OWNERS = 2 ** 27;

/** The highest of scores that stream by, each with the number (below 2^27) of whose it is. */
export class HighestScores {
  private readonly keys: Float64Array;
  private size = 0;
  private floor = Number.NEGATIVE_INFINITY;
  /** Whether scores were let go. */
  private cut = false;

  /** Keeps `count`; 16 bytes each. */
  constructor(private readonly count = 2 ** 20) {
    this.keys = new Float64Array(2 * count);
  }

  /** Takes `scores[from]` to `scores[to - 1]`. */
  add(scores: ArrayLike<number>, from: number, to: number, owner: number): void {
    for (let i = from; i < to; i++) {
      const score = scores[i]!;
      if (score < this.floor) continue;
      this.keys[this.size++] = Math.floor((score + 2) * STEPS) * OWNERS + owner;
      if (this.size === this.keys.length) this.prune();
    }
  }

  /** Scores, falling, rounded down to 2^-23, and whose they are; `all` when none was let go. */
  falling(): { scores: Float64Array; owners: Uint32Array; all: boolean } {
    if (this.size > this.count) this.prune();
    const keys = this.keys.slice(0, this.size).sort().reverse();
    const steps = keys.map((key) => Math.floor(key / OWNERS));
    return {
      scores: steps.map((step) => step / STEPS - 2),
      owners: Uint32Array.from(keys, (key, i) => key - steps[i]! * OWNERS),
      all: !this.cut,
    };
  }

  private prune(): void {
    const rising = this.keys.subarray(0, this.size).sort();
    this.keys.copyWithin(0, this.size - this.count, this.size);
    this.size = this.count;
    this.floor = Math.floor(rising[0]! / OWNERS) / STEPS - 2;
    this.cut = true;
  }
}

export interface RedrawnTarInput {
  ranks: MateRanks;
  /** [probes] number of each probe's person. */
  personOf: Uint32Array;
  people: number;
  impostors: ScoreCounts;
  /** Impostor scores with the number of the probe. */
  highest: HighestScores;
  /** What a score may be wrong by. */
  rounding: number;
  /** Rates with the TAR and the threshold that were measured. */
  points: readonly { far: number; tar: number | null; threshold: number | null }[];
  replicates: number;
  seed: number;
}

/**
 * 95 % intervals of the TAR at each point, with people drawn `replicates` times. `held` tells of each whether its
 * threshold was held: where a draw could need more impostor scores than were kept, which are so many that they hardly
 * move it.
 */
export function redrawnTars(input: RedrawnTarInput): { intervals: [number, number][]; held: boolean[] } {
  const { ranks, personOf, people, impostors, highest, rounding, points, replicates, seed } = input;
  const top = highest.falling();
  const total = impostors.total;
  // Scores of a probe are as many as there are distractors.
  const each = total / personOf.length;
  const probes = new Float64Array(people);
  for (const person of personOf) probes[person]! += 1;
  const held = points.map(({ far }) => !top.all && 4 * far * total > top.scores.length);
  const genuine = genuineScores(ranks, personOf);
  const fixed = points.map(({ threshold }) =>
    threshold === null ? genuine.scores.length : firstAtLeast(genuine.scores, threshold),
  );
  const draw = random(seed, 'bootstrap');
  const weights = new Float64Array(people);
  const reached = new Float64Array(genuine.scores.length + 1);
  const drawn = points.map((): number[] => []);
  for (let replicate = 0; replicate < replicates; replicate++) {
    weights.fill(0);
    for (let i = 0; i < people; i++) weights[draw.integer(people)]! += 1;
    // Weight of the genuine scores from each place on.
    for (let i = genuine.scores.length - 1; i >= 0; i--)
      reached[i] = reached[i + 1]! + weights[genuine.owners[i]!]!;
    const comparisons = each * probes.reduce((sum, count, person) => sum + count * weights[person]!, 0);
    points.forEach(({ far }, k) => {
      const first = held[k] ? fixed[k]! : firstAtLeast(genuine.scores, thresholdOf(far * comparisons));
      drawn[k]!.push(reached[first]! / reached[0]!);
    });
  }
  return { intervals: drawn.map((tars, k) => widened(points[k]!.tar ?? 0, people, interval(tars))), held };

  /** As in the figure itself: the lowest edge of a bin that no more than `allowed` reach, raised by the rounding. */
  function thresholdOf(allowed: number): number {
    let sum = 0;
    for (let i = 0; i < top.scores.length; i++) {
      sum += weights[personOf[top.owners[i]!]!]!;
      if (sum > allowed * (1 + 1e-12)) return impostors.edge(impostors.binOf(top.scores[i]!) + 1) + rounding;
    }
    // All pass, or all that were kept do.
    return top.all
      ? Number.NEGATIVE_INFINITY
      : impostors.edge(impostors.binOf(top.scores.at(-1)!)) + rounding;
  }
}

/** Genuine scores, rising, with the person of each. */
function genuineScores({ starts, scores }: MateRanks, personOf: Uint32Array) {
  const owners = new Uint32Array(scores.length);
  personOf.forEach((person, p) => {
    owners.fill(person, starts[p], starts[p + 1]);
  });
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]!);
  return {
    scores: Float64Array.from(order, (at) => scores[at]!),
    owners: owners.map((_, i) => owners[order[i]!]!),
  };
}
