// People in both sets: planted ones are found and strangers are not, the number of false finds is what was said, and
// every kind of small or damaged set has one line.
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { withImages } from '../../src/evaluate/overlap/images.js';
import { findOverlap, overlapByName, sameNames } from '../../src/evaluate/overlap/overlap.js';
import type { PersonTemplates } from '../../src/evaluate/overlap/person-templates.js';

type Direction = number[];
const unit = (vector: Direction): Direction => vector.map((value) => value / Math.hypot(...vector));
const directions = (count: number, length: number, seed: number, name: string): Direction[] => {
  const draw = random(seed, name);
  return Array.from({ length: count }, () => unit(Array.from({ length }, () => draw.normal())));
};
/** `rows` as people named `name` and a number of their own, which is no name. */
const templates = (rows: Direction[], name = 'n', images = 1): PersonTemplates => ({
  length: rows[0]!.length,
  people: rows.map((_, i) => `${name}${i}`),
  images: rows.map(() => images),
  means: Float32Array.from(rows.flat()),
});
/** The direction at this cosine of `a`, towards `b`. */
const towards = (a: Direction, b: Direction, cosine: number): Direction => {
  const dot = a.reduce((sum, value, d) => sum + value * b[d]!, 0);
  const across = unit(b.map((value, d) => value - dot * a[d]!));
  return a.map((value, d) => cosine * value + Math.sqrt(1 - cosine ** 2) * across[d]!);
};

describe('by name', () => {
  test('the same person is found in any spelling, and numbers are not names', () => {
    const train = ['George W. Bush', '7398', 'm.0123ab', 'ann', 'Jelena_Dokic'];
    const test = ['7398', 'm.0123ab', 'Jelena_Đokić', 'george_w_bush', 'George-W-Bush'];
    expect(sameNames(train, test)).toEqual([
      { train: 'George W. Bush', test: 'george_w_bush' },
      { train: 'Jelena_Dokic', test: 'Jelena_Đokić' },
    ]);
  });

  test('alone, the evidence is the name and the numbers of images', () => {
    const people = (...names: string[]) => names.map((name, i) => ({ name, rows: [0, 1].slice(i) }));
    expect(overlapByName(people('bo', 'Ann Lee'), people('Ann_Lee'))).toEqual({
      found: [{ train: 'Ann Lee', test: 'Ann_Lee', evidence: ['name'], images: { train: 1, test: 2 } }],
      candidates: [],
    });
  });
});

