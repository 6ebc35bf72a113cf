// Open-set identification: lists, searches in nested galleries, and what independence would predict; worked out by hand
// on the circle, and against plain loops.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { random } from '../../src/common/random.js';
import { cmcRanks } from '../../src/evaluate/identification/identification.js';
import {
  checkLists,
  drawLists,
  listsText,
  type OpenSetLists,
  openSet,
  readLists,
  standardSizes,
  summariseOpenSet,
} from '../../src/evaluate/index.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Images 'person/i' in the order of the lists, on the circle at these degrees and of these lengths. */
function onCircle(angles: Record<'gallery' | 'mated' | 'nonMated', [person: string, degrees: number][]>) {
  const lists: OpenSetLists = { gallery: [], mated: [], nonMated: [] };
  const numbers: number[] = [];
  for (const name of ['gallery', 'mated', 'nonMated'] as const) {
    angles[name].forEach(([person, degrees], i) => {
      lists[name].push({ path: `${person}/${name}-${i}.jpg`, person });
      const length = 1 + (numbers.length % 3);
      const radians = (degrees * Math.PI) / 180;
      numbers.push(length * Math.cos(radians), length * Math.sin(radians));
    });
  }
  return { lists, templates: { length: 2, original: Float64Array.from(numbers) } };
}

const cosine = (degrees: number) => Math.cos((degrees * Math.PI) / 180);

describe('an experiment on the circle', () => {
  const experiment = onCircle({
    gallery: [
      ['ann', 0],
      ['bob', 90],
      ['eve', 180],
    ],
    // Ann at 10 degrees; Bob at 50, where Ann is 50 and Bob 40 away; Bob at 30: Ann is nearer; Eve at 175.
    mated: [
      ['ann', 10],
      ['bob', 50],
      ['bob', 30],
      ['eve', 175],
    ],
    // Nearest: Ann 20, Eve 30 (Bob 60), Ann 45 as is Bob.
    nonMated: [
      ['zoe', -20],
      ['zoe', 150],
      ['yan', 45],
    ],
  });
  const result = openSet({ ...experiment, fpirs: [0.34, 0.7], sizes: [1, 2, 3], replicates: 0 });
  const [one, two, three] = result.openSet;

  it('has the mated probes of the people in each gallery, and all strangers in every one', () => {
    expect(result.openSet.map(({ gallery, mated, nonMated }) => [gallery, mated, nonMated])).toEqual([
      [1, 1, 3],
      [2, 3, 3],
      [3, 4, 3],
    ]);
    expect([result.matedPeople, result.nonMatedPeople]).toEqual([3, 2]);
  });

  it('has the thresholds and rates that follow from the angles', () => {
    // Ann alone: strangers at 20, 45 and 150 degrees. One of three may pass: down to 20 degrees.
    expect(one!.points[0]!.threshold).toBeCloseTo(cosine(20), 12);
    expect(one!.points[0]!.fnir).toBe(0);
    expect(one!.points[1]!.threshold).toBeCloseTo(cosine(45), 12);
    // All three: strangers at 20, 30 and 45 degrees. At 20 Bob's 40 degrees are missed, and Ann is nearer at 30.
    expect(three!.points[0]!.threshold).toBeCloseTo(cosine(20), 12);
    expect(three!.points[0]!.fnir).toBe(0.5);
    // Two of three may pass: above 45 degrees Bob at 40 is found.
    expect(three!.points[1]!.threshold).toBeCloseTo(cosine(40), 12);
    expect(three!.points[1]!.fnir).toBe(0.25);
    // Without Eve the second stranger is 60 degrees from Bob, so that two pass down to 45.
    expect(two!.points[1]!.threshold).toBeCloseTo(cosine(45), 12);
    expect(two!.points[1]!.fnir).toBeCloseTo(1 / 3, 12);
  });

  it('has the closed-set rates of the mated probes', () => {
    const [, , closed] = result.identification;
    expect(closed).toEqual({ gallery: 3, trials: 4, ranks: [1, 2, 3], rates: [0.75, 1, 1] });
  });

  it('with rank 2 the person behind a stranger is found', () => {
    const wider = openSet({ ...experiment, fpirs: [0.7], sizes: [3], rank: 2, replicates: 0 });
    // Bob at 30 degrees is 60 away, so a threshold that lets two strangers pass misses him still.
    expect(wider.openSet[0]!.points[0]!.fnir).toBe(0.25);
    // With no threshold at all he is the second candidate: found with rank 2, missed with rank 1.
    expect(wider.openSet[0]!.fnir.at(-1)).toBe(0);
    expect(three!.fnir.at(-1)).toBe(0.25);
  });

  it('names the mistakes at the threshold of the FPIR nearest to 1 %', () => {
    expect(result.mistakesAt).toBe(0.34);
    expect(result.mistakes).toHaveLength(2);
    const [match, ...misses] = result.mistakes;
    expect(match).toMatchObject({
      kind: 'false match',
      a: { path: 'zoe/nonMated-0.jpg', person: 'zoe' },
      b: { path: 'ann/gallery-0.jpg', person: 'ann' },
      threshold: three!.points[0]!.threshold,
    });
    // Bob is missed twice; the worse one is shown.
    expect(misses.map(({ kind, a, b }) => [kind, a.path, b.path])).toEqual([
      ['false non-match', 'bob/mated-2.jpg', 'bob/gallery-1.jpg'],
    ]);
    expect(misses[0]!.score).toBeCloseTo(cosine(60), 12);
  });

  it('is printed with every threshold beside its gallery', () => {
    const rows = summariseOpenSet(result);
    expect(rows[0]).toMatchObject({
      figure: 'FNIR at FPIR 34 %, gallery 3',
      value: '50.00 %',
      note: 'rests on 1 of 3 non-mated searches',
    });
    expect(rows[1]).toMatchObject({ figure: 'threshold at FPIR 34 %, gallery 3', value: '0.9397' });
    expect(rows.map(({ figure }) => figure)).toContain('rank-1, gallery 1');
  });
});

