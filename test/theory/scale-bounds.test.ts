// The bounds on scales (L2-Softmax, NormFace, CoCo, CosFace) against probabilities and losses computed from the
// arrangements themselves, and against configurations that were searched, not constructed.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import {
  cocoScaleBound,
  cocoSimplexScale,
  cosFaceScaleBound,
  crossPolytopeScale,
  l2SoftmaxScaleBound,
  normFaceBound,
  regularSimplex,
  scaledProbability,
  scaleSlope,
  simplexLoss,
  simplexScale,
} from '../../src/theory/index.js';

const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const unit = (v: number[]) => v.map((value) => value / Math.sqrt(dot(v, v)));
/** -log of the probability of class y at feature x, class vectors w, scale s: plain loops. */
const loss = (x: number[], w: number[][], y: number, s: number) =>
  Math.log(w.reduce((sum, v) => sum + Math.exp(s * (dot(v, x) - dot(w[y]!, x))), 0));
const meanLoss = (x: number[][], labels: number[], w: number[][], s: number) =>
  x.reduce((sum, row, i) => sum + loss(row, w, labels[i]!, s), 0) / x.length;
const simplexRows = (k: number, d: number) => {
  const { original } = regularSimplex(k, d);
  return Array.from({ length: k }, (_, i) => [...original.subarray(i * d, i * d + d)]);
};
const probability = fc.double({ min: 0.01, max: 0.999, noNaN: true });
const classCount = fc.integer({ min: 2, max: 20_000 });

describe('regular simplex', () => {
  test.each([
    [2, 1],
    [2, 5],
    [3, 2],
    [5, 4],
    [10, 16],
    [40, 39],
  ])('%i classes in %i dimensions: unit, cosines -1/(K-1), sum zero', (k, d) => {
    const rows = simplexRows(k, d);
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < k; j++) {
        expect(dot(rows[i]!, rows[j]!)).toBeCloseTo(i === j ? 1 : -1 / (k - 1), 12);
      }
    }
    for (let t = 0; t < d; t++) expect(rows.reduce((sum, row) => sum + row[t]!, 0)).toBeCloseTo(0, 12);
  });

  test('needs K - 1 dimensions', () => {
    expect(() => regularSimplex(5, 3)).toThrow(/a simplex of 5 classes needs 4 dimensions, not 3/);
    expect(() => regularSimplex(1, 3)).toThrow(/classes is 1/);
  });
});

