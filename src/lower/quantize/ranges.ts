// The range of a value that its 256 levels are spread over, from what was seen of it on calibration images. All of it
// (min-max) makes levels coarse for the sake of a few outliers; a percentile cuts a fixed share of them off; the
// least-squares range weighs rounding against cutting. A range always holds 0, which stands for padding and must be
// a level (Jacob et al., CVPR 2018, section 2.1).

/** Bins on each side of zero. */
const BINS = 2048;

/** What was seen of one value: a histogram that grows with it, and the mean of every channel. */
export class Observed {
  min = 0;
  max = 0;
  count = 0;
  /** Half-width of the histogram; bin i of 2 BINS covers [-reach + i w, -reach + (i + 1) w), w = reach / BINS. */
  #reach = 0;
  #bins = new Float64Array(2 * BINS);
  #sums = new Float64Array(0);
  #perChannel = 0;

  /** Takes note of values [N, C, ...]. */
  add(data: Float32Array, shape: readonly number[]): void {
    const channels = shape[1] ?? 1;
    const each = data.length / ((shape[0] ?? 1) * channels);
    if (this.#sums.length !== channels) this.#sums = new Float64Array(channels);
    let [low, high] = [this.min, this.max];
    for (const v of data) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
    this.min = low;
    this.max = high;
    this.#reachTo(Math.max(-low, high));
    const bins = this.#bins;
    const perUnit = this.#reach > 0 ? BINS / this.#reach : 0;
    let at = 0;
    for (let row = 0; row < data.length / each; row++) {
      let sum = 0;
      for (let i = 0; i < each; i++) {
        const v = data[at++]!;
        sum += v;
        bins[Math.min(2 * BINS - 1, Math.floor(v * perUnit) + BINS)]!++;
      }
      this.#sums[row % channels]! += sum;
    }
    this.count += data.length;
    this.#perChannel += data.length / channels;
  }

  /** The mean of every channel. */
  get means(): Float64Array {
    return this.#sums.map((sum) => sum / this.#perChannel);
  }

  /** Middles of the bins that something fell into, and how many did. */
  bins(): { value: number; count: number }[] {
    const width = this.#reach / BINS;
    return Array.from(this.#bins, (count, i) => ({ value: (i - BINS + 0.5) * width, count })).filter(
      ({ count }) => count > 0,
    );
  }

  /** Doubles the histogram's width until it holds `value`. */
  #reachTo(value: number): void {
    if (this.#reach === 0) this.#reach = value;
    while (this.#reach < value) {
      this.#reach *= 2;
      const merged = new Float64Array(2 * BINS);
      this.#bins.forEach((count, i) => {
        merged[BINS + Math.floor((i - BINS) / 2)]! += count;
      });
      this.#bins = merged;
    }
  }
}

export interface Range {
  min: number;
  max: number;
}

/** How a range is chosen. */
export const rangeRules = {
  'min-max': ({ min, max }: Observed): Range => ({ min, max }),
  percentile: (seen: Observed): Range => percentile(seen, 0.9999),
  'least-squares': leastSquares,
} as const;
export type RangeRule = keyof typeof rangeRules;

/** The range that leaves a share of 1 - `share` out, half of it on each side where there are values on both. */
function percentile(seen: Observed, share: number): Range {
  const bins = seen.bins();
  const sides = seen.min < 0 && seen.max > 0 ? 2 : 1;
  const allowed = ((1 - share) * seen.count) / sides;
  const edge = (ordered: { value: number; count: number }[]) => {
    let left = 0;
    return ordered.find(({ count }) => {
      left += count;
      return left > allowed;
    })!.value;
  };
  if (bins.length === 0) return { min: 0, max: 0 };
  return {
    min: seen.min < 0 ? Math.max(seen.min, Math.min(0, edge(bins))) : 0,
    max: seen.max > 0 ? Math.min(seen.max, Math.max(0, edge([...bins].reverse()))) : 0,
  };
}

/** Shares of the whole range that are tried for each side. */
const SHARES = Array.from({ length: 24 }, (_, i) => 1 - i / 32);

/**
 * The range, of those that keep some share of each side, with the least expected squared error of 256 levels: a
 * twelfth of a squared level for every value, and for those beyond an end their squared distance from it.
 */
function leastSquares(seen: Observed): Range {
  const bins = seen.bins();
  const ends = (end: number) =>
    (end === 0 ? [1] : SHARES).map((share) => {
      const cut = share * end;
      const beyond = (value: number) => (end > 0 ? Math.max(0, value - cut) : Math.max(0, cut - value));
      return { cut, error: bins.reduce((sum, { value, count }) => sum + count * beyond(value) ** 2, 0) };
    });
  const [lows, highs] = [ends(seen.min), ends(seen.max)];
  let best = { min: seen.min, max: seen.max };
  let least = Number.POSITIVE_INFINITY;
  for (const low of lows) {
    for (const high of highs) {
      const error = low.error + high.error + (seen.count * ((high.cut - low.cut) / 255) ** 2) / 12;
      if (error < least) [least, best] = [error, { min: low.cut, max: high.cut }];
    }
  }
  return best;
}

/** Levels 0 to 255 over a range that is widened to hold 0: value = (level - zero) * scale. */
export function levels(range: Range): { scale: number; zero: number } {
  const [min, max] = [Math.min(0, range.min), Math.max(0, range.max)];
  const scale = Math.fround((max - min) / 255);
  if (!(scale > 0)) return { scale: 1, zero: 0 };
  return { scale, zero: Math.max(0, Math.min(255, Math.round(-min / scale))) };
}
