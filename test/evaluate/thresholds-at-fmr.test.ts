// Thresholds at false match rates against plain counting over all pairs, and intervals that hold what they claim.
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { allPairs } from '../../src/evaluate/all-pairs.js';
import { thresholdsAtFmr } from '../../src/evaluate/index.js';
import { cosineAt } from '../../src/theory/vectors.js';

const LENGTH = 6;

/** Images of `people` people, each near a direction of its own: between 1 and 6 a person. */
function faces(people: number, seed: number, spread = 0.45) {
  const draw = random(seed, 'faces');
  const labels: string[] = [];
  const rows: number[] = [];
  for (let person = 0; person < people; person++) {
    const centre = Array.from({ length: LENGTH }, () => draw.normal());
    const images = 1 + draw.integer(6);
    for (let image = 0; image < images; image++) {
      labels.push(`person ${person}`);
      rows.push(...centre.map((value) => value + spread * draw.normal()));
    }
  }
  return { labels, templates: { length: LENGTH, original: Float64Array.from(rows) } };
}

function pairsOf({ labels, templates }: ReturnType<typeof faces>) {
  const scores: { genuine: number[]; impostor: number[] } = { genuine: [], impostor: [] };
  labels.forEach((a, i) => {
    labels.slice(0, i).forEach((b, j) => {
      const score = cosineAt(templates.original, i * LENGTH, templates.original, j * LENGTH, LENGTH);
      scores[a === b ? 'genuine' : 'impostor'].push(score);
    });
  });
  return scores;
}

