// The k best of what each probe is offered: one heap a probe with its worst candidate on top, which is what a
// newcomer has to beat. Of equal scores the lower row is better, so the outcome does not depend on the order.

/** The best candidates of some probes. */
export interface Candidates {
  /** Candidates a probe. */
  readonly k: number;
  /** [P, k]: templates, best first. */
  readonly rows: Int32Array;
  /** [P, k]: their cosines. */
  readonly scores: Float32Array;
}

/** Collects the `k` best for each of `probes` probes. */
export class Best {
  /** Heaps one after another: a parent is worse than its two children. */
  private readonly scores: Float32Array;
  private readonly rows: Int32Array;
  private readonly filled: Int32Array;

  constructor(
    private readonly probes: number,
    private readonly k: number,
  ) {
    this.scores = new Float32Array(probes * k);
    this.rows = new Int32Array(probes * k);
    this.filled = new Int32Array(probes);
  }

  /** The score that a candidate of a higher row than all before has to exceed: -Infinity while there is room. */
  worst(probe: number): number {
    return this.filled[probe]! < this.k ? Number.NEGATIVE_INFINITY : this.scores[probe * this.k]!;
  }

  /** Takes a candidate if it is among the best so far. */
  offer(probe: number, score: number, row: number): void {
    const base = probe * this.k;
    const filled = this.filled[probe]!;
    if (filled < this.k) {
      this.filled[probe] = filled + 1;
      this.rise(base, filled, score, row);
    } else if (this.worse(base, score, row)) this.sink(base, score, row);
  }

  /** All candidates, best first. Every probe was offered k at least. */
  sorted(): Candidates {
    const { k, probes } = this;
    const scores = new Float32Array(probes * k);
    const rows = new Int32Array(probes * k);
    for (let probe = 0; probe < probes; probe++) {
      const base = probe * k;
      const order = Array.from({ length: k }, (_, i) => base + i).sort(
        (a, b) => this.scores[b]! - this.scores[a]! || this.rows[a]! - this.rows[b]!,
      );
      order.forEach((from, i) => {
        scores[base + i] = this.scores[from]!;
        rows[base + i] = this.rows[from]!;
      });
    }
    return { k, rows, scores };
  }

  /** Whether what lies at `at` is worse than a candidate. */
  private worse(at: number, score: number, row: number): boolean {
    const held = this.scores[at]!;
    return held < score || (held === score && this.rows[at]! > row);
  }

  private set(at: number, score: number, row: number): void {
    this.scores[at] = score;
    this.rows[at] = row;
  }

  /** Puts a candidate into the free place `at` and moves it up to where its parent is worse. */
  private rise(base: number, at: number, score: number, row: number): void {
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.worse(base + parent, score, row)) break;
      this.set(base + at, this.scores[base + parent]!, this.rows[base + parent]!);
      at = parent;
    }
    this.set(base + at, score, row);
  }

  /** Puts a candidate in the place of the worst and moves it down to where its children are better. */
  private sink(base: number, score: number, row: number): void {
    let at = 0;
    for (let child = 1; child < this.k; child = 2 * at + 1) {
      const right = child + 1;
      if (right < this.k && this.worse(base + right, this.scores[base + child]!, this.rows[base + child]!))
        child = right;
      if (!this.worse(base + child, score, row)) break;
      this.set(base + at, this.scores[base + child]!, this.rows[base + child]!);
      at = child;
    }
    this.set(base + at, score, row);
  }
}
