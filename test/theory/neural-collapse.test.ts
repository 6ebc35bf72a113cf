// Neural collapse: sets that have collapsed and sets that have not, and the definitions as plain loops that
// form S_W and S_B and find the pseudo-inverse from eigenvectors.
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { neuralCollapse, regularSimplex, simplexMeasures } from '../../src/theory/index.js';

const rowsOf = (data: ArrayLike<number>, length: number) =>
  Array.from({ length: data.length / length }, (_, i) =>
    Array.from(data).slice(i * length, (i + 1) * length),
  );
const sumOf = (list: number[]) => list.reduce((a, b) => a + b, 0);
const meanOf = (list: number[][]) => list[0]!.map((_, d) => sumOf(list.map((row) => row[d]!)) / list.length);
const dot = (a: number[], b: number[]) => sumOf(a.map((v, i) => v * b[i]!));
const matrix = (n: number, f: (i: number, j: number) => number) =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => f(i, j)));
const times = (a: number[][], b: number[][]) =>
  matrix(a.length, (i, j) => sumOf(a[i]!.map((v, t) => v * b[t]![j]!)));

/** The pseudo-inverse of a symmetric matrix, from its eigenvectors by Jacobi's rotations. */
function pseudoInverse(a: number[][]): number[][] {
  const n = a.length;
  let [d, v] = [a, matrix(n, (i, j) => (i === j ? 1 : 0))];
  for (let sweep = 0; sweep < 12; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const angle = Math.atan2(2 * d[p]![q]!, d[q]![q]! - d[p]![p]!) / 2;
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        const turn = matrix(n, (i, j) => {
          if (i === j) return i === p || i === q ? c : 1;
          return i === p && j === q ? s : i === q && j === p ? -s : 0;
        });
        const back = matrix(n, (i, j) => turn[j]![i]!);
        d = times(times(back, d), turn);
        v = times(v, turn);
      }
    }
  }
  const top = Math.max(...d.map((row, i) => row[i]!));
  const inverse = d.map((row, i) => (row[i]! > 1e-12 * top ? 1 / row[i]! : 0));
  return matrix(n, (i, j) => sumOf(inverse.map((value, t) => value * v[i]![t]! * v[j]![t]!)));
}

/** Every measure by its definition. */
function plain(x: number[][], labels: number[], w: number[][], b: number[]) {
  const names = [...new Set(labels)].sort((p, q) => p - q);
  const k = names.length;
  const d = x[0]!.length;
  const of = (name: number) => x.filter((_, i) => labels[i] === name);
  const mu = names.map((name) => meanOf(of(name)));
  const global = meanOf(mu);
  const m = mu.map((row) => row.map((v, t) => v - global[t]!));
  const between = matrix(d, (i, j) => sumOf(m.map((row) => row[i]! * row[j]!)) / k);
  const within = matrix(
    d,
    (i, j) =>
      sumOf(
        names.map((name, c) => {
          const own = of(name);
          return sumOf(own.map((row) => (row[i]! - mu[c]![i]!) * (row[j]! - mu[c]![j]!))) / own.length;
        }),
      ) / k,
  );
  const trace = (a: number[][]) => sumOf(a.map((row, i) => row[i]!));
  const norms = m.map((row) => Math.sqrt(dot(row, row)));
  const average = sumOf(norms) / k;
  const cosines = m.flatMap((row, i) =>
    m.slice(0, i).map((other, j) => dot(row, other) / norms[i]! / norms[j]!),
  );
  const cosine = sumOf(cosines) / cosines.length;
  const used = names.map((name) => w[name]!);
  const [wf, mf] = [used, m].map((list) => Math.sqrt(sumOf(list.map((row) => dot(row, row)))));
  const best = (scores: number[]) => scores.indexOf(Math.max(...scores));
  const agree = x.filter((row) => {
    const decided = best(names.map((name) => dot(w[name]!, row) + b[name]!));
    return decided === best(mu.map((centre) => -Math.hypot(...centre.map((v, t) => v - row[t]!))));
  }).length;
  return {
    withinVariability: trace(times(within, pseudoInverse(between))) / k,
    withinOverBetween: trace(within) / trace(between),
    equinorm: Math.sqrt(sumOf(norms.map((v) => (v - average) ** 2)) / k) / average,
    equiangularity: Math.sqrt(sumOf(cosines.map((v) => (v - cosine) ** 2)) / cosines.length),
    simplexAngle: sumOf(cosines.map((v) => Math.abs(v + 1 / (k - 1)))) / cosines.length,
    selfDuality: sumOf(used.map((row, c) => sumOf(row.map((v, t) => (v / wf! - m[c]![t]! / mf!) ** 2)))),
    agreement: agree / x.length,
  };
}

