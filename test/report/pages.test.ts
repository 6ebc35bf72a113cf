import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, describe, expect, it } from 'vitest';
import type { ToyResults, ToyRun } from '../../src/evaluate/toy-results.js';
import { html } from '../../src/report/html.js';
import { runPage, toyPage, writeRunPage, writeToyPage } from '../../src/report/index.js';
import { smooth, thin } from '../../src/report/run-page.js';
import { spreadAngles } from '../../src/report/toy-plots.js';
import { expectSelfContained, expectWellFormed } from '../support/markup.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

const counts = { width: 60, same: [30, 8, 2], different: [5, 20, 15], meanSame: 21, meanDifferent: 96 };

function toyRun(title: string, margin?: number): ToyRun {
  const cloud = (digit: number) => ({ digit, x: [1, 2, 3 + digit], y: [2, 1, -digit] });
  return {
    id: margin === undefined ? 'softmax' : `a-softmax-${margin}`,
    loss: margin === undefined ? 'softmax' : 'a-softmax',
    title,
    curve: [1, 2, 3].map((step) => ({ step, loss: 2 / step, accuracy: step / 3 })),
    figures: {
      trainingAccuracy: 0.98765,
      testAccuracy: 0.97,
      fisherScore: { training: 0.0123, test: 0.0345 },
      separation: { within: 5.5, nearest: 44.4, smallest: 40 },
      openSet: { accuracy: 0.71, standardError: 0.012, eer: 0.29, pairs: 6000 },
      angles: { trained: counts, heldOut: counts },
      features: { trained: [0, 1, 2].map(cloud), heldOut: [8, 9].map(cloud) },
      directions: [0, 1, 2].map((digit) => ({ digit, x: Math.cos(digit), y: Math.sin(digit) })),
    },
    seconds: 30,
    imagesPerSecond: 5000,
  };
}

const results = (runs: ToyRun[]): ToyResults => ({
  format: 'hypersphere-toy/1',
  seed: 17,
  digits: { trained: [0, 1, 2], heldOut: [8, 9], trainingImages: 60, testImages: 20, heldOutImages: 40 },
  settings: { 'images a step': 64 },
  versions: { node: 'v20' },
  runs,
  seconds: 99,
});

describe('markup', () => {
  it('escapes text and leaves markup as it is', () => {
    const inner = html`<b>${'a < b & "c"'}</b>`;
    expect(html`<p title="${`'"`}">${[inner, null, false, 0]}</p>`.text).toBe(
      '<p title="&#39;&quot;"><b>a &lt; b &amp; &quot;c&quot;</b>0</p>',
    );
  });
});

describe('the page of the toy', () => {
  const text = toyPage(results([toyRun('Softmax'), toyRun('A-Softmax, m = 4', 4)]));
  const { document } = parseHTML(text);

  it('is well-formed and needs neither network nor script', () => {
    expectWellFormed(text);
    expectSelfContained(text);
    expect(text).toContain('prefers-color-scheme: dark');
  });

  it('draws both scatter plots of every loss', () => {
    const labels = [...document.querySelectorAll('svg[role=img]')].map((svg) =>
      svg.getAttribute('aria-label'),
    );
    for (const title of ['Softmax', 'A-Softmax, m = 4']) {
      expect(labels.filter((label) => label!.startsWith(`${title}:`))).toHaveLength(2);
    }
    expect(labels).toHaveLength(4 + 1 + 2);
  });

  it('shows the figures, the seed, the settings and how to go on', () => {
    for (const shown of ['98.8 %', '0.0345', '71.0 %', '± 1.2', '29.0 %', '17', 'images a step']) {
      expect(document.body.textContent).toContain(shown);
    }
    expect(document.body.textContent).toContain(
      'hypersphere train --data DIR --net sphereface-4 --loss a-softmax',
    );
  });

  it('draws both histograms from zero, not one on the other', () => {
    const bars = [...document.querySelectorAll('svg[aria-label^=Histograms] rect')];
    const bottoms = bars.map((bar) => Number(bar.getAttribute('y')) + Number(bar.getAttribute('height')));
    expect(Math.max(...bottoms) - Math.min(...bottoms)).toBeLessThan(0.1);
  });

  it('says so when a loss diverged, and draws the others', () => {
    const { figures: _none, ...diverged } = { ...toyRun('A-Softmax, m = 4', 4), diverged: 12 };
    const partial = toyPage(results([toyRun('Softmax'), diverged]));
    expectWellFormed(partial);
    expect(partial).toContain('no longer a finite number at step 12');
    expect(parseHTML(partial).document.querySelectorAll('svg')).toHaveLength(2 + 1 + 2);
  });

  it('escapes what it is given, in text and in plots', () => {
    const hostile = toyPage(results([toyRun('<script>alert("1")</script>')]));
    expectSelfContained(hostile);
    expectWellFormed(hostile);
  });

  it('is written to a file', () => {
    const file = join(folder, 'toy.html');
    writeToyPage(file, results([toyRun('Softmax')]));
    expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>/);
  });
});

