// The tables of the paper: published figures against an independent copy, recipes against the published schedule, and
// the runner on a few made-up faces: figures against the exported model, stopping, resuming, and what it refuses.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { locatePairs, readPairs } from '../../src/data/index.js';
import { lfw } from '../../src/evaluate/index.js';
import {
  COLUMNS,
  recipeSettings,
  reproduceTable,
  slowGamma,
  TABLES,
  tableNamed,
} from '../../src/evaluate/tables/index.js';
import { readOutcome } from '../../src/evaluate/tables/outcome.js';
import { planTable, type ReproduceOptions } from '../../src/evaluate/tables/plan.js';
import { BUDGETS, rowSettings } from '../../src/evaluate/tables/scales.js';
import { overSeeds, rowResult } from '../../src/evaluate/tables/table-result.js';
import { finishRun } from '../../src/evaluate/tables/train-run.js';
import { openEmbedder } from '../../src/face/index.js';
import { lambdaAt, SPHEREFACE_ANNEALING } from '../../src/losses/index.js';
import { draftConfig, readMetrics, resolveConfig } from '../../src/train/index.js';
import { milestoneSteps } from '../../src/train/schedule.js';
import { temporaryFolder, writeFaces } from '../train/faces.js';
import { type LfwLike, lfwLike } from './lfw-like.js';

/** As they are printed in the paper, rows in its order. */
const PRINTED = {
  table3: '97.88/93.1 97.90/93.2 98.40/93.8 99.25/94.4 99.42/95.0',
  table4: '97.88/93.1 98.78/93.5 98.70/93.4 99.10/94.0 99.05/94.4 99.42/95.0',
  table5: '54.86/65.93 65.22/78.87 64.80/78.32 67.13/80.42 65.49/80.15 72.73/85.56',
  table6: '95.13/.3477 96.37/.2835 96.40/.2815 96.63/.2462 97.67/.2277 97.82/.1791 98.20/.1709',
  table7: '57.53/68.55 65.34/78.07 69.62/83.16 71.26/84.05 72.73/85.56',
};

describe('the published tables', () => {
  test.each(Object.entries(PRINTED))('%s has the figures of the paper', (name, printed) => {
    const { rows, columns } = tableNamed(name);
    const figures = rows
      .filter(({ recipe }) => recipe)
      .map(({ published }) => [published[columns[0]!], published[columns[1]!]]);
    expect(figures).toEqual(printed.split(' ').map((pair) => pair.split('/').map(Number)));
  });

  test('every figure belongs to a column of its table, and ids are not used twice', () => {
    for (const { rows, columns } of TABLES) {
      for (const { published } of rows)
        for (const id of Object.keys(published)) expect(columns).toContain(id);
      expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    }
    expect(TABLES.flatMap(({ columns }) => columns).every((id) => COLUMNS[id].id === id)).toBe(true);
  });

  test('an unknown table is a sentence that lists the others', () => {
    expect(() => tableNamed('table8')).toThrow(
      "no table 'table8' to reproduce: table3, table4, table5, table6, table7",
    );
  });
});

describe('recipes', () => {
  const all = TABLES.flatMap((table) =>
    table.rows.filter(({ recipe }) => recipe).map((row) => ({ table, row })),
  );

  test.each(['small', 'paper'] as const)(
    'every row is a configuration that train accepts at scale %s',
    (scale) => {
      for (const { table, row } of all) {
        const draft = draftConfig({ ...rowSettings(table, row, scale, BUDGETS[scale]), data: 'faces' });
        expect(draft.net).toBe(`sphereface-${row.depth ?? (scale === 'small' ? 4 : table.depth)}`);
        expect(draft.batch).toBe(scale === 'small' ? 64 : 512);
      }
    },
  );

  test('at the scale of the paper rate, steps and annealing are the published ones', () => {
    const table = tableNamed('table4');
    const config = (id: string) => {
      const row = table.rows.find((one) => one.id === id)!;
      const settings = { ...rowSettings(table, row, 'paper', BUDGETS.paper), data: 'faces' };
      return resolveConfig(draftConfig(settings), 1);
    };
    const sphereface = config('a-softmax-m4');
    expect(sphereface).toMatchObject({
      ...{ net: 'sphereface-64', size: [112, 96], batch: 512, steps: 28_000, lr: 0.1, mirror: true },
      lossOptions: { margin: 4, annealing: { base: 1000, gamma: 0.12, power: 1, minimum: 5 } },
    });
    expect(milestoneSteps(sphereface.milestones, sphereface.steps)).toEqual([16_000, 24_000]);
    expect(config('l-softmax-m4').lossOptions).toMatchObject({
      annealing: { base: 1000, gamma: 2.5e-5, power: 35, minimum: 0 },
    });
  });

  test.each([100, 570, 1140])(
    'in a small run of %i steps lambda comes to its minimum at the end',
    (steps) => {
      for (const recipe of ['a-softmax-m4', 'l-softmax-m4'] as const) {
        const { lossOptions, loss } = recipeSettings(recipe, 'small', steps);
        const { annealing } = resolveConfig(
          draftConfig({ data: 'faces', net: 'sphereface-4', loss, lossOptions, steps }),
          1,
        ).lossOptions as { annealing: typeof SPHEREFACE_ANNEALING };
        // Gamma has two digits, so lambda may be a twentieth above.
        expect(lambdaAt(annealing, steps) / 5).toBeCloseTo(1, 0);
        expect(lambdaAt(annealing, steps)).toBeLessThan(6);
        expect(lambdaAt(annealing, Math.round(0.8 * steps))).toBeGreaterThan(5.5);
      }
    },
  );

  test('a long small run anneals no slower than published', () => {
    expect(slowGamma(10_000, SPHEREFACE_ANNEALING)).toBe(0.12);
  });
});

