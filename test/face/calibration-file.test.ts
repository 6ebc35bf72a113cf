// What is decided by a calibration: thresholds between measured rates, probabilities by Bayes' rule written out, the
// certainty that people support; files that are damaged or of another model; galleries of several photographs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import {
  CalibratedGallery,
  type Calibration,
  calibratedModel,
  decideBy,
  evidenceOf,
  type Manifest,
  perComparison,
  posterior,
  posteriors,
  readCalibration,
  requireCalibrated,
} from '../../src/face/index.js';
import { dlibResnetManifest } from '../../src/face/models/dlib-resnet.js';
import { cosineAt } from '../../src/theory/vectors.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-calibration-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Thresholds of .2 + .1 for every factor of ten, .05 to each side. */
const line = (fmr: number) => 0.2 - 0.1 * Math.log10(fmr);
const calibration: Calibration = {
  format: 'hypersphere-calibration/1',
  model: calibratedModel(dlibResnetManifest),
  data: { name: 'set', people: 20, images: 60, genuinePairs: 90, impostorPairs: 10_000, leftOut: 0 },
  ...{ replicates: 10, seed: 1 },
  probability: { slope: 20, intercept: -8, limits: [-Math.log(20), Math.log(190)], prior: 0.5 },
  impostors: {
    supportedTo: 1e-3,
    tail: { from: 0.4, share: 0.02, pairs: 200, shape: -0.1, scale: 0.03 },
    table: [0.5, 0.1, 1e-2, 1e-3, 1e-5].map((fmr) => {
      const threshold = line(fmr);
      return { fmr, threshold, interval: [threshold - 0.05, threshold + 0.05] };
    }),
  },
  thresholds: [],
};
const write = (value: unknown): string => {
  const file = join(folder, 'calibration.json');
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  return file;
};

describe('a decision', () => {
  test.each([0.5, 0.07, 0.01, 3e-3, 1e-3, 1e-5])(
    'at FMR %d lies on the line between measured rates',
    (fmr) => {
      const { threshold, interval, extrapolated, ...rest } = decideBy(calibration, fmr);
      expect(threshold).toBeCloseTo(line(fmr), 12);
      expect(interval![0]).toBeCloseTo(line(fmr) - 0.05, 12);
      expect(interval![1]).toBeCloseTo(line(fmr) + 0.05, 12);
      expect(extrapolated).toBe(fmr < 1e-3);
      expect(rest).toEqual({ fmr, perComparison: fmr, on: '20 people of set, 10,000 pairs' });
    },
  );

  test('for many comparisons is the one for the rate of each', () => {
    const decision = decideBy(calibration, 0.1, 50);
    const each = 1 - 0.9 ** (1 / 50);
    expect(decision.perComparison).toBeCloseTo(each, 14);
    expect(decision.threshold).toBeCloseTo(line(each), 12);
    expect(decision.fmr).toBe(0.1);
    expect(decideBy(calibration, 0.1, 500).extrapolated).toBe(true);
  });

  test('never falls with rarer rates or more comparisons', () => {
    const rates = fc.double({ min: 1e-4, max: 0.5, noNaN: true });
    fc.assert(
      fc.property(rates, rates, fc.integer({ min: 1, max: 9 }), (a, b, n) => {
        const [few, many] = [Math.min(a, b), Math.max(a, b)];
        expect(decideBy(calibration, few).threshold).toBeGreaterThanOrEqual(
          decideBy(calibration, many).threshold,
        );
        expect(decideBy(calibration, few, n).threshold).toBeGreaterThanOrEqual(
          decideBy(calibration, few).threshold,
        );
      }),
    );
  });

  test('outside of what the calibration tells is refused', () => {
    expect(() => decideBy(calibration, 1e-6)).toThrow(
      'the calibration on set tells false match rates from 0.00001 to 0.5, not 0.000001; choose another --fmr, or calibrate on more people',
    );
    expect(() => decideBy(calibration, 1e-3, 1000)).toThrow(
      /not 0\.000001 of one comparison \(0\.001 among 1000 comparisons\)/,
    );
    expect(() => decideBy(calibration, 0.6)).toThrow(
      /from 0\.00001 to 0\.5, not 0\.6; choose another --fmr$/,
    );
  });
});

