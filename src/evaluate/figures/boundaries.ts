// Decision boundaries of two classes in the plane of the angles theta_1 and theta_2 to their class vectors (the
// comparison of ArcFace, Fig. 5, for all margins of the survey). An image of class 1 is told right, margin
// included, where |W_1| target(theta_1) >= |W_2| others(theta_2); class 2 the other way round. What belongs to
// neither is the margin. All of it is found from the losses' own functions.
import type { Figure } from './figure.js';
import { COSINE, MARGINS, type Margin, othersOf, targetOf } from './margins.js';
import { boundaryBetween, stretches } from './root.js';

/** Places in degrees: [theta_1, theta_2]. */
export type Angles = [theta1: number, theta2: number];

export interface BoundaryPanel {
  id: string;
  title: string;
  loss: string;
  options: Record<string, unknown>;
  lambda?: number;
  /** |W_1| and |W_2|, which only losses with free class vectors know. */
  lengths: [number, number];
  /** Of class 1 and class 2: polygons that together are the class's region. */
  regions: [Angles[][], Angles[][]];
  /** Of class 1 and class 2: lines on which both sides of the class's inequality are equal. */
  boundaries: [Angles[][], Angles[][]];
  /** For each angle between W_1 and W_2: what the classes reach on the arc between them. */
  arcs: (Arc | null)[];
}

/**
 * Along the arc from W_1 to W_2: the largest theta_1 of class 1, the largest theta_2 of class 2, and the degrees
 * that are left between. There is none (null) where a class has no place on the arc.
 */
export interface Arc {
  reach: [number, number];
  margin: number;
}

export interface BoundariesData {
  /** Angles between W_1 and W_2 at which the margin is measured, in degrees. */
  between: number[];
  panels: BoundaryPanel[];
}

const DEGREE = Math.PI / 180;
const BETWEEN = [30, 60, 90, 120];
const ROWS = 180;
/** Both sides of an inequality are equal to this precision on a boundary. */
const EQUAL = 1e-9;

/** How far a class's inequality holds, at the angle to its own class vector and to the other. */
type Surplus = (own: number, other: number) => number;

/** Of class 1 and of class 2, in degrees. */
function surpluses(margin: Omit<Margin, 'family'>, [l1, l2]: readonly [number, number]): [Surplus, Surplus] {
  const [target, others] = [targetOf(margin), othersOf(margin)];
  const surplus =
    (mine: number, theirs: number): Surplus =>
    (own, other) =>
      mine * target(own * DEGREE) - theirs * others(other * DEGREE);
  return [surplus(l1, l2), surplus(l2, l1)];
}

/** The region of one class as rows: for an angle to the other class vector, stretches of the angle to its own. */
interface Row {
  other: number;
  own: [number, number][];
}

/** Between neighbouring rows the ends of stretches move by less; more is a leap, not a border. */
const LEAP = 15;

const follows = (row: Row, last: Row): boolean =>
  row.own.length === last.own.length &&
  row.own.every((own, k) => own.every((end, i) => Math.abs(end - last.own[k]![i]!) < LEAP));

/**
 * Rows over all angles to the other class vector. Where their stretches leap, or change in number, there is a row
 * on each side, and rows lie closer, for a region opens like a square root.
 */
function rowsOf(surplus: Surplus): Row[] {
  const row = (other: number): Row => ({
    other,
    own: stretches((own) => surplus(own, other), 0, 180, ROWS),
  });
  const rows = Array.from({ length: ROWS + 1 }, (_, i) => row((180 * i) / ROWS));
  return rows.flatMap((here, i) => {
    const next = rows[i + 1];
    if (!next || follows(next, here)) return [here];
    const like = (other: number) => (follows(row(other), here) ? 0 : -1);
    const last = boundaryBetween(like, here.other, next.other);
    const after = Array.from({ length: 12 }, (_, k) => last + 1e-9 + (next.other - last) * (k / 12) ** 2);
    return [here, row(last), ...after.filter((other) => other < next.other).map(row)];
  });
}

/** Runs of rows whose stretches go on from one to the next. */
function runsOf(rows: readonly Row[]): Row[][] {
  const runs: Row[][] = [];
  for (const row of rows) {
    const last = runs[runs.length - 1];
    if (last && follows(row, last[last.length - 1]!)) last.push(row);
    else runs.push([row]);
  }
  return runs.filter((run) => run.length > 1 && run[0]!.own.length > 0);
}

/** Region and boundary of one class; `place` puts own and other angle in the plane's order. */
function outline(surplus: Surplus, place: (own: number, other: number) => Angles) {
  const runs = runsOf(rowsOf(surplus));
  const regions = runs.flatMap((run) =>
    run[0]!.own.map((_, k) => [
      ...run.map(({ own, other }) => place(own[k]![1], other)),
      ...[...run].reverse().map(({ own, other }) => place(own[k]![0], other)),
    ]),
  );
  // Ends of stretches lie on the boundary unless they are an end of the range, or a leap of the target.
  const boundaries = runs.flatMap((run) =>
    run[0]!.own.flatMap((_, k) =>
      [0, 1].map((end) =>
        run
          .filter(({ own, other }) => Math.abs(surplus(own[k]![end]!, other)) < EQUAL)
          .map(({ own, other }) => place(own[k]![end]!, other)),
      ),
    ),
  );
  return { regions, boundaries: boundaries.filter((line) => line.length > 1) };
}

/** The arc from W_1 to W_2, on which theta_1 + theta_2 is the angle between them. */
function arcAt(between: number, [first, second]: readonly [Surplus, Surplus]): Arc | null {
  const reach = (surplus: Surplus): number | undefined =>
    stretches((own) => surplus(own, between - own), 0, between, 720).at(-1)?.[1];
  const [a, b] = [reach(first), reach(second)];
  return a === undefined || b === undefined ? null : { reach: [a, b], margin: between - a - b };
}

function panel(margin: Omit<Margin, 'family'>, lengths: [number, number] = [1, 1]): BoundaryPanel {
  const both = surpluses(margin, lengths);
  const one = outline(both[0], (own, other) => [own, other]);
  const two = outline(both[1], (own, other) => [other, own]);
  const { id, title, loss, options, lambda } = margin;
  return {
    id,
    title,
    loss,
    options,
    ...(lambda !== undefined && { lambda }),
    lengths,
    regions: [one.regions, two.regions],
    boundaries: [one.boundaries, two.boundaries],
    arcs: BETWEEN.map((between) => arcAt(between, both)),
  };
}

export const boundaries: Figure<BoundariesData> = {
  name: 'boundaries',
  title: 'Decision boundaries of two classes',
  source: 'All margin functions; after Deng et al., ArcFace, CVPR 2019, Fig. 5',
  trained: false,
  async collect() {
    const free: [number, number] = [1, 1.5];
    // Two combinations are CosFace and ArcFace over again.
    const twice = ['combined-1-0.5-0', 'combined-1-0-0.35'];
    return {
      between: BETWEEN,
      panels: [
        panel({ id: 'softmax', title: 'Softmax', loss: 'softmax', options: {} }, free),
        panel({ id: 'l-softmax-2', title: 'L-Softmax 2', loss: 'l-softmax', options: { margin: 2 } }, free),
        panel({ ...COSINE, title: 'Modified softmax, NormFace' }),
        ...MARGINS.filter(({ id }) => !twice.includes(id)).map((margin) => panel(margin)),
      ],
    };
  },
};
