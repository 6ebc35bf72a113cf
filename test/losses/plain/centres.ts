// Center loss (Wen et al. 2016), center-invariant loss (Wu et al. 2017) and range loss (Zhang et al. 2017).
import {
  byClass,
  dot,
  mean,
  meanOf,
  minus,
  type Options,
  type Point,
  type Reference,
  squaredDistance,
} from './point.js';

/** c_j - rate sum_{y_i = j} (c_j - x_i) / (1 + n_j) */
function moved({ x, labels, state }: Point, rate: number): number[][] {
  const seen = byClass(x, labels);
  return state.centres!.map((c, j) => {
    const rows = seen.get(j) ?? [];
    return c.map((v, q) => {
      const pull = rows.reduce((total, row) => total + v - row[q]!, 0);
      return v - (rate * pull) / (1 + rows.length);
    });
  });
}

function center(point: Point, { rate }: Options) {
  const { x, labels, state } = point;
  const value = mean(x.map((row, i) => squaredDistance(row, state.centres![labels[i]!]!) / 2));
  return { value, next: { centres: moved(point, rate) } };
}

/** The centres move first, and the move is seen by the gradient. */
function centerInvariant(point: Point, { rate }: Options) {
  const centres = moved(point, rate);
  const sizes = centres.map((c) => dot(c, c));
  const value = mean(point.labels.map((label) => (sizes[label]! - mean(sizes)) ** 2 / 4));
  return { value, next: { centres } };
}

const indexPairs = (count: number): [number, number][] =>
  Array.from({ length: count * count }, (_, t): [number, number] => [
    Math.floor(t / count),
    t % count,
  ]).filter(([i, j]) => i < j);

/** alpha sum_i n_i / sum_j 1/D_ij over the largest distances within, beta hinge on the nearest centres. */
const range: Reference = (point, { k, alpha, beta, margin }, fixed) => {
  const classes = [...byClass(point.x, point.labels).values()];
  const fixedClasses = [...byClass(fixed.x, fixed.labels).values()];
  let within = 0;
  classes.forEach((rows, c) => {
    const at = fixedClasses[c]!;
    const largest = indexPairs(rows.length)
      .sort(([a, b], [p, q]) => squaredDistance(at[p]!, at[q]!) - squaredDistance(at[a]!, at[b]!))
      .slice(0, k);
    const inverse = largest.reduce(
      (sum, [i, j]) => sum + 1 / (squaredDistance(rows[i]!, rows[j]!) + 1e-12),
      0,
    );
    if (largest.length > 0) within += largest.length / inverse;
  });
  const apart = (groups: number[][][], [i, j]: [number, number]): number => {
    const gap = minus(meanOf(groups[i]!), meanOf(groups[j]!));
    return dot(gap, gap);
  };
  const pairs = indexPairs(classes.length);
  const nearest = Math.min(...pairs.map((pair) => apart(fixedClasses, pair)));
  const tied = pairs.filter((pair) => apart(fixedClasses, pair) === nearest);
  const between = mean(tied.map((pair) => Math.max(0, margin - apart(classes, pair))));
  return { value: alpha * within + beta * between };
};

export const centreLosses: Readonly<Record<string, Reference>> = {
  center,
  'center-invariant': centerInvariant,
  range,
};
