// IJB-B and IJB-C: templates of media, pairs pooled between genuine scores, and two galleries; by hand on the circle and
// against what sorts every trial.
import { describe, expect, it } from 'vitest';
import { random } from '../../src/common/random.js';
import { ijbSearch, ijbVerification } from '../../src/evaluate/ijb/ijb.js';
import { ijbNotes, summarisePairs, summariseSearch } from '../../src/evaluate/ijb/summary.js';
import { TemplateSums } from '../../src/evaluate/ijb/templates.js';
import { pairFigures, pairScores, poolTrials } from '../../src/evaluate/ijb/verification.js';
import { bootstrap, fuse, ratesOf, rocCurve, sortTrials, tarsAtFars } from '../../src/evaluate/index.js';
import { byHand } from '../data/ijb-layout.js';

/** The layout's features, [12, 2], and what readIjb makes of its list of images. */
const features = { length: 2, original: Float64Array.from(byHand.flat()) };
const images = {
  names: byHand.map((_, i) => `${i + 1}.jpg`),
  template: Uint32Array.of(0, 0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8),
  medium: Uint32Array.of(7, 8, 8, 9, 10, 10, 11, 12, 13, 14, 15, 16),
};
const all = byHand.map((_, i) => i);
const templates = () => {
  const sums = new TemplateSums(images, 9);
  sums.add(all, features);
  return sums.unit((row) => row);
};

describe('a template', () => {
  it('is the mean within a medium, summed over media, of unit length', () => {
    const { length, original } = templates();
    const rows = Array.from({ length: 9 }, (_, row) => [
      ...original.subarray(row * length, (row + 1) * length),
    ]);
    // (4, 0) and the mean (0, 3) of (0, 2) and (0, 4): (4, 3). All images alike would give (4, 6).
    expect(rows[0]).toEqual([0.8, 0.6]);
    expect(rows[1]).toEqual([0.6, 0.8]);
    expect(rows[2]).toEqual([-1, 0]);
    expect(rows[8]).toEqual([-0.8, -0.6]);
  });

  it('is the same whichever way the images come in', () => {
    const sums = new TemplateSums(images, 9);
    for (const image of [...all].reverse())
      sums.add([image], { length: 2, original: features.original.subarray(2 * image, 2 * image + 2) });
    expect(sums.unit((row) => row)).toEqual(templates());
  });

  it('weighs images by their scores when there are some', () => {
    // The second frame alone counts: (4, 0) + (0, 4 / 2 * 1.5) = (4, 3).
    const scores = new Float64Array(12).fill(1);
    scores.set([1, 0, 1.5]);
    const sums = new TemplateSums(images, 9, scores);
    sums.add(all, features);
    expect([...sums.unit((row) => row).original.subarray(0, 2)]).toEqual([0.8, 0.6]);
  });

  it('takes an image that is in two templates in both', () => {
    const sums = new TemplateSums(
      { names: ['a', 'a'], template: Uint32Array.of(0, 1), medium: Uint32Array.of(1, 1) },
      2,
    );
    sums.add([0, 1], { length: 2, original: Float64Array.of(0, 2, 0, 2) });
    expect([...sums.unit((row) => row).original]).toEqual([0, 1, 0, 1]);
  });

  it('names an image without a direction, a template that cancels out, and another length', () => {
    const zeros = { length: 2, original: new Float64Array(24) };
    expect(() => new TemplateSums(images, 9).add(all, zeros)).toThrow('1.jpg: every number is zero');
    const opposite = Float64Array.from(features.original);
    opposite.set([-1, 0, 2, 0, 0, 0.5]);
    opposite.set([4, 0, -4, 1, -4, -1]);
    const sums = new TemplateSums(images, 9);
    sums.add(all, { length: 2, original: opposite });
    expect(() => sums.unit((row) => 100 + row)).toThrow('template 100: its images cancel out');
    expect(() => sums.add([0], { length: 3, original: Float64Array.of(1, 0, 0) })).toThrow(
      'features of 3 numbers after those of 2',
    );
  });

  it('may be of images and mirrors that are added', () => {
    const half = features.original.map((value) => value / 2);
    const sums = new TemplateSums(images, 9);
    sums.add(all, fuse({ length: 2, original: half, mirrored: half }, 'sum'));
    expect(sums.unit((row) => row)).toEqual(templates());
  });
});

