// Identification among distractors: small galleries worked out by hand, larger ones against plain loops in double
// precision, the drawn distractors against the moments they promise, and every kind of list that cannot be used.
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import type { MegafaceInput } from '../../src/evaluate/megaface/input.js';
import { megafaceLists } from '../../src/evaluate/megaface/lists.js';
import { megaface } from '../../src/evaluate/megaface/megaface.js';
import { SyntheticDistractors } from '../../src/evaluate/megaface/synthetic-distractors.js';
import { cosineAt } from '../../src/theory/vectors.js';

const threads = { threads: 1 };

/** Ann and Bob with two photographs each, cosine 0.8, and two strangers. */
const byHand: MegafaceInput = {
  templates: {
    length: 3,
    // The strangers: (4, 0, 3) ties with Ann's mate at 0.8 when (1, 0, 0) searches; (0, 4, 3) comes to 0.96 when
    // (0, 3, 4) searches. Elsewhere they stay below 0.8: 0.64, 0.48 twice, 0.6 twice, 0.
    original: Float64Array.of(1, 0, 0, 4, 3, 0, 0, 0, 1, 0, 3, 4, 4, 0, 3, 0, 4, 3),
  },
  people: ['ann', 'ann', 'bob', 'bob', null, 'carl'],
  probes: [0, 1, 2, 3],
  distractors: [4, 5],
  sizes: [1, 2],
};

describe('megaface by hand', () => {
  test('every ordered pair is a search, and a distractor that ties beats the mate', async () => {
    const { identification, trials, probePeople } = await megaface(byHand, threads);
    expect({ trials, probePeople }).toEqual({ trials: 4, probePeople: 2 });
    // Each stranger beats one mate of four.
    expect(identification).toMatchObject([
      { gallery: 2, trials: 4, ranks: [1, 2], rates: [0.75, 1] },
      { gallery: 3, trials: 4, ranks: [1, 2, 3], rates: [0.5, 1, 1] },
    ]);
  });

  test('verification weighs all pairs against all scores with distractors', async () => {
    const { verification } = await megaface({ ...byHand, fars: [0.25, 0.125, 0.01] }, threads);
    expect(verification).toMatchObject({ samePairs: 4, differentPairs: 8 });
    const [quarter, eighth, hundredth] = verification.tarAtFar;
    expect(quarter).toMatchObject({ tar: 1, falseAccepts: 2, reason: 'rests on 2 of 8 impostor scores' });
    expect(quarter!.threshold).toBeCloseTo(0.8, 12);
    expect(eighth).toMatchObject({ tar: 0, threshold: null, falseAccepts: 1 });
    expect(hundredth).toMatchObject({ tar: null, reason: 'needs at least 100 impostor scores, there are 8' });
    // Below each genuine score lie 6 of 8 impostor scores, and one ties.
    expect(verification.auc).toBeCloseTo(6.5 / 8, 12);
    // FAR goes from 1/8 to 2/8 as TAR goes from 0 to 1.
    expect(verification.eer).toBeCloseTo(1 / 8 + 0.875 / 1.125 / 8, 12);
  });

  test('who is taken for whom is named, with the score', async () => {
    const { wrong } = await megaface({ ...byHand, fars: [0.25] }, threads);
    expect(wrong).toHaveLength(2);
    expect(wrong[0]).toMatchObject({ kind: 'false match', a: 3, b: 5 });
    expect(wrong[0]!.score).toBeCloseTo(0.96, 12);
    expect(wrong[1]).toMatchObject({ kind: 'false match', a: 0, b: 4, score: 0.8 });
  });

  test('people are drawn for the intervals, whole', async () => {
    // Ann is always found first, Bob behind both strangers: a draw has rate 0, 1/2 or 1.
    const templates = { length: 2, original: Float64Array.of(1, 0, 1, 0, 0, 1, 0, -1, 0, 1, 0, -1) };
    const people = ['ann', 'ann', 'bob', 'bob', 'carl', 'dora'];
    const lists = { probes: [0, 1, 2, 3], distractors: [4, 5], sizes: [2] };
    const result = await megaface({ templates, people, ...lists, fars: [0.5] }, threads);
    expect(result.identification[0]).toMatchObject({ rates: [0.5, 0.5, 1] });
    expect(result.identification[0]!.intervals).toEqual([
      [0, 1],
      [0, 1],
      // Two people who are both found: (1 - p)^2 = .025 for the chance p of a miss.
      [Math.sqrt(0.025), 1],
    ]);
    expect(result.rankOneOverPeople).toBe(0.5);
    expect(result.verification.intervals).toEqual({ resampled: 'people', replicates: 1000, seed: 1 });
    const none = await megaface({ templates, people, ...lists, replicates: 0 }, threads);
    expect(none.identification[0]!.intervals).toBeUndefined();
    expect(none.verification.intervals).toBeUndefined();
  });
});

