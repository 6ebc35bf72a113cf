// Calibration against what is known in closed form (two normal distributions have a straight log-likelihood ratio, a
// Pareto tail has its parameters), against SciPy and scikit-learn, and against plain counting and plain loops.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { impostorCurve, redrawn } from '../../src/evaluate/calibration/curve.js';
import { searchStrangers } from '../../src/evaluate/calibration/searches.js';
import {
  calibrate,
  cllr,
  excessAt,
  fitLine,
  fitTail,
  minimumCllr,
  thresholdsAtFmr,
  type WeightedScores,
} from '../../src/evaluate/index.js';
import { decideBy, falsePositiveRate, perComparison } from '../../src/face/index.js';
import { cosineAt } from '../../src/theory/vectors.js';

interface Truth {
  tails: {
    excesses: number[];
    shape: number;
    scale: number;
    shares: number[];
    quantiles: number[];
  }[];
  lines: {
    prior: number;
    genuine: WeightedScores;
    impostor: WeightedScores;
    slope: number;
    intercept: number;
  }[];
  leastCllr: number[];
}
const truth: Truth = JSON.parse(
  readFileSync(new URL('../fixtures/calibration/truth.json', import.meta.url), 'utf8'),
);
const each = (scores: number[]): WeightedScores => ({ scores, weights: scores.map(() => 1) });
const falling = ({ scores, weights }: WeightedScores, map = (x: number) => x): WeightedScores => {
  const order = Array.from(scores, (_, k) => k).sort((a, b) => scores[b]! - scores[a]!);
  return { scores: order.map((k) => map(scores[k]!)), weights: order.map((k) => weights[k]!) };
};

/** A normal distribution as weights of a grid: sums over it are integrals, to rounding. */
function normal(mean: number, deviation: number): WeightedScores {
  const scores = Array.from({ length: 4001 }, (_, k) => -3 + (6 * k) / 4000);
  const weights = scores.map((x) => Math.exp(-(((x - mean) / deviation) ** 2) / 2));
  return { scores, weights, count: 1e12 };
}

describe('the line of log-likelihood ratios', () => {
  test.each([0.5, 0.01, 0.9])('of two normal distributions is theirs, at a prior of %d', (prior) => {
    const [genuine, impostor, deviation] = [0.7, 0.1, 0.2];
    const { slope, intercept } = fitLine(normal(genuine, deviation), normal(impostor, deviation), prior);
    expect(slope).toBeCloseTo((genuine - impostor) / deviation ** 2, 4);
    expect(intercept).toBeCloseTo((impostor ** 2 - genuine ** 2) / (2 * deviation ** 2), 4);
  });

  test.each(truth.lines.map((line) => [line.prior, line] as const))(
    'is that of scikit-learn with the same targets, weights and prior of %d',
    (prior, { genuine, impostor, slope, intercept }) => {
      const fit = fitLine(genuine, impostor, prior);
      expect(fit.slope).toBeCloseTo(slope, 5);
      expect(fit.intercept).toBeCloseTo(intercept, 5);
      // From anywhere, and whatever the unit of the weights.
      const scaled = { scores: genuine.scores, weights: Array.from(genuine.weights, (w) => w * 1e-6) };
      const again = fitLine(scaled, impostor, prior, { slope: -3, intercept: 40 });
      expect(again.slope).toBeCloseTo(slope, 5);
    },
  );

  test('of scores that nothing confuses is finite, and steeper with more of them', () => {
    const slopes = [1, 10, 100].map((times) => {
      const many = (scores: number[]) => each(Array.from({ length: times }, () => scores).flat());
      const { slope, intercept } = fitLine(many([0.8, 0.9, 1]), many([0.1, 0.2, 0.3]));
      expect(Number.isFinite(slope) && Number.isFinite(intercept)).toBe(true);
      // Platt's targets: nobody is surer than (N + 1) to 1.
      expect(slope * 1 + intercept).toBeGreaterThan(Math.log(3 * times + 1) - 1e-6);
      return slope;
    });
    expect(slopes).toEqual([...slopes].sort((a, b) => a - b));
    expect(new Set(slopes).size).toBe(3);
  });

  test('follows scores that are stretched and moved', () => {
    const { genuine, impostor } = truth.lines[0]!;
    const moved = (kind: WeightedScores) => ({ ...kind, scores: Array.from(kind.scores, (x) => 7 * x - 2) });
    const plain = fitLine(genuine, impostor);
    const other = fitLine(moved(genuine), moved(impostor));
    expect(other.slope).toBeCloseTo(plain.slope / 7, 6);
    expect(other.intercept + other.slope * (7 * 0.4 - 2)).toBeCloseTo(plain.intercept + plain.slope * 0.4, 6);
  });

  test('refuses what is not a number, and a kind that is missing', () => {
    expect(() => fitLine(each([0.5, Number.NaN]), each([0.1]))).toThrow(/score of pair 2 is not a number/);
    expect(() => fitLine(each([]), each([0.1]))).toThrow('no pair of the same person');
    expect(() => fitLine(each([0.5]), { scores: [0.1], weights: [0] })).toThrow(
      'no pair of different people',
    );
  });
});