describe('figures over seeds', () => {
  test('mean and standard deviation with n - 1; one run has no spread, none no figure', () => {
    expect(overSeeds([80, 83, 86])).toEqual({ mean: 83, deviation: 3, runs: 3 });
    expect(overSeeds([80])).toEqual({ mean: 80, deviation: null, runs: 1 });
    expect(overSeeds([])).toBeUndefined();
  });

  test('a run that diverged has no figure and says where; the others give theirs', () => {
    const row = tableNamed('table3').rows[0]!;
    const outcome = (seed: number, more: object) =>
      ({ format: 'hypersphere-outcome/1', recipe: 'softmax', seed, measured: {}, ...more }) as const;
    const states = [
      {
        seed: 1,
        begun: true,
        outcome: outcome(1, { measured: { lfw: { key: 'k', figures: { lfw: 80 }, about: {} } } }),
      },
      { seed: 2, begun: true, outcome: outcome(2, { diverged: 'step 3: the loss became NaN' }) },
      { seed: 3, begun: true },
      { seed: 4, begun: false },
    ];
    const result = rowResult(row, ['lfw', 'ytf'], states, (found, column) => found?.measured[column], {});
    expect(result.ours).toEqual({ lfw: { mean: 80, deviation: null, runs: 1 } });
    expect(result.runs.map(({ state }) => state)).toEqual(['done', 'diverged', 'stopped', 'waiting']);
    expect(result.runs[1]!.diverged).toBe('step 3: the loss became NaN');
  });
});

