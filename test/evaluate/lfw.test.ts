// The LFW protocol in its three modes on small made-up features, against plain loops.
import { describe, expect, it } from 'vitest';
import { random } from '../../src/common/random.js';
import { fuse, type LfwMode, l2Normalise, lfw, summarise } from '../../src/evaluate/index.js';

/** People as noisy directions: `images` photographs each, [N, length], and pairs in folds. */
function madeUp(options: {
  people: number;
  length: number;
  noise: number;
  folds?: number;
  perKind?: number;
}) {
  const { people, length, noise, folds = 10, perKind = 30 } = options;
  const draw = random(7, 'made-up faces');
  const centres = Array.from({ length: people * length }, () => draw.normal());
  const images = 3;
  const original = new Float32Array(people * images * length);
  const mirrored = new Float32Array(original.length);
  for (let k = 0; k < original.length; k++) {
    const person = Math.floor(k / (images * length));
    // A common offset, so that removing the mean matters.
    original[k] = centres[person * length + (k % length)]! + noise * draw.normal() + 2;
    mirrored[k] = original[k]! + 0.3 * noise * draw.normal();
  }
  const pairs = Array.from({ length: folds * perKind * 2 }, (_, i) => {
    const same = i % (2 * perKind) < perKind;
    const p = draw.integer(people);
    const q = same ? p : (p + 1 + draw.integer(people - 1)) % people;
    return {
      first: p * images + draw.integer(images - 1),
      second: q * images + images - 1,
      same,
      fold: Math.floor(i / (2 * perKind)),
    };
  });
  const named = Array.from({ length: people * images }, (_, i) => `person ${Math.floor(i / images)}`);
  return { features: { length, original, mirrored }, pairs, people: named };
}

const modes: LfwMode[] = ['sphereface', 'insightface', 'exact'];

describe('templates', () => {
  const features = {
    length: 2,
    original: Float32Array.of(3, 4, 1, 0),
    mirrored: Float32Array.of(1, 2, 0, 1),
  };

  it('image and mirror are concatenated row by row, added, or left alone', () => {
    expect([...fuse(features, 'concatenate').original]).toEqual([3, 4, 1, 2, 1, 0, 0, 1]);
    expect(fuse(features, 'concatenate').length).toBe(4);
    expect([...fuse(features, 'sum').original]).toEqual([4, 6, 1, 1]);
    expect([...fuse(features, 'none').original]).toEqual([3, 4, 1, 0]);
  });

  it('normalised templates have unit length; one of zeros is an error', () => {
    expect([...l2Normalise(features).original]).toEqual([0.6, 0.8, 1, 0]);
    expect(() => l2Normalise({ length: 2, original: Float32Array.of(1, 0, 0, 0) })).toThrow(/feature 1/);
  });

  it('a fusion without mirror features is an error that says what to do', () => {
    expect(() => fuse({ length: 1, original: Float32Array.of(1) }, 'sum')).toThrow(/mirrored/);
  });
});

describe('every mode', () => {
  it.each(modes)('%s: well-kept people are told apart without error', (mode) => {
    const result = lfw({ ...madeUp({ people: 30, length: 32, noise: 0.05 }), mode, replicates: 50 });
    expect(result.accuracy).toBe(1);
    expect(result.standardError).toBe(0);
    expect(result.auc).toBe(1);
    expect(result.eer).toBe(0);
    expect([result.pairs, result.samePairs, result.differentPairs]).toEqual([600, 300, 300]);
    expect(result.folds).toHaveLength(10);
  });

  it.each(modes)('%s: histograms hold every trial', (mode) => {
    const result = lfw({ ...madeUp({ people: 30, length: 4, noise: 1 }), mode, replicates: 0 });
    const count = (list: number[]) => list.reduce((sum, n) => sum + n, 0);
    expect(count(result.angles.same.counts)).toBe(300);
    expect(count(result.angles.different.counts)).toBe(300);
    expect(count(result.scores.same.counts) + count(result.scores.different.counts)).toBe(600);
    expect(result.intervals).toBeUndefined();
    expect(JSON.stringify({ ...result, trials: undefined })).not.toContain('null,"auc"');
  });

  it.each(modes)('%s: any number of folds', (mode) => {
    const input = madeUp({ people: 12, length: 8, noise: 0.5, folds: 3, perKind: 20 });
    expect(lfw({ ...input, mode, replicates: 20 }).thresholds).toHaveLength(3);
  });

  it.each(modes)('%s: a pair whose image is not there, or has no direction, is named', (mode) => {
    const input = madeUp({ people: 12, length: 8, noise: 0.5, folds: 2, perKind: 4 });
    const missing = input.pairs.map((pair, i) => (i === 3 ? { ...pair, second: 99 } : pair));
    expect(() => lfw({ ...input, pairs: missing, mode })).toThrow(/pair 4 of 16: image 99/);
    const row = input.pairs[0]!.first;
    const blank = { length: 8, original: input.features.original.slice() };
    blank.original.fill(0, row * 8, row * 8 + 8);
    const files = input.people.map((_, i) => `face-${i}.jpg`);
    expect(() => lfw({ ...input, features: blank, files, mode })).toThrow(
      new RegExp(`pair 1 of 16: image face-${row}.jpg: every number is zero`),
    );
  });
});

