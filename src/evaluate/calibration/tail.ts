// The upper tail of impostor scores as a generalized Pareto distribution: what exceeds a high score u does so by x with
// P(X > x) = (1 + shape x / scale)^(-1 / shape) (Pickands, 1975; Coles, 2001, chapter 4). Fitted by maximum likelihood,
// reduced to one unknown as Grimshaw (1993) does.

/** A generalized Pareto distribution of excesses; shape 0 is the exponential one, shape below 0 ends at -scale / shape. */
export interface ParetoTail {
  shape: number;
  scale: number;
}

/** Below -1/2 the estimate has no regular errors (Smith, 1985), and no score of ours has a tail above 1. */
const [LEAST, MOST] = [-0.5, 1];

/**
 * The tail of the largest likelihood with a shape in [-1/2, 1], of excesses (above 0) that count `weights` times
 * (default once). With theta = shape / scale the best shape is the mean of log(1 + theta x), so that theta alone is
 * searched: a grid, then golden section, to about 1e-9 of its range. Needs two different excesses, else the tail is
 * exponential.
 */
export function fitTail(excesses: ArrayLike<number>, weights?: ArrayLike<number>): ParetoTail {
  const n = excesses.length;
  let [total, sum, most] = [0, 0, 0];
  for (let k = 0; k < n; k++) {
    const weight = weights?.[k] ?? 1;
    total += weight;
    sum += weight * excesses[k]!;
    if (weight > 0) most = Math.max(most, excesses[k]!);
  }
  const mean = sum / total;
  if (!(mean < most)) return { shape: 0, scale: mean };
  const shapeAt = (theta: number): number => {
    let logs = 0;
    for (let k = 0; k < n; k++) {
      const weight = weights?.[k] ?? 1;
      if (weight > 0) logs += weight * Math.log1p(theta * excesses[k]!);
    }
    return logs / total;
  };
  /** Mean log-likelihood at the best shape, -log(scale) - shape - 1. */
  const likelihood = (theta: number): number => {
    if (Math.abs(theta) * mean < 1e-9) return -Math.log(mean) - 1;
    const shape = shapeAt(theta);
    return -Math.log(shape / theta) - shape - 1;
  };
  // The best shape rises with theta, from minus infinity at -1 / most.
  const low = solve(shapeAt, LEAST, (-1 / most) * (1 - 1e-12), 0);
  let high = 1 / mean;
  while (shapeAt(high) < MOST) high *= 4;
  const theta = highest(likelihood, low, solve(shapeAt, MOST, 0, high));
  if (Math.abs(theta) * mean < 1e-9) return { shape: 0, scale: mean };
  const shape = shapeAt(theta);
  return { shape, scale: shape / theta };
}

/** Where a rising function is `value`, in [low, high]. */
function solve(rising: (x: number) => number, value: number, low: number, high: number): number {
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (rising(middle) < value) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Points of the grid that finds the hill. */
const GRID = 24;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Where a function is highest in [low, high]. */
function highest(value: (x: number) => number, low: number, high: number): number {
  const at = (k: number) => low + ((high - low) * k) / GRID;
  const values = Array.from({ length: GRID + 1 }, (_, k) => value(at(k)));
  const best = values.indexOf(Math.max(...values));
  let [from, to] = [at(Math.max(0, best - 1)), at(Math.min(GRID, best + 1))];
  let [a, b] = [to - GOLDEN * (to - from), from + GOLDEN * (to - from)];
  let [fa, fb] = [value(a), value(b)];
  for (let step = 0; step < 36; step++) {
    if (fa < fb) {
      from = a;
      [a, fa] = [b, fb];
      b = from + GOLDEN * (to - from);
      fb = value(b);
    } else {
      to = b;
      [b, fb] = [a, fa];
      a = to - GOLDEN * (to - from);
      fa = value(a);
    }
  }
  return (from + to) / 2;
}

/** The excess that a share `share` (0..1] of excesses is above. */
export function excessAt({ shape, scale }: ParetoTail, share: number): number {
  const log = Math.log(share);
  return Math.abs(shape * log) < 1e-12 ? -scale * log : (scale * Math.expm1(-shape * log)) / shape;
}
