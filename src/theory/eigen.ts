// Eigenvalues and eigenvectors of a real symmetric matrix in float64: Householder reflections to tridiagonal
// form, then QR steps with Wilkinson's shift (Golub and Van Loan, Matrix Computations, 8.3). About 3 n^3
// operations, all along rows, so that a few hundred dimensions take well under a second.

/** Eigenpairs, the largest eigenvalue first. */
export interface Eigen {
  /** [n], falling. */
  values: Float64Array;
  /** [n, n]: row i is the unit eigenvector of values[i]; its largest entry by magnitude is positive. */
  vectors: Float64Array;
}

/** Diagonal [n] and second diagonal [n - 1] of T with A = Q T Q^T, and the rows of Q^T, [n, n]. */
interface Tridiagonal {
  diagonal: Float64Array;
  beside: Float64Array;
  rows: Float64Array;
}

/**
 * Eigenpairs of `matrix`, [n, n], of which only symmetry is assumed; it is left alone. The residuals
 * |A v - lambda v| and the errors of orthogonality are of the order of rounding, whatever the gaps.
 * Throws an Error for a matrix that is not square or not finite.
 */
export function symmetricEigen(matrix: Float64Array, n: number): Eigen {
  if (matrix.length !== n * n) throw new Error(`eigen: ${matrix.length} numbers are no ${n}x${n} matrix`);
  if (!matrix.every(Number.isFinite)) throw new Error('eigen: the matrix holds numbers that are not finite');
  const tridiagonal = tridiagonalise(matrix.slice(), n);
  diagonalise(tridiagonal, n);
  const { diagonal, rows } = tridiagonal;
  const order = Array.from(diagonal.keys()).sort((a, b) => diagonal[b]! - diagonal[a]!);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    const vector = rows.subarray(from * n, (from + 1) * n);
    const largest = vector.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
    for (let i = 0; i < n; i++) vectors[to * n + i] = largest < 0 ? -vector[i]! : vector[i]!;
  });
  return { values: Float64Array.from(order, (i) => diagonal[i]!), vectors };
}

/** By reflections H = I - 2 v v^T, each of which zeroes what is below the second diagonal in one column. */
function tridiagonalise(a: Float64Array, n: number): Tridiagonal {
  /** The unit v of each column; none where there was nothing to do. */
  const reflections: (Float64Array | undefined)[] = [];
  const beside = new Float64Array(Math.max(0, n - 1));
  const w = new Float64Array(n);
  for (let k = 0; k + 2 < n; k++) {
    // v spans k+1 .. n-1; the column of a symmetric matrix is its row.
    const v = a.slice(k * n, (k + 1) * n).fill(0, 0, k + 1);
    const head = v[k + 1]!;
    const below = Math.sqrt(dot(v, v, k + 2, n));
    if (below === 0) {
      beside[k] = head;
      reflections.push(undefined);
      continue;
    }
    const alpha = (head < 0 ? 1 : -1) * Math.hypot(head, below);
    beside[k] = alpha;
    v[k + 1] = head - alpha;
    const length = Math.hypot(v[k + 1]!, below);
    for (let i = k + 1; i < n; i++) v[i]! /= length;
    reflections.push(v);
    // H A H = A - v w^T - w v^T with w = 2 A v - 2 (v . A v) v.
    for (let i = k + 1; i < n; i++) w[i] = 2 * dot(a.subarray(i * n, (i + 1) * n), v, k + 1, n);
    const along = dot(w, v, k + 1, n);
    for (let i = k + 1; i < n; i++) w[i]! -= along * v[i]!;
    for (let i = k + 1; i < n; i++) {
      const [vi, wi] = [v[i]!, w[i]!];
      for (let j = k + 1; j < n; j++) a[i * n + j]! -= vi * w[j]! + wi * v[j]!;
    }
  }
  if (n > 1) beside[n - 2] = a[(n - 1) * n + n - 2]!;
  const diagonal = Float64Array.from({ length: n }, (_, i) => a[i * n + i]!);

  // Q = H_0 H_1 ..., applied from the last: until H_k comes, rows up to k are those of the identity.
  const rows = new Float64Array(n * n);
  for (let i = 0; i < n; i++) rows[i * n + i] = 1;
  for (const [k, v] of [...reflections.entries()].reverse()) {
    if (!v) continue;
    for (let i = k + 1; i < n; i++) {
      const row = rows.subarray(i * n, (i + 1) * n);
      const along = 2 * dot(row, v, k + 1, n);
      for (let j = k + 1; j < n; j++) row[j]! -= along * v[j]!;
    }
  }
  return { diagonal, beside, rows };
}

/** QR steps with implicit shifts until the second diagonal is zero to rounding; the rows turn along. */
function diagonalise({ diagonal: d, beside: e, rows }: Tridiagonal, n: number): void {
  const size = Math.max(...d.map(Math.abs), ...e.map(Math.abs), 0);
  const negligible = (i: number): boolean => Math.abs(e[i]!) <= Number.EPSILON * size;
  let steps = 0;
  for (let last = n - 1; last > 0; ) {
    if (negligible(last - 1)) {
      e[--last] = 0;
      continue;
    }
    let first = last - 1;
    while (first > 0 && !negligible(first - 1)) first--;
    if (++steps > 30 * n) throw new Error('eigen: the QR steps do not converge');
    const half = (d[last - 1]! - d[last]!) / 2;
    const off = e[last - 1]!;
    const shift = d[last]! - off / (half / off + (half / off < 0 ? -1 : 1) * Math.hypot(half / off, 1));
    let [x, z] = [d[first]! - shift, e[first]!];
    for (let k = first; k < last; k++) {
      const r = Math.hypot(x, z);
      const [c, s] = r === 0 ? [1, 0] : [x / r, z / r];
      if (k > first) e[k - 1] = r;
      const [p, q, b] = [d[k]!, d[k + 1]!, e[k]!];
      d[k] = c * c * p + 2 * c * s * b + s * s * q;
      d[k + 1] = s * s * p - 2 * c * s * b + c * c * q;
      e[k] = c * s * (q - p) + (c * c - s * s) * b;
      if (k + 1 < last) {
        x = e[k]!;
        z = s * e[k + 1]!;
        e[k + 1]! *= c;
      }
      for (let i = k * n, j = i + n, end = j; i < end; i++, j++) {
        const [u, v] = [rows[i]!, rows[j]!];
        rows[i] = c * u + s * v;
        rows[j] = c * v - s * u;
      }
    }
  }
}

function dot(a: Float64Array, b: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += a[i]! * b[i]!;
  return sum;
}