function drawn(n: number, d: number, k: number, seed: number) {
  const draw = random(seed, 'collapse');
  const centres = Array.from({ length: k * d }, () => 1.5 * draw.normal());
  const labels = Array.from({ length: n }, (_, i) => (i < k ? i : draw.integer(k)));
  const original = Float64Array.from({ length: n * d }, (_, i) => {
    return 2 + centres[labels[Math.floor(i / d)]! * d + (i % d)]! + draw.normal();
  });
  const vectors = Float64Array.from({ length: k * d }, (_, i) => centres[i]! + 0.3 * draw.normal());
  const biases = Array.from({ length: k }, () => draw.normal());
  return {
    features: { length: d, original },
    labels,
    classVectors: { length: d, original: vectors },
    biases,
  };
}

describe('against the definitions as plain loops', () => {
  test.each([
    ['fewer classes than dimensions', 60, 7, 4],
    ['more classes than dimensions, so that S_B has full rank', 80, 3, 8],
    ['fewer samples than dimensions', 7, 9, 3],
    ['one sample in most classes', 8, 5, 6],
    ['two classes', 20, 4, 2],
    ['as many classes as a simplex has corners', 60, 4, 5],
  ])('%s', (_, n, d, k) => {
    for (const seed of [1, 2, 3]) {
      const { features, labels, classVectors, biases } = drawn(n, d, k, seed);
      const found = neuralCollapse(features, labels, { classVectors, biases });
      const truth = plain(rowsOf(features.original, d), labels, rowsOf(classVectors.original, d), biases);
      expect(found.withinVariability / truth.withinVariability).toBeCloseTo(1, 6);
      expect(found.withinOverBetween).toBeCloseTo(truth.withinOverBetween, 9);
      expect(found.means.equinorm).toBeCloseTo(truth.equinorm, 9);
      expect(found.means.equiangularity).toBeCloseTo(truth.equiangularity, 9);
      expect(found.means.simplexAngle).toBeCloseTo(truth.simplexAngle, 9);
      expect(found.selfDuality).toBeCloseTo(truth.selfDuality, 9);
      expect(found.agreement).toBe(truth.agreement);
      expect(found).toMatchObject({ classes: k, samples: n });
    }
  });

  test('labels with holes use the class vectors of the classes that are there', () => {
    const { features, labels, classVectors, biases } = drawn(40, 6, 5, 4);
    const kept = labels.map((label, i) => ({ label, i })).filter(({ label }) => label !== 2);
    const rows = rowsOf(features.original, 6);
    const original = Float64Array.from(kept.flatMap(({ i }) => rows[i]!));
    const found = neuralCollapse(
      { length: 6, original },
      kept.map(({ label }) => label),
      { classVectors, biases },
    );
    const truth = plain(
      rowsOf(original, 6),
      kept.map(({ label }) => label),
      rowsOf(classVectors.original, 6),
      biases,
    );
    expect(found.classes).toBe(4);
    expect(found.selfDuality).toBeCloseTo(truth.selfDuality, 9);
    expect(found.agreement).toBe(truth.agreement);
  });

  test('normalised features: the same as features scaled to unit length beforehand', () => {
    const { features, labels, classVectors } = drawn(50, 6, 4, 5);
    const unit = Float64Array.from(
      rowsOf(features.original, 6).flatMap((r) => r.map((v) => v / Math.hypot(...r))),
    );
    const found = neuralCollapse(features, labels, { classVectors, features: 'normalised' });
    const truth = neuralCollapse({ length: 6, original: unit }, labels, { classVectors });
    expect(found.withinVariability).toBeCloseTo(truth.withinVariability, 9);
    expect(found.means.simplexAngle).toBeCloseTo(truth.means.simplexAngle, 9);
    expect(found.agreement).toBe(truth.agreement);
    expect(found.withinOverBetween).not.toBeCloseTo(neuralCollapse(features, labels).withinOverBetween, 2);
  });
});