describe('labels around a circle', () => {
  it('are pushed apart, across the turn too, and stay where there is room', () => {
    const placed = spreadAngles([3.1, -3.12, 0], 0.2);
    expect(placed[2]).toBe(0);
    const apart = placed[1]! + 2 * Math.PI - placed[0]!;
    expect(apart).toBeCloseTo(0.2, 3);
  });
});

describe('curves', () => {
  it('are thinned to means over equal stretches', () => {
    const points = Array.from({ length: 1000 }, (_, i) => ({ step: i + 1, value: i }));
    const few = thin(points, 10);
    expect(few).toHaveLength(10);
    expect(few[0]).toEqual({ step: 50.5, value: 49.5 });
  });

  it('are smoothed without a bias at the start', () => {
    const flat = Array.from({ length: 5 }, (_, i) => ({ step: i, value: 3 }));
    for (const { value } of smooth(flat, 10)) expect(value).toBeCloseTo(3, 12);
  });
});

describe('the page of a run', () => {
  const config = {
    net: 'sphereface-4',
    loss: 'a-softmax',
    lossOptions: { margin: 4 },
    steps: 100,
    seed: 3,
    data: '<i>faces</i>',
  };
  const record = (step: number, loss: number | null = 1 / step) =>
    JSON.stringify({
      step,
      epoch: step / 10,
      loss,
      accuracy: 0.5,
      rate: 0.01,
      lambda: 1000 / step,
      cosine: 0.3,
      imagesPerSecond: 99,
      seconds: step,
    });

  function write(metrics: string | undefined, values: object = config): void {
    rmSync(join(folder, 'metrics.jsonl'), { force: true });
    writeFileSync(join(folder, 'config.json'), JSON.stringify(values));
    if (metrics !== undefined) writeFileSync(join(folder, 'metrics.jsonl'), metrics);
  }

  it('has a curve for every metric and the settings, escaped', async () => {
    write(Array.from({ length: 100 }, (_, i) => record(i + 1)).join('\n'));
    const page = readFileSync(await writeRunPage(folder), 'utf8');
    expectWellFormed(page);
    expectSelfContained(page);
    expect(page).toContain('all 100 steps done');
    expect(page).toContain('&lt;i&gt;faces&lt;/i&gt;');
    expect(parseHTML(page).document.querySelectorAll('svg')).toHaveLength(6);
  });

  it('works on a run cut off in mid-line, on one without steps, and on one that diverged', () => {
    write(`${record(1)}\n${record(2)}\n{"step":3,"lo`);
    expect(runPage(folder)).toContain('2 of 100 steps done');
    write(undefined);
    expect(runPage(folder)).toContain('No step has been recorded yet');
    write(`${record(1)}\n${record(2, null)}\n`);
    expect(runPage(folder)).toContain('no longer a finite number');
    write(`${record(1)}\n${JSON.stringify({ ...JSON.parse(record(2)), collapsed: 1 })}\n`);
    expect(runPage(folder)).toContain('at step 2 the run no longer learned');
    write(`${record(1)}\n`);
    expectWellFormed(runPage(folder));
  });

  it('refuses a folder without a run', () => {
    expect(() => runPage(join(folder, 'none'))).toThrow(/no run here/);
  });
});