it('a stranger that ties with the mate counts as before it', () => {
  // Two people are enrolled with one and the same face.
  const twins = onCircle({
    gallery: [
      ['ann', 30],
      ['twin', 30],
      ['bob', 200],
    ],
    mated: [
      ['ann', 31],
      ['bob', 200],
    ],
    nonMated: [['zoe', 100]],
  });
  const { identification, openSet: curves } = openSet({
    ...twins,
    sizes: [1, 3],
    fpirs: [0.5],
    replicates: 0,
  });
  expect(identification[0]!.rates).toEqual([1]);
  expect(identification[1]!.rates).toEqual([0.5, 1, 1]);
  expect(curves[1]!.fnir.at(-1)).toBe(0.5);
});

it('a template is the mean of the directions of the enrolled images', () => {
  const draw = random(2, 'templates');
  const rows = Array.from({ length: 5 }, () => Float32Array.from({ length: 8 }, () => draw.normal()));
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, d) => sum + value * b[d]!, 0);
  const unit = (row: ArrayLike<number>) => {
    const values = Array.from(row);
    return values.map((value) => value / Math.sqrt(dot(values, values)));
  };
  const [first, second, bob, mated, strange] = rows.map(unit) as number[][] as [number[], ...number[][]];
  const ann = unit(first.map((value, d) => value + second![d]!));
  const image = (person: string, row: number) => ({ path: `${row}`, person });
  const result = openSet({
    lists: {
      gallery: [image('ann', 0), image('ann', 1), image('bob', 2)],
      mated: [image('ann', 3)],
      nonMated: [image('zoe', 4)],
    },
    templates: { length: 8, original: Float32Array.from(rows.flatMap((row) => [...row])) },
    fpirs: [0.5],
    replicates: 0,
  });
  const stranger = Math.max(dot(ann, strange!), dot(bob!, strange!));
  const mate = dot(ann, mated!);
  const scores = [mate, stranger].sort((a, b) => b - a);
  result.openSet[0]!.thresholds.forEach((threshold, i) => {
    expect(threshold).toBeCloseTo(scores[i]!, 6);
  });
});