const pairs = {
  first: Uint32Array.of(0, 1, 0, 2, 1, 2),
  second: Uint32Array.of(4, 5, 5, 7, 4, 8),
  same: Uint8Array.of(1, 1, 0, 1, 0, 0),
};
const subjects = new Map([1, 2, 3, 4, 1, 2, 1, 3, 4].map((subject, row) => [row, subject]));

describe('1:1', () => {
  it('by hand: genuine .8, .8 and 1, impostors .6, .6 and one of .8', () => {
    expect([...pairScores(templates(), pairs)]).toEqual([0.8, 0.8, 0.6, 1, 0.6, 0.8]);
    const { verification, resampled, contradictions } = ijbVerification(templates(), pairs, subjects, {
      fars: [0.34, 0.1],
      replicates: 0,
    });
    expect([resampled, contradictions]).toEqual(['subjects', 0]);
    const [one, none] = verification.tarAtFar;
    expect(one).toEqual({
      far: 0.34,
      tar: 1,
      threshold: 0.8,
      falseAccepts: 1,
      reason: 'rests on 1 of 3 impostor scores',
    });
    expect(none).toMatchObject({
      tar: null,
      reason: 'needs at least 10 impostor scores, there are 3',
    });
    // A tie counts half: (2.5 + 2.5 + 3) / 9. From (0, 1/3) the ROC goes straight to (1/3, 1): the two genuine .8.
    expect(verification.auc).toBeCloseTo(8 / 9, 12);
    expect(verification.roc).toEqual({ far: [0, 0, 1 / 3, 1], tar: [0, 1 / 3, 1, 1] });
    expect(summarisePairs(verification)[1]).toMatchObject({
      figure: '1:1 TAR at FAR 1e-1',
      value: 'not known',
    });
  });

  it('draws templates when a subject is not known, and counts labels that contradict', () => {
    const some = new Map([...subjects].slice(0, 7));
    expect(ijbVerification(templates(), pairs, some, { replicates: 0 }).resampled).toBe('templates');
    const wrong = { ...pairs, same: Uint8Array.of(1, 1, 1, 1, 0, 0) };
    const found = ijbVerification(templates(), wrong, subjects, { replicates: 0 });
    expect(found.contradictions).toBe(1);
    expect(ijbNotes({ repeated: 2, selves: 0, contradictions: 1, resampled: 'templates' })).toHaveLength(3);
  });

  it('pooled trials give what sorting all of them gives, ties and intervals included', () => {
    const draw = random(8, 'pooled');
    for (let round = 0; round < 8; round++) {
      const people = 12;
      const count = 600;
      const steps = round % 2 === 0 ? 15 : 4000;
      const first = Uint32Array.from({ length: count }, () => draw.integer(people));
      const second = Uint32Array.from(first, (a) => (draw.integer(3) === 0 ? a : draw.integer(people)));
      const same = Uint8Array.from(first, (a, i) => (a === second[i] ? 1 : 0));
      const scores = Float64Array.from(
        same,
        (is) => (draw.integer(steps) + (is ? steps / 3 : 0)) / (2 * steps),
      );
      const fars = [0.3, 0.1, 0.01, 0.001];
      // Numbers in order of appearance, as the bootstrap of single trials has them.
      const seen = [...new Set(Array.from(first, (a, i) => [a, second[i]!]).flat())];
      const units = Uint32Array.from({ length: people }, (_, row) => Math.max(0, seen.indexOf(row)));
      const options = { fars, units, replicates: 50, seed: 3 };
      const pooled = pairFigures(scores, { first, second, same }, options);
      const sorted = sortTrials(scores, same);
      const single = bootstrap(sorted, new Uint8Array(count), {
        units: Array.from(first, (a, i): [number, number] => [a, second[i]!]),
        fars,
        replicates: 50,
        seed: 3,
      })!;
      const { auc, eer } = ratesOf(sorted, [])!;
      expect(pooled.auc).toBeCloseTo(auc, 12);
      expect(pooled.eer).toBeCloseTo(eer, 12);
      expect(pooled.tarAtFar).toEqual(
        tarsAtFars(sorted, fars).map((entry, k) =>
          entry.tar === null ? entry : { ...entry, interval: single.tar[k] },
        ),
      );
      expect(pooled.aucInterval![0]).toBeCloseTo(single.auc[0], 12);
      expect(pooled.eerInterval![1]).toBeCloseTo(single.eer[1], 12);
      // Every point of the pooled ROC is one of the full curve, and the highest TAR of each FAR is among them.
      const full = rocCurve(scores, same);
      const points = new Set(Array.from(full.far, (far, i) => `${far} ${full.tar[i]}`));
      pooled.roc.far.forEach((far, i) => {
        expect(points).toContain(`${far} ${pooled.roc.tar[i]}`);
      });
      for (const far of full.far) {
        const best = (x: ArrayLike<number>, y: ArrayLike<number>) =>
          Math.max(...Array.from(x).flatMap((value, i) => (value <= far ? [y[i]!] : [])));
        expect(best(pooled.roc.far, pooled.roc.tar)).toBe(best(full.far, full.tar));
      }
    }
  });

  it('without a miss leaves open what so few subjects leave open', () => {
    const { verification } = ijbVerification(
      { length: 2, original: Float64Array.of(1, 0, 1, 0, 0, 1, 0, 1) },
      {
        first: Uint32Array.of(0, 2, 0, 1),
        second: Uint32Array.of(1, 3, 2, 3),
        same: Uint8Array.of(1, 1, 0, 0),
      },
      new Map([1, 1, 2, 2].map((subject, row) => [row, subject])),
      { fars: [0.5], replicates: 50 },
    );
    // Two subjects: (1 - p)^2 = .025.
    expect(verification.tarAtFar[0]).toMatchObject({ tar: 1, interval: [Math.sqrt(0.025), 1] });
    expect(verification.eerInterval).toEqual([0, 1 - Math.sqrt(0.025)]);
  });

  it('refuses pairs of one kind and scores that are no numbers', () => {
    expect(() => poolTrials(Float64Array.of(1, 0), Uint8Array.of(1, 1))).toThrow(
      'no pair of different subjects',
    );
    expect(() => poolTrials(Float64Array.of(1, 0), Uint8Array.of(0, 0))).toThrow('no pair of one subject');
    expect(() => poolTrials(Float64Array.of(1, Number.NaN), Uint8Array.of(1, 0))).toThrow(
      'pair 2 of 2: its score is not a number',
    );
  });
});

