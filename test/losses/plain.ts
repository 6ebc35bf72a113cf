// The margin losses in plain loops and double precision, after the papers' formulas with arccos, sharing
// nothing with the graphs they test.

export interface Sample {
  /** N rows of D numbers. */
  x: number[][];
  labels: number[];
  /** K rows of D numbers. */
  weights: number[][];
  bias?: number[];
}

export const dot = (a: number[], b: number[]): number => a.reduce((total, v, i) => total + v * b[i]!, 0);
export const lengthOf = (a: number[]): number => Math.sqrt(dot(a, a));
export const unit = (a: number[]): number[] => a.map((v) => v / lengthOf(a));

/** Equation 7's margin function: (-1)^k cos(m theta) - 2k on [k pi/m, (k+1) pi/m]. */
export function psiOfAngle(theta: number, m: number): number {
  let k = 0;
  while (k < m - 1 && theta > ((k + 1) * Math.PI) / m) k++;
  return (k % 2 === 0 ? 1 : -1) * Math.cos(m * theta) - 2 * k;
}

export const angleBetween = (a: number[], b: number[]): number =>
  Math.acos(Math.min(1, Math.max(-1, dot(a, b) / (lengthOf(a) * lengthOf(b)))));

/** Mean of -log softmax(z)_y. */
export function crossEntropy(logits: number[][], labels: number[]): number {
  let total = 0;
  logits.forEach((row, i) => {
    const largest = Math.max(...row);
    let sum = 0;
    for (const z of row) sum += Math.exp(z - largest);
    total += largest + Math.log(sum) - row[labels[i]!]!;
  });
  return total / logits.length;
}

export const softmaxLogits = ({ x, weights, bias }: Sample): number[][] =>
  x.map((row) => weights.map((w, j) => dot(row, w) + (bias?.[j] ?? 0)));

export const angularLogits = ({ x, weights }: Sample): number[][] =>
  x.map((row) => weights.map((w) => lengthOf(row) * Math.cos(angleBetween(row, w))));

/** A-Softmax's logits; margin 1 gives modified softmax whatever lambda is. */
export const aSoftmaxLogits = (sample: Sample, m: number, lambda: number): number[][] =>
  angularLogits(sample).map((row, i) =>
    row.map((z, j) => {
      if (j !== sample.labels[i]) return z;
      const theta = angleBetween(sample.x[i]!, sample.weights[j]!);
      const length = lengthOf(sample.x[i]!);
      return (length * (lambda * Math.cos(theta) + psiOfAngle(theta, m))) / (1 + lambda);
    }),
  );

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

/** Gradients of the mean cross-entropy with respect to the logits: (softmax - onehot) / N. */
export const logitGradients = (logits: number[][], labels: number[]): number[][] =>
  logits.map((row, i) => {
    const largest = Math.max(...row);
    const total = row.reduce((sum, z) => sum + Math.exp(z - largest), 0);
    return row.map((z, j) => (Math.exp(z - largest) / total - (j === labels[i] ? 1 : 0)) / logits.length);
  });
