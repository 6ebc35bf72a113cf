// Evaluations beside each other: whether they may be compared is said first, the best is marked only where intervals
// allow it, and what was set stands side by side with its differences.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Evaluation } from '../../src/evaluate/evaluation.js';
import { differences, named, settingRows } from '../../src/report/evaluation/comparable.js';
import { evaluationsPage } from '../../src/report/evaluation/comparison-page.js';
import { clearlyBest, type Figure, figuresOf } from '../../src/report/evaluation/figures.js';
import { writeComparison, writeEvaluation } from '../../src/report/index.js';
import { cmc, det, EVIL, evaluationOf, verificationOf } from '../support/evaluations.js';
import { expectWellFormed, expectXml } from '../support/markup.js';

const runs = (...evaluations: Evaluation[]) =>
  named(evaluations.map((evaluation, i) => ({ file: `runs/${'abcdefgh'[i]}/evaluation.json`, evaluation })));

const model = (name: string) => ({ name, file: `${name}.onnx`, length: 128 });

function expectPage(evaluations: Evaluation[]) {
  const made = evaluationsPage(runs(...evaluations));
  expectWellFormed(made.page);
  expect(made.page).not.toMatch(/\bNaN\b|undefined|Infinity|\[object/);
  const { document } = parseHTML(made.page);
  expect(document.querySelectorAll('script, link, iframe, object, embed, base, img')).toHaveLength(0);
  for (const element of document.querySelectorAll('*'))
    for (const name of element.getAttributeNames()) expect(name).not.toMatch(/^on|^href$|^src/);
  return { ...made, document };
}

describe('the best', () => {
  const figure = (
    value: number | null,
    interval?: [number, number],
    better: Figure['better'] = 'higher',
  ): Figure => ({ name: 'f', better, value, interval, print: String });

  test('is one whose interval lies beyond all others', () => {
    expect(clearlyBest([figure(0.5, [0.4, 0.6]), figure(0.8, [0.7, 0.9])])).toBe(1);
    expect(clearlyBest([figure(0.5, [0.4, 0.6], 'lower'), figure(0.8, [0.7, 0.9], 'lower')])).toBe(0);
    expect(clearlyBest([figure(0.5, [0.4, 0.6]), figure(0.7, [0.6, 0.9])])).toBeUndefined();
    expect(
      clearlyBest([figure(0.9, [0.88, 0.92]), figure(0.5, [0.4, 0.6]), figure(0.8, [0.7, 0.89])]),
    ).toBeUndefined();
  });

  test('is nobody when a figure is missing, unknown, alone or without interval', () => {
    const good = figure(0.9, [0.89, 0.91]);
    expect(clearlyBest([good, undefined])).toBeUndefined();
    expect(clearlyBest([good, figure(null)])).toBeUndefined();
    expect(clearlyBest([good, figure(0.1)])).toBeUndefined();
    expect(clearlyBest([good])).toBeUndefined();
  });

  test('is marked in the table, with the rule in words', () => {
    const { document } = expectPage([
      evaluationOf({ model: model('weak'), verification: verificationOf(400, 0.2) }),
      evaluationOf({ model: model('strong'), verification: verificationOf(400, 0.7) }),
    ]);
    const marked = [...document.querySelectorAll('.best')];
    expect(marked.length).toBeGreaterThan(2);
    for (const cell of marked) expect(cell.previousElementSibling!.previousElementSibling).not.toBeNull();
    expect(document.body.textContent).toContain('does not overlap that of any other run');
    expect(document.querySelector('.lead')!.textContent).toContain('strong is the best');
  });
});

describe('what may be compared', () => {
  const base = () => evaluationOf({ verification: verificationOf(400) });

  test('is what differs in the model alone', () => {
    const { comparable, document } = expectPage([base(), { ...base(), model: model('model-b') }]);
    expect(comparable).toBe(true);
    expect(document.querySelector('.warning')).toBeNull();
    expect(document.querySelector('tr.differs th')!.textContent).toBe('Model');
    expect(document.querySelectorAll('.matters')).toHaveLength(0);
    expect(document.querySelector('h1')!.textContent).toBe('Verification of pairs, mode exact');
  });

  test.each([
    ['Image and mirror', 'concatenate', 'sum'],
    ['Template', 'image and mirror: concatenate', 'image and mirror: none'],
    ['Distractors: Embeddings', 'a.npy', 'b.npy'],
    [
      'Alignment',
      "taken as they are; the model's template: arcface",
      "taken as they are; the model's template: dlib",
    ],
  ])('is what differs in how a model is used: %s', (name, one, other) => {
    const of = (value: string) => ({
      ...base(),
      settings: [...base().settings, [name, value] as [string, string]],
    });
    expect(differences(settingRows(runs(of(one), of(other))))).toEqual([]);
  });

  test('in another folder is the same data', () => {
    const moved = {
      ...base(),
      settings: base().settings.map(([n, v]): [string, string] => [n, `../d/${v}`]),
    };
    expect(differences(settingRows(runs(base(), moved)))).toEqual([]);
  });

  test.each<[string, Partial<Evaluation>]>([
    ['Protocol', { protocol: 'lfw' }],
    ['Evaluation', { title: 'another mode' }],
    [
      'Pairs',
      {
        settings: [
          ['Faces', 'lfw/aligned-112'],
          ['Pairs', 'other.txt'],
          ['Mode', 'exact'],
        ],
      },
    ],
    ['Alignment', { settings: [...evaluationOf().settings, ['Alignment', 'carried over']] }],
    ['Pairs of different people', { verification: verificationOf(401) }],
  ])('is not what differs in %s, which the page says first, and marks no best', (name, change) => {
    const strong = { ...evaluationOf({ verification: verificationOf(400, 0.7) }), ...change };
    const { comparable, document } = expectPage([
      evaluationOf({ verification: verificationOf(400, 0.2) }),
      strong,
    ]);
    expect(comparable).toBe(false);
    const warning = document.querySelector('.warning')!;
    expect([...warning.querySelectorAll('li')].map((line) => line.textContent!.split(':')[0])).toEqual([
      name,
    ]);
    const order = [...document.querySelectorAll('.warning, table')];
    expect(order[0]).toBe(warning);
    expect(document.querySelectorAll('.best')).toHaveLength(0);
    expect(document.querySelector('.lead')!.textContent).toContain('must not be compared');
    expect(document.querySelector('tr.matters th')!.textContent).toBe(name);
  });
});

describe('the page', () => {
  test('names runs by model, and by folder where models are alike', () => {
    const names = (...models: string[]) =>
      runs(...models.map((name) => evaluationOf({ model: model(name) }))).map(({ name }) => name);
    expect(names('m', 'n')).toEqual(['m', 'n']);
    expect(names('m', 'm', 'n')).toEqual(['m (a)', 'm (b)', 'n']);
    const twice = named(
      ['x/evaluation.json', 'x/evaluation.json'].map((file) => ({ file, evaluation: evaluationOf() })),
    );
    expect(new Set(twice.map(({ name }) => name)).size).toBe(2);
    expect(new Set(twice.map(({ short }) => short)).size).toBe(2);
  });

  test('has every figure of every run, and says which are not known', () => {
    const evaluations = [0.3, 0.35, 0.4].map((shift, i) =>
      evaluationOf({
        model: model(`m${i}`),
        verification: verificationOf(400, shift),
        identification: [cmc(10), cmc(100, 0.7 + i / 100)],
        openSet: [det(10), det(100)],
      }),
    );
    const { document, plots } = expectPage(evaluations);
    const [table] = document.querySelectorAll('table');
    for (const evaluation of evaluations)
      for (const { name, value, print, interval } of figuresOf(evaluation)) {
        expect(table!.textContent).toContain(name);
        expect(table!.textContent).toContain(value === null ? 'not known' : print(value));
        if (interval) expect(table!.textContent).toContain(`${print(interval[0])} .. ${print(interval[1])}`);
      }
    expect(plots.map(({ id }) => id)).toEqual(['roc', 'det', 'cmc', 'rank-1', 'open-set-det']);
    for (const { svg } of plots)
      for (const name of ['m0', 'm1', 'm2']) expect(svg.text).toContain(`>${name}`);
    expect(document.body.textContent).toContain('in galleries of 100, the largest that all have');
  });

  test('takes the galleries of IJB for what they are: two halves, by number', () => {
    const ijb = evaluationOf({
      protocol: 'ijb',
      identification: [cmc(40), cmc(40)],
      openSet: [det(40), det(40)],
    });
    const names = figuresOf(ijb).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('FNIR at FPIR 1 %, gallery 2');
    expect(expectPage([ijb, ijb]).plots.map(({ id }) => id)).toEqual(['cmc', 'open-set-det']);
  });

  test('compares in the largest gallery that all have, and draws no CMC where they share none', () => {
    const of = (...sizes: number[]) => evaluationOf({ identification: sizes.map((size) => cmc(size)) });
    expect(expectPage([of(10, 100, 1000), of(10, 100)]).page).toContain('in galleries of 100, the largest');
    expect(expectPage([of(10), of(20)]).plots.map(({ id }) => id)).toEqual([]);
  });

  test('keeps hostile names as text, and bears runs that have nothing in common', () => {
    const { document } = expectPage([
      evaluationOf({ title: EVIL, model: model(EVIL), notes: [EVIL], settings: [[EVIL, EVIL]] }),
      evaluationOf({ verification: verificationOf(20) }),
      evaluationOf({ protocol: 'open-set', openSet: [det(5)] }),
    ]);
    expect(document.querySelector('thead')!.textContent).toContain(EVIL);
  });
});

describe('files', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'comparison-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('are read from folders and files, and the page is written with its plots', async () => {
    for (const name of ['one', 'two'])
      await writeEvaluation(join(folder, name), evaluationOf({ verification: verificationOf(200) }));
    const out = join(folder, 'both');
    const places = [join(folder, 'one'), join(folder, 'two', 'evaluation.json')];
    const written = await writeComparison(out, places);
    expect(written).toMatchObject({ comparable: true, runs: ['model-a (one)', 'model-a (two)'] });
    expect(readdirSync(out).sort()).toEqual(['det.svg', 'index.html', 'roc.svg']);
    for (const name of ['det.svg', 'roc.svg']) expectXml(readFileSync(join(out, name), 'utf8'));
    expect(readFileSync(written.page, 'utf8')).not.toContain(folder);
  });

  test('that are missing, too few or damaged are one clear line', async () => {
    const bad = join(folder, 'bad.json');
    writeFileSync(bad, '{"format": "hypers');
    const out = join(folder, 'none');
    const fine = join(folder, 'one');
    await expect(writeComparison(out, [fine])).rejects.toThrow('two evaluations or more');
    await expect(writeComparison(out, [fine, join(folder, 'gone')])).rejects.toThrow(
      /gone: not there; name a folder that --report wrote[^\n]*$/,
    );
    await expect(writeComparison(out, [fine, folder])).rejects.toThrow('no evaluation.json there');
    await expect(writeComparison(out, [fine, bad])).rejects.toThrow(/bad\.json: is cut off[^\n]*$/);
    expect(readdirSync(folder)).not.toContain('none');
  });
});
