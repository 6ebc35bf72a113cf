// evaluate pairs as a user's shell runs it: lists in every form, missing images, and scores made elsewhere.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { write } from '../data/pictures.js';
import { hypersphere } from './hypersphere.js';
import { meansModel } from './means-model.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(folder, { recursive: true }));
const data = join(folder, 'faces');
const model = meansModel(join(folder, 'means.onnx'));
const said = (stderr: string) => stderr.replace(/^\d+\/\d+ images.*\n/gm, '');

beforeAll(async () => {
  const people = { Red: [200, 20, 20], Green: [20, 200, 20], Blue: [20, 20, 200] };
  for (const [name, [r, g, b]] of Object.entries(people)) {
    mkdirSync(join(data, name), { recursive: true });
    for (const i of [1, 2, 3])
      await sharp({
        create: {
          width: 8,
          height: 8,
          channels: 3,
          background: { r: r! + 5 * i, g: g! + 5 * i, b: b! + 5 * i },
        },
      })
        .png()
        .toFile(join(data, name, `${i}.png`));
  }
});

const good = [
  'Red/1.png,Red/2.png,1',
  'Red/1.png,Blue/1.png,0',
  'Green/1.png,Green/2.png,1',
  'Green/2.png,Blue/2.png,0',
  'Blue/1.png,Blue/3.png,1',
  'Red/3.png,Green/3.png,0',
];
const list = (name: string, lines: readonly string[]) => write(join(folder, name), `${lines.join('\n')}\n`);
const pairs = (file: string, ...flags: string[]) =>
  hypersphere('evaluate', 'pairs', '--pairs', file, '--data', data, ...model, ...flags);
const scores = (lines: readonly string[], ...flags: string[]) =>
  hypersphere('evaluate', 'pairs', '--scores', list('scores.txt', lines), ...flags);