describe('reproducing a table on made-up faces', () => {
  let data: string;
  let faces: LfwLike;
  beforeAll(async () => {
    data = await writeFaces(4, 8);
    faces = await lfwLike();
  });
  const options = (more: Partial<ReproduceOptions> = {}): ReproduceOptions => ({
    table: tableNamed('table3'),
    scale: 'small',
    data,
    out: temporaryFolder(),
    rows: ['softmax', 'a-softmax-m4'],
    ...{ seeds: 2, steps: 5, size: [32, 32], batch: 8, threads: 1 },
    ...{ lfw: faces.folder, pairs: faces.pairs },
    ...more,
  });
  const run = (out: string, recipe: string, seed: number) =>
    join(out, 'runs', `sphereface-4-${recipe}-seed${seed}`);

  let whole: { out: string; table: Awaited<ReturnType<typeof reproduceTable>> };
  beforeAll(async () => {
    const asked = options();
    whole = { out: asked.out, table: await reproduceTable(asked) };
  });

  test('figures are those of the exported models, in per cent, mean and spread over the seeds', async () => {
    const { table, out } = whole;
    expect(table.finished).toBe(true);
    const row = table.rows.find(({ id }) => id === 'softmax')!;
    const { paths, people, pairs } = await locatePairs(await readPairs(faces.pairs), faces.folder);
    const values: number[] = [];
    for (const seed of [1, 2]) {
      const embedder = await openEmbedder(join(run(out, 'softmax', seed), 'model.onnx'), { threads: 1 });
      const features = await embedder.both(paths).finally(() => embedder.close());
      values.push(100 * lfw({ features, pairs, people, mode: 'sphereface', replicates: 0 }).accuracy);
    }
    expect(row.runs.map(({ figures }) => figures.lfw)).toEqual(values);
    expect(row.ours.lfw).toEqual({
      mean: (values[0]! + values[1]!) / 2,
      deviation: Math.abs(values[0]! - values[1]!) / Math.SQRT2,
      runs: 2,
    });
    expect(row.published).toEqual({ lfw: 97.88, ytf: 93.1 });
  });

  test('a column without data says which flags would give it, and has no figure', () => {
    const ytf = whole.table.columns.find(({ id }) => id === 'ytf')!;
    expect(ytf.noData).toBe('no data: --ytf DIR --splits FILE');
    expect(whole.table.rows.every(({ ours }) => ours.ytf === undefined)).toBe(true);
  });

  test('rows that were not asked for are shown as not run', () => {
    const row = whole.table.rows.find(({ id }) => id === 'a-softmax-m2')!;
    expect(row).toMatchObject({ notRun: 'not asked for', runs: [], ours: {} });
  });

  test('what differs from the paper and what was trained on is said', () => {
    expect(whole.table.differences).toContainEqual(['layers', '64', '4']);
    expect(whole.table.differences).toContainEqual(['steps', '28,000', '5']);
    expect(Object.fromEntries(whole.table.settings)).toMatchObject({
      'Training faces': expect.stringMatching(/^32 images of 4 people/),
      'Left out of training by name': '0',
    });
  });

  test('stopped in the middle of a run, it goes on and ends with the same outcomes, byte for byte', async () => {
    const out = temporaryFolder();
    const controller = new AbortController();
    const stopped = await reproduceTable(options({ out }), {
      signal: controller.signal,
      onProgress({ text }) {
        if (/^run 2 of 4: .*: step 3,/.test(text)) controller.abort();
      },
    });
    expect(stopped.finished).toBe(false);
    expect(readMetrics(run(out, 'a-softmax-m4', 1))).toHaveLength(3);
    expect(stopped.rows.find(({ id }) => id === 'a-softmax-m4')!.runs[0]!.state).toBe('stopped');
    const notes: string[] = [];
    const again = await reproduceTable(options({ out }), { onNote: (line) => notes.push(line) });
    expect(notes).toContain('1 of 4 runs are done already');
    expect(again.finished).toBe(true);
    for (const recipe of ['softmax', 'a-softmax-m4'])
      for (const seed of [1, 2]) {
        const file = (folder: string) =>
          readFileSync(join(run(folder, recipe, seed), 'outcome.json'), 'utf8');
        expect(file(out)).toBe(file(whole.out));
      }
    expect(again.rows.map(({ ours }) => ours)).toEqual(whole.table.rows.map(({ ours }) => ours));
  });

  test('stopped while it measures, it keeps what it has measured and does not train again', async () => {
    const asked = options({ table: tableNamed('table6'), seeds: 1, rows: ['softmax'] });
    const folder = run(asked.out, 'softmax', 1);
    const controller = new AbortController();
    const stopped = await reproduceTable(asked, {
      signal: controller.signal,
      onProgress({ text }) {
        if (text.includes('measuring lfw')) controller.abort();
      },
    });
    expect(stopped.finished).toBe(false);
    const before = readOutcome(folder)!;
    expect(Object.keys(before.measured)).toEqual(['lfw']);
    const model = readFileSync(join(folder, 'model.onnx'));
    const texts: string[] = [];
    const again = await reproduceTable(asked, { onProgress: ({ text }) => texts.push(text) });
    expect(again.finished).toBe(true);
    expect(texts).toEqual([]);
    expect(readOutcome(folder)!.measured).toMatchObject({ ...before.measured, training: {} });
    expect(readFileSync(join(folder, 'model.onnx')).equals(model)).toBe(true);
  });

  test('more seeds and more data only add to what is there', async () => {
    const texts: string[] = [];
    const more = await reproduceTable(options({ out: whole.out, ytf: faces.ytf, splits: faces.splits }), {
      onProgress: ({ text }) => texts.push(text),
    });
    expect(texts.length).toBeGreaterThan(0);
    expect(texts.filter((text) => /step \d/.test(text))).toEqual([]);
    const row = more.rows.find(({ id }) => id === 'softmax')!;
    expect(row.ours.ytf?.runs).toBe(2);
    expect(row.ours.lfw).toEqual(whole.table.rows.find(({ id }) => id === 'softmax')!.ours.lfw);
    // Videos of one frame each, in the same pairs as the photographs: an accuracy like any other.
    expect(row.ours.ytf!.mean).toBeGreaterThanOrEqual(0);
    expect(row.ours.ytf!.mean).toBeLessThanOrEqual(100);
  });

  test('changed settings, other people and other threads', async () => {
    await expect(reproduceTable(options({ out: whole.out, steps: 6 }))).rejects.toThrow(
      /sphereface-4-softmax-seed1: its run began with steps 5, and this call asks for 6; repeat the call as it was, or name another folder with --out$/,
    );
    await expect(reproduceTable(options({ out: whole.out, exclude: ['person0'] }))).rejects.toThrow(
      'its run began with exclude not set, and this call asks for ["person0"]',
    );
    await expect(reproduceTable(options({ out: whole.out, data: await writeFaces(5, 8) }))).rejects.toThrow(
      'its run was trained on other people than',
    );
    const same = await reproduceTable(options({ out: whole.out, threads: 2 }));
    expect(same.finished).toBe(true);
  });

  test('what cannot be run is refused in one sentence before anything is made', async () => {
    const out = join(temporaryFolder(), 'table');
    const refused = (more: Partial<ReproduceOptions>) => reproduceTable(options({ out, ...more }));
    await expect(refused({ rows: ['softmax', 'deepface'] })).rejects.toThrow(
      "table3 has no row 'deepface' to run: softmax, modified-softmax, a-softmax-m2, a-softmax-m3, a-softmax-m4",
    );
    await expect(refused({ epochs: 2 })).rejects.toThrow('--steps and --epochs both say how long to train');
    await expect(refused({ batch: 64 })).rejects.toThrow('32 images to train on, and a step takes 64');
    await expect(refused({ data: join(data, 'nobody') })).rejects.toThrow('no such folder');
    await expect(refused({ pairs: join(data, 'no-pairs.txt') })).rejects.toThrow('no such file');
    expect(existsSync(out)).toBe(false);
  });

  test('epochs become steps by the images that are left', async () => {
    const { budget } = await planTable(options({ steps: undefined, epochs: 2.5, exclude: ['person3'] }));
    // 24 images, 3 steps an epoch.
    expect(budget.steps).toBe(8);
  });

  test('a loss that leaves the real line is an outcome, and is not trained again', async () => {
    const plan = await planTable(options({ rows: ['softmax'], seeds: 1 }));
    const [planned] = plan.runs;
    const wild = {
      ...planned!,
      draft: { ...planned!.draft, lr: 1e9 },
      config: { ...planned!.config, lr: 1e9 },
    };
    const outcome = await finishRun(wild, new Map(), {});
    expect(outcome?.diverged).toMatch(/^step \d+: [^;]+$/);
    expect(readOutcome(wild.folder)).toEqual(outcome);
    expect(await finishRun(wild, new Map(), {})).toEqual(outcome);
  });

  test('a damaged outcome is named', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'run'));
    for (const text of ['{', '{"format":"other"}']) {
      writeFileSync(join(folder, 'run', 'outcome.json'), text);
      expect(() => readOutcome(join(folder, 'run'))).toThrow(/outcome\.json: not .*remove the file/);
    }
  });

  test('table 6 has both Fisher scores beside the published one', async () => {
    const table = await reproduceTable(
      options({ table: tableNamed('table6'), rows: ['softmax-relu'], seeds: 1 }),
    );
    const row = table.rows[0]!;
    expect(row.published).toEqual({ lfw: 95.13, 'fisher-training': 0.3477, 'fisher-lfw': 0.3477 });
    expect(row.ours['fisher-training']!.mean).toBeGreaterThan(0);
    expect(row.ours['fisher-lfw']!.mean).toBeGreaterThan(0);
    expect(row.recipe).toContain('ReLU after FC1');
    const fisher = table.columns.find(({ id }) => id === 'fisher-lfw')!;
    // Two of them have three photographs in the pairs, two have two.
    expect(fisher.ours).toContain('over 10 photographs of the 4 people');
  });

  test("MegaFace's protocol on the LFW folder: rank-1, and no TAR where too few scores support it", async () => {
    const table = await reproduceTable(options({ table: tableNamed('table5'), rows: ['softmax'], seeds: 1 }));
    const row = table.rows.find(({ id }) => id === 'softmax')!;
    const rank = table.columns.find(({ id }) => id === 'rank-1')!;
    // 4 people with 3 photographs: 4 x 3 x 2 searches, among the 3 people with one.
    expect(rank.ours).toMatch(
      /^MegaFace's protocol on LFW, not MegaFace: .*12 photographs of 4 people, 3 distractors, 24 searches/,
    );
    expect(row.ours['rank-1']!.mean).toBeGreaterThanOrEqual(0);
    expect(row.ours.tar).toBeUndefined();
    expect(row.reasons.tar).toBeDefined();
    const paper = await planTable(options({ table: tableNamed('table7'), rows: undefined }));
    expect([...paper.notRun.keys()]).toEqual(['layers-36', 'layers-64']);
  });

  test('probes and distractors of two folders', async () => {
    const table = await reproduceTable(
      options({
        ...{ table: tableNamed('table5'), rows: ['softmax'], seeds: 1 },
        ...{ probes: data, distractors: faces.ytf, lfw: undefined, pairs: undefined },
      }),
    );
    // 4 x 8 x 7 searches; 15 frames distract.
    expect(table.columns[0]!.ours).toMatch(/^32 photographs of 4 people, 15 distractors, 224 searches/);
  });
});