describe('sphereface mode', () => {
  const input = madeUp({ people: 20, length: 6, noise: 1, folds: 4, perKind: 15 });
  const { pairs } = input;

  it('agrees with the protocol written as plain loops', () => {
    const result = lfw({ ...input, mode: 'sphereface', replicates: 0 });
    const { length, original } = fuse(input.features, 'concatenate');
    const rowOf = (i: number) => [...original.subarray(i * length, (i + 1) * length)];
    result.folds.forEach(({ fold, accuracy, threshold }) => {
      const others = pairs.filter((pair) => pair.fold !== fold);
      const images = others.flatMap((pair) => [rowOf(pair.first), rowOf(pair.second)]);
      const mean = images[0]!.map((_, d) => images.reduce((sum, row) => sum + row[d]!, 0) / images.length);
      const unit = (i: number) => {
        const centred = rowOf(i).map((value, d) => value - mean[d]!);
        const norm = Math.hypot(...centred);
        return centred.map((value) => value / norm);
      };
      const score = (pair: (typeof pairs)[number]) => {
        const b = unit(pair.second);
        return unit(pair.first).reduce((sum, value, d) => sum + value * b[d]!, 0);
      };
      const right = (list: { same: boolean; score: number }[], t: number) =>
        list.filter((trial) => (trial.same ? trial.score > t : trial.score < t)).length;
      const training = others.map((pair) => ({ same: pair.same, score: score(pair) }));
      const grid = Array.from({ length: 20_001 }, (_, i) => (i - 10_000) / 10_000);
      const counts = grid.map((t) => right(training, t));
      const most = Math.max(...counts);
      const best = grid.filter((_, i) => counts[i] === most);
      expect(threshold).toBeCloseTo(best.reduce((a, b) => a + b, 0) / best.length, 10);
      const tested = pairs.filter((p) => p.fold === fold).map((p) => ({ same: p.same, score: score(p) }));
      expect(accuracy).toBeCloseTo(right(tested, threshold) / tested.length, 12);
    });
  });

  it('the mean is that of the other folds: moving the test fold leaves its threshold alone', () => {
    const before = lfw({ ...input, mode: 'sphereface', replicates: 0 });
    // New rows, far away, used by fold 0 alone.
    const { length, original } = fuse(input.features, 'concatenate');
    const rows = original.length / length;
    const both = new Float64Array(2 * original.length);
    both.set(original);
    both.set(
      original.map((value) => value + 1000),
      original.length,
    );
    const moved = pairs.map((p) =>
      p.fold === 0 ? { ...p, first: p.first + rows, second: p.second + rows } : p,
    );
    const after = lfw({
      features: { length, original: both },
      pairs: moved,
      mode: 'sphereface',
      replicates: 0,
    });
    expect(after.folds[0]!.threshold).toBe(before.folds[0]!.threshold);
    expect(after.folds[1]!.threshold).not.toBe(before.folds[1]!.threshold);
  });

  it('removing the mean undoes an offset that is common to all', () => {
    const shifted = input.features.original.map((value) => value + 50);
    const features = { length: 6, original: shifted };
    const sphereface = lfw({ features, pairs, mode: 'sphereface', replicates: 0 });
    const plain = lfw({ features, pairs, mode: 'exact', replicates: 0 });
    expect(sphereface.fusion).toBe('none');
    expect(sphereface.angles.different.mean).toBeGreaterThan(60);
    expect(plain.angles.different.mean).toBeLessThan(5);
  });
});