describe('by hand', () => {
  test('two classes at x = -1 and 1 with samples .2 around: NC1 .04/1/2 and .04', () => {
    const features = { length: 2, original: Float64Array.of(-1.2, 0, -0.8, 0, 0.8, 0, 1.2, 0) };
    const { withinVariability, withinOverBetween, means } = neuralCollapse(features, [0, 0, 1, 1]);
    expect(withinOverBetween).toBeCloseTo(0.04, 12);
    expect(withinVariability).toBeCloseTo(0.02, 12);
    expect(means).toEqual({ equinorm: 0, equiangularity: 0, simplexAngle: expect.closeTo(0, 12) });
  });

  test('spread at right angles to the means counts in tr S_W / tr S_B, not in tr(S_W S_B^+)', () => {
    const features = { length: 2, original: Float64Array.of(-1, 3, -1, -3, 1, 3, 1, -3) };
    const found = neuralCollapse(features, [0, 0, 1, 1]);
    expect(found.withinOverBetween).toBeCloseTo(9, 12);
    expect(found.withinVariability).toBeCloseTo(0, 12);
  });

  test('a corner of a cube: centred, three axes are a simplex', () => {
    const axes = { length: 3, original: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) };
    const found = neuralCollapse(axes, [0, 1, 2], { classVectors: axes });
    expect(found.means.simplexAngle).toBeCloseTo(0, 12);
    // The class vectors are not centred: their cosines are 0, a half from -1/2.
    expect(found.classVectors!.simplexAngle).toBeCloseTo(0.5, 12);
    expect(found.agreement).toBe(1);
  });

  test('NC3 is 4 for opposite class vectors, and 2 for unrelated ones', () => {
    const simplex = regularSimplex(4, 3);
    const opposite = { length: 3, original: simplex.original.map((v) => -2 * v) };
    expect(neuralCollapse(simplex, [0, 1, 2, 3], { classVectors: opposite }).selfDuality).toBeCloseTo(4, 12);
    const placed = (at: number) => ({
      length: 6,
      original: Float64Array.from(
        rowsOf(simplex.original, 3).flatMap((r) => (at ? [0, 0, 0, ...r] : [...r, 0, 0, 0])),
      ),
    });
    const across = neuralCollapse(placed(0), [0, 1, 2, 3], { classVectors: placed(1) });
    expect(across.selfDuality).toBeCloseTo(2, 12);
  });
});