describe('evaluate pairs', () => {
  test('measures by contiguous folds, and draws the people of the folders', async () => {
    const { code, stdout, stderr } = await pairs(list('good.csv', good), '--folds', '3', '--json');
    expect({ code, stderr: said(stderr) }).toEqual({ code: 0, stderr: '' });
    const figures = JSON.parse(stdout);
    expect(figures).toMatchObject({
      protocol: 'pairs',
      title: 'Verification of good.csv, mode exact',
      verification: { accuracy: 1, auc: 1, pairs: 6, intervals: { resampled: 'people' } },
      mistakes: [],
    });
    expect(figures.verification.folds.map(({ pairs }: { pairs: number }) => pairs)).toEqual([2, 2, 2]);
    expect(figures.settings).toContainEqual(['Images', '9']);
  });

  test('takes folds from the list, absolute paths, and folders that are no people', async () => {
    const lines = good.map((line, i) => `${line},${[0, 1, 1, 0, 1, 1][i]}`);
    lines[0] = `${join(data, 'Red/1.png')},Red/2.png,1,0`;
    // Red and Blue as one person: no longer what the folders say.
    lines[1] = 'Red/1.png,Blue/1.png,1,1';
    const { code, stdout } = await pairs(list('folds.csv', lines), '--mode', 'insightface', '--json');
    expect(code).toBe(0);
    const figures = JSON.parse(stdout);
    expect(figures.verification).toMatchObject({ intervals: { resampled: 'images' }, samePairs: 4 });
    expect(figures.verification.folds.map(({ fold }: { fold: number }) => fold)).toEqual([0, 1]);
    expect(figures.notes.join()).toMatch(/intervals come from drawing images/);
  });

  test('says that folds of a sorted list hold one kind', async () => {
    const sorted = [0, 2, 4, 1, 3, 5].map((i) => good[i]!);
    const { stdout } = await pairs(list('sorted.csv', sorted), '--folds', '3', '--json');
    expect(JSON.parse(stdout).notes.join()).toMatch(/2 of 3 folds hold pairs of one kind only/);
  });

  test('finds out all missing images before anything runs, and leaves their pairs out where asked', async () => {
    const file = list('missing.csv', [
      ...good,
      'Red/7.png,Red/1.png,1',
      'Cy/1.png,Red/7.png,0',
      'Red/2.png,No/1.png,0',
    ]);
    const refused = await pairs(file, '--folds', '3');
    expect(refused.code).toBe(3);
    expect(refused.stderr).toMatch(
      /^hypersphere: .*missing\.csv: 3 of the images that it names are not in .*faces, such as Red\/7\.png, Cy\/1\.png, No\/1\.png; --skip-missing leaves their 3 pairs out\n$/,
    );
    const skipped = await pairs(file, '--folds', '3', '--skip-missing', '--json');
    expect(skipped.code).toBe(0);
    const figures = JSON.parse(skipped.stdout);
    expect(figures.notes.join('\n')).toMatch(/3 of the images .*: 3 pairs were left out/);
    expect(figures.details).toMatchObject({
      missing: ['Red/7.png', 'Cy/1.png', 'No/1.png'],
      pairsLeftOut: 3,
    });
    // The folds are those of the whole list: three, three, and none of the last three.
    expect(figures.verification.folds.map(({ pairs }: { pairs: number }) => pairs)).toEqual([3, 3]);
  });

  test('treats an image that cannot be read as one that is missing, where asked', async () => {
    const broken = join(folder, 'broken');
    await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .png()
      .toFile(write(join(broken, 'A/1.png'), ''));
    for (const [name, background] of [
      ['A/2.png', '#f11'],
      ['B/1.png', 'blue'],
      ['B/2.png', '#22f'],
    ] as const)
      await sharp({ create: { width: 8, height: 8, channels: 3, background } })
        .png()
        .toFile(write(join(broken, name), ''));
    write(join(broken, 'B/3.png'), 'no image');
    const file = list('broken.txt', [
      'B/3.png B/1.png 1',
      'A/1.png A/2.png 1',
      'A/1.png B/1.png 0',
      'B/1.png B/2.png 1',
      'A/2.png B/2.png 0',
    ]);
    const flags = ['--data', broken, '--folds', '2'];
    const refused = await pairs(file, ...flags);
    expect(said(refused.stderr)).toMatch(/^hypersphere: .*B\/3\.png: .*\n$/);
    const { code, stdout } = await pairs(file, ...flags, '--skip-missing', '--json');
    expect(code).toBe(0);
    const figures = JSON.parse(stdout);
    expect(figures.details).toMatchObject({ unreadable: ['B/3.png'], pairsLeftOut: 1 });
    expect(figures.notes.join('\n')).toMatch(
      /1 images cannot be read, such as B\/3\.png: 1 pairs were left out/,
    );
    expect(figures.verification.pairs).toBe(4);
  });

  test('refuses pairs that come twice with both lines, or counts them once', async () => {
    const file = list('twice.csv', [...good, 'Red/2.png,Red/1.png,1']);
    const refused = await pairs(file);
    expect(refused.stderr).toMatch(
      /^hypersphere: .*twice\.csv lines 1 and 7: .* are listed twice; --allow-duplicates .*\n$/,
    );
    const { stdout } = await pairs(file, '--allow-duplicates', '--folds', '3', '--json');
    const figures = JSON.parse(stdout);
    expect(figures.verification.pairs).toBe(6);
    expect(figures.notes.join('\n')).toMatch(/1 line repeats an earlier pair/);
  });

  test('measures embeddings as it measures the model that made them', async () => {
    const out = join(folder, 'faces.safetensors');
    await hypersphere('embed', '--data', data, '--out', out, '--flip', 'concatenate', ...model);
    const file = list('embedded.csv', good);
    const flags = ['--folds', '3', '--json'];
    const embedded = await hypersphere('evaluate', 'pairs', '--pairs', file, '--embeddings', out, ...flags);
    const direct = await pairs(file, ...flags);
    expect(JSON.parse(embedded.stdout).verification).toEqual(JSON.parse(direct.stdout).verification);
  });

  test('ends with one line for lists and flags that are not understood', async () => {
    const file = list('few.csv', good.slice(0, 2));
    expect((await pairs(file)).stderr).toMatch(/^hypersphere: .*\.\w+: 2 pairs cannot make 10 folds; .*\n$/);
    const one = await pairs(list('one.csv', [good[0]!, good[2]!]));
    expect(one.stderr).toMatch(
      /^hypersphere: .*one\.csv: holds no pair of different people; both kinds are needed\n$/,
    );
    const folds = await pairs(
      list(
        'fold.csv',
        good.map((line) => `${line},3`),
      ),
    );
    expect(folds.stderr).toMatch(/^hypersphere: .*fold\.csv: one fold; two are needed, .*\n$/);
    const both = await pairs(
      list(
        'both.csv',
        good.map((line, i) => `${line},${i % 3}`),
      ),
      '--folds',
      '3',
    );
    expect(both).toMatchObject({ code: 2 });
    expect((await hypersphere('evaluate', 'pairs')).code).toBe(2);
    expect((await pairs(file, '--distance')).code).toBe(2);
    expect((await pairs(file, '--scores', file)).code).toBe(2);
    expect((await scores(['1 1', '0 0'], '--mode', 'exact')).code).toBe(2);
    expect((await scores(['1 1', '0 0'], '--data', data)).code).toBe(2);
  });
});

