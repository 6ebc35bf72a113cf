// Trained figures as data, from runs of a few steps: each trains what it says, leaves plain JSON, and comes out the
// same for the same seed.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { fig2 } from '../../src/evaluate/figures/fig-2.js';
import { fig5 } from '../../src/evaluate/figures/fig-5.js';
import { fig8 } from '../../src/evaluate/figures/fig-8.js';
import { fig9 } from '../../src/evaluate/figures/fig-9.js';
import { fig10 } from '../../src/evaluate/figures/fig-10.js';
import { fig11 } from '../../src/evaluate/figures/fig-11.js';
import { fig12 } from '../../src/evaluate/figures/fig-12.js';
import type { Figure, FigureProgress } from '../../src/evaluate/figures/index.js';
import { figures } from '../../src/evaluate/figures/index.js';
import { spearman } from '../../src/evaluate/figures/spearman.js';
import type { TrainedData } from '../../src/evaluate/figures/trained-data.js';
import { writeFaces } from '../train/faces.js';

const QUICK = { seed: 3, device: 'cpu', threads: 1, steps: 4, perClass: 20 } as const;
const networksOf = (data: TrainedData) => data.parts.flatMap(({ networks }) => networks);
const measuredOf = (data: TrainedData) => networksOf(data).map(({ measured }) => measured!);

const trained = [fig2, fig5, fig8, fig9, fig10, fig11, fig12];
const found = new Map<string, TrainedData>();
beforeAll(async () => {
  for (const figure of trained) found.set(figure.name, await figure.collect(QUICK));
});
const data = ({ name }: Figure<TrainedData>): TrainedData => found.get(name)!;