describe('a collapsed set', () => {
  test('every measure is 0 and all samples agree, wherever it lies and however long it is', () => {
    const [k, d, each] = [6, 9, 4];
    const { original } = regularSimplex(k, d);
    const labels = Array.from({ length: k * each }, (_, i) => i % k);
    const features = {
      length: d,
      original: Float64Array.from(
        labels.flatMap((label) => rowsOf(original, d)[label]!.map((v, t) => 5 * v + t)),
      ),
    };
    const classVectors = { length: d, original: original.map((v) => 3 * v) };
    const found = neuralCollapse(features, labels, { classVectors });
    for (const value of [
      found.withinVariability,
      found.withinOverBetween,
      ...Object.values(found.means),
      ...Object.values(found.classVectors!),
      found.selfDuality,
    ]) {
      expect(value).toBeCloseTo(0, 10);
    }
    // The features lie off the origin, so agreement needs the bias that undoes the shift.
    const shift = Array.from({ length: d }, (_, t) => t);
    const biases = rowsOf(classVectors.original, d).map((row) => -dot(row, shift));
    expect(neuralCollapse(features, labels, { classVectors, biases }).agreement).toBe(1);
  });

  test('a simplex of noise: NC1 falls with the square of the spread', () => {
    const draw = random(8, 'noise');
    const { original } = regularSimplex(5, 4);
    const noise = Array.from({ length: 200 * 4 }, () => draw.normal());
    const labels = Array.from({ length: 200 }, (_, i) => i % 5);
    const at = (spread: number) => ({
      length: 4,
      original: Float64Array.from(
        noise,
        (v, i) => original[labels[Math.floor(i / 4)]! * 4 + (i % 4)]! + spread * v,
      ),
    });
    const ratio =
      neuralCollapse(at(1e-3), labels).withinVariability / neuralCollapse(at(1e-4), labels).withinVariability;
    expect(ratio).toBeCloseTo(100, 0);
  });

  test('float32 features of a rank below K - 1: the missing direction is no direction', () => {
    // Four class means on a line in three dimensions, spread 1/100: S_B has rank 1.
    const draw = random(6, 'line');
    const labels = Array.from({ length: 80 }, (_, i) => i % 4);
    const features = {
      length: 3,
      original: Float32Array.from(labels.flatMap((l) => [l, 2 * l, -l].map((v) => v + 1)).map((v) => v)),
    };
    labels.forEach((_, i) => {
      if (i < 40) return;
      // Pairs of opposite deviations keep the means where they are.
      const by = 0.01 * draw.normal();
      if (i % 8 < 4) {
        features.original[i * 3]! += by;
        features.original[(i + 4) * 3]! -= by;
      }
    });
    const found = neuralCollapse(features, labels);
    const x = rowsOf(features.original, 3);
    const along = x.map((row) => (row[0]! + 2 * row[1]! - row[2]!) / Math.sqrt(6));
    const own = [0, 1, 2, 3].map((c) => sumOf(along.filter((_, i) => labels[i] === c)) / 20);
    const within = sumOf(along.map((v, i) => (v - own[labels[i]!]!) ** 2)) / 80;
    const between = sumOf(own.map((v) => (v - sumOf(own) / 4) ** 2)) / 4;
    expect(found.withinVariability / (within / between / 4)).toBeCloseTo(1, 3);
  });
});

describe('what cannot be measured', () => {
  const features = { length: 2, original: Float64Array.of(1, 0, 0, 1, 1, 1) };

  test('one class, a zero feature and unequal counts are errors', () => {
    expect(() => neuralCollapse(features, [3, 3, 3])).toThrow(/one label; give at least two classes/);
    expect(() => neuralCollapse({ length: 2, original: Float64Array.of(1, 0, 0, 0) }, [0, 1])).toThrow(
      /feature 1: every number is zero/,
    );
    expect(() => neuralCollapse(features, [0, 1])).toThrow(/3 features but 2 labels/);
    expect(() => simplexMeasures({ length: 2, original: Float64Array.of(1, 2) })).toThrow(
      /at least two vectors/,
    );
  });

  test('class vectors that do not fit are errors', () => {
    const classVectors = { length: 2, original: Float64Array.of(1, 0, 0, 1) };
    expect(() => neuralCollapse(features, [0, 1, 2], { classVectors })).toThrow(
      /label 2 has no class vector: there are 2/,
    );
    expect(() =>
      neuralCollapse(features, [0, 1, 0], { classVectors: { ...classVectors, length: 4 } }),
    ).toThrow(/class vectors have 4 numbers, features 2/);
    expect(() => neuralCollapse(features, [0, 1, 0], { classVectors, biases: [1] })).toThrow(
      /1 biases for 2 class vectors/,
    );
  });

  test('class means that coincide leave nothing to measure against: NaN, so that training goes on', () => {
    // 0.1 + 0.2 is not quite 0.3: the second mean differs by rounding.
    const same = { length: 2, original: Float64Array.of(0.3, 0, 0, 1, 0.1 + 0.2, 0, 0, 1) };
    const found = neuralCollapse(same, [0, 0, 1, 1], { classVectors: regularSimplex(2, 2) });
    expect(found.withinVariability).toBeNaN();
    expect(found.withinOverBetween).toBeNaN();
    expect(found.means.equinorm).toBeNaN();
    expect(found.selfDuality).toBeNaN();
    expect(found.agreement).toBeGreaterThanOrEqual(0);
  });

  test('one sample a class has no spread', () => {
    const found = neuralCollapse(features, [0, 1, 2]);
    expect(found.withinVariability).toBe(0);
    expect(found.withinOverBetween).toBe(0);
  });
});
