// Batches at the edges of what a loss can be given: cosines of exactly 1 and -1, equal and zero embeddings,
// missing classes, ties, very long and very short embeddings. All have one shape, so that one compiled program
// runs them all, and hold single-precision numbers, so that both precisions see the same.
import { type Point, unit } from './plain/point.js';
import { OVERLAPPING, pointOf } from './points.js';

/** Batch size, embedding length and classes of every edge. */
export const SHAPE = { count: 8, length: 4, classes: 4 };

const LABELS = [0, 0, 1, 1, 2, 2, 3, 3];
const ZERO = [0, 0, 0, 0];

const axis = (q: number, value = 1): number[] => ZERO.map((v, i) => (i === q ? value : v));
const plane = (degrees: number, length = 3): number[] => {
  const theta = (degrees * Math.PI) / 180;
  return [length * Math.cos(theta), length * Math.sin(theta), 0, 0];
};

/** Class vectors on the axes; class 3 opposite to class 0. */
const AXES = [axis(0), axis(1), axis(2), axis(0, -1)];

const overlapping = (labels = LABELS, length = 1): Point =>
  pointOf(21, { labels, classes: SHAPE.classes }, { ...OVERLAPPING, size: 0.35 * length });

const withRows = (point: Point, x: number[][]): Point => ({ ...point, x });
const onAxes = (x: number[][], labels = LABELS): Point => {
  const point = overlapping(labels);
  return { ...point, x, state: { ...point.state, 'fc6.weight': AXES, centres: AXES, centroids: AXES } };
};
const withState = (name: string, rows: number[][]): Point => {
  const point = overlapping();
  return { ...point, state: { ...point.state, [name]: rows } };
};

/** Each sample on its class's axis or opposite to it. */
const exact = (length: number): number[][] =>
  LABELS.map((label, i) => AXES[label]!.map((v) => (i % 2 === 0 ? length : -length) * v));

const single = (rows: number[][]): number[][] => rows.map((row) => row.map(Math.fround));

function inSinglePrecision(point: Point): Point {
  const state = Object.entries(point.state).map(([name, rows]) => [name, single(rows)] as const);
  return { ...point, x: single(point.x), state: Object.fromEntries(state) };
}

const random = overlapping();
const [first, second] = random.x as [number[], number[]];
const replaced = (rows: Record<number, number[]>): Point =>
  withRows(
    random,
    random.x.map((row, i) => rows[i] ?? row),
  );

const all: Record<string, Point> = {
  'cosines of exactly 1 and -1': onAxes(exact(1)),
  'cosines of exactly 1 and -1, long': onAxes(exact(1000)),
  'cosines of exactly 1 and -1, short': onAxes(exact(1e-3)),
  'cosines of exactly 0': onAxes(LABELS.map((label, i) => axis(label === 3 ? 1 : 3, i % 2 ? 2 : -2))),
  'angles k pi / 4, pi / 3, 2 pi / 3': onAxes(
    [0, 45, 90.001, 135, 180, 60, 120, 89.999].map((degrees) => plane(degrees)),
    LABELS.map(() => 0),
  ),
  'a thousandth of a degree off 0 and 180': onAxes(
    [0.001, -0.001, 179.999, 180.001, 0.01, 179.99, 0.1, 179.9].map((degrees) => plane(degrees, 30)),
    LABELS.map(() => 0),
  ),
  'all embeddings equal': withRows(
    random,
    random.x.map(() => first),
  ),
  'all embeddings equal, of one axis': onAxes(LABELS.map(() => axis(0))),
  'two equal embeddings of one class': replaced({ 1: first }),
  'two equal embeddings of two classes': replaced({ 2: first }),
  'two equal embeddings of two classes, long': replaced({ 0: axis(1, 1000), 2: axis(1, 1000) }),
  'opposite embeddings of one class': replaced({ 1: first.map((v) => -v) }),
  'each embedding twice': withRows(
    random,
    random.x.map((_, i) => random.x[i - (i % 2)]!),
  ),
  'a zero embedding': replaced({ 3: ZERO }),
  'two zero embeddings of one class': replaced({ 2: ZERO, 3: ZERO }),
  'two zero embeddings of two classes': replaced({ 3: ZERO, 4: ZERO }),
  'all embeddings zero': withRows(
    random,
    random.x.map(() => ZERO),
  ),
  'one class': overlapping(LABELS.map(() => 2)),
  'one class, all embeddings equal': withRows(
    overlapping(LABELS.map(() => 2)),
    random.x.map(() => second),
  ),
  'two classes of four': overlapping(LABELS.map((label) => (label < 2 ? 0 : 3))),
  'one image of a class': overlapping([0, 1, 1, 1, 2, 2, 2, 2]),
  'ties everywhere': onAxes(
    LABELS.map((_, i) => axis(i >> 1, i % 2 ? 1 : -1)),
    [0, 1, 0, 1, 0, 1, 0, 1],
  ),
  'long embeddings': overlapping(LABELS, 3000),
  'short embeddings': overlapping(LABELS, 3e-3),
  'very short embeddings': overlapping(LABELS, 1e-6),
  'zero class vectors': withState(
    'fc6.weight',
    AXES.map(() => ZERO),
  ),
  'equal class vectors': withState(
    'fc6.weight',
    AXES.map(() => unit(first)),
  ),
  'zero centres': withState(
    'centres',
    AXES.map(() => ZERO),
  ),
  'zero centroids': {
    ...withState(
      'centroids',
      AXES.map(() => ZERO),
    ),
    labels: LABELS.map((label) => label % 2),
  },
  'a zero projection': withState(
    'projection',
    AXES.map(() => ZERO),
  ),
};

/** Points by title. */
export const edges: Readonly<Record<string, Point>> = Object.fromEntries(
  Object.entries(all).map(([title, point]) => [title, inSinglePrecision(point)]),
);

/**
 * Points at which the value is a convention: the energy of class vectors that have no direction; and, in single
 * precision, the kind of a triplet whose anchor is zero, as far from everyone but for rounding.
 */
export const undefinedAt = (name: string, edge: string): boolean =>
  (name === 'sphereface-plus' && edge === 'zero class vectors') ||
  (name === 'triplet' && /zero embedding/.test(edge));

/** A point as a case of the table needs it. */
export const edgeFor = (
  point: Point,
  { lambda, options }: { lambda: number; options: { length?: number } },
): Point => ({
  ...point,
  lambda,
  state: { ...point.state, projection: point.state.projection!.slice(0, options.length ?? SHAPE.length) },
});