/** People on a sphere of `length` dimensions around a centre each; `spread` is the noise of an image. */
function crowd(seed: number, { people = 60, strangers = 40, images = 3, length = 6, spread = 0.6 } = {}) {
  const draw = random(seed, 'crowd');
  const lists: OpenSetLists = { gallery: [], mated: [], nonMated: [] };
  const rows: Record<keyof OpenSetLists, number[][]> = { gallery: [], mated: [], nonMated: [] };
  for (let person = 0; person < people + strangers; person++) {
    const centre = Array.from({ length }, () => draw.normal());
    for (let i = 0; i < images; i++) {
      const list = person >= people ? 'nonMated' : i === 0 ? 'gallery' : 'mated';
      lists[list].push({ path: `${person}/${i}`, person: String(person) });
      rows[list].push(centre.map((x) => x + spread * draw.normal()));
    }
  }
  const all = [...rows.gallery, ...rows.mated, ...rows.nonMated];
  return { lists, rows, templates: { length, original: Float64Array.from(all.flat()) } };
}

it('is what plain loops find at every gallery size', () => {
  const { lists, rows, templates } = crowd(7);
  const sizes = [5, 17, 60];
  const fpirs = [0.05, 0.2];
  const result = openSet({ lists, templates, sizes, fpirs, rank: 3, replicates: 0 });
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, d) => sum + x * b[d]!, 0);
  const cos = (a: number[], b: number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  sizes.forEach((size, s) => {
    const scoresOf = (probe: number[]) => rows.gallery.slice(0, size).map((row) => cos(probe, row));
    const strangers = rows.nonMated.map((probe) => Math.max(...scoresOf(probe)));
    const mated = rows.mated.flatMap((probe, i) => {
      const mate = Number(lists.mated[i]!.person);
      if (mate >= size) return [];
      const scores = scoresOf(probe);
      return [{ score: scores[mate]!, rank: scores.filter((score) => score >= scores[mate]!).length }];
    });
    const curve = result.openSet[s]!;
    expect([curve.mated, curve.nonMated]).toEqual([mated.length, strangers.length]);
    curve.points.forEach(({ fpir, fnir, threshold }) => {
      const passed = (t: number) => strangers.filter((score) => score >= t).length / strangers.length;
      expect(passed(threshold! - 1e-9)).toBeLessThanOrEqual(fpir);
      // Any lower score in the experiment lets too many pass.
      const lower = [...strangers, ...mated.map(({ score }) => score)].filter((t) => t < threshold! - 1e-9);
      const next = Math.max(...lower.filter((t) => strangers.includes(t)));
      expect(passed(next)).toBeGreaterThan(fpir);
      const missed = mated.filter(({ score, rank }) => rank > 3 || score < threshold! - 1e-9).length;
      expect(fnir).toBeCloseTo(missed / mated.length, 12);
    });
    const cmc = result.identification[s]!;
    cmc.ranks.forEach((rank, i) => {
      expect(cmc.rates[i]).toBeCloseTo(mated.filter((one) => one.rank <= rank).length / mated.length, 12);
    });
    for (const one of result.independence.filter(({ gallery }) => gallery === size)) {
      const all = rows.nonMated.flatMap(scoresOf).sort((a, b) => b - a);
      const fmr = all.filter((score) => score >= one.threshold - 1e-9).length / all.length;
      expect(one.comparisons).toBe(all.length);
      expect(one.fmr).toBeCloseTo(fmr, 12);
      expect(one.predictedFpir).toBeCloseTo(1 - (1 - fmr) ** size, 10);
      const allowed = Math.floor((1 - (1 - one.fpir) ** (1 / size)) * all.length);
      if (allowed === 0) expect(one.predictedThreshold).toBeNull();
      else expect(one.predictedThreshold).toBeCloseTo(all[allowed - 1]!, 9);
    }
  });
});

