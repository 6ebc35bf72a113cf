// Verification of videos: aggregations worked out by hand and against plain loops over all pairs of frames, folds with
// a tie, and videos that cannot be compared.
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import {
  type Aggregation,
  aggregationNames,
  aggregations,
  videoScore,
  videoTemplate,
  ytf,
} from '../../src/evaluate/ytf.js';
import { cosineAt } from '../../src/theory/vectors.js';

const frames = (...rows: number[][]) => ({
  length: rows[0]!.length,
  original: Float64Array.from(rows.flat()),
});

const score = (
  aggregation: Aggregation,
  ...videos: [ReturnType<typeof frames>, ReturnType<typeof frames>]
) => {
  const [a, b] = videos.map((video, i) => videoTemplate(video, aggregation, `video ${i}`));
  return videoScore(a!, b!);
};

test('means of scores and largest ones are those of the first 100 frames, as the protocol has it', () => {
  expect(aggregationNames.map((name) => aggregations[name].frames)).toEqual([undefined, 100, 100]);
});

describe('two videos', () => {
  // Frames (1, 0) and (0, 1) against (3, 0) and (0, 1): the longer feature counts in a mean of features only.
  const a = frames([1, 0], [0, 1]);
  const b = frames([3, 0], [0, 1]);

  test('mean-feature is the cosine of (1/2, 1/2) and (3/2, 1/2)', () => {
    expect(score('mean-feature', a, b)).toBeCloseTo(2 / Math.sqrt(5), 14);
  });

  test('mean-score is the mean of 1, 0, 0 and 1', () => {
    expect(score('mean-score', a, b)).toBe(0.5);
  });

  test('max-score is the best pair', () => {
    expect(score('max-score', a, b)).toBe(1);
    expect(score('max-score', frames([1, 0], [-3, 4]), frames([0, 1], [0, 2]))).toBeCloseTo(0.8, 7);
    expect(score('max-score', frames([1, 0]), frames([-1, 0], [-3, 4]))).toBeCloseTo(-0.6, 7);
  });

  test('all aggregations agree on videos of one frame', () => {
    for (const aggregation of aggregationNames)
      expect(score(aggregation, frames([2, 0, 0]), frames([3, 4, 0]))).toBeCloseTo(0.6, 7);
  });

  test('the means and the maximum are those of all pairs of frames', () => {
    const draw = random(1, 'frames');
    const video = (count: number) => ({
      length: 7,
      original: Float32Array.from({ length: 7 * count }, () => draw.normal() + 0.3),
    });
    for (const [m, n] of [
      [1, 5],
      [13, 9],
    ] as const) {
      const [x, y] = [video(m), video(n)];
      const cosines: number[] = [];
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) cosines.push(cosineAt(x.original, 7 * i, y.original, 7 * j, 7));
      const of = (aggregation: Aggregation) =>
        videoScore(videoTemplate(x, aggregation, 'x'), videoTemplate(y, aggregation, 'y'));
      expect(of('mean-score')).toBeCloseTo(cosines.reduce((sum, one) => sum + one, 0) / cosines.length, 12);
      expect(of('max-score')).toBeCloseTo(Math.max(...cosines), 6);
      const mean = (rows: Float32Array, count: number) =>
        Float64Array.from({ length: 7 }, (_, d) => {
          let sum = 0;
          for (let i = 0; i < count; i++) sum += rows[7 * i + d]!;
          return sum / count;
        });
      expect(of('mean-feature')).toBeCloseTo(cosineAt(mean(x.original, m), 0, mean(y.original, n), 0, 7), 12);
    }
  });
});

/** Pairs with the scores 0.8 (one person), 0.8 (two people), 1 (one) and 0 (two) in each of two folds. */
const videos = [frames([1, 0]), frames([4, 3]), frames([1, 0]), frames([4, 3]), frames([0, 1])].map((video) =>
  videoTemplate(video, 'mean-feature', 'video'),
);
const people = ['ann', 'ann', 'bob', 'bob', 'carl'];
const fold = (number: number) => [
  { first: 0, second: 1, same: true, fold: number },
  { first: 0, second: 3, same: false, fold: number },
  { first: 0, second: 2, same: true, fold: number },
  { first: 2, second: 4, same: false, fold: number },
];

describe('the protocol', () => {
  test('takes the threshold from the other fold and never splits a tie', () => {
    const result = ytf({ videos, pairs: [...fold(1), ...fold(2)], people, aggregation: 'mean-feature' });
    // 0.4 and 0.9 both judge three of four rightly; the lower one is taken. It errs in the tie of two people.
    expect(result.folds).toMatchObject([
      { fold: 1, accuracy: 0.75, maximisers: 2 },
      { fold: 2, accuracy: 0.75, maximisers: 2 },
    ]);
    for (const threshold of result.thresholds) expect(threshold).toBeCloseTo(0.4, 12);
    expect(result).toMatchObject({ accuracy: 0.75, standardError: 0, samePairs: 4, differentPairs: 4 });
    expect([...result.trials.correct]).toEqual([1, 0, 1, 1, 1, 0, 1, 1]);
    // Of the four ways to choose a same and a different score, three put the same one above and one is a tie.
    expect(result.auc).toBeCloseTo(0.875, 12);
    expect(result.intervals).toMatchObject({ resampled: 'people', seed: 1 });
  });

  test('needs two folds, both kinds of pairs and videos that are there', () => {
    const run = (pairs: ReturnType<typeof fold>, names = people) =>
      ytf({ videos, pairs, people: names, aggregation: 'mean-feature' });
    expect(() => run(fold(1))).toThrow('the threshold comes from the other folds');
    expect(() => run([...fold(1), ...fold(2)].filter(({ same }) => same))).toThrow('pairs of both kinds');
    expect(() => run([{ first: 0, second: 9, same: true, fold: 1 }])).toThrow(
      'pair 1 of 1: video 9 is not among the 5',
    );
    expect(() => run(fold(1), ['ann'])).toThrow('5 videos but 1 people');
  });
});

test.each(aggregationNames)(
  '%s refuses videos without frames, and frames without a direction, by name',
  (name) => {
    const refused = (rows: number[]) =>
      expect(() => videoTemplate({ length: 2, original: Float64Array.from(rows) }, name, 'Ann/0'));
    refused([]).toThrow('Ann/0: the video has no frame');
    refused([1, 0, 0, 0]).toThrow('Ann/0: frame 2 of 2: every number is zero');
    refused([1, Number.NaN]).toThrow('Ann/0: frame 1 of 1: it holds numbers that are not finite');
  },
);

test('a mean without a direction is refused by name', () => {
  expect(() => videoTemplate(frames([1, 0], [-1, 0]), 'mean-feature', 'Ann/0')).toThrow(
    'Ann/0: the mean of its frames is zero',
  );
  // As a mean of scores, it is orthogonal to everything.
  expect(score('mean-score', frames([1, 0], [-1, 0]), frames([1, 0]))).toBe(0);
});