describe('probabilities', () => {
  test("of two faces are Bayes' rule", () => {
    expect(posterior(0, 0.3)).toBeCloseTo(0.3, 12);
    expect(posterior(Math.log(9), 0.5)).toBeCloseTo(0.9, 12);
    expect(posterior(Math.log(9), 0.1)).toBeCloseTo(0.5, 12);
    expect(posterior(800, 0.5)).toBe(1);
    expect(posterior(-800, 0.5)).toBe(0);
  });

  test('rest on evidence that is held within what people support', () => {
    expect(evidenceOf(calibration, 0.45)).toEqual({ llr: 1, limited: false });
    expect(evidenceOf(calibration, 0.9)).toEqual({ llr: Math.log(190), limited: true });
    expect(evidenceOf(calibration, -0.2)).toEqual({ llr: -Math.log(20), limited: true });
  });

  test('of several people are those of all hypotheses written out, a stranger among them', () => {
    const ratios = [3, 0.2, 40];
    const prior = 0.6;
    // Each hypothesis: its prior times its likelihood ratio to everybody being a stranger.
    const weights = [...ratios.map((ratio) => (prior / 3) * ratio), 1 - prior];
    const total = weights.reduce((a, b) => a + b);
    posteriors(ratios.map(Math.log), prior).forEach((p, i) => {
      expect(p).toBeCloseTo(weights[i]! / total, 12);
    });
    // One person only: as for two faces.
    expect(posteriors([1.7], 0.2)[0]).toBeCloseTo(posterior(1.7, 0.2), 12);
    expect(posteriors([900, 899], 0.5)[0]).toBeCloseTo(1 / (1 + Math.exp(-1)), 9);
  });

  test('say nothing new where nothing was learned, and need more evidence among more people', () => {
    const nothing = posteriors([0, 0, 0, 0], 0.5);
    for (const p of nothing) expect(p).toBeCloseTo(0.125, 12);
    const among = (n: number) => posteriors([4, ...Array<number>(n - 1).fill(-4)], 0.5)[0]!;
    expect(among(10)).toBeGreaterThan(among(100));
    expect(among(100)).toBeGreaterThan(among(1000));
  });
});

describe('a gallery with a calibration', () => {
  const of = (...angles: number[]) =>
    angles.map((angle) => Float32Array.of(Math.cos(angle), Math.sin(angle)));
  const [a1, a2, b1] = of(0, 0.9, 2) as [Float32Array, Float32Array, Float32Array];
  const gallery = new CalibratedGallery(
    [
      { person: 'ann', embedding: a1 },
      { person: 'bob', embedding: b1 },
      { person: 'ann', embedding: a2 },
    ],
    calibration,
  );

  test('compares with every photograph and shares the prior by people, then by photographs', () => {
    const [probe] = of(1) as [Float32Array];
    expect([gallery.people, gallery.owners]).toEqual([
      ['ann', 'bob'],
      [0, 1, 0],
    ]);
    const ratio = (other: Float32Array) =>
      Math.exp(evidenceOf(calibration, cosineAt(probe, 0, other, 0, 2)).llr);
    const [ann, bob] = [(0.5 / 2) * (ratio(a1) / 2 + ratio(a2) / 2), (0.5 / 2) * ratio(b1)];
    const [first, second, ...none] = gallery.nearest(probe);
    expect(none).toEqual([]);
    expect(first!.person).toBe('ann');
    expect(first!.similarity).toBeCloseTo(Math.cos(0.1), 6);
    expect(first!.probability).toBeCloseTo(ann / (0.5 + ann + bob), 9);
    expect(second!.probability).toBeCloseTo(bob / (0.5 + ann + bob), 9);
    const surer = gallery.nearest(probe, 1, 0.9);
    expect(surer).toHaveLength(1);
    expect(surer[0]!.probability).toBeGreaterThan(first!.probability);
  });

  test('refuses what a gallery refuses, and certainty', () => {
    expect(() => new CalibratedGallery([], calibration)).toThrow('the gallery is empty');
    expect(() => gallery.nearest(Float32Array.of(1, 0, 0))).toThrow('3 numbers for a gallery of 2');
    expect(() => gallery.nearest(a1, 1, 1)).toThrow('prior 1');
  });
});

