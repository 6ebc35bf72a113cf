// Triplet loss (Schroff et al. 2015), triplet similarity embedding and triplet probabilistic embedding
// (Sankaranarayanan et al. 2016): they differ in how far apart two samples are, and in what a gap costs.
import { dot, type Options, type Point, type Reference, squaredDistance, unit } from './point.js';

interface Triplet {
  a: number;
  p: number;
  n: number;
  weight: number;
}

/** Distances of all pairs, [N][N]; the gap of a triplet is d(a, p) - d(a, n). */
type Distances = (point: Point) => number[][];

const between = (rows: number[][], d: (a: number[], b: number[]) => number): number[][] =>
  rows.map((a) => rows.map((b) => d(a, b)));

const onSphere: Distances = ({ x }) => between(x.map(unit), squaredDistance);

/** -x'_i . x'_j of the projected directions x' = T x / |x|. */
const projected: Distances = ({ x, state }) =>
  between(
    x.map(unit).map((row) => state.projection!.map((t) => dot(t, row))),
    (a, b) => -dot(a, b),
  );

export function allTriplets(labels: number[]): [number, number, number][] {
  const found: [number, number, number][] = [];
  labels.forEach((label, a) => {
    labels.forEach((positive, p) => {
      if (p === a || positive !== label) return;
      labels.forEach((negative, n) => {
        if (negative !== label) found.push([a, p, n]);
      });
    });
  });
  return found;
}

export type Kind = 'easy' | 'semi-hard' | 'hard';

/** Without a margin there is nothing between easy and hard. */
export function kindOf(gap: number, margin: number | undefined): Kind {
  if (gap >= 0) return 'hard';
  return margin !== undefined && gap > -margin ? 'semi-hard' : 'easy';
}

/** The triplets that are learned from; their weights add up to 1, or there are none. */
function mined(d: number[][], labels: number[], mining: Options['mining'], margin?: number): Triplet[] {
  if (mining === 'hardest') return hardest(d, labels);
  const chosen = allTriplets(labels).filter(
    ([a, p, n]) => mining === 'all' || kindOf(d[a]![p]! - d[a]![n]!, margin) === mining,
  );
  return chosen.map(([a, p, n]) => ({ a, p, n, weight: 1 / chosen.length }));
}

/** For each anchor its farthest positive and nearest negative; what ties shares evenly. */
function hardest(d: number[][], labels: number[]): Triplet[] {
  const perAnchor = labels.map((label, a) => {
    const positives = labels.flatMap((other, p) => (p !== a && other === label ? [p] : []));
    const negatives = labels.flatMap((other, n) => (other !== label ? [n] : []));
    const farthest = Math.max(...positives.map((p) => d[a]![p]!));
    const nearest = Math.min(...negatives.map((n) => d[a]![n]!));
    const tied = positives
      .filter((p) => d[a]![p] === farthest)
      .flatMap((p) => negatives.filter((n) => d[a]![n] === nearest).map((n) => ({ a, p, n })));
    return tied.map((triplet) => ({ ...triplet, weight: 1 / tied.length }));
  });
  const anchors = perAnchor.filter((triplets) => triplets.length > 0);
  return anchors.flat().map((triplet) => ({ ...triplet, weight: triplet.weight / anchors.length }));
}

const tripletLoss =
  (distances: Distances, hasMargin: boolean, cost: (gap: number, margin: number) => number): Reference =>
  (point, { mining, margin }, fixed) => {
    const border = hasMargin ? margin : undefined;
    const [d, at] = [distances(point), distances(fixed)];
    let value = 0;
    for (const { a, p, n, weight } of mined(at, fixed.labels, mining, border)) {
      value += weight * cost(d[a]![p]! - d[a]![n]!, margin);
    }
    const kinds = allTriplets(point.labels).map(([a, p, n]) => kindOf(d[a]![p]! - d[a]![n]!, border));
    const count = (kind: Kind) => kinds.filter((k) => k === kind).length;
    const [easy, semiHard, hard] = [count('easy'), count('semi-hard'), count('hard')];
    return { value, metrics: { easy, hard, ...(hasMargin && { semiHard }) } };
  };

const hinge = (gap: number, margin: number): number => Math.max(0, gap + margin);

export const tripletLosses: Readonly<Record<string, Reference>> = {
  triplet: tripletLoss(onSphere, true, hinge),
  tse: tripletLoss(projected, true, hinge),
  // -log sigma(-gap), without overflow.
  tpe: tripletLoss(projected, false, (gap) => Math.max(gap, 0) + Math.log1p(Math.exp(-Math.abs(gap)))),
};
