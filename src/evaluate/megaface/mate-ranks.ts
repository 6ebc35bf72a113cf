// How many distractors beat the mate, counted while scores stream by: a search's rank is one more than the number of
// distractors that score at least as high as the mate (a tie beats it). All mates of a probe are looked up at once,
// in the rising list of their scores.

/** One probe and the other photographs of its person: a trial each. */
export interface MatedProbe {
  /** Row of the probe. */
  probe: number;
  /** Rows of its mates, one or more. */
  mates: readonly number[];
}

export class MateRanks {
  /** [probes + 1], where the trials of each probe begin. */
  readonly starts: Uint32Array;
  /** [trials] score of each mate, rising within a probe. */
  readonly scores: Float64Array;
  /** [trials] row of each mate. */
  readonly mates: Uint32Array;
  /** Distractors that beat exactly the c lowest mates of probe p, at starts[p] + p + c. */
  readonly #beaten: Uint32Array;

  /** `score(probe, mate)` is that of two rows. */
  constructor(probes: readonly MatedProbe[], score: (probe: number, mate: number) => number) {
    this.starts = new Uint32Array(probes.length + 1);
    probes.forEach(({ mates }, p) => {
      this.starts[p + 1] = this.starts[p]! + mates.length;
    });
    this.scores = new Float64Array(this.trials);
    this.mates = new Uint32Array(this.trials);
    this.#beaten = new Uint32Array(this.trials + probes.length);
    probes.forEach(({ probe, mates }, p) => {
      const sorted = mates
        .map((mate) => ({ mate, score: score(probe, mate) }))
        .sort((a, b) => a.score - b.score || a.mate - b.mate);
      sorted.forEach((trial, i) => {
        this.scores[this.starts[p]! + i] = trial.score;
        this.mates[this.starts[p]! + i] = trial.mate;
      });
    });
  }

  get trials(): number {
    return this.starts.at(-1)!;
  }

  /**
   * Counts the scores `scores[from]` to `scores[to - 1]` of probe p with distractors. They may be wrong by up to
   * `rounding`: where that could change a comparison, `exact(i)` gives the score at place i.
   */
  count(
    p: number,
    scores: ArrayLike<number>,
    from: number,
    to: number,
    rounding: number,
    exact: (i: number) => number,
  ): void {
    const mates = this.scores;
    const first = this.starts[p]!;
    const end = this.starts[p + 1]!;
    const beaten = this.#beaten;
    const slot = first + p;
    const least = mates[first]! - rounding;
    for (let i = from; i < to; i++) {
      const score = scores[i]!;
      if (score < least) continue;
      // Mates below `surely` are beaten whatever the rounding, those from `perhaps` on are not.
      const perhaps = firstAbove(mates, score + rounding, first, end);
      let place = perhaps;
      if (perhaps > first && mates[perhaps - 1]! > score - rounding)
        place = firstAbove(mates, exact(i), first, end);
      beaten[slot + place - first]! += 1;
    }
  }

  /** Writes the ranks of probe p's mates among the distractors counted so far to its places of `into`, [trials]. */
  ranksOf(p: number, into: Uint32Array): void {
    const first = this.starts[p]!;
    let beatenBy = 0;
    for (let trial = this.starts[p + 1]! - 1; trial >= first; trial--) {
      beatenBy += this.#beaten[trial + p + 1]!;
      into[trial] = beatenBy + 1;
    }
  }
}

/** Index of the first entry of a rising list that is above `value`. */
function firstAbove(rising: Float64Array, value: number, from: number, to: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