describe('a calibration file', () => {
  test('is read as it was written', async () => {
    expect(await readCalibration(write(calibration))).toEqual(calibration);
  });

  const changed = (change: (copy: Calibration) => void) => {
    const copy = structuredClone(calibration);
    change(copy);
    return copy;
  };
  test.each<[string, unknown, RegExp]>([
    ['text', 'threshold: 0.4', /not a calibration, as it is not JSON/],
    ['a part of one', JSON.stringify(calibration).slice(0, 700), /as it is not JSON/],
    ['nothing', 'null', /its format is not stated/],
    [
      'a manifest',
      dlibResnetManifest,
      /its format is "hypersphere-model\/1", not 'hypersphere-calibration\/1'/,
    ],
    [
      'one without a slope',
      changed((c) => Reflect.deleteProperty(c.probability, 'slope')),
      /damaged at 'probability\.slope'/,
    ],
    [
      'a slope that falls',
      changed((c) => Object.assign(c.probability, { slope: -1 })),
      /damaged at 'probability\.slope'/,
    ],
    [
      'a prior of 1',
      changed((c) => Object.assign(c.probability, { prior: 1 })),
      /damaged at 'probability\.prior'/,
    ],
    ['no thresholds', changed((c) => c.impostors.table.splice(0)), /damaged at 'impostors\.table'/],
    ['rates that rise', changed((c) => c.impostors.table.reverse()), /damaged at 'impostors\.table\.1'/],
    [
      'a threshold that falls',
      changed((c) => Object.assign(c.impostors.table[3]!, { threshold: 0 })),
      /damaged at 'impostors\.table\.3': rates must fall and thresholds not/,
    ],
    [
      'NaN, which JSON has not',
      changed((c) => Object.assign(c.probability, { slope: Number.NaN })),
      /probability\.slope/,
    ],
  ])('that is %s is one line', async (_, value, line) => {
    const file = write(value);
    await expect(readCalibration(file)).rejects.toThrow(line);
    await expect(readCalibration(file)).rejects.toThrow(
      /^\S+calibration\.json: [^\n]*make one with: hypersphere calibrate$/,
    );
  });

  test('that is not there', async () => {
    await expect(readCalibration(join(folder, 'gone.json'))).rejects.toThrow(/gone\.json: no such file/);
  });

  test.each<[string, Partial<Manifest>, RegExp]>([
    [
      'another model',
      { name: 'other' },
      /a calibration of the model dlib-resnet-128, not other; calibrate this model/,
    ],
    ['another template', { template: 'arcface-112@0' }, /of the template dlib-150, not arcface-112@0/],
    ['another fusion', { flip: 'none' }, /of images and mirrors joined as sum, not none/],
    [
      'other pixels',
      { input: { ...dlibResnetManifest.input, order: 'bgr' } },
      /of the input 150x150 rgb, .*, not 150x150 bgr/,
    ],
    ['other training', { trainedOn: 'others' }, /of another model of the name dlib-resnet-128/],
  ])('of %s is refused', (_, change, line) => {
    expect(() => requireCalibrated(calibration, { ...dlibResnetManifest, ...change }, 'c.json')).toThrow(
      line,
    );
  });

  test('knows its model, by hash where both have one', () => {
    expect(() => requireCalibrated(calibration, dlibResnetManifest, 'c.json')).not.toThrow();
    const [one, other] = ['a', 'b'].map((digit) => ({ ...dlibResnetManifest, sha256: digit.repeat(64) }));
    expect(() => requireCalibrated({ ...calibration, model: one! }, other!, 'c.json')).toThrow(
      'another model of the name',
    );
    expect(() => requireCalibrated({ ...calibration, model: one! }, one!, 'c.json')).not.toThrow();
  });
});

test('a rate of one comparison is that of the search for one', () => {
  expect(perComparison(0.2, 1)).toBe(0.2);
});
