// The threshold at any false match rate: the score that so few impostor pairs reach, and where fewer than ten do, what
// a generalized Pareto distribution of the highest scores says (peaks over threshold; Coles, 2001, chapter 4).
import { UserError } from '../../common/errors.js';
import type { Calibration } from '../../face/index.js';
import { allowedAt, firstAbove, lowest, type Pairs } from '../all-pairs.js';
import { excessAt, fitTail, type ParetoTail } from './tail.js';

/** False matches that a threshold must rest on, or it is extrapolated. */
export const LEAST_FALSE_MATCHES = 10;

/** Rates are told from here down. */
export const HIGHEST_RATE = 0.5;
/** Rates of the table to a factor of ten. */
const A_DECADE = 10;
/**
 * How far below what false matches support a rate may be extrapolated: to one impostor pair. On faces the tail further
 * out is made by look-alikes whom a small set does not hold, so that every extrapolation comes out rather too low.
 */
const BEYOND = 10;
/**
 * Excesses that the tail is fitted to: a thousandth of all, and between these. On faces, more of them bend the tail
 * down; fewer leave it loose.
 */
const [FEWEST, MOST] = [200, 5000];
/** Fewer than these make no tail. */
const LEAST_EXCESSES = 50;

/** The curve of one set of impostor scores, and with which pairs it was made. */
export interface ImpostorCurve {
  /** Rates, falling. */
  rates: number[];
  /** Of `rates`, rising. */
  thresholds: number[];
  supportedTo: number;
  tail?: NonNullable<Calibration['impostors']['tail']>;
}

/**
 * Thresholds at a grid of rates from a half down and at each of `asked` among them, of impostor cosines in falling
 * order. Ends where no cosine is known to be so rare. Throws a UserError for fewer than 100 pairs.
 */
export function impostorCurve({ cosines }: Pairs, asked: readonly number[]): ImpostorCurve {
  const n = cosines.length;
  if (n < 100)
    throw new UserError(
      `calibration: ${n} pairs of different people are too few for a false match rate; give at least 100, of more people`,
    );
  const supportedTo = LEAST_FALSE_MATCHES / n;
  const tail = tailOf(cosines);
  const floor = tail ? supportedTo / BEYOND : supportedTo;
  const grid: number[] = [];
  for (let k = 0; ; k++) {
    const rate = HIGHEST_RATE * 10 ** (-k / A_DECADE);
    if (rate <= floor) break;
    grid.push(rate);
  }
  const within = (rate: number) => rate >= floor && rate <= HIGHEST_RATE;
  const rates = [...new Set([...grid, supportedTo, floor, ...asked.filter(within)])].sort((a, b) => b - a);
  const supported = lowest(cosines, LEAST_FALSE_MATCHES).threshold;
  const thresholds = rates.map((rate) => {
    const allowed = allowedAt(rate, n);
    return allowed >= LEAST_FALSE_MATCHES
      ? lowest(cosines, allowed).threshold
      : beyond(rate, supported, tail!);
  });
  // A threshold of 1 and more lets nobody pass: a rate of the tail's that no cosine has.
  const end = thresholds.findIndex((threshold, k) => threshold >= 1 && rates[k]! < supportedTo);
  const told = end < 0 ? rates.length : end;
  return {
    rates: rates.slice(0, told),
    thresholds: thresholds.slice(0, told),
    supportedTo,
    ...(tail && { tail }),
  };
}

/** The thresholds of a curve's rates when people are drawn again; `total` is the weight of all impostor pairs. */
export function redrawn(
  { rates, supportedTo, tail }: ImpostorCurve,
  impostor: Pairs,
  weights: Float64Array,
  total: number,
): number[] {
  const { cosines, first, second } = impostor;
  const counted = rates.filter((rate) => rate >= supportedTo);
  const wanted = [...counted, ...(tail ? [tail.share] : [])];
  const order = wanted.map((_, k) => k).sort((a, b) => wanted[a]! - wanted[b]!);
  const places = new Array<number>(wanted.length);
  firstAbove(
    impostor,
    weights,
    order.map((k) => wanted[k]! * total),
  ).forEach((place, k) => {
    places[order[k]!] = place;
  });
  const thresholds = counted.map((_, k) => lowest(cosines, places[k]!).threshold);
  if (!tail || counted.length === rates.length) return thresholds;
  const pairs = Math.min(places[counted.length]!, cosines.length - 1);
  const from = cosines[pairs]!;
  const excesses = new Float64Array(pairs);
  const counts = new Float64Array(pairs);
  for (let k = 0; k < pairs; k++) {
    excesses[k] = cosines[k]! - from;
    counts[k] = excesses[k]! > 0 ? weights[first[k]!]! * weights[second[k]!]! : 0;
  }
  const fit = counts.some((count) => count > 0) ? fitTail(excesses, counts) : { shape: 0, scale: 0 };
  const supported = thresholds.at(-1)!;
  return [
    ...thresholds,
    ...rates
      .slice(counted.length)
      .map((rate) => Math.min(1, beyond(rate, supported, { ...fit, from, share: tail.share }))),
  ];
}

/** The tail's score at a rate; never below the last one that was counted. */
function beyond(rate: number, supported: number, tail: ParetoTail & { from: number; share: number }): number {
  return Math.max(supported, tail.from + excessAt(tail, rate / tail.share));
}

function tailOf(cosines: Float32Array): ImpostorCurve['tail'] {
  const n = cosines.length;
  const wanted = Math.min(MOST, Math.max(FEWEST, Math.round(n / 1000)), Math.floor(n / 10));
  const from = cosines[wanted]!;
  const excesses = Float64Array.from(cosines.subarray(0, wanted), (cosine) => cosine - from).filter(
    (excess) => excess > 0,
  );
  if (excesses.length < LEAST_EXCESSES) return undefined;
  const { shape, scale } = fitTail(excesses);
  return { from, share: excesses.length / n, pairs: excesses.length, shape, scale };
}
