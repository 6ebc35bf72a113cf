// Curves and rates against plain O(n^2) definitions, hand-computed cases and closed forms.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { random } from '../../src/common/random.js';
import { auc, equalErrorRate, rocCurve, tarAtFar } from '../../src/evaluate/index.js';

/** Accept rates at a threshold, straight from the definition. */
function rates(scores: number[], same: boolean[], threshold: number): { far: number; tar: number } {
  const share = (kind: boolean) => {
    const own = scores.filter((_, i) => same[i] === kind);
    return own.filter((score) => score >= threshold).length / own.length;
  };
  return { far: share(false), tar: share(true) };
}

/** Few distinct scores, so that ties are common; at least one trial of each kind. */
const trials = fc
  .array(fc.tuple(fc.integer({ min: -4, max: 4 }), fc.boolean()), { minLength: 2, maxLength: 30 })
  .filter((list) => list.some(([, s]) => s) && list.some(([, s]) => !s))
  .map((list) => ({ scores: list.map(([v]) => v / 4), same: list.map(([, s]) => s) }));

describe('ROC against its definition', () => {
  it('AUC is the share of same-different comparisons won, a tie counting half', () => {
    fc.assert(
      fc.property(trials, ({ scores, same }) => {
        let won = 0;
        let compared = 0;
        scores.forEach((a, i) => {
          scores.forEach((b, j) => {
            if (!same[i] || same[j]) return;
            compared++;
            won += a > b ? 1 : a === b ? 0.5 : 0;
          });
        });
        expect(auc(scores, same)).toBeCloseTo(won / compared, 12);
      }),
    );
  });

  it('every point of the curve has the rates of its threshold, and the ends are (0,0) and (1,1)', () => {
    fc.assert(
      fc.property(trials, ({ scores, same }) => {
        const curve = rocCurve(scores, same);
        curve.thresholds.forEach((threshold, i) => {
          const expected = rates(scores, same, threshold);
          expect(curve.far[i]).toBeCloseTo(expected.far, 12);
          expect(curve.tar[i]).toBeCloseTo(expected.tar, 12);
        });
        expect([curve.far[0], curve.tar[0]]).toEqual([0, 0]);
        expect([curve.far.at(-1), curve.tar.at(-1)]).toEqual([1, 1]);
      }),
    );
  });

  it('EER lies on the polyline where FAR equals FRR', () => {
    fc.assert(
      fc.property(trials, ({ scores, same }) => {
        const points = [Infinity, ...[...new Set(scores)].sort((a, b) => b - a)].map((t) =>
          rates(scores, same, t),
        );
        const at = points.findIndex(({ far, tar }) => far + tar >= 1);
        const [p, q] = [points[at - 1]!, points[at]!];
        const share = (1 - p.far - p.tar) / (q.far + q.tar - p.far - p.tar);
        expect(equalErrorRate(scores, same)).toBeCloseTo(p.far + share * (q.far - p.far), 12);
      }),
    );
  });

  it('TAR at FAR is the best TAR of all thresholds that keep the FAR', () => {
    fc.assert(
      fc.property(trials, fc.double({ min: 0.01, max: 1, noNaN: true }), ({ scores, same }, far) => {
        const found = tarAtFar(scores, same, far);
        const impostors = same.filter((s) => !s).length;
        if (far * impostors < 1 - 1e-9) {
          expect(found.tar).toBeNull();
          expect(found.reason).toMatch(/impostor/);
          return;
        }
        const allowed = [Infinity, ...scores].map((t) => rates(scores, same, t)).filter((r) => r.far <= far);
        expect(found.tar).toBeCloseTo(Math.max(...allowed.map((r) => r.tar)), 12);
      }),
    );
  });
});