describe('by embeddings', () => {
  const strangers = directions(150, 48, 1, 'train');
  const others = directions(700, 48, 1, 'test');

  test('planted people are found, the surest first, and nobody else', () => {
    const planted = others.map((row, j) =>
      j === 3 ? towards(strangers[7]!, row, 0.97) : j === 650 ? towards(strangers[100]!, row, 0.85) : row,
    );
    const { found, candidates, level } = findOverlap(templates(strangers, 'n'), templates(planted, 't', 2), {
      candidates: 5,
    });
    expect(found.map(({ train, test, evidence }) => [train, test, ...evidence])).toEqual([
      ['n7', 't3', 'embeddings'],
      ['n100', 't650', 'embeddings'],
    ]);
    expect(found[0]!.similarity).toBeCloseTo(0.97, 5);
    expect(found[1]!.similarity).toBeCloseTo(0.85, 5);
    expect(found[0]).toMatchObject({ images: { train: 1, test: 2 } });
    expect(found[0]!.expectedFalse!).toBeLessThan(found[1]!.expectedFalse!);
    expect(found[1]!.expectedFalse!).toBeLessThan(0.01);
    expect(found[1]!.next!.similarity).toBeLessThan(0.7);
    expect(level!.comparisons).toBe(150 * 700);
    expect(candidates.length).toBe(5);
    for (const [i, { similarity, expectedFalse, evidence }] of candidates.entries()) {
      expect(evidence).toEqual([]);
      expect(similarity!).toBeLessThan(level!.similarity!);
      expect(expectedFalse!).toBeGreaterThan(1);
      if (i > 0) expect(similarity!).toBeLessThanOrEqual(candidates[i - 1]!.similarity!);
    }
  });

  test('the most alike are those that plain loops find', () => {
    const { found, candidates } = findOverlap(templates(strangers), templates(others, 't'), {
      candidates: 150,
    });
    const all = [...found, ...candidates];
    expect(all.length).toBe(150);
    for (const { train, test, similarity, next } of all) {
      const i = Number(train.slice(1));
      const cosines = others.map((row) => row.reduce((sum, value, d) => sum + value * strangers[i]![d]!, 0));
      const order = cosines.map((_, j) => j).sort((x, y) => cosines[y]! - cosines[x]!);
      expect([test, next!.test]).toEqual([`t${order[0]}`, `t${order[1]}`]);
      expect(similarity).toBeCloseTo(cosines[order[0]!]!, 5);
    }
  });

  test('everybody may be in both: a set that lies in the other one whole is found whole', () => {
    const both = templates(strangers.slice(0, 100));
    const { found, level } = findOverlap(both, templates([...strangers, ...others], 't'));
    expect(found.filter(({ train, test }) => train.slice(1) === test.slice(1)).length).toBe(100);
    expect(level!.similarity!).toBeLessThan(0.85);
  });

  test('as many strangers are found as are expected, or fewer', () => {
    // Evenly spread directions become rare a little faster than the tail says: it errs on the careful side.
    for (const length of [8, 16, 32]) {
      let found = 0;
      const sets = 12;
      for (let seed = 0; seed < sets; seed++) {
        const [a, b] = [directions(200, length, seed, 'a'), directions(800, length, seed, 'b')];
        found += findOverlap(templates(a), templates(b, 't'), { expectedFalse: 10 }).found.length;
      }
      expect(found / sets).toBeGreaterThan(3);
      expect(found / sets).toBeLessThan(12);
    }
  });

  test('the curve counts what was seen, and expects it where the tail was fitted', () => {
    const { level } = findOverlap(templates(strangers), templates(others, 't'));
    const cosines = strangers.flatMap((a) =>
      others.map((b) => a.reduce((sum, value, d) => sum + value * b[d]!, 0)),
    );
    for (const { similarity, seen, expected } of level!.curve) {
      expect(seen).toBe(cosines.filter((cosine) => cosine >= similarity).length);
      if (similarity <= level!.tail!.upTo) expect(Math.abs(expected / seen - 1)).toBeLessThan(0.15);
    }
  });

  test('the training people are a second opinion, and labels that share a person do not spoil it', () => {
    const clean = findOverlap(templates(strangers), templates(others, 't'));
    const noisy = [...strangers];
    for (let i = 0; i < 10; i++) noisy[149 - i] = towards(strangers[i]!, strangers[149 - i]!, 0.98);
    const spoiled = findOverlap(templates(noisy), templates(others, 't'));
    expect(clean.level!.training).toMatchObject({ people: 150, pairs: 150 * 149 });
    const ratio = spoiled.level!.training!.exponent / clean.level!.training!.exponent;
    expect(ratio).toBeGreaterThan(0.85);
    expect(ratio).toBeLessThan(1);
    expect(clean.level!.sharedLabels).toEqual([]);
    const shared = spoiled.level!.sharedLabels;
    expect(shared.map(({ a, b }) => `${a} ${b}`).sort()).toEqual(
      Array.from({ length: 10 }, (_, i) => `n${i} n${149 - i}`).sort(),
    );
    for (const { similarity } of shared) expect(similarity).toBeCloseTo(0.98, 5);
  });

  test('people of the null are drawn by the seed where there are many', () => {
    const some = (seed: number) =>
      findOverlap(templates(strangers), templates(others, 't'), { seed, trainingPeople: 60 }).level!.training;
    expect(some(1)).toMatchObject({ people: 60, pairs: 60 * 59 });
    expect(some(1)).toEqual(some(1));
    expect(some(2)).not.toEqual(some(1));
  });

  test('a name is evidence however little the faces resemble, beside the most alike', () => {
    const train = {
      ...templates(strangers),
      people: strangers.map((_, i) => (i === 5 ? 'Ann Lee' : `n${i}`)),
    };
    const test = {
      ...templates(
        others.map((row, j) => (j === 9 ? towards(strangers[5]!, row, 0.98) : row)),
        't',
      ),
      people: others.map((_, j) => (j === 2 ? 'ann_lee' : `t${j}`)),
    };
    const { found } = findOverlap(train, test);
    expect(found.map(({ train: a, test: b, evidence }) => [a, b, ...evidence])).toEqual([
      ['Ann Lee', 't9', 'embeddings'],
      ['Ann Lee', 'ann_lee', 'name'],
    ]);
    expect(found[1]!.next).toMatchObject({ test: 't9' });
    const both = findOverlap(train, {
      ...test,
      people: others.map((_, j) => (j === 9 ? 'ann_lee' : `t${j}`)),
    });
    expect(both.found.map(({ evidence }) => evidence)).toEqual([['name', 'embeddings']]);
  });

  test('a photograph is evidence beside the likeness, or however little the people resemble', () => {
    const planted = others.map((row, j) => (j === 3 ? towards(strangers[7]!, row, 0.97) : row));
    const one = { train: 'a.jpg', test: 'b.jpg', similarity: 0.99, ratio: 0.01, correlation: 0.98 };
    const found = (train: string, test: string) => ({ train, test, photographs: [one] });
    const shared = [found('n7', 't3'), found('n9', 't40')];
    const result = findOverlap(templates(strangers), templates(planted, 't'), {
      candidates: 200,
      photographs: { strangers: 0.7, compared: 5, unseen: 1, found: shared },
    });
    expect(result.found.map(({ train, test, evidence }) => [train, test, ...evidence])).toEqual([
      ['n7', 't3', 'embeddings', 'photograph'],
      ['n9', 't40', 'photograph'],
    ]);
    expect(result.found[1]!.photographs).toEqual([one]);
    const cosine = strangers[9]!.reduce((sum, value, d) => sum + value * planted[40]![d]!, 0);
    expect(result.found[1]!.similarity).toBeCloseTo(cosine, 5);
    expect(result.photographs).toEqual({ strangers: 0.7, compared: 5, unseen: 1 });
    // Its most alike person is still a candidate.
    expect(result.candidates.filter(({ train }) => train === 'n9').length).toBe(1);
    expect(result.candidates.filter(({ train }) => train === 'n7').length).toBe(0);
  });

  test('a similarity that was given decides, ties included', () => {
    const [a, b] = [
      templates([
        [1, 0],
        [0, 1],
      ]),
      templates(
        [
          [0.8, 0.6],
          [0.6, 0.8],
        ],
        't',
      ),
    ];
    // Both people are as alike to their nearest: exactly what float32 makes of .8.
    const given = (minSimilarity: number) => findOverlap(a, b, { minSimilarity });
    expect(given(Math.fround(0.8)).found.map(({ train, test }) => `${train} ${test}`)).toEqual([
      'n0 t0',
      'n1 t1',
    ]);
    expect(given(0.81)).toMatchObject({ found: [], candidates: [{ test: 't0' }, { test: 't1' }] });
    expect(given(0.81).level).toMatchObject({ comparisons: 4, similarity: 0.81, curve: [] });
    expect(given(0.81).level).not.toHaveProperty('expectedFalse');
  });

  test('too few people to tell how alike strangers are: nobody is taken, and they are listed', () => {
    const few = findOverlap(templates(strangers.slice(0, 3)), templates(strangers.slice(0, 4), 't'));
    expect(few.found).toEqual([]);
    expect(few.candidates.map(({ train, test }) => `${train} ${test}`).sort()).toEqual([
      'n0 t0',
      'n1 t1',
      'n2 t2',
    ]);
    expect(few.candidates[0]).not.toHaveProperty('expectedFalse');
    expect(few.level).toMatchObject({ comparisons: 12, curve: [], sharedLabels: [] });
    expect(few.level).not.toHaveProperty('similarity');
    // One person each.
    const one = findOverlap(templates(strangers.slice(0, 1)), templates(strangers.slice(0, 1), 't'));
    expect(one.candidates).toMatchObject([{ train: 'n0', test: 't0', evidence: [] }]);
    expect(one.candidates[0]).not.toHaveProperty('next');
  });

  test('empty sets, other lengths and numbers that are not finite are refused', () => {
    const none = { length: 2, people: [], images: [], means: new Float32Array() };
    const two = templates([
      [1, 0],
      [0, 1],
    ]);
    expect(() => findOverlap(none, two)).toThrow(/^training people: there are none/);
    expect(() => findOverlap(two, none)).toThrow(/^test people: there are none/);
    expect(() => findOverlap(two, templates([[1, 0, 0]]))).toThrow(
      /training templates have 2 numbers, test templates 3/,
    );
    expect(() =>
      findOverlap(
        templates([
          [1, 0],
          [Number.NaN, 1],
        ]),
        two,
      ),
    ).toThrow(/training person n1: .*not finite/);
  });
});