/** 8 people with 2 to 5 photographs and `strangers`, in 5 dimensions of few values each, so that there are many ties. */
function crowd(seed: number, strangers: number): MegafaceInput {
  const draw = random(seed, 'crowd');
  const people: (string | null)[] = [];
  for (let person = 0; person < 8; person++)
    for (let i = 0; i < 2 + (person % 4); i++) people.push(`p${person}`);
  const probes = [...people.keys()];
  for (let i = 0; i < strangers; i++) people.push(i % 3 === 0 ? null : `s${i}`);
  const original = Float32Array.from({ length: 5 * people.length }, () => draw.integer(5) - 2);
  // No row of zeros.
  for (let row = 0; row < people.length; row++) original[5 * row] = 1 + draw.integer(2);
  const distractors = [...people.keys()].slice(probes.length);
  return { templates: { length: 5, original }, people, probes, distractors, seed };
}

/** Ranks of all ordered pairs among these distractors, by definition. */
function plainRanks(input: MegafaceInput, distractors: readonly { data: ArrayLike<number>; at: number }[]) {
  const { templates, people, probes } = input;
  const { length, original } = templates;
  const ranks: number[] = [];
  for (const probe of probes)
    for (const mate of probes) {
      if (mate === probe || people[mate] !== people[probe]) continue;
      const score = cosineAt(original, probe * length, original, mate * length, length);
      const beaten = distractors.filter(
        ({ data, at }) => cosineAt(original, probe * length, data, at * length, length) >= score,
      );
      ranks.push(1 + beaten.length);
    }
  return ranks;
}

describe('megaface against plain loops', () => {
  test.each([1, 2, 3])('ranks are exact in every nested gallery, ties included (seed %i)', async (seed) => {
    const input = { ...crowd(seed, 300), sizes: [1, 7, 100, 300] };
    const { identification, order } = await megaface(input, threads);
    expect([...order].sort((a, b) => a - b)).toEqual(input.distractors);
    let ties = 0;
    for (const curve of identification) {
      const rows = order.slice(0, curve.gallery - 1).map((at) => ({ data: input.templates.original, at }));
      const ranks = plainRanks(input, rows);
      expect(curve.trials).toBe(ranks.length);
      expect(curve.rates).toEqual(
        curve.ranks.map((rank) => ranks.filter((found) => found <= rank).length / ranks.length),
      );
      ties += ranks.filter((rank) => rank > 1).length;
    }
    expect(ties).toBeGreaterThan(0);
  });

  test('ranks are exact where rounding to float32 makes equal of what differs', async () => {
    // Distractors whose cosines with the probe lie 1e-9 around the mate's, in 2 dimensions.
    const angle = 0.7;
    const off = [-3e-9, -1e-9, 1e-9, 2e-9, 4e-9];
    const at = (radians: number) => [Math.cos(radians), Math.sin(radians)];
    const rows = [at(0), at(angle), at(3), at(3), ...off.map((delta) => at(angle + delta))];
    const input: MegafaceInput = {
      templates: { length: 2, original: Float64Array.from(rows.flat()) },
      people: ['ann', 'ann', 'bob', 'bob', null, null, null, null, null],
      probes: [0, 1, 2, 3],
      distractors: [4, 5, 6, 7, 8],
    };
    const { identification } = await megaface(input, threads);
    // Two are nearer to (1, 0) than its mate, so the mate has rank 3; when the mate searches, all five are nearer.
    const { ranks, rates } = identification.at(-1)!;
    expect(ranks).toEqual([1, 2, 3, 4, 5, 6]);
    expect(rates).toEqual([0.5, 0.5, 0.75, 0.75, 0.75, 1]);
  });

  test('synthetic distractors follow the real ones, and their comparisons are exact too', async () => {
    const input = { ...crowd(4, 50), sizes: [50, 60, 2000, 5000], pad: 5000 };
    const { identification, order, synthetic } = await megaface(input, threads);
    const { length, original } = input.templates;
    const real = {
      length,
      original: Float64Array.from(order.flatMap((row) => [...original.slice(5 * row, 5 * row + 5)])),
    };
    const drawn = new Float32Array(4950 * length);
    await new SyntheticDistractors(real, 4, threads).read(0, 4950, drawn);
    const all = [
      ...order.map((at) => ({ data: original, at })),
      ...Array.from({ length: 4950 }, (_, at) => ({ data: drawn, at })),
    ];
    for (const curve of identification) {
      const ranks = plainRanks(input, all.slice(0, curve.gallery - 1));
      expect(curve.rates).toEqual(
        curve.ranks.map((rank) => ranks.filter((found) => found <= rank).length / ranks.length),
      );
      expect(curve.synthetic).toBe(curve.gallery > 51 ? curve.gallery - 51 : undefined);
    }
    expect(synthetic!.count).toBe(4950);
    const share = (rows: typeof all) => {
      const scores = input.probes.flatMap((probe) =>
        rows.map(({ data, at }) => cosineAt(original, probe * 5, data, at * 5, 5)),
      );
      return scores.filter((score) => score >= synthetic!.threshold).length / scores.length;
    };
    expect(synthetic!.real).toBeCloseTo(share(all.slice(0, 50)), 12);
    expect(synthetic!.synthetic).toBeCloseTo(share(all.slice(50)), 5);
  });

  test('FARs are those among real distractors alone', async () => {
    const input = crowd(5, 50);
    const alone = await megaface({ ...input, fars: [0.1, 0.01] }, threads);
    const padded = await megaface({ ...input, fars: [0.1, 0.01], pad: 3000 }, threads);
    expect(padded.verification).toEqual(alone.verification);
    expect(alone.verification.differentPairs).toBe(input.probes.length * 50);
  });
});

