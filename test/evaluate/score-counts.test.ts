// Counted scores against the exact curves of roc.ts: equal where every score lies on a bin's edge, and never on the
// bright side where it does not.
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { auc, equalErrorRate } from '../../src/evaluate/index.js';
import { countedVerification, ScoreCounts } from '../../src/evaluate/megaface/score-counts.js';

const fars = [0.5, 0.1, 0.03, 0.01, 0.001, 0.0001];

/** Scores of 150 genuine and 2,000 impostor trials; `steps` of them a unit, or any number. */
function trials(seed: number, steps?: number) {
  const draw = random(seed, 'scores');
  const score = (mean: number) => {
    const value = Math.max(-1, Math.min(1, mean + 0.25 * draw.normal()));
    return steps ? Math.round(value * steps) / steps : value;
  };
  return {
    genuine: Float64Array.from({ length: 150 }, () => score(0.5)),
    impostor: Float64Array.from({ length: 2000 }, () => score(0)),
  };
}

function exact(genuine: Float64Array, impostor: Float64Array) {
  const scores = [...genuine, ...impostor];
  const same = scores.map((_, i) => (i < genuine.length ? 1 : 0));
  return { scores, same };
}

describe('counted scores', () => {
  test('a bin holds its lower edge, and what rounding put beyond the ends counts there', () => {
    const counts = new ScoreCounts(8);
    counts.add([-1, -0.75, -0.7500001, 0, 0.25, 0.99, 1, 1.0000001, -1.0000001]);
    expect([...counts.counts]).toEqual([3, 1, 0, 0, 1, 1, 0, 3]);
    expect(counts.total).toBe(9);
    expect(counts.reaching(0.3)).toBe(4);
    expect(counts.lowestEdge(4)).toEqual({ edge: 0.25, reached: 4 });
    expect(counts.lowestEdge(2)).toEqual({ edge: 1, reached: 0 });
  });

  test.each([1, 2, 3])(
    'give the exact figures of scores that lie on edges, ties included (seed %i)',
    (seed) => {
      const { genuine, impostor } = trials(seed, 64);
      const { scores, same } = exact(genuine, impostor);
      const counts = new ScoreCounts();
      counts.add(impostor);
      const figures = countedVerification(genuine, counts, { fars });
      expect(figures.samePairs).toBe(150);
      expect(figures.differentPairs).toBe(2000);
      expect(figures.auc).toBeCloseTo(auc(scores, same), 12);
      expect(figures.eer).toBeCloseTo(equalErrorRate(scores, same), 12);
      const sorted = [...scores.keys()].map((i) => ({ score: scores[i]!, same: same[i]! }));
      figures.tarAtFar.forEach((entry, k) => {
        const far = fars[k]!;
        // By definition: every threshold is tried.
        const allowed = Math.floor(far * 2000);
        const accepted = (threshold: number, kind: number) =>
          sorted.filter((one) => one.same === kind && one.score >= threshold).length;
        const tars = scores
          .filter((threshold) => accepted(threshold, 0) <= allowed)
          .map((threshold) => accepted(threshold, 1) / 150);
        expect(entry.falseAccepts).toBe(allowed);
        expect(entry.tar).toBe(allowed < 1 ? null : Math.max(0, ...tars));
      });
      const reasons = figures.tarAtFar.map(({ reason }) => reason);
      expect(reasons).toEqual([
        undefined,
        undefined,
        undefined,
        undefined,
        'rests on 2 of 2000 impostor scores',
        'needs at least 10000 impostor scores, there are 2000',
      ]);
    },
  );

  test.each([4, 5])(
    'never promise more than the exact figures, and lose a bin and twice the rounding (seed %i)',
    (seed) => {
      const { genuine, impostor } = trials(seed);
      const rounding = 1e-4;
      const draw = random(seed, 'rounding');
      const counts = new ScoreCounts(1024);
      counts.add(impostor.map((score) => score + rounding * (2 * draw.uniform() - 1)));
      const figures = countedVerification(genuine, counts, { fars: fars.slice(0, 5), rounding });
      const share = (list: Float64Array, threshold: number) =>
        list.filter((score) => score >= threshold).length / list.length;
      const { scores, same } = exact(genuine, impostor);
      for (const { far, tar, threshold } of figures.tarAtFar) {
        expect(share(impostor, threshold!)).toBeLessThanOrEqual(far);
        expect(share(genuine, threshold!)).toBe(tar);
        // The best threshold that is allowed, found among all scores.
        const best = Math.min(...scores.filter((score) => share(impostor, score) <= far));
        expect(tar).toBeLessThanOrEqual(share(genuine, best));
        expect(tar).toBeGreaterThanOrEqual(share(genuine, best + counts.width + 2 * rounding));
      }
      expect(figures.auc).toBeCloseTo(auc(scores, same), 2);
      expect(figures.eer).toBeCloseTo(equalErrorRate(scores, same), 2);
    },
  );

  test('keep clear of impostor scores that rounding put below an edge', () => {
    const counts = new ScoreCounts(8);
    // The second is 0.51 in truth: at a threshold of 0.505, FAR would be 2 of 10 and not 1.
    counts.add([0.9, 0.49, ...new Array<number>(8).fill(-0.5)]);
    const { tarAtFar } = countedVerification(Float64Array.of(0.505, 0.7), counts, {
      fars: [0.1],
      rounding: 0.02,
    });
    expect(tarAtFar[0]).toMatchObject({ tar: 0.5, threshold: 0.7, falseAccepts: 1 });
  });

  test('thin the ROC without leaving it', () => {
    const { genuine, impostor } = trials(6, 64);
    const counts = new ScoreCounts();
    counts.add(impostor);
    const { roc } = countedVerification(genuine, counts, { fars: [0.1] });
    const corners = new Set(
      [...new Set([...genuine, ...impostor]), Number.POSITIVE_INFINITY].map((threshold) =>
        [impostor, genuine]
          .map((list) => list.filter((score) => score >= threshold).length / list.length)
          .join(),
      ),
    );
    roc.far.forEach((far, i) => {
      expect(corners.has([far, roc.tar[i]].join())).toBe(true);
      if (i > 0) {
        expect(far).toBeGreaterThanOrEqual(roc.far[i - 1]!);
        expect(roc.tar[i]).toBeGreaterThanOrEqual(roc.tar[i - 1]!);
      }
    });
    expect([roc.far[0], roc.tar[0], roc.far.at(-1), roc.tar.at(-1)]).toEqual([0, 0, 1, 1]);
    expect(roc.far.length).toBeGreaterThan(20);
  });

  test('become histograms with the mean and spread of the scores', () => {
    const { genuine, impostor } = trials(7);
    const counts = new ScoreCounts();
    counts.add(impostor);
    const { scores, angles } = countedVerification(genuine, counts, { fars: [0.1], bins: 20 });
    const mean = impostor.reduce((sum, score) => sum + score, 0) / impostor.length;
    const squares = impostor.reduce((sum, score) => sum + (score - mean) ** 2, 0);
    expect(scores!.different.mean).toBeCloseTo(mean, 6);
    expect(scores!.different.standardDeviation).toBeCloseTo(Math.sqrt(squares / 1999), 6);
    expect(scores!.different.counts).toEqual(
      Array.from(
        { length: 20 },
        (_, bin) => impostor.filter((score) => Math.min(19, Math.floor((score + 1) * 10)) === bin).length,
      ),
    );
    const degrees = genuine.map((score) => (Math.acos(score) * 180) / Math.PI);
    expect(angles!.same.mean).toBeCloseTo(degrees.reduce((sum, angle) => sum + angle, 0) / 150, 2);
    expect(angles!.same.total).toBe(150);
  });

  test('refuse what gives no figure', () => {
    const counts = new ScoreCounts();
    expect(() => countedVerification(Float64Array.of(0.5), counts, { fars: [0.1] })).toThrow(
      'no score of different people',
    );
    counts.add([0.1]);
    expect(() => countedVerification(Float64Array.of(), counts, { fars: [0.1] })).toThrow(
      'no score of the same person',
    );
    expect(() => countedVerification(Float64Array.of(Number.NaN), counts, { fars: [0.1] })).toThrow(
      'a score is not a number',
    );
    expect(() => countedVerification(Float64Array.of(0.5), counts, { fars: [0] })).toThrow(
      'FAR 0: a false accept rate lies in (0, 1]',
    );
    expect(() => new ScoreCounts(1000)).toThrow('power of 2');
  });
});
