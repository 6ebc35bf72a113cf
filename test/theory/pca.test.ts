// Eigenpairs and principal components against closed forms, and by what defines them: residuals, orthonormal
// rows, traces, and the variance that is measured along each direction.
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { symmetricEigen } from '../../src/theory/eigen.js';
import { principalComponents } from '../../src/theory/pca.js';

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);
const rowsOf = (flat: Float64Array, length: number): Float64Array[] =>
  Array.from({ length: flat.length / length }, (_, i) => flat.slice(i * length, (i + 1) * length));

/** A matrix from its entries. */
const matrix = (n: number, entry: (i: number, j: number) => number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, i) => entry(Math.floor(i / n), i % n));

function randomSymmetric(n: number, scale = 1): Float64Array {
  const stream = random(n, 'symmetric');
  const half = matrix(n, () => scale * stream.normal());
  return matrix(n, (i, j) => half[i * n + j]! + half[j * n + i]!);
}

/** Largest |A v - lambda v| and largest |v_i . v_j - (i = j)|, the first relative to the matrix. */
function errors(a: Float64Array, n: number): { residual: number; orthogonality: number } {
  const { values, vectors } = symmetricEigen(a, n);
  const v = rowsOf(vectors, n);
  const rows = rowsOf(a, n);
  const size = Math.max(...a.map(Math.abs), Number.MIN_VALUE);
  let [residual, orthogonality] = [0, 0];
  v.forEach((vector, k) => {
    rows.forEach((row, i) => {
      residual = Math.max(residual, Math.abs(dot(row, vector) - values[k]! * vector[i]!) / size);
    });
    v.forEach((other, l) => {
      orthogonality = Math.max(orthogonality, Math.abs(dot(vector, other) - (k === l ? 1 : 0)));
    });
  });
  return { residual, orthogonality };
}

describe('eigenpairs', () => {
  test('of the second difference matrix are 2 - 2 cos(k pi / (n + 1)), with sines as vectors', () => {
    for (const n of [2, 3, 8, 31]) {
      const { values, vectors } = symmetricEigen(
        matrix(n, (i, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0)),
        n,
      );
      for (let k = 0; k < n; k++) {
        const angle = ((n - k) * Math.PI) / (n + 1);
        expect(values[k]).toBeCloseTo(2 - 2 * Math.cos(angle), 13);
        const sine = Float64Array.from({ length: n }, (_, i) => Math.sin((i + 1) * angle));
        const cosine = dot(sine, vectors.subarray(k * n, (k + 1) * n)) / Math.sqrt(dot(sine, sine));
        expect(Math.abs(cosine)).toBeCloseTo(1, 12);
      }
    }
  });

  test('of a full matrix whose eigenvalues are known: reflections of a diagonal one', () => {
    const n = 24;
    const stream = random(1, 'reflection');
    let a = matrix(n, (i, j) => (i === j ? (i - 7) ** 3 : 0));
    for (let times = 0; times < 3; times++) {
      const u = Float64Array.from({ length: n }, () => stream.normal());
      const h = matrix(n, (i, j) => (i === j ? 1 : 0) - (2 * u[i]! * u[j]!) / dot(u, u));
      const product = (x: Float64Array, y: Float64Array) =>
        matrix(n, (i, j) => {
          let sum = 0;
          for (let k = 0; k < n; k++) sum += x[i * n + k]! * y[k * n + j]!;
          return sum;
        });
      a = product(product(h, a), h);
    }
    const { values } = symmetricEigen(a, n);
    for (let k = 0; k < n; k++) expect(Math.abs(values[k]! - (n - 1 - k - 7) ** 3)).toBeLessThan(1e-10);
  });

  test('of random matrices satisfy A v = lambda v to rounding and are orthonormal', () => {
    for (const n of [1, 2, 3, 5, 16, 60, 128]) {
      const { residual, orthogonality } = errors(randomSymmetric(n), n);
      expect(residual).toBeLessThan(1e-13 * (n + 1));
      expect(orthogonality).toBeLessThan(1e-14 * (n + 10));
    }
  });

  test('hold for equal eigenvalues, low rank, zero, and very large and very small numbers', () => {
    const n = 12;
    const low = Float64Array.from({ length: n }, (_, i) => i - 3);
    const cases = [
      matrix(n, (i, j) => (i === j ? 5 : 0)),
      matrix(n, () => 1),
      matrix(n, (i, j) => low[i]! * low[j]!),
      matrix(n, () => 0),
      randomSymmetric(n, 1e150),
      randomSymmetric(n, 1e-150),
      matrix(n, (i, j) => (i === j && i % 2 === 0 ? 1 : 0)),
    ];
    for (const a of cases) {
      const { residual, orthogonality } = errors(a, n);
      expect(residual).toBeLessThan(1e-13);
      expect(orthogonality).toBeLessThan(1e-13);
    }
    expect([...symmetricEigen(cases[1]!, n).values].map((x) => Math.abs(x) < 1e-13)).toEqual([
      false,
      ...Array(n - 1).fill(true),
    ]);
  });

  test('leave their matrix alone and refuse what is none', () => {
    const a = randomSymmetric(6);
    const before = a.slice();
    symmetricEigen(a, 6);
    expect(a).toEqual(before);
    expect(() => symmetricEigen(a, 5)).toThrow(/36 numbers/);
    expect(() => symmetricEigen(Float64Array.of(Number.NaN), 1)).toThrow(/not finite/);
  });
});