describe('Cllr', () => {
  test('is the mean cost of a plain loop, 1 for knowing nothing', () => {
    const { genuine, impostor, slope, intercept } = truth.lines[1]!;
    let bits = 0;
    for (const [{ scores, weights }, sign] of [[genuine, -1] as const, [impostor, 1] as const]) {
      const total = Array.from(weights).reduce((a, b) => a + b);
      Array.from(scores).forEach((score, k) => {
        bits += (weights[k]! / total / 2) * Math.log2(1 + Math.exp(sign * (slope * score + intercept)));
      });
    }
    expect(cllr(genuine, impostor, (score) => slope * score + intercept)).toBeCloseTo(bits, 12);
    expect(cllr(genuine, impostor, () => 0)).toBeCloseTo(1, 12);
    expect(cllr(each([1]), each([0]), (score) => (score > 0.5 ? 1e4 : -1e4))).toBe(0);
  });

  test('at best is that of isotonic regression, with many equal scores', () => {
    truth.lines.forEach(({ genuine, impostor }, k) => {
      const two = (x: number) => Math.round(x * 100) / 100;
      const kinds = [falling(genuine, two), falling(impostor, two)] as const;
      expect(minimumCllr(...kinds)).toBeCloseTo(truth.leastCllr[k]!, 9);
      // Any rising map leaves it as it is.
      const cubed = [falling(genuine, (x) => two(x) ** 3), falling(impostor, (x) => two(x) ** 3)] as const;
      expect(minimumCllr(...cubed)).toBeCloseTo(truth.leastCllr[k]!, 9);
    });
  });

  test('at best is 0 for kinds apart, 1 for equal scores, and never above that of a line', () => {
    expect(minimumCllr(each([3, 2]), each([1, 0]))).toBe(0);
    expect(minimumCllr(each([1, 1]), each([1]))).toBeCloseTo(1, 12);
    expect(minimumCllr(each([0]), each([1]))).toBeCloseTo(1, 12);
    const scores = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(scores, scores, fc.double({ min: 0, max: 3, noNaN: true }), (a, b, slope) => {
        const kinds = [falling(each(a)), falling(each(b))] as const;
        const least = minimumCllr(...kinds);
        expect(least).toBeLessThanOrEqual(cllr(...kinds, (score) => slope * score) + 1e-12);
        expect(least).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('the Pareto tail', () => {
  test.each(truth.tails.map((tail) => [tail.shape.toFixed(2), tail] as const))(
    'is the one of largest likelihood by SciPy, shape %s',
    (_, { excesses, shape, scale, shares, quantiles }) => {
      const fit = fitTail(excesses);
      expect(fit.shape).toBeCloseTo(shape, 5);
      expect(fit.scale / scale).toBeCloseTo(1, 5);
      shares.forEach((share, k) => {
        expect(excessAt({ shape, scale }, share) / quantiles[k]!).toBeCloseTo(1, 9);
      });
    },
  );

  test('of excesses that weigh n is that of n times the excess; of none twice different, exponential', () => {
    const { excesses } = truth.tails[0]!;
    const few = excesses.slice(0, 60);
    const weights = few.map((_, k) => k % 4);
    const repeated = few.flatMap((excess, k) => Array<number>(weights[k]!).fill(excess));
    const [a, b] = [fitTail(few, weights), fitTail(repeated)];
    expect(a.shape).toBeCloseTo(b.shape, 6);
    expect(a.scale).toBeCloseTo(b.scale, 6);
    expect(fitTail([0.25, 0.25])).toEqual({ shape: 0, scale: 0.25 });
    expect(excessAt({ shape: 0, scale: 2 }, Math.exp(-3))).toBeCloseTo(6, 12);
  });

  test.each([-0.3, 0, 0.2])('of shape %d is found again, and follows the unit of the excesses', (shape) => {
    // Its own quantiles stand for a large sample.
    const n = 20_000;
    const excesses = Array.from({ length: n }, (_, k) => excessAt({ shape, scale: 0.04 }, (k + 0.5) / n));
    const fit = fitTail(excesses);
    expect(fit.shape).toBeCloseTo(shape, 2);
    expect(fit.scale).toBeCloseTo(0.04, 3);
    const thousandth = fitTail(excesses.map((excess) => excess / 1000));
    expect(thousandth.shape).toBeCloseTo(fit.shape, 5);
    expect(thousandth.scale * 1000).toBeCloseTo(fit.scale, 6);
  });
});

describe('rates of searches and of comparisons', () => {
  test('are each the inverse of the other', () => {
    expect(perComparison(0.1, 1)).toBe(0.1);
    expect(perComparison(0.19, 2)).toBeCloseTo(0.1, 12);
    // A rate far below rounding of 1 - rate.
    expect(perComparison(1e-9, 1e6) / 1e-15).toBeCloseTo(1, 6);
    for (const people of [1, 7, 10_000])
      expect(falsePositiveRate(perComparison(0.003, people), people)).toBeCloseTo(0.003, 12);
  });
});

/** Falling impostor cosines whose upper twentieth is a Pareto tail. */
function paretoCosines(n: number, tail: { shape: number; scale: number }) {
  const cosines = Float32Array.from({ length: n }, (_, k) => {
    const share = (k + 0.5) / n;
    return share < 0.05 ? 0.3 + excessAt(tail, share / 0.05) : 0.3 - (share - 0.05) / 2;
  });
  const none = new Uint16Array(n);
  return { cosines, first: none, second: none };
}

describe('the curve of thresholds', () => {
  const tail = { shape: -0.15, scale: 0.06 };
  const n = 20_000;
  const pairs = paretoCosines(n, tail);

  test('counts where ten pairs are that alike, and goes on by the tail for a factor of ten', () => {
    const asked = [0.01, 0.002, 1e-4, 6e-5, 1e-5];
    const { rates, thresholds, supportedTo, tail: fit } = impostorCurve(pairs, asked);
    expect(supportedTo).toBe(10 / n);
    expect(rates.at(-1)).toBe(supportedTo / 10);
    expect(rates).not.toContain(1e-5);
    for (const rate of [0.01, 0.002])
      expect(thresholds[rates.indexOf(rate)]).toBe(pairs.cosines[rate * n - 1]);
    expect(fit!.pairs).toBe(200);
    expect(fit!.shape).toBeCloseTo(tail.shape, 1);
    for (const rate of [1e-4, 6e-5])
      expect(thresholds[rates.indexOf(rate)]).toBeCloseTo(0.3 + excessAt(tail, rate / 0.05), 1.5);
    const rising = [...thresholds].sort((a, b) => a - b);
    expect(thresholds).toEqual(rising);
  });

  test('is the same when everybody is drawn once, and when everybody is drawn twice', () => {
    const curve = impostorCurve(pairs, [0.01, 6e-5]);
    expect(curve.rates.filter((rate) => rate < curve.supportedTo).length).toBeGreaterThan(5);
    for (const times of [1, 2]) {
      const again = redrawn(curve, pairs, Float64Array.of(times), times ** 2 * n);
      again.forEach((threshold, k) => {
        expect(threshold).toBeCloseTo(curve.thresholds[k]!, 9);
      });
      expect(again).toHaveLength(curve.rates.length);
    }
  });

  test('of people drawn again has the tail of their pairs, each as often as both were drawn', () => {
    const draw = random(6, 'pairs');
    const [first, second] = [0, 1].map((off) => Uint16Array.from({ length: n }, (_, k) => 3 * off + (k % 3)));
    const order = draw.shuffle([...second!.keys()]);
    const mixed = { ...pairs, first: first!, second: second!.map((_, k) => second![order[k]!]!) };
    const curve = impostorCurve(mixed, []);
    const weights = Float64Array.of(2, 0, 1, 1, 3, 0);
    const copies = Array.from(mixed.cosines).flatMap((cosine, k) =>
      Array<number>(weights[mixed.first[k]!]! * weights[mixed.second[k]!]!).fill(cosine),
    );
    const from = copies[Math.floor(curve.tail!.share * copies.length)]!;
    const fit = fitTail(copies.filter((cosine) => cosine > from).map((cosine) => cosine - from));
    redrawn(curve, mixed, weights, copies.length).forEach((threshold, k) => {
      const rate = curve.rates[k]!;
      if (rate < curve.supportedTo)
        expect(threshold).toBeCloseTo(from + excessAt(fit, rate / curve.tail!.share), 6);
      else
        expect(copies.filter((cosine) => cosine >= threshold).length / copies.length).toBeLessThanOrEqual(
          rate,
        );
    });
  });

  test('ends below a cosine of 1, and at what is counted where the highest scores are equal', () => {
    const heavy = impostorCurve(paretoCosines(n, { shape: 0.6, scale: 0.02 }), []);
    expect(heavy.rates.at(-1)).toBeGreaterThan(heavy.supportedTo / 10);
    expect(heavy.thresholds.at(-1)).toBeLessThan(1);
    const cosines = Float32Array.from({ length: 1000 }, (_, k) => (k < 500 ? 0.5 : 0));
    const equal = impostorCurve({ ...pairs, cosines }, [1e-4]);
    expect(equal.tail).toBeUndefined();
    expect(equal.rates.at(-1)).toBe(0.01);
  });

  test('needs a hundred pairs', () => {
    const few = { ...pairs, cosines: pairs.cosines.slice(0, 99) };
    expect(() => impostorCurve(few, [])).toThrow(/99 pairs of different people are too few/);
  });
});

const LENGTH = 24;

/** Images of people, each near a direction of its own: `images(person)` each. */
function faces(people: number, images: (person: number) => number, seed: number, spread = 0.6) {
  const draw = random(seed, 'faces');
  const labels: string[] = [];
  const rows: number[] = [];
  for (let person = 0; person < people; person++) {
    const centre = Array.from({ length: LENGTH }, () => draw.normal());
    for (let image = 0; image < images(person); image++) {
      labels.push(`person ${person}`);
      rows.push(...centre.map((value) => value + spread * draw.normal()));
    }
  }
  return { labels, templates: { length: LENGTH, original: Float64Array.from(rows) } };
}

describe('searches of strangers', () => {
  test('find somebody who is exactly as alike as the threshold', () => {
    const twins = { length: 2, original: Float64Array.of(3, 4, 3, 4, 3, 4) };
    const { searches, found } = searchStrangers(twins, [0, 1, 2], 1, [1], { galleries: 4 });
    expect(searches).toBe(8);
    expect(found).toEqual([{ falsePositives: 8, people: 3 }]);
  });

  test('are counted as a plain loop does: everybody, nobody', () => {
    const { templates } = faces(12, () => 2, 1);
    const personOf = Array.from({ length: 24 }, (_, k) => k >> 1);
    const all = searchStrangers(templates, personOf, 5, [-1, 1.01], { galleries: 30 });
    expect(all).toMatchObject({ galleries: 30, searches: 30 * 7 });
    expect(all.found).toEqual([
      { falsePositives: 210, people: 12 },
      { falsePositives: 0, people: 0 },
    ]);
  });

  test('find somebody as often as independent comparisons do, where they are independent', () => {
    const { templates, labels } = faces(400, () => 1, 2);
    const cosines = labels.flatMap((_, i) =>
      labels
        .slice(0, i)
        .map((_, j) => cosineAt(templates.original, i * LENGTH, templates.original, j * LENGTH, LENGTH)),
    );
    const threshold = cosines.sort((a, b) => b - a)[Math.floor(0.005 * cosines.length)]!;
    const personOf = labels.map((_, k) => k);
    const { searches, found } = searchStrangers(templates, personOf, 40, [threshold]);
    expect(found[0]!.falsePositives / searches).toBeCloseTo(falsePositiveRate(0.005, 40), 1.5);
  });
});

describe('a calibration', () => {
  const set = faces(60, (person) => 1 + (person % 5), 3);
  const options = { fmrs: [0.1, 0.01], gallerySizes: [1, 20], replicates: 60 };
  const figures = calibrate(set.templates, set.labels, options);

  test('has the thresholds and the intervals of plain counting', () => {
    const { points, ...counts } = thresholdsAtFmr(set.templates, set.labels, {
      ...{ fmrs: [0.1, 0.01], replicates: 60, seed: 1 },
    });
    const { people, images, genuinePairs, impostorPairs } = counts;
    expect(figures.data).toEqual({ people, images, genuinePairs, impostorPairs });
    points.forEach((point, k) => {
      const row = figures.thresholds[k]!;
      const { fmr, threshold, falseMatches } = point;
      expect(row).toMatchObject({ fmr, gallerySize: 1, perComparison: fmr, threshold, falseMatches });
      expect(row.fnmr).toBeCloseTo(point.fnmr, 12);
      expect(row.extrapolated).toBe(false);
      expect(row.interval).toEqual(point.intervals!.threshold);
      expect(row.fnmrInterval).toEqual(point.intervals!.fnmr);
      expect(
        decideBy({ ...figures, data: { name: 'set', leftOut: 0, ...figures.data } }, fmr).threshold,
      ).toBe(threshold);
    });
  });

  test('asks more of a larger gallery, extrapolates where it must and says so, and counts', () => {
    const [, , some, few] = figures.thresholds;
    expect(some).toMatchObject({ gallerySize: 20, fmr: 0.1, extrapolated: false });
    expect(some!.threshold!).toBeGreaterThan(figures.thresholds[0]!.threshold!);
    expect(few!.perComparison).toBeCloseTo(1 - 0.99 ** (1 / 20), 12);
    expect(few).toMatchObject({ extrapolated: true, reason: expect.stringMatching(/^rests on the fit of/) });
    expect(few!.threshold!).toBeGreaterThan(some!.threshold!);
    for (const { searched, gallerySize, fmr } of figures.thresholds) {
      expect(searched!.searches).toBe(200 * (60 - gallerySize));
      expect(searched!.predicted).toBeCloseTo(fmr, 12);
      expect(searched!.fpir).toBe(searched!.falsePositives / searched!.searches);
      expect(Math.abs(Math.log(searched!.fpir / fmr))).toBeLessThan(Math.log(2.5));
    }
    const rates = figures.impostors.table.map(({ fmr }) => fmr);
    const limits = figures.impostors.table.map(({ threshold }) => threshold);
    expect(rates).toEqual([...rates].sort((a, b) => b - a));
    expect(limits).toEqual([...limits].sort((a, b) => a - b));
  });

  test('has a line that people who were held back confirm, and no more certainty than people', () => {
    const { slope, limits, prior, cllr: quality } = figures.probability;
    expect(slope).toBeGreaterThan(0);
    expect(prior).toBe(0.5);
    expect(limits).toEqual([-Math.log(48), Math.log((60 * 59) / 2)]);
    expect(quality!.folds).toBe(5);
    expect(quality!.value).toBeGreaterThan(quality!.minimum);
    expect(quality!.value).toBeLessThan(0.3);
  });

  /** Genuine and impostor pairs among some people, weighed so that people and pairs of people count the same. */
  function plainPairs(among: ReadonlySet<string>) {
    const { labels, templates } = set;
    const size = (label: string) => labels.filter((other) => other === label).length;
    const kinds = [each([]), each([])] as { scores: number[]; weights: number[] }[];
    labels.forEach((a, i) => {
      labels.slice(0, i).forEach((b, j) => {
        if (!among.has(a) || !among.has(b)) return;
        const kind = kinds[a === b ? 0 : 1]!;
        kind.scores.push(cosineAt(templates.original, i * LENGTH, templates.original, j * LENGTH, LENGTH));
        kind.weights.push(a === b ? 2 / (size(a) * (size(a) - 1)) : 1 / (size(a) * size(b)));
      });
    });
    return [kinds[0]!, kinds[1]!] as const;
  }

  test('has the Cllr of people whom the line of the others never saw', () => {
    const people = [...new Set(set.labels)];
    const images = (person: string) => set.labels.filter((label) => label === person).length;
    // People with several images are dealt to the folds in a drawn order, then those with one.
    const draw = random(1, 'folds');
    const several = draw.shuffle(people.filter((person) => images(person) > 1));
    const dealt = [...several, ...draw.shuffle(people.filter((person) => images(person) === 1))];
    let [value, minimum] = [0, 0];
    for (let fold = 0; fold < 5; fold++) {
      const held = plainPairs(new Set(dealt.filter((_, k) => k % 5 === fold)));
      const { slope, intercept } = fitLine(...plainPairs(new Set(dealt.filter((_, k) => k % 5 !== fold))));
      value += cllr(...held, (score) => slope * score + intercept) / 5;
      minimum += minimumCllr(falling(held[0]), falling(held[1])) / 5;
    }
    expect(figures.probability.cllr!.value).toBeCloseTo(value, 5);
    expect(figures.probability.cllr!.minimum).toBeCloseTo(minimum, 5);
  });

  test('is not extrapolated where ten false matches are allowed, and is where nine are', () => {
    const n = figures.data.impostorPairs;
    const { thresholds } = calibrate(set.templates, set.labels, {
      ...{ fmrs: [10 / n, 9.9 / n], gallerySizes: [1], replicates: 0 },
    });
    expect(thresholds.map(({ extrapolated }) => extrapolated)).toEqual([false, true]);
    expect(thresholds[0]!.falseMatches).toBe(10);
    expect(thresholds[0]!.reason).toBeUndefined();
  });

  test('has the line of a plain loop in which people and pairs of people weigh the same', () => {
    const { slope, intercept } = fitLine(...plainPairs(new Set(set.labels)));
    expect(figures.probability.slope / slope).toBeCloseTo(1, 6);
    expect(figures.probability.intercept / intercept).toBeCloseTo(1, 6);
  });

  test('that misses nobody leaves open what so few people leave open', () => {
    const easy = faces(30, (person) => 1 + (person % 4), 8, 0.05);
    const { thresholds } = calibrate(easy.templates, easy.labels, {
      fmrs: [0.01],
      gallerySizes: [1],
      replicates: 20,
    });
    // 22 of 30 people have several images.
    expect(thresholds[0]).toMatchObject({ fnmr: 0, fnmrInterval: [0, 1 - 0.025 ** (1 / 22)] });
  });

  test('is the same by the seed, and whatever people are called and in which order they come', () => {
    expect(calibrate(set.templates, set.labels, options)).toEqual(figures);
    const order = random(5, 'order').shuffle(set.labels.map((_, k) => k));
    const shuffled = {
      length: LENGTH,
      original: Float64Array.from(
        order.flatMap((k) => [...set.templates.original.slice(k * LENGTH, (k + 1) * LENGTH)]),
      ),
    };
    const other = calibrate(
      shuffled,
      order.map((k) => `x${set.labels[k]}`),
      { ...options, replicates: 0 },
    );
    expect(other.impostors.table.map(({ threshold }) => threshold)).toEqual(
      figures.impostors.table.map(({ threshold }) => threshold),
    );
    expect(other.probability.slope).toBeCloseTo(figures.probability.slope, 6);
  });

  test('names people with two labels, most alike first, and nobody in the figures it keeps', () => {
    const many = new Set([4, 9, 14, 19, 24, 29].map((k) => `person ${k}`));
    const labels = set.labels.map((label, i) =>
      many.has(label) && i % 2 === 0 ? `double of ${label}` : label,
    );
    const { suspects, ...kept } = calibrate(set.templates, labels, { ...options, replicates: 0 });
    expect(suspects.length).toBeGreaterThan(2);
    for (const suspect of suspects) {
      const [a, b] = [...suspect.labels].sort();
      expect(a).toBe(`double of ${b}`);
    }
    const cosines = suspects.map(({ cosine }) => cosine);
    expect(cosines).toEqual([...cosines].sort((a, b) => b - a));
    expect(JSON.stringify(kept)).not.toMatch(/person|double/);
    expect(figures.suspects).toEqual([]);
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      'one person',
      () =>
        calibrate(
          set.templates,
          set.labels.map(() => 'one'),
        ),
      /1 person, 1 of them with several/,
    ],
    [
      'no pair of one person',
      () =>
        calibrate(
          set.templates,
          set.labels.map((_, k) => `p${k}`),
        ),
      /0 of them with several images that make 0 pairs of one person/,
    ],
    ['labels that are missing', () => calibrate(set.templates, ['a', 'b']), /templates but 2 labels/],
    [
      'a template that is not a number',
      () => calibrate({ length: 2, original: Float64Array.of(1, 0, Number.NaN, 1) }, ['a', 'b']),
      /feature 1: it holds numbers that are not finite/,
    ],
    [
      'too few people',
      () => calibrate(faces(3, () => 5, 1).templates, faces(3, () => 5, 1).labels),
      /75 pairs of different people are too few/,
    ],
    [
      'a rate of nothing',
      () => calibrate(set.templates, set.labels, { fmrs: [0] }),
      /FMR 0: .* lies in \(0, 0\.5\]/,
    ],
    ['a rate above a half', () => calibrate(set.templates, set.labels, { fmrs: [0.6] }), /FMR 0\.6/],
    [
      'half a person',
      () => calibrate(set.templates, set.labels, { gallerySizes: [0.5] }),
      /gallery size 0\.5/,
    ],
    [
      'certainty',
      () => calibrate(set.templates, set.labels, { prior: 1 }),
      /prior 1: it lies between 0 and 1/,
    ],
    [
      'people who are least like themselves',
      () => {
        const { labels, templates } = faces(60, () => 2, 4);
        const turned = templates.original.map((value, k) =>
          Math.floor(k / LENGTH) % 2 === 0 ? value : -value,
        );
        return calibrate({ length: LENGTH, original: turned }, labels);
      },
      /do not score higher than pairs of two/,
    ],
  ])('refuses %s', (_, run, line) => {
    expect(run).toThrow(line);
  });

  test('does not tell what its pairs cannot', () => {
    const { thresholds } = calibrate(set.templates, set.labels, {
      ...{ fmrs: [1e-3], gallerySizes: [1_000_000], replicates: 0 },
    });
    expect(thresholds).toEqual([
      {
        ...{ fmr: 1e-3, gallerySize: 1_000_000, perComparison: perComparison(1e-3, 1e6) },
        ...{ threshold: null, fnmr: null, falseMatches: 0, extrapolated: true },
        reason: expect.stringMatching(/^one false match in 1,000,000,000 pairs is too rare to be told from /),
      },
    ]);
  });
});