describe('NormFace', () => {
  const logits = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 2, maxLength: 8 });
  const scales = fc.double({ min: 0.01, max: 10, noNaN: true });

  test('proposition 1: without bias a longer feature of the winning class is more probable', () => {
    fc.assert(
      fc.property(logits, scales, fc.double({ min: 1, max: 10, noNaN: true }), (products, s, more) => {
        const winner = products.indexOf(Math.max(...products));
        const [before, after] = [s, s * more].map((scale) => scaledProbability(products, winner, scale));
        expect(after).toBeGreaterThanOrEqual(before! - 1e-12);
        expect(scaleSlope(products, winner, s)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('and a longer feature of the losing class is less probable', () => {
    expect(scaledProbability([1, 3], 0, 2)).toBeLessThan(scaledProbability([1, 3], 0, 1));
  });

  test('with biases it fails: the class that the bias alone puts first loses as features grow', () => {
    expect(scaledProbability([0, 1], 0, 1, [2, 0])).toBeGreaterThan(0.5);
    expect(scaledProbability([0, 1], 0, 3, [2, 0])).toBeLessThan(0.5);
    expect(scaleSlope([0, 1], 0, 1, [2, 0])).toBeLessThan(0);
  });

  test('the slope is the derivative of log P', () => {
    fc.assert(
      fc.property(logits, fc.double({ min: 0.1, max: 3, noNaN: true }), (products, s) => {
        const biases = products.map((_, i) => Math.sin(i));
        const h = 1e-5;
        const [up, down] = [s + h, s - h].map((scale) =>
          Math.log(scaledProbability(products, 0, scale, biases)),
        );
        expect(scaleSlope(products, 0, s, biases)).toBeCloseTo((up! - down!) / (2 * h), 5);
      }),
    );
  });

  test('proposition 2: the simplex meets the bound', () => {
    for (const [k, d, s] of [
      [2, 1, 1],
      [3, 2, 5],
      [4, 8, 10],
      [11, 10, 20],
      [30, 40, 0.5],
    ] as const) {
      const rows = simplexRows(k, d);
      for (let y = 0; y < k; y++) {
        const met = loss(rows[y]!, rows, y, s);
        expect(Math.abs(met - normFaceBound(k, s))).toBeLessThan(1e-12);
      }
    }
  });

  test('proposition 2: no balanced configuration goes below it, on its class vectors or not', () => {
    const draw = random(4, 'normface');
    const direction = (d: number) => unit(Array.from({ length: d }, () => draw.normal()));
    for (let trial = 0; trial < 400; trial++) {
      const [k, d, each] = [2 + draw.integer(6), 1 + draw.integer(6), 1 + draw.integer(3)];
      const s = 0.1 + 12 * draw.uniform();
      const w = Array.from({ length: k }, () => direction(d));
      const labels = Array.from({ length: k * each }, (_, i) => i % k);
      // Half of the trials near the best there is, where a wrong bound would show.
      const near = trial % 2 === 0 && d >= k - 1 ? simplexRows(k, d) : w;
      const x = labels.map((y) =>
        unit(near[y]!.map((value) => value + 0.3 * draw.uniform() * draw.normal())),
      );
      expect(meanLoss(x, labels, near, s)).toBeGreaterThanOrEqual(normFaceBound(k, s) - 1e-12);
      expect(
        meanLoss(
          labels.map(() => direction(d)),
          labels,
          w,
          s,
        ),
      ).toBeGreaterThan(normFaceBound(k, s));
    }
  });

  test('descent from a random start ends at the bound, and at the simplex', () => {
    const [k, d, s] = [4, 3, 3];
    const draw = random(9, 'descent');
    let w = Array.from({ length: k }, () => unit(Array.from({ length: d }, () => draw.normal())));
    const value = (rows: number[][]) => meanLoss(rows.map(unit), [0, 1, 2, 3], rows.map(unit), s);
    for (let step = 0; step < 1500; step++) {
      const slope = w.map((row, i) =>
        row.map((_, t) => {
          const moved = (by: number) =>
            value(w.map((other, j) => (i === j ? other.map((v, u) => (u === t ? v + by : v)) : other)));
          return (moved(1e-5) - moved(-1e-5)) / 2e-5;
        }),
      );
      w = w.map((row, i) => unit(row.map((v, t) => v - 0.3 * slope[i]![t]!)));
      expect(value(w)).toBeGreaterThanOrEqual(normFaceBound(k, s) - 1e-12);
    }
    expect(value(w)).toBeCloseTo(normFaceBound(k, s), 6);
    expect(dot(w[0]!, w[1]!)).toBeCloseTo(-1 / 3, 2);
    expect(dot(w[2]!, w[3]!)).toBeCloseTo(-1 / 3, 2);
  });

  test('the bound needs balanced classes: all samples in one of three go below it', () => {
    const w = [
      [1, 0],
      [-1, 0],
      [-1, 0],
    ];
    expect(meanLoss([[1, 0]], [0], w, 4)).toBeLessThan(normFaceBound(3, 4));
  });

  test('scale 0 is a guess, a large scale has no floor left', () => {
    expect(normFaceBound(10, 0)).toBeCloseTo(Math.log(10), 12);
    expect(normFaceBound(10, 40)).toBeGreaterThan(0);
    expect(normFaceBound(10, 40)).toBeLessThan(1e-17);
    // Why features of length 1 do not train: 10,575 classes cannot get far below a guess, log K = 9.27.
    expect(normFaceBound(10_575, 1)).toBeCloseTo(8.27, 2);
  });
});

describe('scale for a loss', () => {
  test('is the inverse of the loss', () => {
    fc.assert(
      fc.property(classCount, fc.double({ min: 0.001, max: 0.999, noNaN: true }), (k, share) => {
        const target = share * Math.log(k);
        expect(simplexLoss(k, simplexScale(k, target))).toBeCloseTo(target, 9);
      }),
    );
  });

  test('CoCo: exact for two classes; for more the printed bound is necessary, not sufficient', () => {
    expect(cocoScaleBound(2, 0.1)).toBeCloseTo(cocoSimplexScale(2, 0.1), 12);
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 30 }),
        fc.double({ min: 0.001, max: 0.9, noNaN: true }),
        (k, share) => {
          const epsilon = share * Math.log(k);
          const [printed, needed] = [cocoScaleBound(k, epsilon), cocoSimplexScale(k, epsilon, k - 1)];
          // Necessary: even with all other centroids opposite, a smaller scale misses epsilon.
          const opposite = (scale: number) => Math.log1p((k - 1) * Math.exp(-2 * scale));
          expect(opposite(printed)).toBeCloseTo(epsilon, 9);
          expect(opposite(0.99 * printed)).toBeGreaterThan(epsilon);
          // Not sufficient: the best that K centroids can do at it is above epsilon; at the other it is epsilon.
          const rows = simplexRows(k, k - 1);
          expect(loss(rows[0]!, rows, 0, printed)).toBeGreaterThan(epsilon);
          expect(loss(rows[0]!, rows, 0, needed)).toBeCloseTo(epsilon, 9);
          expect(needed / printed).toBeCloseTo((2 * (k - 1)) / k, 9);
        },
      ),
    );
  });

  test('CoCo, limits: 0 for a guess, like log(1/epsilon) for a small loss, twice the printed for many classes', () => {
    expect(cocoScaleBound(50, Math.log(50) - 1e-9)).toBeCloseTo(0, 7);
    expect(cocoScaleBound(50, 1e-9) - cocoScaleBound(50, 1e-7)).toBeCloseTo(Math.log(100) / 2, 6);
    expect(cocoSimplexScale(1_000_000, 0.01) / cocoScaleBound(1_000_000, 0.01)).toBeCloseTo(2, 5);
    expect(() => cocoSimplexScale(600, 0.01, 512)).toThrow(/600 classes make no simplex in 512 dimensions/);
  });

  test('CosFace: K = 2, P = .9 is 1.0986; K/(K-1) in front would give four times as much', () => {
    expect(cosFaceScaleBound(2, 0.9)).toBeCloseTo(1.0986, 4);
    expect((2 * Math.log(9)) / cosFaceScaleBound(2, 0.9)).toBeCloseTo(4, 12);
  });

  test('CosFace: at the bound the centre of a class of the simplex has probability P', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), probability, (k, p) => {
        const rows = simplexRows(k, k - 1);
        expect(Math.exp(-loss(rows[1]!, rows, 1, cosFaceScaleBound(k, p)))).toBeCloseTo(p, 9);
        const margin = 0.35;
        const s = cosFaceScaleBound(k, p, margin);
        const cosines = rows.map((row) => dot(row, rows[1]!));
        const others = cosines.reduce((sum, c, j) => sum + (j === 1 ? 0 : Math.exp(s * c)), 0);
        const own = Math.exp(s * (cosines[1]! - margin));
        expect(own / (own + others)).toBeCloseTo(p, 9);
      }),
    );
  });

  test('NormFace, CoCo and CosFace state one fact: the scale of a simplex', () => {
    fc.assert(
      fc.property(classCount, fc.double({ min: 0.5001, max: 0.9999, noNaN: true }), (k, p) => {
        expect(cosFaceScaleBound(k, p)).toBeCloseTo(cocoSimplexScale(k, -Math.log(p)), 8);
      }),
    );
  });
});

