import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { digitSize } from '../../src/data/index.js';
import { runToy, toyLosses } from '../../src/evaluate/toy.js';
import type { ToyResults } from '../../src/evaluate/toy-results.js';
import { lambdaAt } from '../../src/losses/index.js';
import { shiftImages, TOY, TOY_LOSSES, toyGamma, toyRate, toySteps } from '../../src/train/toy.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-toy-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Paths of all numbers in plain data that are not finite (JSON turns those into null). */
function notFinite(value: unknown, path = ''): string[] {
  if (value === null) return [path];
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [path];
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, inner]) => notFinite(inner, `${path}.${name}`));
}

describe('the schedules of the toy', () => {
  it('bring lambda to its minimum after the stated share of the run, whatever its length', () => {
    for (const steps of [100, 3000]) {
      const annealing = { ...TOY.annealing, gamma: toyGamma(steps) };
      const end = steps * TOY.annealed;
      expect(lambdaAt(annealing, end - 1)).toBeGreaterThan(TOY.annealing.minimum);
      expect(lambdaAt(annealing, end + 1)).toBe(TOY.annealing.minimum);
    }
  });

  it('warm the rate up, hold it, and divide it by ten', () => {
    expect(toyRate(1, 3000)).toBeCloseTo(TOY.rate / TOY.warmUp, 12);
    expect(toyRate(TOY.warmUp, 3000)).toBe(TOY.rate);
    expect(toyRate(3000, 3000)).toBeCloseTo(TOY.rate / 100, 12);
  });

  it('take whole calls of the runtime', () => {
    expect(toySteps(3)).toBe(3);
    expect(toySteps(TOY.stepsPerCall + 1)).toBe(2 * TOY.stepsPerCall);
  });
});

describe('shifted digits', () => {
  const pixels = digitSize * digitSize;
  const paper = Math.fround(-127.5 / 128);
  const dot = () => {
    const images = new Float32Array(50 * pixels).fill(paper);
    for (let i = 0; i < 50; i++) images[i * pixels + 14 * digitSize + 14] = 1;
    return images;
  };

  it('move by at most the given pixels, by chance, and the same for the same seed and step', () => {
    const images = dot();
    shiftImages(images, 2, 1, 0);
    const places = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const image = images.subarray(i * pixels, (i + 1) * pixels);
      expect(image.filter((pixel) => pixel !== paper)).toHaveLength(1);
      const at = image.indexOf(1);
      const [down, right] = [Math.floor(at / digitSize) - 14, (at % digitSize) - 14];
      expect(Math.max(Math.abs(down), Math.abs(right))).toBeLessThanOrEqual(2);
      places.add(`${down} ${right}`);
    }
    expect(places.size).toBeGreaterThan(15);
    const again = dot();
    shiftImages(again, 2, 1, 0);
    expect(again).toEqual(images);
  });

  it('let paper in where they leave', () => {
    const ink = new Float32Array(20 * pixels).fill(1);
    shiftImages(ink, 2, 1, 0);
    expect([...new Set(ink)].sort()).toEqual([paper, 1]);
  });
});

describe('the toy', () => {
  it('gives the same figures for the same seed, on one thread or two', async () => {
    const options = { steps: 20, perClass: 40, losses: ['softmax', 'a-softmax-4'], seed: 5 };
    const [one, two] = [await runToy({ ...options, threads: 1 }), await runToy({ ...options, threads: 2 })];
    expect(two.runs.map(({ figures }) => figures)).toEqual(one.runs.map(({ figures }) => figures));
    expect(two.runs.map(({ curve }) => curve)).toEqual(one.runs.map(({ curve }) => curve));
    expect(one.digits).toMatchObject({ trained: [0, 1, 2, 3, 4, 5, 6, 7], heldOut: [8, 9] });
  });

  it('learns: after a few steps, images it has not seen are told apart twice as well as by chance', async () => {
    const { runs } = await runToy({ steps: 120, perClass: 150, losses: ['softmax'] });
    expect(runs[0]!.figures!.testAccuracy).toBeGreaterThan(2 / 8);
  });

  it('refuses losses it does not know, naming those it does', () => {
    expect(() => toyLosses(['softmax', 'arcface'])).toThrow(/'arcface'.*modified-softmax/);
    expect(toyLosses().map(({ id }) => id)).toEqual(TOY_LOSSES.map(({ id }) => id));
  });
});

describe('hypersphere toy', () => {
  const toy = (...flags: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', 'toy', ...flags], {
      encoding: 'utf8',
    });
  const quick = ['--steps', '4', '--images', '30', '--threads', '1'];

  it('leaves a page and results with finite figures, and says how to go on', () => {
    const { status, stdout, stderr } = toy(...quick, '--out', folder);
    expect(stderr).toContain('seed 1');
    expect(status).toBe(0);
    expect(stdout).toContain('hypersphere train --data DIR --net sphereface-4 --loss a-softmax');
    expect(stdout).toContain(join(folder, 'index.html'));
    expect(stdout).toMatch(/Open set: \d+ pairs, ten folds, ± standard error/);
    for (const { title } of TOY_LOSSES) expect(stdout).toContain(title);
    const results = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as ToyResults;
    expect(results.runs).toHaveLength(TOY_LOSSES.length);
    expect(notFinite(results)).toEqual([]);
    const page = readFileSync(join(folder, 'index.html'), 'utf8');
    expect(page.match(/features of the trained digits in the plane/g)).toHaveLength(TOY_LOSSES.length);
  });

  it('prints one JSON object and nothing else with --json', () => {
    const out = join(folder, 'json');
    const { status, stdout } = toy(...quick, '--losses', 'softmax', '--out', out, '--json');
    expect(status).toBe(0);
    const printed = JSON.parse(stdout) as ToyResults & { page: string };
    expect(printed.runs.map(({ id }) => id)).toEqual(['softmax']);
    expect(existsSync(printed.page)).toBe(true);
  });

  it('ends with 2 for a loss it does not know', () => {
    expect(toy('--losses', 'arcface').status).toBe(2);
  });
});