describe('independence', () => {
  it('predicts the FPIR of random directions, whose comparisons are independent', () => {
    // In 512 dimensions the cosines of one probe with random directions are independent.
    const experiment = crowd(11, { people: 50, strangers: 400, images: 2, length: 512, spread: 0.3 });
    const { independence } = openSet({ ...experiment, sizes: [50], fpirs: [0.1], replicates: 0 });
    const [one] = independence;
    expect(one!.measuredFpir).toBe(0.1);
    // 80 of 800 searches; the prediction has a standard error of about a hundredth.
    expect(Math.abs(one!.predictedFpir - 0.1)).toBeLessThan(0.02);
  });

  it('asks for a lower threshold where no search has two high comparisons', () => {
    // Two opposite faces are enrolled, and stranger i is i degrees from the one.
    const opposite = onCircle({
      gallery: [
        ['ann', 0],
        ['bob', 180],
      ],
      mated: [['ann', 0]],
      nonMated: Array.from({ length: 40 }, (_, i): [string, number] => [`zoe-${i}`, 1 + i]),
    });
    const { independence } = openSet({ ...opposite, sizes: [2], fpirs: [0.5], replicates: 0 });
    const [one] = independence;
    expect(one).toMatchObject({ measuredFpir: 0.5, fmr: 0.25, comparisons: 80 });
    expect(one!.threshold).toBeCloseTo(cosine(20), 12);
    // 1 - .5^(1/2) = 29.3 % of 80 comparisons are 23.
    expect(one!.predictedThreshold).toBeCloseTo(cosine(23), 12);
  });

  it('overstates it when all people of the gallery have one face', () => {
    const clones = onCircle({
      gallery: Array.from({ length: 20 }, (_, i): [string, number] => [`clone-${i}`, 0]),
      mated: [['clone-0', 1]],
      nonMated: Array.from({ length: 10 }, (_, i): [string, number] => [`zoe-${i}`, 10 + 10 * i]),
    });
    const { independence } = openSet({ ...clones, sizes: [20], fpirs: [0.1], replicates: 0 });
    const [one] = independence;
    // One stranger in ten reaches all twenty: FPIR and FMR are the same.
    expect(one).toMatchObject({ measuredFpir: 0.1, fmr: 0.1, comparisons: 200 });
    expect(one!.predictedFpir).toBeCloseTo(1 - 0.9 ** 20, 12);
    // 1 - .9^(1/20) = .53 % of 200 comparisons is one, and the best twenty are equal.
    expect(one!.predictedThreshold).toBeNull();
  });
});

describe('intervals', () => {
  it('of closed-set rates and of FNIR come from people who were drawn, each with all searches', () => {
    // Ann is found at rank 1 in all three searches, Bob in none of one: without weights every draw has a rate of 3/4.
    const experiment = onCircle({
      gallery: [
        ['ann', 0],
        ['bob', 90],
      ],
      mated: [
        ['ann', 1],
        ['ann', 2],
        ['ann', 3],
        ['bob', 10],
      ],
      nonMated: [
        ['zoe', 200],
        ['yan', 210],
      ],
    });
    const { identification, openSet: curves } = openSet({ ...experiment, fpirs: [0.5], replicates: 400 });
    expect(identification[0]).toMatchObject({
      rates: [0.75, 1],
      intervals: [
        [0, 1],
        [Math.sqrt(0.025), 1],
      ],
    });
    expect(curves[0]!.points[0]).toMatchObject({ fnir: 0.25, interval: [0, 1] });
  });

  it('hold the figure, belong to the seed, and are wider where people bring many searches', () => {
    const many = crowd(1, { people: 30, images: 21, spread: 0.8 });
    const run = (seed: number, experiment: typeof many) =>
      openSet({ ...experiment, fpirs: [0.1], sizes: [30], replicates: 200, seed }).openSet[0]!.points[0]!;
    const point = run(1, many);
    expect(point.interval![0]).toBeLessThan(point.fnir!);
    expect(point.interval![1]).toBeGreaterThan(point.fnir!);
    expect(point.thresholdInterval![0]).toBeLessThanOrEqual(point.threshold!);
    expect(point.thresholdInterval![1]).toBeGreaterThanOrEqual(point.threshold!);
    expect(run(1, many)).toEqual(point);
    expect(run(2, many).interval).not.toEqual(point.interval);
    // As many searches, each of which would be a person: 1.96 standard errors of 600 independent searches.
    const width = point.interval![1] - point.interval![0];
    const independent = 2 * 1.96 * Math.sqrt((point.fnir! * (1 - point.fnir!)) / 600);
    expect(width).toBeGreaterThan(1.5 * independent);
  });

  it('there are none with one person of a kind, and an honest one where nobody is missed', () => {
    const alone = onCircle({
      gallery: [
        ['ann', 0],
        ['bob', 90],
      ],
      mated: [
        ['ann', 1],
        ['bob', 91],
      ],
      nonMated: [['zoe', 45]],
    });
    expect(openSet({ ...alone, fpirs: [0.5] }).openSet[0]!.points[0]!.interval).toBeUndefined();
    alone.lists.nonMated.push({ path: 'yan/1.jpg', person: 'yan' });
    const original = Float64Array.from([...alone.templates.original, 1, -1]);
    const two = openSet({ ...alone, templates: { length: 2, original }, fpirs: [0.5] });
    expect(two.openSet[0]!.points[0]).toMatchObject({ fnir: 0, interval: [0, 1 - Math.sqrt(0.025)] });
    expect(two.identification[0]!.intervals![0]).toEqual([Math.sqrt(0.025), 1]);
  });
});

