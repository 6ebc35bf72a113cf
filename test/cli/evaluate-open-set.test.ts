// evaluate open-set as a user's shell runs it: on faces of plain colours with a model, and on embeddings whose answer is
// known.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hypersphere } from './hypersphere.js';
import { meansModel } from './means-model.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(folder, { recursive: true }));
const faces = join(folder, 'faces.jsonl');

beforeAll(() => {
  // 24 people on the circle, 15 degrees apart; three images each, half a degree apart: everybody is found.
  const lines = Array.from({ length: 72 }, (_, i) => {
    const person = Math.floor(i / 3);
    const angle = ((15 * person + 0.5 * (i % 3)) * Math.PI) / 180;
    const path = `p${person}/${i % 3}.jpg`;
    return JSON.stringify({ path, person: `p${person}`, embedding: [Math.cos(angle), Math.sin(angle)] });
  });
  writeFileSync(faces, `${lines.join('\n')}\n`);
});

const openSet = (...flags: string[]) =>
  hypersphere('evaluate', 'open-set', '--embeddings', faces, '--replicates', '50', ...flags);

describe('evaluate open-set', () => {
  test('prints one JSON object, and writes report and lists', async () => {
    const report = join(folder, 'report');
    const { code, stdout } = await openSet('--json', '--report', report, '--fpir', '0.03,0.1', '--seed', '2');
    expect(code).toBe(0);
    const evaluation = JSON.parse(stdout);
    expect(evaluation).toMatchObject({
      format: 'hypersphere-evaluation/1',
      protocol: 'open-set',
      model: { name: 'not stated', length: 2 },
    });
    expect(evaluation.openSet.map(({ gallery }: { gallery: number }) => gallery)).toEqual([10, 12]);
    // Twelve strangers with three images, at least 14 degrees from anybody; mates lie within one degree.
    const [, all] = evaluation.openSet;
    expect([all.mated, all.nonMated, all.rank]).toEqual([24, 36, 1]);
    expect(all.points[0]).toMatchObject({ fpir: 0.03, fnir: 0, falsePositives: 1 });
    expect(all.points[0].interval[0]).toBe(0);
    expect(evaluation.identification[1].rates[0]).toBe(1);
    expect(evaluation.details.independence).toHaveLength(4);
    expect(evaluation.settings).toContainEqual(['Non-mated probes', '36 of 12 people']);
    const lists = JSON.parse(readFileSync(join(report, 'lists.json'), 'utf8'));
    expect(lists).toMatchObject({
      format: 'hypersphere-open-set/1',
      drawn: { seed: 2, enrol: 1, share: 0.5 },
    });
    expect(readFileSync(join(report, 'index.html'), 'utf8')).toMatch(/open-set identification/i);

    // The same experiment from its lists, whatever the seed of the drawing.
    const again = await openSet(
      '--json',
      '--lists',
      join(report, 'lists.json'),
      '--fpir',
      '0.03,0.1',
      '--seed',
      '2',
    );
    expect(again.code).toBe(0);
    const { openSet: curves, identification } = JSON.parse(again.stdout);
    expect({ curves, identification }).toEqual({
      curves: evaluation.openSet,
      identification: evaluation.identification,
    });
  });

  test('prints a table for people, and a rate that is not known as such', async () => {
    const { code, stdout, stderr } = await openSet('--gallery-size', '5,all', '--rank', '2');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^open-set identification, rank 2: not stated .*\n/);
    expect(stdout).toMatch(/12 people enrolled; 24 mated probes of 12, 36 non-mated of 12 others/);
    expect(stdout).toMatch(
      /FNIR at FPIR 0\.3 %, gallery 12 +not known +needs at least 334 non-mated searches, there are 36/,
    );
    expect(stdout).toMatch(/threshold at FPIR 10 %, gallery 5 +0\.\d{4} /);
    expect(stderr).toMatch(/seed 1 draws them again/);
  });

  test('lists of other images, or with a stranger enrolled, end with one line', async () => {
    const file = join(folder, 'lists.tsv');
    const good = ['gallery\tp1/0.jpg\tp1', 'mated\tp1/1.jpg\tp1', 'non-mated\tp2/1.jpg\tp2'];
    const end = async (lines: string[], ...flags: string[]) => {
      writeFileSync(file, lines.join('\n'));
      const { code, stdout, stderr } = await openSet('--lists', file, ...flags);
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      return stderr;
    };
    expect(await end([...good, 'mated\tp1/9.jpg\tp1'])).toMatch(
      /^hypersphere: p1\/9\.jpg: not in .*faces\.jsonl, asked for by .*lists\.tsv\n$/,
    );
    expect(await end([...good, 'non-mated\tp1/2.jpg\tp1'])).toMatch(
      /^hypersphere: .*lists\.tsv: non-mated probe p1\/2\.jpg: p1 is enrolled\n$/,
    );
    expect(await end(good, '--gallery-size', '3')).toMatch(
      /^hypersphere: gallery size 3: only 1 people are enrolled/,
    );
  });

  test('ends with 2 when it is not understood', async () => {
    for (const flags of [
      ['--fpir', '1'],
      ['--fpir', 'x'],
      ['--share', '0'],
      ['--share', '1.5'],
      ['--gallery-size', '0'],
      ['--rank', '0'],
      ['--lists', 'a.json', '--enrol', '2'],
    ])
      expect((await openSet(...flags)).code, flags.join(' ')).toBe(2);
  });

  test('people without enough images end with one line', async () => {
    const { code, stderr } = await openSet('--enrol', '3');
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^hypersphere: .*nobody can be enrolled: 0 of 24 people have more than 3 images, share 0\.5\n$/,
    );
  });
});

test('a model on a folder of faces', async () => {
  const data = join(folder, 'faces');
  const colours = { Red: [200, 20, 20], Green: [20, 200, 20], Blue: [20, 20, 200], Grey: [130, 130, 130] };
  for (const [name, [r, g, b]] of Object.entries(colours)) {
    mkdirSync(join(data, name), { recursive: true });
    for (const i of [1, 2, 3]) {
      const background = { r: r! + 5 * i, g: g! + 5 * i, b: b! + 5 * i };
      const create = { width: 8, height: 8, channels: 3 as const, background };
      await sharp({ create })
        .png()
        .toFile(join(data, name, `${i}.png`));
    }
  }
  const model = join(folder, 'means.onnx');
  meansModel(model);
  const { code, stdout } = await hypersphere(
    ...[
      'evaluate',
      'open-set',
      '--model',
      model,
      '--data',
      data,
      '--fpir',
      '0.5',
      '--replicates',
      '0',
      '--json',
    ],
    ...['--order', 'rgb', '--mean', '127.5', '--scale', '1/128', '--threads', '1'],
  );
  expect(code).toBe(0);
  const { openSet, identification, settings } = JSON.parse(stdout);
  expect(openSet[0]).toMatchObject({ gallery: 2, mated: 4, nonMated: 6 });
  expect(identification[0].rates).toEqual([1, 1]);
  expect(settings).toContainEqual(['Computed on', 'cpu']);
});
