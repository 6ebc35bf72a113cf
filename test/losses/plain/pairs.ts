// Contrastive loss (Hadsell et al. 2006, with y = 1 for the same person) and marginal loss (Deng et al. 2017).
import { mean, type Options, type Point, type Reference, squaredDistance, unit } from './point.js';

/** i < j */
const pairsOf = (count: number): [number, number][] =>
  Array.from({ length: count }, (_, i) =>
    Array.from({ length: count - i - 1 }, (_, j): [number, number] => [i, i + j + 1]),
  ).flat();

function contrastive({ x, labels }: Point, { margin, normalize }: Options) {
  const rows = normalize ? x.map(unit) : x;
  const same: number[] = [];
  const different: number[] = [];
  for (const [i, j] of pairsOf(rows.length)) {
    const d = Math.sqrt(squaredDistance(rows[i]!, rows[j]!) + 1e-12);
    if (labels[i] === labels[j]) same.push(d ** 2 / 2);
    else different.push(Math.max(0, margin - d) ** 2 / 2);
  }
  return { value: mean(same) + mean(different) };
}

/** Over ordered pairs i != j: 1/(N^2 - N) sum max(0, xi - y (theta - |x_i - x_j|^2)). */
function marginal({ x, labels }: Point, { threshold, margin }: Options) {
  const terms = pairsOf(x.length).flatMap(([i, j]) => {
    const y = labels[i] === labels[j] ? 1 : -1;
    const term = Math.max(0, margin - y * (threshold - squaredDistance(unit(x[i]!), unit(x[j]!))));
    return [term, term];
  });
  return { value: mean(terms) };
}

export const pairLosses: Readonly<Record<string, Reference>> = { contrastive, marginal };