describe('synthetic distractors', () => {
  const draw = random(9, 'faces');
  // Faces around (1, 1, 0, 0), varying most along the third axis and not at all along the fourth.
  const original = Float64Array.from(
    { length: 4 * 500 },
    (_, i) => [1 + 0.05 * draw.normal(), 1, 0.2 * draw.normal(), 0][i % 4]!,
  );

  test('have the mean and covariance of the real ones', async () => {
    const count = 20_000;
    const drawn = new Float32Array(4 * count);
    await new SyntheticDistractors({ length: 4, original }, 1, threads).read(0, count, drawn);
    const moments = (rows: ArrayLike<number>) => {
      const n = rows.length / 4;
      const unit = Array.from({ length: n }, (_, i) => {
        const row = Array.from({ length: 4 }, (_, d) => rows[4 * i + d]!);
        const norm = Math.hypot(...row);
        return row.map((x) => x / norm);
      });
      const mean = [0, 1, 2, 3].map((d) => unit.reduce((sum, row) => sum + row[d]!, 0) / n);
      const deviation = [0, 1, 2, 3].map((d) =>
        Math.sqrt(unit.reduce((sum, row) => sum + (row[d]! - mean[d]!) ** 2, 0) / n),
      );
      return { mean, deviation };
    };
    const [real, synthetic] = [moments(original), moments(drawn)];
    for (const d of [0, 1, 2, 3]) {
      // Scaling to unit length after drawing moves both a little.
      expect(Math.abs(synthetic.mean[d]! - real.mean[d]!)).toBeLessThan(0.01);
      expect(Math.abs(synthetic.deviation[d]! - real.deviation[d]!)).toBeLessThan(0.01);
    }
    expect(synthetic.deviation[3]).toBeLessThan(1e-6);
    for (let i = 0; i < count; i++)
      expect(Math.abs(Math.hypot(...drawn.subarray(4 * i, 4 * i + 4)) - 1)).toBeLessThan(1e-6);
  });

  test('are the same however they are read, and others for another seed', async () => {
    const source = new SyntheticDistractors({ length: 4, original }, 1, threads);
    const whole = new Float32Array(4 * 3000);
    await source.read(0, 3000, whole);
    const part = new Float32Array(4 * 1100);
    await source.read(950, 1100, part);
    for (let i = 0; i < part.length; i++) expect(Math.abs(part[i]! - whole[4 * 950 + i]!)).toBeLessThan(1e-6);
    const other = new Float32Array(4);
    await new SyntheticDistractors({ length: 4, original }, 2, threads).read(0, 1, other);
    expect([...other]).not.toEqual([...whole.subarray(0, 4)]);
  });

  test('need two real ones', () => {
    expect(() => new SyntheticDistractors({ length: 2, original: Float64Array.of(1, 0) }, 1)).toThrow(
      'there are 1; give two or more',
    );
  });
});

