// Every person of one set compared with every one of another, block by block, so that memory does not grow with their
// product: the two most alike of each, the highest of all cosines, and how many cosines there are of every size.
import { products } from '../../theory/products.js';
import type { PersonTemplates } from './person-templates.js';

/** Products in memory at a time. */
const PRODUCTS = 4e6;
/** Bins of a cosine: .001 each. */
export const BINS = 2000;

/** Each training person's two most alike test people, and all comparisons as counts. */
export interface Nearest {
  best: Int32Array;
  bestCosine: Float64Array;
  /** -1 where there is only one test person. */
  second: Int32Array;
  /** Comparisons whose cosine lies in [-1 + 2 b / BINS, -1 + 2 (b + 1) / BINS). */
  bins: Float64Array;
  /** The highest of all cosines. */
  falling: Float64Array;
}

/** Compares every training person with every test person; `highest` cosines of all are kept. */
export function nearestPeople(train: PersonTemplates, test: PersonTemplates, highest: number): Nearest {
  const { length } = train;
  const n = train.people.length;
  const best = new Int32Array(n).fill(-1);
  const second = new Int32Array(n).fill(-1);
  const bestCosine = new Float64Array(n).fill(-Infinity);
  const secondCosine = new Float64Array(n).fill(-Infinity);
  const bins = new Float64Array(BINS);
  const top = new Highest(highest);
  eachProduct(train.means, test.means, length, (i, j, cosine) => {
    bins[binOf(cosine)]! += 1;
    top.add(cosine);
    if (cosine > bestCosine[i]!) {
      secondCosine[i] = bestCosine[i]!;
      second[i] = best[i]!;
      bestCosine[i] = cosine;
      best[i] = j;
    } else if (cosine > secondCosine[i]!) {
      secondCosine[i] = cosine;
      second[i] = j;
    }
  });
  return { best, bestCosine, second, bins, falling: top.falling() };
}

/** The highest `count` of the numbers that are added. */
export class Highest {
  private readonly kept: Float64Array;
  private size = 0;
  private floor = -Infinity;

  constructor(private readonly count: number) {
    this.kept = new Float64Array(4 * count);
  }

  add(value: number): void {
    if (value <= this.floor) return;
    this.kept[this.size++] = value;
    if (this.size < this.kept.length) return;
    this.kept.set(this.falling());
    this.size = this.count;
    this.floor = this.kept[this.count - 1]!;
  }

  /** In falling order; fewer where fewer were added. */
  falling(): Float64Array {
    return this.kept.slice(0, this.size).sort().reverse().subarray(0, this.count);
  }
}

const binOf = (cosine: number): number =>
  Math.min(BINS - 1, Math.max(0, Math.floor(((cosine + 1) / 2) * BINS)));

/** Calls `take` with every row of `a`, every row of `b` and their product, block by block, `b`'s rows in rising order. */
export function eachProduct(
  a: Float32Array,
  b: Float32Array,
  length: number,
  take: (i: number, j: number, product: number) => void,
): void {
  const [n, k] = [a.length / length, b.length / length];
  const width = Math.min(k, 4096);
  const height = Math.max(1, Math.floor(PRODUCTS / width));
  for (let top = 0; top < n; top += height) {
    const rows = { length, original: a.subarray(top * length, Math.min(n, top + height) * length) };
    for (let left = 0; left < k; left += width) {
      const columns = { length, original: b.subarray(left * length, Math.min(k, left + width) * length) };
      const block = products(rows, columns);
      const across = columns.original.length / length;
      for (let at = 0; at < block.length; at++)
        take(top + Math.floor(at / across), left + (at % across), block[at]!);
    }
  }
}