describe('bad input', () => {
  const small = () => crowd(1, { people: 3, strangers: 2, length: 3 });
  it.each([
    ['a gallery size beyond the people', { sizes: [2, 4] }, 'gallery size 4: only 3 people are enrolled'],
    ['sizes that do not rise', { sizes: [3, 2] }, 'gallery sizes 3, 2: use rising whole numbers'],
    ['a rank of 0', { rank: 0 }, 'rank 0: use a whole number from 1 on'],
    ['an FPIR of 1', { fpirs: [1] }, 'FPIR 1: a false positive'],
  ])('%s', (_, options, message) => {
    expect(() => openSet({ ...small(), replicates: 0, ...options })).toThrow(message);
  });

  it('an image without a direction is named', () => {
    const { lists, templates } = small();
    const broken = (value: number, row: number) => {
      const original = Float64Array.from(templates.original);
      original.fill(value, 3 * row, 3 * row + 3);
      return openSet({ lists, templates: { length: 3, original }, replicates: 0 });
    };
    expect(() => broken(0, 3)).toThrow('0/1: every number is zero');
    expect(() => broken(Number.NaN, 0)).toThrow('0/0: it holds numbers that are not finite');
    expect(() => openSet({ lists, templates: { length: 3, original: new Float64Array(3) } })).toThrow(
      '1 templates for 15 images',
    );
  });

  it('enrolled images that cancel out, and a gallery without a probe', () => {
    const opposite = onCircle({
      gallery: [
        ['ann', 10],
        ['ann', 190],
      ],
      mated: [['ann', 0]],
      nonMated: [['zoe', 45]],
    });
    expect(() => openSet({ ...opposite, replicates: 0 })).toThrow('ann: the enrolled images cancel out');
    const idle = onCircle({
      gallery: [
        ['ann', 10],
        ['bob', 90],
      ],
      mated: [['bob', 0]],
      nonMated: [['zoe', 45]],
    });
    expect(() => openSet({ ...idle, sizes: [1, 2], replicates: 0 })).toThrow(
      'gallery size 1: no probe is of one of its people',
    );
  });
});

