// Confidence intervals by resampling people, not pairs: pairs that share a person are not independent, and
// resampling them alone makes intervals too narrow. A drawn person brings along all pairs; a pair of two
// people counts as often as both were drawn together (the vertex bootstrap of Snijders and Borgatti, 1999).
import { random } from '../common/random.js';
import { ratesOf, type SortedTrials } from './roc.js';

/** What is drawn: the people of the pairs, single images, or, when nothing better is known, pairs. */
export type Resampled = 'people' | 'images' | 'pairs';

/** The two units (people or images) of every trial; equal names in a trial of one person. */
export type Units = readonly (readonly [string | number, string | number])[];

/** 95 % percentile intervals. */
export interface Intervals {
  accuracy: [number, number];
  auc: [number, number];
  eer: [number, number];
  /** One for each asked FAR. */
  tar: [number, number][];
  /** Draws that could be used: a draw without a pair of one kind is left out. */
  replicates: number;
}

/**
 * Bootstrap intervals of accuracy, AUC, EER and TAR. `correct` is [n], 1 where a trial was judged rightly:
 * thresholds are held as they were chosen. `units` undefined means that pairs are drawn. A same pair of
 * person p weighs w_p, a pair of p and q weighs w_p w_q, w being how often each was drawn. One sort in all,
 * then O(n) a draw. Undefined when fewer than two draws could be used.
 */
export function bootstrap(
  trials: SortedTrials,
  correct: Uint8Array,
  options: { units?: Units; fars: readonly number[]; replicates: number; seed: number },
): Intervals | undefined {
  const n = trials.order.length;
  const { first, second, count } = unitsOf(options.units, n);
  const draw = random(options.seed, 'bootstrap');
  const drawn = new Float64Array(count);
  const weights = new Float64Array(n);
  const accuracies: number[] = [];
  const areas: number[] = [];
  const errors: number[] = [];
  const tars: number[][] = options.fars.map(() => []);
  for (let replicate = 0; replicate < options.replicates; replicate++) {
    drawn.fill(0);
    for (let i = 0; i < count; i++) drawn[draw.integer(count)]! += 1;
    const right: [number, number] = [0, 0];
    const total: [number, number] = [0, 0];
    for (let place = 0; place < n; place++) {
      const trial = trials.order[place]!;
      const a = first[trial]!;
      const b = second[trial]!;
      const weight = a === b ? drawn[a]! : drawn[a]! * drawn[b]!;
      weights[place] = weight;
      const kind = trials.same[place] as 0 | 1;
      total[kind] += weight;
      right[kind] += weight * correct[trial]!;
    }
    const rates = ratesOf(trials, options.fars, weights);
    if (!rates) continue;
    // The two kinds keep their shares of the trials, however many of each a draw brought along.
    const sameShare = trials.sameCount / n;
    accuracies.push((sameShare * right[1]) / total[1] + ((1 - sameShare) * right[0]) / total[0]);
    areas.push(rates.auc);
    errors.push(rates.eer);
    rates.tar.forEach((tar, k) => {
      tars[k]!.push(tar);
    });
  }
  if (areas.length < 2) return undefined;
  return {
    accuracy: interval(accuracies),
    auc: interval(areas),
    eer: interval(errors),
    tar: tars.map(interval),
    replicates: areas.length,
  };
}

function unitsOf(units: Units | undefined, n: number) {
  const first = new Uint32Array(n);
  const second = new Uint32Array(n);
  if (!units) {
    for (let i = 0; i < n; i++) first[i] = second[i] = i;
    return { first, second, count: n };
  }
  const numbers = new Map<string | number, number>();
  const numberOf = (unit: string | number) => {
    const known = numbers.get(unit);
    if (known !== undefined) return known;
    numbers.set(unit, numbers.size);
    return numbers.size - 1;
  };
  units.forEach(([a, b], trial) => {
    first[trial] = numberOf(a);
    second[trial] = numberOf(b);
  });
  return { first, second, count: numbers.size };
}

/** The 2.5 % and 97.5 % quantiles, linearly interpolated. */
export function interval(values: number[]): [number, number] {
  const sorted = Float64Array.from(values).sort();
  const quantile = (share: number) => {
    const at = share * (sorted.length - 1);
    const low = Math.floor(at);
    const high = Math.min(low + 1, sorted.length - 1);
    return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
  };
  return [quantile(0.025), quantile(0.975)];
}