describe('L2-Softmax', () => {
  test('K = 10,575 and p = .9: 11.46; K = 1000: 9.10', () => {
    expect(l2SoftmaxScaleBound(10_575, 0.9)).toBeCloseTo(11.46, 2);
    expect(l2SoftmaxScaleBound(1000, 0.9)).toBeCloseTo(9.1, 2);
  });

  test.each([
    [4, 0.5],
    [6, 0.9],
    [20, 0.99],
  ])(
    '%i classes on a cross-polytope have probability %f at the exact scale, a little less at the printed',
    (k, p) => {
      const axes = Array.from({ length: k / 2 }, (_, i) =>
        Array.from({ length: k / 2 }, (_, j) => (i === j ? 1 : 0)),
      );
      const w = axes.flatMap((axis) => [axis, axis.map((value) => -value)]);
      const at = (alpha: number) => Math.exp(-loss(w[0]!, w, 0, alpha));
      expect(at(crossPolytopeScale(k, p))).toBeCloseTo(p, 12);
      expect(at(l2SoftmaxScaleBound(k, p))).toBeLessThan(p);
      expect(at(l2SoftmaxScaleBound(k, p))).toBeGreaterThan(p - 0.15);
    },
  );

  test('the dropped term does not matter for many classes', () => {
    const gap = crossPolytopeScale(1000, 0.9) - l2SoftmaxScaleBound(1000, 0.9);
    expect(gap).toBeGreaterThan(0);
    expect(gap).toBeLessThan(1e-6);
  });

  test('it is no bound where a simplex fits: that reaches p with shorter features', () => {
    for (const k of [3, 10, 500]) {
      expect(cosFaceScaleBound(k, 0.9)).toBeLessThan(l2SoftmaxScaleBound(k, 0.9));
    }
  });

  test('two opposite classes: (1/2) log(p / (1-p))', () => {
    expect(crossPolytopeScale(2, 0.9)).toBeCloseTo(Math.log(9) / 2, 12);
    expect(crossPolytopeScale(2, 0.9)).toBeCloseTo(cosFaceScaleBound(2, 0.9), 12);
  });
});

test('values out of range are errors that state the range', () => {
  expect(() => l2SoftmaxScaleBound(2, 0.9)).toThrow(/classes is 2; it must be a whole number from 3 on/);
  expect(() => l2SoftmaxScaleBound(10, 1)).toThrow(/probability is 1; it must be above 0 and below 1/);
  expect(() => crossPolytopeScale(10.5, 0.5)).toThrow(/classes is 10.5/);
  expect(() => normFaceBound(1, 5)).toThrow(/classes is 1/);
  expect(() => normFaceBound(5, -1)).toThrow(/scale is -1; it must be a number of at least 0/);
  expect(() => simplexScale(3, 0)).toThrow(/loss is 0; it must be above 0/);
  expect(() => cocoScaleBound(10, 3)).toThrow(
    /loss is 3; it must be above 0 and below log 10, the loss of a guess/,
  );
  expect(() => cosFaceScaleBound(5, 0)).toThrow(/probability is 0/);
  expect(() => cosFaceScaleBound(5, 0.9, 1.25)).toThrow(
    /margin is 1.25; for 5 classes it must be from 0 to below 1.25/,
  );
  expect(() => scaledProbability([1, 2], 2, 1)).toThrow(/label is 2; it must be a whole number below 2/);
  expect(() => scaleSlope([1, 2], 0, 1, [1])).toThrow(/2 products but 1 biases/);
});
