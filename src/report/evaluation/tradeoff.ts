// A trade-off between two errors as a step curve: at a rate of false positives, the fewest misses that a threshold
// with at most that rate gives. It is known from one false positive on and firm from ten on, and the same holds for
// misses; what lies below was not measured, so it is not there to draw.
import type { DetCurve, VerificationPart } from '../../evaluate/evaluation.js';
import { CARE } from '../../evaluate/roc.js';

export interface Tradeoff {
  name: string;
  /** A colour of the palette. */
  colour: string;
  /** Shares of the impostor pairs or non-mated searches that were accepted, rising. */
  falseRates: readonly number[];
  /** Shares of the same pairs or mated searches that were missed, falling with them. */
  missRates: readonly number[];
  /** Impostor pairs or non-mated searches; same pairs or mated searches. */
  falseTrials: number;
  missTrials: number;
}

/** A rate that rests on fewer errors than this is read with care, and drawn paler. */
export const FIRM = CARE;

export const tradeoffOfVerification = (
  { roc, samePairs, differentPairs }: VerificationPart,
  name: string,
  colour: string,
): Tradeoff => ({
  ...{ name, colour, falseRates: roc.far, missRates: roc.tar.map((tar) => 1 - tar) },
  ...{ falseTrials: differentPairs, missTrials: samePairs },
});

export const tradeoffOfSearches = (
  { fpir, fnir, mated, nonMated }: DetCurve,
  name: string,
  colour: string,
): Tradeoff => ({
  ...{ name, colour, falseRates: fpir, missRates: fnir },
  ...{ falseTrials: nonMated, missTrials: mated },
});

/** Rates are quotients of counts: equal ones may differ in their last bit. */
const SLACK = 1 + 1e-9;

/** The fewest misses with at most `rate` false positives; undefined where none is that low. */
export function missAt({ falseRates, missRates }: Tradeoff, rate: number): number | undefined {
  let low = 0;
  for (let high = falseRates.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (falseRates[middle]! <= rate * SLACK) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? undefined : missRates[low - 1]!;
}

/** A step of the curve: from one false positive rate to the next at one miss rate. */
export interface Step {
  from: number;
  to: number;
  miss: number;
  /** Whether ten false positives, and ten misses where they count, are behind it. */
  firm: boolean;
}

/**
 * The steps from one false positive on to a rate of 1. `misses: true` also asks for ten misses behind what is firm, and
 * leaves out what rests on less than one. Steps closer to each other than `resolution` decades are drawn as one.
 */
export function stepsOf(
  curve: Tradeoff,
  { misses, resolution = 1 / 150 }: { misses: boolean; resolution?: number },
): Step[] {
  const { falseRates, missRates, falseTrials, missTrials } = curve;
  const start = 1 / falseTrials;
  const firmFrom = FIRM / falseTrials;
  const first = missAt(curve, start);
  const corners: { rate: number; miss: number }[] = first === undefined ? [] : [{ rate: start, miss: first }];
  let bucket = Number.NaN;
  falseRates.forEach((rate, i) => {
    if (rate <= start * SLACK) return;
    const last = corners[corners.length - 1];
    if (last && last.miss === missRates[i]) return;
    // Where the step turns from pale to firm there is a corner in any case.
    const here = Math.floor(Math.log10(rate) / resolution) + (rate >= firmFrom / SLACK ? 0.5 : 0);
    if (here === bucket && last) last.miss = missRates[i]!;
    else corners.push({ rate, miss: missRates[i]! });
    bucket = here;
  });
  const steps = corners.flatMap(({ rate, miss }, i): Step[] => {
    const end = corners[i + 1]?.rate ?? 1;
    const parts = rate < firmFrom / SLACK && end > firmFrom * SLACK ? [rate, firmFrom, end] : [rate, end];
    return parts.slice(1).map((to, k) => ({
      ...{ from: parts[k]!, to, miss },
      firm: parts[k]! >= firmFrom / SLACK && (!misses || miss * missTrials * SLACK >= FIRM),
    }));
  });
  return steps.filter(({ from, to, miss }) => from < to && (!misses || miss * missTrials * SLACK >= 1));
}

/** Numbers of false positives at which a curve is marked: 1, 2, 5, 10, 20 .. up to all. */
export function marksOf({ falseTrials }: Pick<Tradeoff, 'falseTrials'>): number[] {
  const marks: number[] = [];
  for (let ten = 1; ten <= falseTrials; ten *= 10)
    for (const times of [1, 2, 5]) if (ten * times <= falseTrials) marks.push(ten * times);
  return marks;
}
