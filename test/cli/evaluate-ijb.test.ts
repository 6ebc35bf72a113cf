// evaluate ijb as a user's shell runs it, on a benchmark that is worked out by hand.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { byHand, writeIjb } from '../data/ijb-layout.js';
import { hypersphere } from './hypersphere.js';
import { meansModel } from './means-model.js';

const parent = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(parent, { recursive: true }));
const meta = writeIjb(parent, 'meta');
const faces = join(parent, 'faces.jsonl');

const write = (file: string, path: (i: number) => string, count = byHand.length) =>
  writeFileSync(
    file,
    byHand
      .slice(0, count)
      .map((embedding, i) => `${JSON.stringify({ path: path(i), person: null, embedding })}\n`)
      .join(''),
  );
beforeAll(() => write(faces, (i) => `${i + 1}.jpg`));

const ijb = (...flags: string[]) => hypersphere('evaluate', 'ijb', '--meta', meta, ...flags);

describe('evaluate ijb', () => {
  test('prints one JSON object and writes its report', async () => {
    const report = join(parent, 'report');
    const { code, stdout } = await ijb(
      ...['--embeddings', faces, '--fpir', '0.5', '--replicates', '20', '--json', '--report', report],
    );
    expect(code).toBe(0);
    const evaluation = JSON.parse(stdout);
    expect(evaluation).toMatchObject({
      format: 'hypersphere-evaluation/1',
      protocol: 'ijb',
      title: 'IJB-C 1:1 and 1:N',
      verification: { samePairs: 3, differentPairs: 3 },
    });
    expect(evaluation.verification.auc).toBeCloseTo(8 / 9, 12);
    const { fnir, cmc } = evaluation.details.average;
    expect(cmc[0].rate.value).toBeCloseTo(7 / 12, 12);
    expect(fnir[0].rate.value).toBeCloseTo(5 / 12, 12);
    expect(evaluation.openSet.map(({ mated }: { mated: number }) => mated)).toEqual([3, 2]);
    const kept = JSON.parse(readFileSync(join(report, 'evaluation.json'), 'utf8'));
    const { verification, openSet, identification, details, summary } = evaluation;
    expect(kept).toMatchObject({ verification, openSet, identification, details, summary });
    expect(readFileSync(join(report, 'index.html'), 'utf8')).toContain('IJB-C');
  });

  test('prints a table for people; a TAR at 1e-6 of three impostors is not known', async () => {
    const { code, stdout } = await ijb('--embeddings', faces, '--fpir', '0.5');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /1:1 TAR at FAR 1e-6 +not known +needs at least 1000000 impostor scores, there are 3\n/,
    );
    expect(stdout).toMatch(
      /1:N rank-1 +58\.33 % .* average of gallery 1 \(66\.67 %\) and gallery 2 \(50\.00 %\)\n/,
    );
    expect(stdout).toMatch(
      /1:1 over subjects; 1:N over subjects of gallery 1 \(2\), gallery 2 \(2\) and others \(0\)/,
    );
  });

  test('without pairs or without tables, says what is left out', async () => {
    const search = writeIjb(parent, 'search', { 'template_pair_label.txt': null });
    const one = await ijb('--embeddings', faces, '--meta', search, '--json');
    expect(one.code).toBe(0);
    expect(JSON.parse(one.stdout)).toMatchObject({ title: 'IJB-C 1:N' });
    expect(JSON.parse(one.stdout).notes).toContain('there is no list of pairs: 1:1 is left out');
    const tables = { '1N_gallery_G1.csv': null, '1N_gallery_G2.csv': null, '1N_probe_mixed.csv': null };
    const pairs = writeIjb(parent, 'pairs', tables);
    const other = await ijb('--embeddings', faces, '--meta', pairs, '--json');
    expect(other.code).toBe(0);
    const evaluation = JSON.parse(other.stdout);
    expect(evaluation.title).toBe('IJB-C 1:1');
    expect(evaluation.openSet).toBeUndefined();
    expect(evaluation.notes).toContain(
      'the subjects of some templates are not known, so the intervals of 1:1 draw templates',
    );
  });

  test('finds images by their names alone, and names those that are missing', async () => {
    const nested = join(parent, 'nested.jsonl');
    write(nested, (i) => `loose_crop/${i + 1}.jpg`);
    expect((await ijb('--embeddings', nested, '--json')).code).toBe(0);
    const few = join(parent, 'few.jsonl');
    write(few, (i) => `${i + 1}.jpg`, 10);
    const { code, stdout, stderr } = await ijb('--embeddings', few);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(
      /^hypersphere: .*few\.jsonl: 2 of 12 images that the metadata names are not there, 11\.jpg first; give the folder, or the embeddings, of the whole set\n$/,
    );
  });

  test('a file that is wrong ends with one line, a flag that is wrong with 2', async () => {
    const broken = writeIjb(parent, 'broken', { 'template_pair_label.txt': '100 200 1\n100 201\n' });
    const { code, stderr } = await ijb('--embeddings', faces, '--meta', broken);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^hypersphere: .*ijbc_template_pair_label\.txt line 2: needed are two templates and 1 or 0.*\n$/,
    );
    expect((await ijb('--embeddings', faces, '--fpir', '2')).code).toBe(2);
    expect((await hypersphere('evaluate', 'ijb', '--embeddings', faces)).code).toBe(2);
  });
});

test('a model on a folder of loose images', async () => {
  const data = join(parent, 'crops');
  mkdirSync(data);
  for (const [i, [x, y]] of byHand.entries()) {
    const background = { r: 128 + 20 * x, g: 128 + 20 * y, b: 128 };
    const create = { width: 8, height: 8, channels: 3 as const, background };
    await sharp({ create })
      .jpeg({ quality: 100 })
      .toFile(join(data, `${i + 1}.jpg`));
  }
  const model = join(parent, 'means.onnx');
  meansModel(model);
  const kept = join(parent, 'kept.features');
  const run = () =>
    ijb(
      ...['--model', model, '--data', data, '--keep', kept, '--json', '--threads', '1'],
      ...['--order', 'rgb', '--mean', '128', '--scale', '1/20', '--replicates', '0'],
    );
  const { code, stdout } = await run();
  expect(code).toBe(0);
  expect(JSON.parse(stdout).summary.map(({ figure }: { figure: string }) => figure)).not.toContain(
    'intervals',
  );
  // The colours are the features by hand, so the rates are too; a tie may fall either way in 8-bit colour.
  const evaluation = JSON.parse(stdout);
  const scores = evaluation.verification.roc;
  expect(scores.tar.at(-1)).toBe(1);
  expect(evaluation.details.average.cmc[0].rate.each[1]).toBe(0.5);
  const again = JSON.parse((await run()).stdout);
  expect(again.verification).toEqual(evaluation.verification);
});