describe('thresholds at false match rates', () => {
  const set = faces(60, 1);
  const { genuine, impostor } = pairsOf(set);
  const fmrs = [0.3, 0.1, 0.01, 0.001];

  test('are the lowest that let no more impostor pairs pass, and miss the genuine pairs below', () => {
    const { points, genuinePairs, impostorPairs, people, images } = thresholdsAtFmr(
      set.templates,
      set.labels,
      { fmrs, replicates: 0 },
    );
    expect([genuinePairs, impostorPairs]).toEqual([genuine.length, impostor.length]);
    expect([people, images]).toEqual([60, set.labels.length]);
    const falling = [...impostor].sort((a, b) => b - a);
    points.forEach(({ fmr, threshold, falseMatches, fnmr, intervals }, k) => {
      expect(fmr).toBe(fmrs[k]);
      const allowed = Math.floor(fmr * impostor.length);
      expect(falseMatches).toBe(allowed);
      // Cosines are kept to 2^-23.
      expect(Math.abs(threshold - falling[allowed - 1]!)).toBeLessThan(2e-7);
      expect(falling[allowed]).toBeLessThan(threshold - 2e-7);
      const missed = genuine.filter((score) => score < threshold - 2e-7).length;
      expect(fnmr).toBeCloseTo(missed / genuine.length, 12);
      expect(intervals).toBeUndefined();
    });
  });

  test('hold equal scores together', () => {
    const original = Float64Array.of(1, 0, 1, 0, 1, 0, 0, 1);
    const { points } = thresholdsAtFmr({ length: 2, original }, ['a', 'a', 'b', 'c'], {
      fmrs: [0.2, 0.4, 1],
      replicates: 0,
    });
    // Impostor cosines: a and b twice 1, with c three times 0. Neither of the two ones may pass without the other.
    expect(points[0]).toMatchObject({ falseMatches: 0, fnmr: 1 });
    expect(points[0]!.threshold).toBeGreaterThan(1);
    expect(points[1]).toMatchObject({ falseMatches: 2, threshold: 1, fnmr: 0 });
    expect(points[2]).toMatchObject({ falseMatches: 5, threshold: 0, fnmr: 0 });
  });

  test('have intervals about them that a seed repeats, narrower with more people', () => {
    const options = { fmrs: [0.1, 0.02], replicates: 200, seed: 3 };
    const few = thresholdsAtFmr(set.templates, set.labels, options);
    expect(thresholdsAtFmr(set.templates, set.labels, options)).toEqual(few);
    const more = faces(240, 2);
    const many = thresholdsAtFmr(more.templates, more.labels, options);
    few.points.forEach(({ fmr, threshold, fnmr, intervals }, k) => {
      for (const [value, [low, high]] of [
        [threshold, intervals!.threshold],
        [fmr, intervals!.fmr],
        [fnmr, intervals!.fnmr],
      ] as const) {
        expect(low).toBeLessThan(value);
        expect(high).toBeGreaterThan(value);
      }
      const width = ([low, high]: [number, number]) => high - low;
      const wide = intervals!;
      const narrow = many.points[k]!.intervals!;
      expect(width(narrow.threshold)).toBeLessThan(width(wide.threshold));
      expect(width(narrow.fnmr)).toBeLessThan(width(wide.fnmr));
    });
  });

  test('have the intervals of plain counting when people are drawn again', () => {
    const small = faces(12, 7);
    const [fmr, replicates, seed] = [0.02, 25, 4];
    const { points } = thresholdsAtFmr(small.templates, small.labels, { fmrs: [fmr], replicates, seed });
    const people = [...new Set(small.labels)];
    const draw = random(seed, 'bootstrap');
    const found: { threshold: number; fmr: number; fnmr: number }[] = [];
    for (let replicate = 0; replicate < replicates; replicate++) {
      const drawn = people.map(() => 0);
      for (const _ of people) drawn[draw.integer(people.length)]! += 1;
      const genuine: number[] = [];
      const impostor: number[] = [];
      small.labels.forEach((a, i) => {
        small.labels.slice(0, i).forEach((b, j) => {
          const score = cosineAt(
            small.templates.original,
            i * LENGTH,
            small.templates.original,
            j * LENGTH,
            LENGTH,
          );
          const [p, q] = [drawn[people.indexOf(a)]!, drawn[people.indexOf(b)]!];
          const into = a === b ? genuine : impostor;
          for (let copy = 0; copy < (a === b ? p : p * q); copy++) into.push(score);
        });
      });
      impostor.sort((a, b) => b - a);
      // The first score that would be one too many, and the lowest of all people's above it.
      const over = impostor[Math.floor(fmr * impostor.length)]!;
      const threshold = Math.min(...pairsOf(small).impostor.filter((score) => score > over));
      const at = points[0]!.threshold - 2e-7;
      found.push({
        threshold,
        fmr: impostor.filter((score) => score >= at).length / impostor.length,
        fnmr: genuine.filter((score) => score < at).length / genuine.length,
      });
    }
    for (const name of ['threshold', 'fmr', 'fnmr'] as const) {
      const rising = found.map((one) => one[name]).sort((a, b) => a - b);
      // Of 25, 2.5 % lies .6 of the way from the first to the second.
      const [low, high] = points[0]!.intervals![name];
      expect(low).toBeCloseTo(0.4 * rising[0]! + 0.6 * rising[1]!, 6);
      expect(high).toBeCloseTo(0.4 * rising[24]! + 0.6 * rising[23]!, 6);
    }
  });

  test('have intervals that hold the threshold of all people about as often as they say', () => {
    const truth = pairsOf(faces(500, 99)).impostor.sort((a, b) => b - a);
    const threshold = truth[Math.floor(0.05 * truth.length)]!;
    const trials = 40;
    let held = 0;
    for (let seed = 100; seed < 100 + trials; seed++) {
      const { templates, labels } = faces(40, seed);
      const { points } = thresholdsAtFmr(templates, labels, { fmrs: [0.05], replicates: 100, seed });
      const [low, high] = points[0]!.intervals!.threshold;
      if (low <= threshold && threshold <= high) held++;
    }
    expect(held / trials).toBeGreaterThan(0.8);
  });

  test('that miss nobody leave open what so few people leave open', () => {
    const easy = faces(20, 5, 0.01);
    const { points } = thresholdsAtFmr(easy.templates, easy.labels, { fmrs: [0.02], replicates: 50 });
    const several = new Set(easy.labels.filter((label, i) => easy.labels.indexOf(label) !== i)).size;
    expect(points[0]!.fnmr).toBe(0);
    // (1 - p)^n = .025 for the chance p that one of n people is missed.
    expect(points[0]!.intervals!.fnmr).toEqual([0, 1 - 0.025 ** (1 / several)]);
  });

  test('are refused where there are too few pairs, or pairs of one kind', () => {
    expect(() => thresholdsAtFmr(set.templates, set.labels, { fmrs: [1e-7] })).toThrow(
      /FMR 1e-7: needs at least 10000000 impostor pairs, there are \d+/,
    );
    expect(() => thresholdsAtFmr(set.templates, set.labels, { fmrs: [0] })).toThrow('lies in (0, 1]');
    const alone = set.labels.map(() => 'one');
    expect(() => thresholdsAtFmr(set.templates, alone)).toThrow('need pairs of one person and of two');
    expect(() => thresholdsAtFmr(set.templates, ['a', 'b'])).toThrow('labels');
  });
});

test('more images than the memory bears are refused before it is taken', () => {
  const templates = { length: 2, original: Float32Array.from({ length: 20 }, (_, i) => i + 1) };
  const labels = Array.from({ length: 10 }, (_, i) => i >> 1);
  // Ten images make 45 pairs of 20 bytes.
  expect(allPairs(templates, labels, 900).impostor.cosines).toHaveLength(40);
  expect(() => allPairs(templates, labels, 899)).toThrow(
    "thresholds: 10 images make too many pairs for this machine's memory; give 9 at most",
  );
});
