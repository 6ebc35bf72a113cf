// The highest of scores that stream by, against sorting all of them; and intervals of TAR against plain loops that draw
// people, list every pair as often as its person was drawn, and find the threshold anew.
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { MateRanks } from '../../src/evaluate/megaface/mate-ranks.js';
import { HighestScores, redrawnTars } from '../../src/evaluate/megaface/redrawn-tar.js';
import { countedVerification, ScoreCounts } from '../../src/evaluate/megaface/score-counts.js';

describe('the highest scores', () => {
  test.each([1000, 7])('are those of sorting all, with whose they are (%i values)', (values) => {
    const draw = random(1, 'scores');
    const list = Array.from({ length: 1000 }, (_, i) => ({
      score: (2 * draw.integer(values)) / values - 1,
      owner: i % 13,
    }));
    for (const count of [40, 999, 1000, 5000]) {
      const highest = new HighestScores(count);
      for (const { score, owner } of list) highest.add([9, score, 9], 1, 2, owner);
      const { scores, owners, all } = highest.falling();
      const sorted = [...list].sort((a, b) => b.score - a.score || b.owner - a.owner).slice(0, count);
      expect(all).toBe(count >= 1000);
      expect(scores).toHaveLength(sorted.length);
      sorted.forEach(({ score, owner }, i) => {
        // Rounded down to 2^-23.
        expect(score - scores[i]!).toBeGreaterThanOrEqual(0);
        expect(score - scores[i]!).toBeLessThan(2 ** -23);
        if (score > sorted.at(-1)!.score) expect(owners[i]).toBe(owner);
      });
    }
  });
});

/** 30 people with 2 to 6 photographs, who are alike to themselves and to 40 strangers by a level of their own. */
function study(seed: number) {
  const draw = random(seed, 'study');
  const personOf: number[] = [];
  for (let person = 0; person < 30; person++)
    for (let photo = 0; photo < 2 + (person % 5); photo++) personOf.push(person);
  const level = Array.from({ length: 30 }, () => 0.1 * draw.normal());
  const impostor = personOf.map((person) =>
    Array.from({ length: 40 }, () => Math.round(64 * (level[person]! + 0.1 * draw.normal())) / 64),
  );
  const genuine = new Map<string, number>();
  const ranks = new MateRanks(
    personOf.map((person, probe) => ({
      probe,
      mates: [...personOf.keys()].filter((mate) => mate !== probe && personOf[mate] === person),
    })),
    (a, b) => {
      const key = `${Math.min(a, b)} ${Math.max(a, b)}`;
      if (!genuine.has(key)) genuine.set(key, Math.round(64 * (0.35 + 0.1 * draw.normal())) / 64);
      return genuine.get(key)!;
    },
  );
  const impostors = new ScoreCounts();
  for (const row of impostor) impostors.add(row);
  return { personOf, impostor, ranks, impostors };
}

const quantiles = (values: number[]): [number, number] => {
  const rising = [...values].sort((a, b) => a - b);
  // Of 41, 2.5 % lies at the second.
  return [rising[1]!, rising[39]!];
};

describe('intervals of TAR', () => {
  test('of one person, who is drawn once every time, are the figure itself', () => {
    const draw = random(5, 'one');
    const scores = Float32Array.from({ length: 1000 }, () => 0.1 * draw.normal());
    const mates = [...Array(200).keys()];
    const ranks = new MateRanks([{ probe: 0, mates }], () => 0.2 + 0.1 * draw.normal());
    const impostors = new ScoreCounts();
    impostors.add(scores);
    const highest = new HighestScores();
    highest.add(scores, 0, 1000, 0);
    // Of 1,000 scores 100, 10 and 1 may pass, and 2 of 2.5.
    const fars = [0.1, 0.01, 0.001, 0.0025];
    const rounding = 0.02;
    const { tarAtFar } = countedVerification(ranks.scores, impostors, { fars, rounding });
    const { intervals } = redrawnTars({
      ...{ ranks, personOf: Uint32Array.of(0), people: 1, impostors, highest, rounding },
      ...{ points: tarAtFar, replicates: 2, seed: 1 },
    });
    tarAtFar.forEach(({ tar }, k) => {
      expect(tar).toBeGreaterThan(0);
      expect(tar).toBeLessThan(1);
      expect(intervals[k]).toEqual([tar, tar]);
    });
  });

  test.each([2, 3])('are those of plain loops over drawn people (seed %i)', (seed) => {
    const { personOf, impostor, ranks, impostors } = study(seed);
    const fars = [0.2, 0.05, 0.01, 0.002];
    const run = (count?: number) => {
      const highest = new HighestScores(count);
      for (const [p, row] of impostor.entries()) highest.add(row, 0, row.length, p);
      return redrawnTars({
        ...{ ranks, personOf: Uint32Array.from(personOf), people: 30, impostors, highest, rounding: 0 },
        ...{ points: fars.map((far) => ({ far, tar: 0.5, threshold: 0.25 })), replicates: 41, seed },
      });
    };
    const draw = random(seed, 'bootstrap');
    const found = fars.map((): number[] => []);
    const atQuarter: number[] = [];
    for (let replicate = 0; replicate < 41; replicate++) {
      const drawn = new Array<number>(30).fill(0);
      for (let i = 0; i < 30; i++) drawn[draw.integer(30)]! += 1;
      const times = (p: number, list: ArrayLike<number>) =>
        Array.from({ length: drawn[personOf[p]!]! }, () => Array.from(list)).flat();
      const strangers = impostor.flatMap((row, p) => times(p, row));
      const own = personOf.flatMap((_, p) =>
        times(p, ranks.scores.slice(ranks.starts[p], ranks.starts[p + 1])),
      );
      const share = (list: number[], threshold: number) =>
        list.filter((score) => score >= threshold).length / list.length;
      // Scores are multiples of 1/64, so every threshold that matters is one.
      const steps = Array.from({ length: 257 }, (_, k) => (k - 128) / 64);
      fars.forEach((far, k) => {
        const threshold = steps.find((step) => share(strangers, step) <= far)!;
        found[k]!.push(share(own, threshold));
      });
      atQuarter.push(share(own, 0.25));
    }
    const { intervals, held } = run();
    expect(held).toEqual([false, false, false, false]);
    intervals.forEach((interval, k) => {
      const [low, high] = quantiles(found[k]!);
      expect(interval[0]).toBeCloseTo(low, 12);
      expect(interval[1]).toBeCloseTo(high, 12);
    });
    // A strict rate is told less surely than by holding its threshold.
    const [low, high] = quantiles(atQuarter);
    const strict = intervals[3]!;
    expect(strict[1] - strict[0]).toBeGreaterThan(high - low);

    // With few scores kept the laxer rates hold the threshold, and the strict ones are as before.
    const few = run(Math.floor(personOf.length * 40 * 0.05));
    expect(few.held).toEqual([true, true, false, false]);
    for (const k of [0, 1]) {
      expect(few.intervals[k]![0]).toBeCloseTo(low, 12);
      expect(few.intervals[k]![1]).toBeCloseTo(high, 12);
    }
    expect(few.intervals.slice(2)).toEqual(intervals.slice(2));
  });
});