describe('lists', () => {
  const images = Array.from({ length: 40 }, (_, person) =>
    Array.from({ length: 1 + (person % 4) }, (_, i) => ({
      path: `p${person}/${i}.jpg`,
      person: `p${person}`,
    })),
  ).flat();

  it('enrol a share of the people with more images, search for the rest, and use every image once', () => {
    const lists = drawLists(images, { enrol: 2, share: 0.25, seed: 3 });
    // 20 people have three or four images; five are enrolled with two each.
    expect(new Set(lists.gallery.map(({ person }) => person)).size).toBe(5);
    expect(lists.gallery).toHaveLength(10);
    const all = [...lists.gallery, ...lists.mated, ...lists.nonMated].map(({ path }) => path);
    expect([...all].sort()).toEqual(images.map(({ path }) => path).sort());
    expect(checkLists(lists, 'drawn')).toBe(lists);
  });

  it('follow from the seed, not from the order of the images', () => {
    const lists = drawLists(images, { seed: 5 });
    expect(drawLists([...images].reverse(), { seed: 5 })).toEqual(lists);
    expect(drawLists(images, { seed: 6 })).not.toEqual(lists);
    // Names in order would say that nothing was shuffled.
    const people = [...new Set(lists.gallery.map(({ person }) => person))];
    expect(people).not.toEqual([...people].sort());
  });

  it('are the same after they were written and read', async () => {
    const lists = drawLists(images);
    const file = join(folder, 'lists.json');
    writeFileSync(file, listsText(lists, { seed: 1 }));
    expect(await readLists(file)).toEqual(lists);
    const table = join(folder, 'lists.tsv');
    const lines = (['gallery', 'mated', 'nonMated'] as const).flatMap((name) =>
      lists[name].map(
        ({ path, person }) => `${name === 'nonMated' ? 'non-mated' : name}\t${path}\t${person}`,
      ),
    );
    writeFileSync(table, ['list\tpath\tperson', ...lines, ''].join('\n'));
    expect(await readLists(table)).toEqual(lists);
  });

  it.each([
    ['not JSON', '{', /broken\.json: not JSON/],
    ['another JSON', '{"gallery": []}', /broken\.json: not the lists of an open-set experiment: format/],
  ])('%s is refused', async (_, text, message) => {
    const file = join(folder, 'broken.json');
    writeFileSync(file, text);
    await expect(readLists(file)).rejects.toThrow(message);
  });

  it('a line of a table that is not understood is named, and a file that is not there', async () => {
    const file = join(folder, 'broken.tsv');
    for (const list of ['probe', 'toString']) {
      writeFileSync(file, `gallery\ta/1.jpg\ta\n${list}\ta/2.jpg\ta\n`);
      await expect(readLists(file)).rejects.toThrow(
        /broken\.tsv line 2: needed are gallery, mated or non-mated/,
      );
    }
    await expect(readLists(join(folder, 'none.json'))).rejects.toThrow('no such file');
  });

  const image = (path: string, person: string) => ({ path, person });
  const good = (): OpenSetLists => ({
    gallery: [image('a/1', 'a')],
    mated: [image('a/2', 'a')],
    nonMated: [image('z/1', 'z')],
  });
  it.each<[string, (lists: OpenSetLists) => void, string]>([
    ['an empty gallery', (lists) => lists.gallery.pop(), 'x: the gallery is empty'],
    ['no mated probe', (lists) => lists.mated.pop(), 'x: there is no mated probe'],
    ['no non-mated probe', (lists) => lists.nonMated.pop(), 'x: there is no non-mated probe'],
    [
      'a duplicate',
      (lists) => lists.mated.push(image('a/2', 'a')),
      'x: a/2 is a mated probe twice; list it once',
    ],
    [
      'a probe that is also enrolled',
      (lists) => lists.mated.push(image('a/1', 'a')),
      'x: a/1 is both enrolled and a mated probe',
    ],
    [
      'a mated probe of somebody who is not enrolled',
      (lists) => lists.mated.push(image('b/1', 'b')),
      'x: mated probe b/1: b is not enrolled',
    ],
    [
      'a stranger who is enrolled',
      (lists) => lists.nonMated.push(image('a/3', 'a')),
      'x: non-mated probe a/3: a is enrolled',
    ],
  ])('%s: one line', (_, spoil, message) => {
    const lists = good();
    spoil(lists);
    expect(() => checkLists(lists, 'x')).toThrow(message);
  });

  it('cannot be drawn without people: too few images, one person, nobody left out, no person at all', () => {
    const of = (counts: Record<string, number>) =>
      Object.entries(counts).flatMap(([person, count]) =>
        Array.from({ length: count }, (_, i) => image(`${person}/${i}`, person)),
      );
    expect(() => drawLists(of({ a: 1, b: 1 }))).toThrow(
      'nobody can be enrolled: 0 of 2 people have more than 1 image',
    );
    expect(() => drawLists(of({ a: 3 }))).toThrow('there is no non-mated probe');
    expect(() => drawLists(of({ a: 3, b: 3 }), { share: 1 })).toThrow('there is no non-mated probe');
    expect(() => drawLists([{ path: 'loose.jpg', person: null }])).toThrow(
      "loose.jpg: is in no person's folder",
    );
    expect(() => drawLists(of({ a: 2, b: 2 }), { enrol: 0 })).toThrow('0 photographs to enrol');
    expect(() => drawLists(of({ a: 2, b: 2 }), { share: 1.5 })).toThrow('a share lies in (0, 1]');
  });
});

it('standard sizes are powers of ten and all; ranks are ten, then 1-2-5, and the gallery', () => {
  expect(standardSizes(840)).toEqual([10, 100, 840]);
  expect(standardSizes(10)).toEqual([10]);
  expect(cmcRanks(4)).toEqual([1, 2, 3, 4]);
  expect(cmcRanks(240)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 50, 100, 200, 240]);
  expect(cmcRanks(100)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 50, 100]);
});