describe('the images that speak for it', () => {
  const pair = { train: 'n1', test: 't1', evidence: [], images: { train: 5, test: 2 } };
  const angles = [0, 0.1, 0.5, 0.9, 1.4, /* test */ 0.52, 1.0];
  const side = (rows: number[], unreadable: number[] = []) => ({
    paths: angles.map((_, row) => `${row}.jpg`),
    rowsOf: new Map([[rows[0] === 5 ? 't1' : 'n1', rows]]),
    templates: async (wanted: readonly number[]) => ({
      length: 2,
      // Of any length; only the direction counts.
      original: Float64Array.from(
        wanted.flatMap((row) =>
          unreadable.includes(row) ? [0, 0] : [3 * Math.cos(angles[row]!), 3 * Math.sin(angles[row]!)],
        ),
      ),
    }),
  });

  test('are the two most alike, then those most alike to one of the other person', async () => {
    const [looked] = await withImages([pair], side([0, 1, 2, 3, 4]), side([5, 6]), 10);
    expect(looked!.alike).toMatchObject({ train: '2.jpg', test: '5.jpg' });
    expect(looked!.alike!.similarity).toBeCloseTo(Math.cos(0.02), 12);
    expect(looked!.others).toEqual({ train: ['3.jpg', '4.jpg', '1.jpg'], test: ['6.jpg'] });
  });

  test('are the photograph that both have, where there is one', async () => {
    const photographs = [{ train: '3.jpg', test: '6.jpg', similarity: 0.5 }];
    const [looked] = await withImages([{ ...pair, photographs }], side([0, 1, 2, 3, 4]), side([5, 6]), 10);
    expect(looked!.alike).toMatchObject({ train: '3.jpg', test: '6.jpg' });
    expect(looked!.alike!.similarity).toBeCloseTo(Math.cos(0.1), 12);
    expect(looked!.others!.train[0]).toBe('2.jpg');
  });

  test('are not those that cannot be read', async () => {
    const [looked] = await withImages([pair], side([0, 1, 2, 3, 4], [2]), side([5, 6]), 10);
    expect(looked!.alike).toMatchObject({ train: '3.jpg', test: '6.jpg' });
  });

  test('are the first ones where only names are known, and none beyond the first pairs', async () => {
    const named = ({ paths, rowsOf }: ReturnType<typeof side>) => ({ paths, rowsOf });
    const looked = await withImages([pair, pair], named(side([0, 1, 2, 3, 4])), named(side([5, 6])), 1);
    expect(looked[0]).toEqual({
      ...pair,
      others: { train: ['0.jpg', '1.jpg', '2.jpg', '3.jpg'], test: ['5.jpg', '6.jpg'] },
    });
    expect(looked[1]).toEqual(pair);
  });
});