describe('principal components', () => {
  test('of points on two perpendicular lines are the lines, with the variance of each', () => {
    // (+-2, 0) turned by 30 degrees, and (0, +-1) likewise, about (5, -3): variances 8/3 and 2/3.
    const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
    const points = [
      [2, 0],
      [-2, 0],
      [0, 1],
      [0, -1],
    ].flatMap(([x, y]) => [5 + c * x! - s * y!, -3 + s * x! + c * y!]);
    const found = principalComponents({ length: 2, original: Float64Array.from(points) }, 2);
    [c, s, -s, c].forEach((x, i) => {
      expect(found.directions[i]).toBeCloseTo(x, 14);
    });
    [8 / 3, 2 / 3].forEach((x, i) => {
      expect(found.variances[i]).toBeCloseTo(x, 14);
    });
    expect([...found.mean].map((x) => Number(x.toFixed(12)))).toEqual([5, -3]);
    expect(found.total).toBeCloseTo(10 / 3, 14);
  });

  test('of random data are orthonormal, and the variance measured along them is theirs, falling to the total', () => {
    const [n, length] = [300, 20];
    const stream = random(2, 'data');
    const mix = matrix(length, (i) => stream.normal() / (i + 1));
    const original = new Float32Array(n * length);
    for (let row = 0; row < n; row++) {
      const z = Array.from({ length }, () => stream.normal());
      for (let j = 0; j < length; j++)
        original[row * length + j] = 1 + z.reduce((sum, x, i) => sum + x * mix[i * length + j]!, 0);
    }
    const { directions, variances, total } = principalComponents({ length, original }, length);
    const rows = rowsOf(directions, length);
    const data = rowsOf(Float64Array.from(original), length);
    rows.forEach((direction, k) => {
      rows.forEach((other, l) => {
        expect(dot(direction, other)).toBeCloseTo(k === l ? 1 : 0, 12);
      });
      const along = data.map((x) => dot(x, direction));
      const mean = along.reduce((sum, x) => sum + x, 0) / n;
      const variance = along.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
      expect(variances[k]! / variance).toBeCloseTo(1, 9);
      if (k > 0) expect(variances[k]!).toBeLessThan(variances[k - 1]!);
    });
    expect(variances.reduce((sum, x) => sum + x, 0)).toBeCloseTo(total, 9);
    // No other direction has more variance than the first.
    for (let trial = 0; trial < 50; trial++) {
      const u = Float64Array.from({ length }, () => stream.normal());
      const along = data.map((x) => dot(x, u) / Math.sqrt(dot(u, u)));
      const mean = along.reduce((sum, x) => sum + x, 0) / n;
      expect(along.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1)).toBeLessThan(variances[0]!);
    }
  });

  test('fewer vectors than dimensions: the directions beyond their span have no variance', () => {
    const original = Float64Array.of(1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3);
    const { variances, directions } = principalComponents({ length: 4, original }, 4);
    expect(variances[1]!).toBeGreaterThan(0.1);
    expect(Math.max(variances[2]!, variances[3]!)).toBeLessThan(1e-14);
    expect(directions).toHaveLength(16);
  });

  test('too many components, and a single vector, are errors that say what is valid', () => {
    const vectors = { length: 3, original: new Float32Array(6) };
    expect(() => principalComponents(vectors, 4)).toThrow(/4 principal components.*use 1 to 3/);
    expect(() => principalComponents({ length: 3, original: new Float32Array(3) }, 1)).toThrow(/1 vectors/);
  });
});