describe('who searches and who distracts', () => {
  const people = ['ann', 'ann', 'ann', 'bob', 'bob', 'carl', null, 'dora'];

  test('people with several photographs are probes, those with one are distractors', () => {
    expect(megafaceLists(people)).toEqual({ probes: [0, 1, 2, 3, 4], distractors: [5, 6, 7], notes: [] });
  });

  test('people with too few to be probes and too many to be strangers are neither, with a note', () => {
    const more = [...people, 'eve', 'eve', 'eve'];
    const lists = megafaceLists(more, undefined, { minImages: 3 });
    expect(lists.probes).toEqual([0, 1, 2, 8, 9, 10]);
    expect(lists.distractors).toEqual([5, 6, 7]);
    expect(lists.notes).toEqual(['1 people with 2 to 2 photographs are neither probes nor distractors']);
  });

  test('distractors from elsewhere that bear the name of a probe person are left out, with a note', () => {
    const lists = megafaceLists(people, ['zoe', 'ann', null, 'zoe']);
    expect(lists.distractors).toEqual([8, 10, 11]);
    expect(lists.notes).toEqual(['1 distractors left out: they bear the name of a probe person']);
  });

  test('people and photographs are drawn from the seed, people whole', () => {
    const many = Array.from({ length: 40 }, (_, i) => `p${Math.floor(i / 4)}`);
    const lists = (seed: number) =>
      megafaceLists([...many, 'x'], undefined, { maxProbes: 10, maxImages: 3, seed });
    const { probes, distractors, notes } = lists(1);
    expect(distractors).toEqual([40]);
    expect(probes).toHaveLength(9);
    const counts = new Map<string, number>();
    for (const row of probes) counts.set(many[row]!, (counts.get(many[row]!) ?? 0) + 1);
    expect([...counts.values()]).toEqual([3, 3, 3]);
    expect(notes).toEqual(['9 of 40 photographs of 3 of 10 people are probes, drawn with seed 1']);
    expect(lists(1)).toEqual(lists(1));
    expect(lists(2).probes).not.toEqual(probes);
  });

  test('lists that cannot be used are refused', () => {
    expect(() => megafaceLists(['ann', 'bob'])).toThrow('nobody has 2 photographs or more');
    expect(() => megafaceLists(['ann', 'ann', 'bob'])).toThrow('only ann has 2 photographs or more');
    expect(() => megafaceLists(['ann', 'ann', 'bob', 'bob'])).toThrow('there is no distractor');
    expect(() => megafaceLists(people, ['ann'])).toThrow('no distractor is left');
    expect(() => megafaceLists(people, undefined, { maxProbes: 3 })).toThrow('3 probes leave 1 people');
  });
});

describe('megaface refuses', () => {
  const refused = (change: Partial<MegafaceInput>) =>
    expect(megaface({ ...byHand, ...change }, threads)).rejects;
  test.each<[string, Partial<MegafaceInput>, string]>([
    ['an empty gallery', { distractors: [] }, 'the gallery is empty: there is no distractor'],
    ['one person only', { probes: [0, 1] }, '1 people among the probes; two are needed'],
    ['a probe without a mate', { probes: [0, 1, 2] }, 'bob has one photograph; a probe needs a mate'],
    ['a probe that is listed twice', { probes: [0, 1, 2, 3, 3] }, 'template 3 is a probe twice'],
    ['a probe that is nobody', { probes: [0, 1, 2, 3, 4] }, "probe template 4 is nobody's"],
    [
      'a distractor of a probe person',
      { distractors: [4, 1], probes: [0, 1, 2, 3] },
      'distractor template 1 bears the name of a probe person, ann',
    ],
    [
      'more distractors than there are',
      { sizes: [2, 3] },
      '3 distractors were asked for, there are 2; give more, or pad with synthetic ones: --pad 3',
    ],
    ['half a distractor', { sizes: [0.5] }, '0.5 distractors: use whole numbers from 1 on'],
    ['no size', { sizes: [] }, 'no number of distractors was asked for'],
    ['rows that are not there', { distractors: [4, 9] }, 'template 9 is not among the 6 templates'],
    ['people who are not all named', { people: ['ann', 'ann'] }, '6 templates but 2 people'],
    [
      'padding like one distractor',
      { distractors: [4], sizes: [5], pad: 5 },
      'of which there are 1; give two or more',
    ],
  ])('%s', async (_, change, message) => {
    await refused(change).toThrow(message);
  });

  test('templates that are not finite or have no direction, by the name of their file', async () => {
    for (const [value, message] of [
      [Number.NaN, 'b.jpg: it holds numbers that are not finite'],
      [0, 'b.jpg: every number is zero'],
    ] as const) {
      const original = byHand.templates.original.slice().fill(value, 3, 6);
      const files = ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg', 'f.jpg'];
      await refused({ templates: { length: 3, original }, files }).toThrow(message);
    }
  });
});
