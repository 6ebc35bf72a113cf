// A batch with everything a loss may have learned, as rows of double-precision numbers, and what it is to
// write a loss for it by hand. The references in this folder are plain loops after the papers' formulas,
// with arccos; they share nothing with the graphs they test.

/** One batch: N embeddings of D numbers, labels below `classes`, and learned values by name. */
export interface Point {
  x: number[][];
  labels: number[];
  /** K */
  classes: number;
  /** Matrices by rows; a vector is one row, a scalar one number of one row. */
  state: Readonly<Record<string, number[][]>>;
  /** The scheduled weight of the plain cosine (A-Softmax, L-Softmax). */
  lambda?: number;
}

/** Options of all losses together; each loss reads its own. */
export interface Options {
  bias: boolean;
  margin: number;
  gradient: 'exact' | 'caffe' | 'detached';
  power: number;
  weight: number;
  alpha: number;
  learned: boolean;
  scale: number | 'auto';
  easyMargin: boolean;
  m1: number;
  m2: number;
  m3: number;
  features: 'hard' | 'none';
  normalize: boolean;
  threshold: number;
  mining: 'all' | 'easy' | 'semi-hard' | 'hard' | 'hardest';
  length: number;
  rate: number;
  k: number;
  beta: number;
}

/** What a loss is at a point. */
export interface Evaluation {
  value: number;
  /** Without margin, N rows of K. */
  logits?: number[][];
  metrics?: Record<string, number>;
  /** State after the step, by name. */
  next?: Record<string, number[][]>;
}

/**
 * A loss as loops. Whatever is a constant to the gradient (which triplets were mined, a detached margin) is
 * taken at `fixed`, so that differences of the value over `point` alone are the gradient.
 */
export type Reference = (point: Point, options: Options, fixed: Point) => Evaluation;

export const dot = (a: number[], b: number[]): number => a.reduce((total, v, i) => total + v * b[i]!, 0);

/** sqrt(sum a^2 + 1e-12): the zero vector has a length too, and a direction of zeros. */
export const lengthOf = (a: number[]): number => Math.sqrt(dot(a, a) + 1e-12);

export const unit = (a: number[]): number[] => {
  const length = lengthOf(a);
  return a.map((v) => v / length);
};

export const minus = (a: number[], b: number[]): number[] => a.map((v, i) => v - b[i]!);

export const squaredDistance = (a: number[], b: number[]): number => dot(minus(a, b), minus(a, b));

/** Of nothing: 0. */
export const mean = (values: number[]): number =>
  values.reduce((total, v) => total + v, 0) / Math.max(1, values.length);

/** Mean of vectors of one length, of which there is at least one. */
export const meanOf = (rows: number[][]): number[] =>
  rows[0]!.map((_, q) => mean(rows.map((row) => row[q]!)));

/** In [0, pi]. */
export const angleBetween = (a: number[], b: number[]): number =>
  Math.acos(Math.min(1, Math.max(-1, dot(unit(a), unit(b)))));

/** Rows of the samples of each class that the batch has, by class. */
export function byClass(rows: number[][], labels: number[]): Map<number, number[][]> {
  const groups = new Map<number, number[][]>();
  labels.forEach((label, i) => {
    groups.set(label, [...(groups.get(label) ?? []), rows[i]!]);
  });
  return groups;
}

/** Gradient of `f` with respect to every entry of `rows`, by central differences. */
export function differences(rows: number[][], f: (rows: number[][]) => number, step = 1e-6): number[][] {
  return rows.map((row, i) =>
    row.map((_, j) => {
      const at = (shift: number) =>
        f(rows.map((r, p) => r.map((v, q) => (p === i && q === j ? v + shift : v))));
      return (at(step) - at(-step)) / (2 * step);
    }),
  );
}