describe('insightface mode', () => {
  const perKind = 120;
  const result = lfw({
    ...madeUp({ people: 30, length: 16, noise: 0.8, perKind }),
    mode: 'insightface',
    replicates: 0,
  });

  it('thresholds are hundredths of squared distance, and cosines follow from distances', () => {
    for (const threshold of result.thresholds) expect((threshold * 100) % 1).toBeCloseTo(0, 6);
    expect(result.thresholdOf).toBe('squared distance');
    expect(Math.max(...result.trials.scores)).toBeLessThanOrEqual(1);
  });

  it('also gives TAR at FAR 1e-3 fold by fold, as its code measures it', () => {
    const distances = [...result.trials.scores].map((cosine) => 2 - 2 * cosine);
    const rate = (threshold: number, keep: (i: number) => boolean) => {
      const own = distances.filter((_, i) => keep(i));
      return own.filter((distance) => distance < threshold).length / own.length;
    };
    const foldOf = (i: number) => Math.floor(i / (2 * perKind));
    const tars = result.folds.map(({ fold }) => {
      const others = (i: number) => foldOf(i) !== fold && result.trials.same[i] === 0;
      let step = 0;
      while (rate((step + 1) * 0.001, others) <= 1e-3) step++;
      const [low, high] = [rate(step * 0.001, others), rate((step + 1) * 0.001, others)];
      const threshold = 0.001 * (step + (1e-3 - low) / (high - low));
      return rate(threshold, (i) => foldOf(i) === fold && result.trials.same[i] === 1);
    });
    expect(result.foldTar!.far).toBe(1e-3);
    expect(result.foldTar!.tar).toBeCloseTo(tars.reduce((a, b) => a + b) / 10, 10);
    expect(result.foldTar!.measuredFar).toBeLessThan(0.02);
    expect(result.foldTar!.reason).toBe('rests on 1 of 1080 impostor scores');
    expect(summarise(result).find(({ figure }) => /fold by fold/.test(figure))!.note).toMatch(
      /rests on 1 of 1080 impostor scores in the other folds$/,
    );
  });

  it('which is not known where the other folds have fewer than a thousand impostor scores', () => {
    const few = lfw({
      ...madeUp({ people: 30, length: 16, noise: 0.8 }),
      mode: 'insightface',
      replicates: 0,
    });
    expect(few.foldTar).toMatchObject({ tar: null, standardDeviation: null });
    expect(few.foldTar!.reason).toBe('needs at least 1000 impostor scores, there are 270');
    expect(summarise(few).find(({ figure }) => /fold by fold/.test(figure))).toMatchObject({
      value: 'not known',
      note: 'needs at least 1000 impostor scores, there are 270 in the other folds',
    });
  });
});

describe('uncertainty', () => {
  it('intervals come from resampled people, hold the figure, and repeat with the seed', () => {
    const input = {
      ...madeUp({ people: 30, length: 8, noise: 1.2 }),
      mode: 'exact' as const,
      replicates: 200,
    };
    const result = lfw(input);
    expect(result.intervals).toMatchObject({ resampled: 'people', seed: 1 });
    for (const [value, bounds] of [
      [result.accuracy, result.accuracyInterval],
      [result.auc, result.aucInterval],
      [result.eer, result.eerInterval],
    ] as const) {
      expect(bounds![0]).toBeLessThan(value);
      expect(bounds![1]).toBeGreaterThan(value);
    }
    expect(lfw(input).aucInterval).toEqual(result.aucInterval);
    expect(lfw({ ...input, seed: 2 }).aucInterval).not.toEqual(result.aucInterval);
    expect(lfw({ ...input, people: undefined }).intervals!.resampled).toBe('images');
  });

  it('an unknown TAR has no interval and is printed as not known', () => {
    const result = lfw({
      ...madeUp({ people: 30, length: 8, noise: 1 }),
      mode: 'sphereface',
      replicates: 20,
    });
    expect(result.tarAtFar.map((entry) => entry.tar === null)).toEqual([false, false, true, true]);
    expect(result.tarAtFar[3]!.interval).toBeUndefined();
    const rows = summarise(result);
    expect(rows.find((row) => row.figure === 'TAR at FAR 0.0001')).toMatchObject({
      value: 'not known',
      note: 'needs at least 10000 impostor scores, there are 300',
    });
    expect(rows.find((row) => row.figure === 'accuracy')!.value).toMatch(/^\d+\.\d\d % \+- \d+\.\d\d$/);
    expect(rows.find((row) => row.figure === 'mode')!.note).toMatch(/mean feature.*10 folds.*concatenate/);
  });
});