describe('every trained figure', () => {
  it('is in the list of figures, and says that it trains', () => {
    for (const figure of trained) expect(figures).toContain(figure);
    expect(trained.every((figure) => figure.trained)).toBe(true);
  });

  it('leaves plain data without holes', () => {
    for (const figure of trained) {
      const one = data(figure);
      expect(JSON.parse(JSON.stringify(one))).toEqual(one);
      expect(JSON.stringify(one)).not.toContain('null');
      expect(one.parts.map(({ subject }) => subject)).toEqual(['digits']);
      const ids = networksOf(one).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  it('states how it was trained', () => {
    const settings = new Map(data(fig2).parts[0]!.settings);
    expect(settings.get('steps of each network')).toBe(4);
    expect(settings.get('training images')).toBe(32);
    expect(settings.get('device')).toBe('cpu, 1 threads');
  });

  it('comes out the same for the same seed, and otherwise for another', async () => {
    const plain = (one: TrainedData) => networksOf(one).map(({ seconds: _, ...rest }) => rest);
    expect(plain(await fig2.collect(QUICK))).toEqual(plain(data(fig2)));
    expect(plain(await fig2.collect({ ...QUICK, seed: 4 }))).not.toEqual(plain(data(fig2)));
  });

  it('reports every call of the runtime, up to the last step', async () => {
    const heard: FigureProgress[] = [];
    const notes: string[] = [];
    await fig2.collect(QUICK, { onStep: (one) => heard.push(one), onNote: (line) => notes.push(line) });
    expect(heard.map(({ done }) => done)).toEqual([4, 8, 12]);
    expect(new Set(heard.map(({ total }) => total))).toEqual(new Set([12]));
    expect(heard.at(-1)!.secondsLeft).toBeCloseTo(0, 6);
    expect(notes).toEqual(['32 images of the digits 4 9, 4 steps each network']);
  });
});

describe('the figures one by one', () => {
  it('Fig. 2 has two classes in the plane, for three losses', () => {
    expect(networksOf(data(fig2)).map(({ loss }) => loss)).toEqual([
      'softmax',
      'modified-softmax',
      'a-softmax',
    ]);
    for (const { classVectors, features } of measuredOf(data(fig2))) {
      expect(classVectors.map((row) => row.length)).toEqual([2, 2]);
      expect(features!.training.map((cloud) => cloud.length)).toEqual([16, 16]);
      expect(features!.test.map((cloud) => cloud.length)).toEqual([4, 4]);
      expect(features!.training[0]![0]).toHaveLength(2);
    }
  });

  it('Fig. 5 has three dimensions, margins 1 to 4, and the angles of all pairs', () => {
    expect(networksOf(data(fig5)).map(({ margin }) => margin)).toEqual([1, 2, 3, 4]);
    for (const { features, angles } of measuredOf(data(fig5))) {
      expect(features!.training.flat().every((row) => row.length === 3)).toBe(true);
      const pairs = (counts: number[]) => counts.reduce((sum, count) => sum + count, 0);
      // 6 classes of 16 images.
      expect(pairs(angles!.same)).toBe((6 * 16 * 15) / 2);
      expect(pairs(angles!.different)).toBe(15 * 16 * 16);
    }
  });

  it('Fig. 8 has no negative feature with the last ReLU, and some without', () => {
    const negative = (relu: boolean) =>
      networksOf(data(fig8))
        .find((one) => one.relu === relu)!
        .measured!.features!.training.flat(2)
        .filter((value) => value < 0).length;
    expect(negative(true)).toBe(0);
    expect(negative(false)).toBeGreaterThan(0);
  });

  it('Fig. 9 gives its classes the same long tail in different orders', () => {
    const counts = measuredOf(data(fig9)).map((one) => one.counts);
    const sorted = counts.map((sizes) => [...sizes].sort((a, b) => b - a));
    // 20 images of a digit instead of 800: the tail ends at one, not at 20.
    expect([sorted[0]![0], sorted[0]![9]]).toEqual([20, 1]);
    for (const sizes of sorted) expect(sizes).toEqual(sorted[0]);
    expect(new Set(counts.map(String)).size).toBe(counts.length);
  });

  it('Fig. 10 keeps one bias a class, and how far logits are apart without them', () => {
    const [{ biases, logitGap, classVectors }] = measuredOf(data(fig10)) as [
      ReturnType<typeof measuredOf>[0],
    ];
    expect(biases).toHaveLength(10);
    expect(classVectors[0]).toHaveLength(64);
    expect(logitGap).toBeGreaterThan(0);
  });

  it('Fig. 11 has biases in one network and none in the other', () => {
    expect(measuredOf(data(fig11)).map(({ biases }) => biases?.length)).toEqual([10, undefined]);
  });

  it('Fig. 12 keeps training and test images of all digits', () => {
    for (const { features } of measuredOf(data(fig12))) {
      expect([features!.training.length, features!.test.length]).toEqual([10, 10]);
      expect(features!.training.flat()).toHaveLength(160);
      expect(features!.test.flat()).toHaveLength(40);
    }
  });
});

describe('with a folder of faces', () => {
  it('the people with most images stand beside the digits', async () => {
    const folder = await writeFaces(4, 10);
    rmSync(join(folder, 'person0', '0.png'));
    const { parts } = await fig2.collect({ ...QUICK, faces: folder });
    expect(parts.map(({ subject, classes }) => [subject, classes])).toEqual([
      ['digits', ['4', '9']],
      ['faces', ['person1', 'person2']],
    ]);
    expect(parts[1]!.networks[0]!.measured!.counts).toEqual([7, 7]);
    await expect(fig12.collect({ ...QUICK, faces: folder })).rejects.toThrow(/the figure needs 6/);
  });
});

describe("Spearman's rank correlation", () => {
  it('is 1 for what rises and -1 for what falls, whatever the curve', () => {
    const xs = [3, 1, 10, 4];
    expect(spearman(xs, xs.map(Math.exp))).toBeCloseTo(1, 12);
    expect(
      spearman(
        xs,
        xs.map((x) => -(x ** 3)),
      ),
    ).toBeCloseTo(-1, 12);
  });

  it('is 1 - 6 sum d^2 / (n (n^2 - 1)) without ties', () => {
    // Ranks 1 2 3 4 5 against 2 1 4 3 5: sum of squared differences 4.
    expect(spearman([10, 20, 30, 40, 50], [0.2, 0.1, 0.4, 0.3, 0.5])).toBeCloseTo(1 - (6 * 4) / 120, 12);
  });

  it('gives ties the mean of their ranks', () => {
    // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: Pearson of the ranks is 4.5 / sqrt(4.5 * 5).
    expect(spearman([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
  });

  it('is not a number where all values are equal, and refuses what does not pair', () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN();
    expect(() => spearman([1], [1, 2])).toThrow(RangeError);
  });
});