describe('known cases', () => {
  it('perfect separation: AUC 1, EER 0, TAR 1; turned round: AUC 0, EER 1', () => {
    const scores = [0.9, 0.8, 0.2, 0.1];
    const same = [true, true, false, false];
    expect(auc(scores, same)).toBe(1);
    expect(equalErrorRate(scores, same)).toBe(0);
    expect(tarAtFar(scores, same, 0.5).tar).toBe(1);
    const turned = scores.map((score) => -score);
    expect(auc(turned, same)).toBe(0);
    expect(equalErrorRate(turned, same)).toBe(1);
  });

  it('all scores equal: AUC and EER are one half, and nothing can be accepted at a low FAR', () => {
    const same = [true, false, true, false];
    expect(auc([1, 1, 1, 1], same)).toBe(0.5);
    expect(equalErrorRate([1, 1, 1, 1], same)).toBe(0.5);
    const low = tarAtFar([1, 1, 1, 1], same, 0.5);
    expect([low.tar, low.threshold]).toEqual([0, null]);
  });

  it('hand-computed: same .9 .6 .4, different .7 .4 .1', () => {
    const scores = [0.9, 0.6, 0.4, 0.7, 0.4, 0.1];
    const same = [true, true, true, false, false, false];
    // Wins: .9 beats 3; .6 beats 2; .4 ties one and beats one: (3 + 2 + 1.5) / 9.
    expect(auc(scores, same)).toBeCloseTo(6.5 / 9, 12);
    expect(equalErrorRate(scores, same)).toBeCloseTo(1 / 3, 12);
    expect(tarAtFar(scores, same, 1 / 3)).toMatchObject({ tar: 2 / 3, threshold: 0.6, falseAccepts: 1 });
  });

  it('Gaussian scores one unit of variance apart: AUC = Phi(d/sqrt 2), EER = Phi(-d/2)', () => {
    const draw = random(4, 'gaussian');
    const n = 40_000;
    const scores = Array.from({ length: n }, (_, i) => draw.normal() + (i % 2 ? 2 : 0));
    const same = scores.map((_, i) => i % 2 === 1);
    expect(auc(scores, same)).toBeCloseTo(0.92135, 2); // Phi(1.41421)
    expect(equalErrorRate(scores, same)).toBeCloseTo(0.158655, 2); // Phi(-1)
    expect(tarAtFar(scores, same, 0.1).tar).toBeCloseTo(0.76376, 1); // Phi(2 - 1.28155)
  });

  it('random scores: AUC about one half', () => {
    const draw = random(5, 'coin');
    const scores = Array.from({ length: 20_000 }, () => draw.uniform());
    expect(
      auc(
        scores,
        scores.map((_, i) => i % 2 === 0),
      ),
    ).toBeCloseTo(0.5, 1.8);
  });
});

describe('honesty', () => {
  const scores = Float64Array.from({ length: 6000 }, (_, i) => (i < 3000 ? 1 : -1) + i * 1e-6);
  const same = Uint8Array.from({ length: 6000 }, (_, i) => (i < 3000 ? 1 : 0));

  it('3,000 impostor scores do not know TAR at FAR 1e-4, and 1e-3 carries a word of care', () => {
    expect(tarAtFar(scores, same, 1e-4)).toMatchObject({ tar: null, threshold: null, falseAccepts: 0 });
    expect(tarAtFar(scores, same, 1e-4).reason).toBe('needs at least 10000 impostor scores, there are 3000');
    expect(tarAtFar(scores, same, 1e-3)).toMatchObject({ tar: 1, falseAccepts: 3 });
    expect(tarAtFar(scores, same, 1e-3).reason).toMatch(/rests on 3/);
    expect(tarAtFar(scores, same, 1e-2).reason).toBeUndefined();
  });

  it('a score that is not a number is an error that names the first pair', () => {
    expect(() => auc([1, Number.NaN, Number.NaN], [true, false, true])).toThrow(/pair 2 of 3/);
  });

  it('a missing kind of pair, unequal counts and a FAR outside (0, 1] are errors', () => {
    expect(() => auc([1, 2], [true, true])).toThrow(/different people/);
    expect(() => auc([1, 2], [false, false])).toThrow(/same person/);
    expect(() => auc([1], [true, false])).toThrow(/1 scores but 2/);
    expect(() => tarAtFar([1, 2], [true, false], 0)).toThrow(/FAR 0/);
  });
});