describe('1:N', () => {
  const galleries = [
    { rows: Uint32Array.of(0, 1), subjects: Uint32Array.of(1, 2) },
    { rows: Uint32Array.of(2, 3), subjects: Uint32Array.of(3, 4) },
  ] as const;
  const probes = { rows: Uint32Array.of(4, 5, 6, 7, 8), subjects: Uint32Array.of(1, 2, 1, 3, 4) };
  const found = ijbSearch(templates(), galleries, probes, { fpirs: [0.5, 0.7, 0.1], replicates: 0 });

  it('each gallery is searched on its own, with the probes of the other as strangers', () => {
    expect(found.openSet.map(({ gallery, mated, nonMated }) => [gallery, mated, nonMated])).toEqual([
      [2, 3, 2],
      [2, 2, 3],
    ]);
    expect(found.people).toEqual([2, 2, 0]);
  });

  it('by hand: a tie with the mate is a miss, and the figure is the average of both', () => {
    // Gallery 1: .8 and .8 at rank 1, and a probe between both templates. Gallery 2: 1 at rank 1, .6 behind .8.
    expect(found.cmc).toEqual([{ rank: 1, rate: { value: (2 / 3 + 1 / 2) / 2, each: [2 / 3, 1 / 2] } }]);
    const [half, most, unknown] = found.fnir;
    // Gallery 1: strangers -.6 and -.96, of whom one may pass. Gallery 2: 0, 0 and -.71; the equal ones not alone.
    expect(found.openSet.map(({ points }) => points[0]!.threshold)).toEqual([-0.6, 1]);
    expect(half!.rate.each[0]).toBeCloseTo(1 / 3, 12);
    expect(half!.rate.each[1]).toBe(0.5);
    expect(half!.rate.value).toBeCloseTo(5 / 12, 12);
    expect(half!.rate.reason).toBe(
      'gallery 1 rests on 1 of 2 non-mated searches; gallery 2 rests on 1 of 3 non-mated searches',
    );
    expect(found.openSet[1]!.points[1]!.threshold).toBe(0);
    expect(most!.rate.value).toBeCloseTo(5 / 12, 12);
    expect(unknown!.rate).toMatchObject({ value: null, each: [null, null] });
    expect(unknown!.rate.reason).toMatch(
      /^gallery 1 needs at least 10 non-mated searches, there are 2; gallery 2/,
    );
    const rows = summariseSearch(found);
    expect(rows[0]).toMatchObject({
      figure: '1:N rank-1',
      value: '58.33 %',
      note: 'average of gallery 1 (66.67 %) and gallery 2 (50.00 %)',
    });
    expect(rows.find(({ figure }) => figure === '1:N FNIR at FPIR 10 %')!.value).toBe('not known');
  });

  it('has intervals over subjects that hold the average', () => {
    const draw = random(4, 'subjects');
    const each = 30;
    const length = 5;
    const rows: number[] = [];
    const who: number[] = [];
    for (let image = 0; image < 6; image++) {
      for (let subject = 0; subject < 2 * each; subject++) {
        const centre = random(9, 'centre', subject);
        for (let d = 0; d < length; d++) rows.push(centre.normal() + 0.5 * draw.normal());
        who.push(subject);
      }
    }
    const sums = new TemplateSums(
      {
        names: who.map(String),
        template: Uint32Array.from(who.keys()),
        medium: new Uint32Array(who.length),
      },
      who.length,
    );
    sums.add([...who.keys()], { length, original: Float64Array.from(rows) });
    const part = (from: number, to: number) => ({
      rows: Uint32Array.from({ length: to - from }, (_, i) => from + i),
      subjects: Uint32Array.from(who.slice(from, to)),
    });
    const { fnir, cmc } = ijbSearch(
      sums.unit((row) => row),
      [part(0, each), part(each, 2 * each)],
      part(2 * each, who.length),
      { fpirs: [0.1], replicates: 200 },
    );
    for (const { value, interval } of [fnir[0]!.rate, ...cmc.map(({ rate }) => rate)]) {
      expect(interval![0]).toBeLessThanOrEqual(value!);
      expect(interval![1]).toBeGreaterThanOrEqual(value!);
    }
    expect(cmc.map(({ rank }) => rank)).toEqual([1, 5, 10]);
    expect(fnir[0]!.rate.interval![1]).toBeGreaterThan(fnir[0]!.rate.interval![0]);
  });

  it('refuses a gallery without mated or without non-mated probes', () => {
    const of = (...keep: number[]) => ({
      rows: Uint32Array.from(keep, (i) => probes.rows[i]!),
      subjects: Uint32Array.from(keep, (i) => probes.subjects[i]!),
    });
    expect(() => ijbSearch(templates(), galleries, of(0, 1))).toThrow(
      'gallery 1: there is no non-mated probe',
    );
    expect(() => ijbSearch(templates(), galleries, of(3, 4))).toThrow('gallery 1: there is no mated probe');
  });
});
