// The page and the Markdown of a reproduced table: the paper's figures beside ours, what is missing said where it is
// missing, and nothing from elsewhere in the page.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { type TableResult, tableNamed } from '../../src/evaluate/tables/index.js';
import { tablePage, writeTable } from '../../src/report/table-page.js';
import { tablePlot } from '../../src/report/table-plot.js';
import { figuresMarkdown, oursText, tableMarkdown } from '../../src/report/table-text.js';
import { expectSelfContained, expectWellFormed } from '../support/markup.js';
import { temporaryFolder } from '../train/faces.js';

const done = (seed: number, lfw: number) => ({ seed, state: 'done' as const, figures: { lfw }, seconds: 90 });

const example: TableResult = {
  format: 'hypersphere-table/1',
  table: 'table3',
  title: 'The margin <m> on LFW',
  source: tableNamed('table3').source,
  scale: 'small',
  finished: false,
  columns: [
    {
      id: 'lfw',
      title: 'LFW accuracy',
      unit: '%',
      digits: 2,
      better: 'higher',
      ours: '6,000 pairs of 10 folds',
    },
    {
      id: 'ytf',
      title: 'YTF accuracy',
      unit: '%',
      digits: 1,
      better: 'higher',
      noData: 'no data: --ytf DIR --splits FILE',
    },
  ],
  rows: [
    {
      ...{
        id: 'softmax',
        title: 'softmax',
        published: { lfw: 97.88, ytf: 93.1 },
        recipe: 'sphereface-4, softmax',
      },
      runs: [done(1, 82), done(2, 83)],
      ours: { lfw: { mean: 82.5, deviation: Math.SQRT1_2, runs: 2 } },
      reasons: {},
    },
    {
      ...{
        id: 'm4',
        title: 'm = 4 | <b>',
        published: { lfw: 99.42, ytf: 95 },
        recipe: 'sphereface-4, a-softmax',
      },
      runs: [
        done(1, 84),
        { seed: 2, state: 'diverged', diverged: 'step 7: the loss became NaN', figures: {} },
      ],
      ours: { lfw: { mean: 84, deviation: null, runs: 1 } },
      reasons: { lfw: 'few trials' },
    },
    {
      ...{ id: 'm3', title: 'm = 3', published: { lfw: 99.25 }, recipe: 'sphereface-4, a-softmax' },
      runs: [
        { seed: 1, state: 'waiting', figures: {} },
        { seed: 2, state: 'waiting', figures: {} },
      ],
      ...{ ours: {}, reasons: {} },
    },
    {
      ...{ id: 'baidu', title: 'Baidu', published: { lfw: 99.13 }, notRun: 'as published' },
      ...{ runs: [], ours: {}, reasons: {} },
    },
  ],
  differences: [['steps', '28,000', '570']],
  settings: [['Training faces', '6,129 images of 291 people']],
  remarks: ['A remark & more.'],
};
const [lfw, ytf] = example.columns as [TableResult['columns'][number], TableResult['columns'][number]];

test('a cell has mean and spread, and says how many runs it stands on where some are missing', () => {
  expect(example.rows.map((row) => oursText(lfw, row))).toEqual([
    '82.50 ± 0.71',
    '84.00 (1 of 2 diverged)',
    'not yet run',
    'as published',
  ]);
  expect(example.rows.map((row) => oursText(ytf, row)).slice(0, 2)).toEqual([
    'no data: --ytf DIR --splits FILE',
    '1 of 2 diverged',
  ]);
});

test('the Markdown has one line a row, with the published figures in their digits', () => {
  const lines = figuresMarkdown(example).split('\n');
  expect(lines).toHaveLength(2 + example.rows.length);
  expect(lines[0]).toBe('|  | LFW accuracy, %: paper | here | YTF accuracy, %: paper | here |');
  expect(lines[2]).toBe('| softmax | 97.88 | 82.50 ± 0.71 | 93.1 | no data: --ytf DIR --splits FILE |');
  expect(lines[3]).toContain('| m = 4 \\| <b> | 99.42 | 84.00 (1 of 2 diverged) | 95.0 |');
  expect(lines[5]).toBe('| Baidu | 99.13 | as published | – | as published |');
  const whole = tableMarkdown(example);
  for (const text of [
    'Table 3',
    '4 of 6 runs',
    '| steps | 28,000 | 570 |',
    'diverged at step 7',
    'few trials',
  ])
    expect(whole).toContain(text);
});

test('the page is self-contained, closes its tags, and shows the same', () => {
  const text = tablePage(example);
  expectSelfContained(text);
  expectWellFormed(text);
  const { document } = parseHTML(text);
  const cells = [...document.querySelectorAll('tbody tr')].map((row) =>
    [...row.querySelectorAll('th, td')].map((cell) => cell.textContent),
  );
  expect(cells[0]).toEqual(['softmax', '97.88', '82.50 ± 0.71', '93.1', 'no data: --ytf DIR --splits FILE']);
  expect(cells[1]![0]).toBe('m = 4 | <b>');
  expect(document.querySelector('h1')!.textContent).toBe('Table 3: The margin <m> on LFW');
  expect(document.body.textContent).toContain('diverged at step 7: the loss became NaN');
  // LFW alone has something to draw.
  expect(document.querySelectorAll('main svg[role=img]').length).toBe(1);
});

test('the dots lie where the figures are, on one axis for the paper and one for ours', () => {
  const { document } = parseHTML(tablePlot(lfw, example.rows)!.text);
  const titles = [...document.querySelectorAll('circle title')].map(({ textContent }) => textContent);
  expect(titles).toEqual([
    "softmax, the paper's: 97.88 %",
    "m = 4 | <b>, the paper's: 99.42 %",
    'softmax, here: 82.50 %, ± 0.71 over 2 runs',
    'm = 4 | <b>, here: 84.00 %, one run',
  ]);
  const x = [...document.querySelectorAll('circle')].map((dot) => Number(dot.getAttribute('cx')));
  expect(x[1]).toBeGreaterThan(x[0]!);
  expect(x[3]).toBeGreaterThan(x[2]!);
  expect(tablePlot(ytf, example.rows)).toBeUndefined();
});

test('JSON, Markdown and page are written side by side', async () => {
  const folder = join(temporaryFolder(), 'table');
  const page = await writeTable(folder, example);
  expect(page).toBe(join(folder, 'index.html'));
  expect(JSON.parse(readFileSync(join(folder, 'table.json'), 'utf8'))).toEqual(example);
  expect(readFileSync(join(folder, 'table.md'), 'utf8')).toBe(tableMarkdown(example));
});
