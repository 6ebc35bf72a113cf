// The angular Fisher score against cases worked out by hand and against the formula as plain loops.
import { describe, expect, it } from 'vitest';
import { random } from '../../src/common/random.js';
import { angularFisher, angularFisherScore } from '../../src/theory/index.js';

const at = (...degrees: number[]) => ({
  length: 2,
  original: Float64Array.from(
    degrees.flatMap((angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]),
  ),
});

describe('angular Fisher score', () => {
  it('two classes of width 2a, 90 degrees apart: (1 - cos a) / (1 - cos 45)', () => {
    const result = angularFisher(at(-20, 20, 70, 110), [0, 0, 1, 1]);
    const wide = 1 - Math.cos((20 * Math.PI) / 180);
    const apart = 1 - Math.SQRT1_2;
    expect(result.within).toBeCloseTo(4 * wide, 12);
    expect(result.between).toBeCloseTo(4 * apart, 12);
    expect(result.score).toBeCloseTo(wide / apart, 12);
  });

  it('is 0 when every class is a single direction, of whatever lengths', () => {
    const features = { length: 2, original: Float32Array.of(1, 0, 7, 0, 0, 2, 0, 3) };
    expect(angularFisherScore(features, [0, 0, 1, 1])).toBeCloseTo(0, 12);
  });

  it('classes spread evenly about the origin: the overall mean vanishes and S_b = N', () => {
    expect(angularFisher(at(0, 120, 240), [0, 1, 2]).between).toBe(3);
  });

  it('agrees with the formula as plain loops, for raw and for normalised means', () => {
    const draw = random(2, 'fisher');
    const [n, d, k] = [60, 5, 4];
    const original = Float32Array.from({ length: n * d }, (_, i) => draw.normal() + ((i % d) % k));
    const labels = Array.from({ length: n }, () => draw.integer(k));
    const rows = labels.map((_, i) => [...original.subarray(i * d, i * d + d)]);
    const dot = (a: number[], b: number[]) => a.reduce((sum, value, j) => sum + value * b[j]!, 0);
    const cos = (a: number[], b: number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    for (const means of ['raw', 'normalised'] as const) {
      const used = rows.map((row) => (means === 'raw' ? row : row.map((v) => v / Math.sqrt(dot(row, row)))));
      const mean = (list: number[][]) =>
        list[0]!.map((_, j) => list.reduce((s, r) => s + r[j]!, 0) / list.length);
      let within = 0;
      let between = 0;
      for (let c = 0; c < k; c++) {
        const own = mean(used.filter((_, i) => labels[i] === c));
        rows.forEach((row, i) => {
          if (labels[i] === c) within += 1 - cos(row, own);
        });
        between += labels.filter((label) => label === c).length * (1 - cos(own, mean(used)));
      }
      const result = angularFisher({ length: d, original }, labels, { means });
      expect(result.within).toBeCloseTo(within, 9);
      expect(result.between).toBeCloseTo(between, 9);
      expect(result.score).toBeCloseTo(within / between, 9);
      expect(result).toMatchObject({ classes: 4, samples: 60, means });
    }
  });

  it('raw means follow long features, normalised means do not', () => {
    const features = { length: 2, original: Float32Array.of(1, 0, 0, 9, -1, 0) };
    const raw = angularFisherScore(features, [0, 0, 1]);
    const normalised = angularFisherScore(features, [0, 0, 1], { means: 'normalised' });
    expect(raw).not.toBeCloseTo(normalised, 2);
  });

  it('one class has no score; a feature without direction and unequal counts are errors', () => {
    expect(angularFisherScore(at(0, 10), [0, 0])).toBeNaN();
    expect(() => angularFisherScore({ length: 2, original: Float32Array.of(0, 0, 1, 0) }, [0, 1])).toThrow(
      /feature 0: every number is zero/,
    );
    const broken = { length: 2, original: Float32Array.of(1, 0, Number.NaN, 0) };
    expect(() => angularFisherScore(broken, [0, 1])).toThrow(
      /feature 1: it holds numbers that are not finite/,
    );
    expect(() => angularFisherScore(at(0, 1), [0])).toThrow(/2 features but 1 labels/);
  });
});
