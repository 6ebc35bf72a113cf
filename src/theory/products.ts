// All dot products of two sets of rows in float64: what the measures on features spend their time on.

/** Rows of `length` numbers, one after the other. */
export interface Rows {
  readonly length: number;
  readonly original: Float32Array | Float64Array;
}

/** All dot products of the rows of `a` [N, D] with the rows of `b` [K, D]: [N, K]. N K D multiply-adds. */
export function products(a: Rows, b: Rows): Float64Array {
  const d = a.length;
  const [x, y] = [a.original, Float64Array.from(b.original)];
  const [n, k] = [x.length / d, y.length / d];
  const result = new Float64Array(n * k);
  const row = new Float64Array(d);
  for (let i = 0; i < n; i++) {
    for (let t = 0; t < d; t++) row[t] = x[i * d + t]!;
    let j = 0;
    // Four sums at a time, so that the processor need not wait for one addition before the next.
    for (; j + 4 <= k; j += 4) {
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      const [p0, p1, p2, p3] = [j * d, (j + 1) * d, (j + 2) * d, (j + 3) * d];
      for (let t = 0; t < d; t++) {
        const v = row[t]!;
        s0 += v * y[p0 + t]!;
        s1 += v * y[p1 + t]!;
        s2 += v * y[p2 + t]!;
        s3 += v * y[p3 + t]!;
      }
      const at = i * k + j;
      result[at] = s0;
      result[at + 1] = s1;
      result[at + 2] = s2;
      result[at + 3] = s3;
    }
    for (; j < k; j++) {
      let sum = 0;
      for (let t = 0; t < d; t++) sum += row[t]! * y[j * d + t]!;
      result[i * k + j] = sum;
    }
  }
  return result;
}