describe('evaluate pairs --scores', () => {
  const lines = ['.9 1', '.8 1', '.1 0', '.7 0', '.6 1', '.5 1', '.2 0', '.3 0'];

  test('measures scores without a model', async () => {
    const { code, stdout, stderr } = await scores(lines, '--folds', '2', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const figures = JSON.parse(stdout);
    // The same scores by hand in test/evaluate/verify-list.test.ts.
    expect(figures).toMatchObject({
      protocol: 'pairs',
      verification: { accuracy: 0.625, auc: 14 / 16, intervals: { resampled: 'pairs' } },
    });
    expect(figures.verification.angles).toBeUndefined();
    expect(figures.mistakes).toBeUndefined();
    expect(figures.notes.join()).toMatch(/names no images: intervals come from drawing pairs/);
  });

  test('measures distances, with people where paths name them', async () => {
    const distances = [
      'a/1 a/2 1 1',
      'a/1 b/1 8 0',
      'b/1 b/2 2 1',
      'b/2 a/2 9 0',
      'c/1 c/2 7 1',
      'c/1 a/1 3 0',
    ];
    const flags = ['--folds', '3', '--distance'];
    const { stdout } = await scores(distances, ...flags, '--json');
    const figures = JSON.parse(stdout);
    // Distances 1 2 7 of one person, 8 9 3 of two: one of nine comparisons is wrong.
    expect(figures.verification).toMatchObject({ intervals: { resampled: 'people' } });
    expect(figures.verification.auc).toBeCloseTo(8 / 9, 12);
    // Fold 2 by 1 2 | 8 9: -5. Fold 0 by 2 7 | 9 3: -8 and -2.5 are equally good, the lower one is taken; 8 ties.
    expect(figures.mistakes).toMatchObject([
      {
        kind: 'false match',
        a: { path: 'c/1', person: 'c' },
        b: { path: 'a/1', person: 'a' },
        score: -3,
        threshold: -5,
      },
      { kind: 'false match', a: { path: 'a/1' }, b: { path: 'b/1' }, score: -8, threshold: -8 },
      { kind: 'false non-match', a: { path: 'c/1' }, score: -7, threshold: -5 },
    ]);
    const table = await scores(distances, ...flags);
    expect(table.stdout).toMatch(/thresholds +-\d.* of the score\n/);
    expect(table.stdout).not.toMatch(/mean angle/);
  });

  test('writes a report', async () => {
    const report = join(folder, 'scores-report');
    const { code, stderr } = await scores(lines, '--folds', '2', '--report', report);
    expect({ code, stderr: stderr.replace(report, 'R') }).toEqual({
      code: 0,
      stderr: 'look at R/index.html\n',
    });
  });

  test('refuses NaN with its line', async () => {
    const { code, stdout, stderr } = await scores([...lines, 'nan 1']);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^hypersphere: .*scores\.txt line 9: its score is NaN, not a number\n$/);
    writeFileSync(join(folder, 'scores.txt'), '');
  });
});
