// Drawn pairs, angle histograms, open-set verification and the separation of classes.
import { describe, expect, it } from 'vitest';
import { random } from '../../src/common/random.js';
import {
  angleHistograms,
  angleHistogramsOfCosines,
  classSeparation,
  summarise,
  verifyPairs,
} from '../../src/evaluate/index.js';
import { differentPairs, groupByClass, samePairs } from '../../src/evaluate/pairs.js';

/** Points in the plane at `degrees` (one class an angle) with Gaussian angular noise. */
function fan(angles: number[], perClass: number, noise: number) {
  const draw = random(3, 'fan');
  const labels = angles.flatMap((_, label) => new Array<number>(perClass).fill(label));
  const original = new Float32Array(2 * labels.length);
  labels.forEach((label, i) => {
    const angle = ((angles[label]! + noise * draw.normal()) * Math.PI) / 180;
    const radius = 1 + 9 * draw.uniform();
    original.set([radius * Math.cos(angle), radius * Math.sin(angle)], 2 * i);
  });
  return { features: { length: 2, original }, labels };
}

describe('drawn pairs', () => {
  const { features, labels } = fan([0, 90, 180], 5, 1);
  const groups = groupByClass(features, labels);

  it('counts what there is: 3 x 10 same, 75 different', () => {
    expect([groups.samePairs, groups.differentPairs]).toEqual([30, 75]);
  });

  it.each([6, 30, 50])('%d distinct pairs are distinct and of their kind', (count) => {
    const sample = { count, seed: 1, distinct: true };
    for (const [pairs, same, available] of [
      [samePairs(groups, sample), true, 30],
      [differentPairs(groups, sample), false, 75],
    ] as const) {
      expect(pairs).toHaveLength(Math.min(count, available));
      const keys = new Set(pairs.map(([i, j]) => `${Math.min(i, j)} ${Math.max(i, j)}`));
      expect(keys.size).toBe(pairs.length);
      for (const [i, j] of pairs) {
        expect(i).not.toBe(j);
        expect(labels[i] === labels[j]).toBe(same);
      }
    }
  });

  it('same pairs are uniform over pairs, not over classes', () => {
    // Classes of 2 and 4 images: 1 and 6 same pairs.
    const few = { length: 1, original: Float32Array.of(1, 1, 1, 1, 1, 1) };
    const uneven = groupByClass(few, [0, 0, 1, 1, 1, 1]);
    const drawn = samePairs(uneven, { count: 7000, seed: 1, distinct: false });
    const ofFirst = drawn.filter(([i]) => i < 2).length;
    expect(ofFirst).toBeGreaterThan(900);
    expect(ofFirst).toBeLessThan(1100);
  });
});

describe('angle histograms', () => {
  it('right angles fall where they should, whatever the lengths', () => {
    const features = { length: 2, original: Float32Array.of(1, 0, 5, 0, 0, 3) };
    const { same, different, seed } = angleHistograms(features, [0, 0, 1], { bins: 180 });
    expect([same.total, different.total, seed]).toEqual([1, 2, undefined]);
    expect(same.counts[0]).toBe(1);
    expect(different.counts[90]! + different.counts[89]!).toBe(2);
    expect(different.mean).toBeCloseTo(90, 10);
  });

  it('a big set is sampled, says so, and agrees with all pairs', () => {
    const { features, labels } = fan([0, 40, 130], 60, 8);
    const all = angleHistograms(features, labels);
    const sampled = angleHistograms(features, labels, { maximumPairs: 8000, seed: 5 });
    expect(all.seed).toBeUndefined();
    expect(all.same.total + all.different.total).toBe((180 * 179) / 2);
    expect(sampled.seed).toBe(5);
    expect([sampled.same.total, sampled.different.total]).toEqual([4000, 4000]);
    expect(Math.abs(sampled.same.mean - all.same.mean)).toBeLessThan(0.5);
    expect(Math.abs(sampled.different.mean - all.different.mean)).toBeLessThan(2.5);
  });

  it('cosines just beyond 1 count in the end bins, and the deviation has n - 1', () => {
    const { same } = angleHistogramsOfCosines([1 + 1e-15, -1 - 1e-15], [1, 1]);
    expect([same.counts[0], same.counts.at(-1), same.total]).toEqual([1, 1, 2]);
    expect(same.standardDeviation).toBeCloseTo(180 / Math.SQRT2, 8);
  });
});

describe('open-set verification', () => {
  it('two far classes: no error; one blob under two names: chance', () => {
    const far = fan([0, 120], 40, 4);
    const easy = verifyPairs(far.features, far.labels, { pairs: 1000, replicates: 20 });
    expect(easy).toMatchObject({ accuracy: 1, eer: 0, auc: 1, samePairs: 500, differentPairs: 500, seed: 1 });
    expect(easy.intervals!.resampled).toBe('images');
    const blob = fan([10, 10], 40, 20);
    const hard = verifyPairs(blob.features, blob.labels, { pairs: 1000, replicates: 0 });
    expect(Math.abs(hard.accuracy - 0.5)).toBeLessThan(0.06);
    expect(Math.abs(hard.auc - 0.5)).toBeLessThan(0.06);
    expect(summarise(hard).map((row) => row.figure)).not.toContain('mode');
  });

  it('the seed decides the pairs', () => {
    const { features, labels } = fan([0, 30], 40, 12);
    const run = (seed: number) => verifyPairs(features, labels, { pairs: 400, seed, replicates: 0 }).auc;
    expect(run(1)).toBe(run(1));
    expect(run(1)).not.toBe(run(2));
  });

  it('takes fewer pairs when there are fewer, as many of each kind, and refuses too few', () => {
    const { features, labels } = fan([0, 90], 6, 1);
    const result = verifyPairs(features, labels, { folds: 3, replicates: 0 });
    expect([result.samePairs, result.differentPairs]).toEqual([30, 30]);
    expect(() => verifyPairs(features, new Array(12).fill(0))).toThrow(/1 class\(es\) give 66 same and 0/);
  });
});

describe('separation of classes', () => {
  it('angles between mean directions, and within', () => {
    const features = {
      length: 2,
      original: Float64Array.from(
        [10, -10, 90, 90, 215, 235].flatMap((angle) => {
          const a = (angle * Math.PI) / 180;
          return [Math.cos(a), Math.sin(a)];
        }),
      ),
    };
    const found = classSeparation(features, [4, 4, 7, 7, 9, 9]);
    expect(found.minimum).toBeCloseTo(90, 8);
    expect(found.closest).toEqual([4, 7]);
    expect(found.mean).toBeCloseTo((90 + 135 + 135) / 3, 8);
    expect(found.within).toBeCloseTo((10 + 0 + 10) / 3, 5);
    expect(found.perClass[2]).toMatchObject({ label: 9, count: 2 });
    expect(found.perClass[2]!.nearest).toBeCloseTo(135, 8);
  });

  it('one class has no separation', () => {
    const found = classSeparation({ length: 1, original: Float32Array.of(1, 2) }, [0, 0]);
    expect([found.minimum, found.mean, found.closest]).toEqual([Number.NaN, Number.NaN, undefined]);
  });
});
