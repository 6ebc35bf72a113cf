// The page of a training run, made from its run folder alone: curves from metrics.jsonl, the configuration
// from config.json, and the measured figures from results.json when they are there. A run that is still going,
// was stopped, or diverged has a page too.

import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UserError } from '../common/errors.js';
import { writeWholeSync } from '../common/files.js';
import { jsonText } from '../common/json.js';
import { FILES, readMetrics, type StepRecord } from '../train/run-folder.js';
import { html, type Markup, type Piece } from './html.js';
import { decimal, facts, page, percent, table } from './page.js';
import { colours, Plot, quantile, renderPlot } from './plot.js';

/** Points drawn of a curve at most; a longer one is drawn as means over equal stretches of steps. */
const POINTS = 400;

interface CurvePoint {
  step: number;
  value: number;
}

const finite = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** The finite values of one metric over the run, in order. */
const valuesOf = (records: readonly StepRecord[], metric: string): CurvePoint[] =>
  records.flatMap((record) => {
    const value = record[metric];
    return finite(value) ? [{ step: record.step, value }] : [];
  });

/** At most `count` points: the mean step and mean value of equal stretches. */
export function thin(points: readonly CurvePoint[], count = POINTS): CurvePoint[] {
  if (points.length <= count) return [...points];
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * points.length) / count);
    const part = points.slice(from, Math.floor(((i + 1) * points.length) / count));
    const mean = (pick: (point: CurvePoint) => number) =>
      part.reduce((sum, point) => sum + pick(point), 0) / part.length;
    return { step: mean((point) => point.step), value: mean((point) => point.value) };
  });
}

/** A running mean over about `span` points, started without bias. */
export function smooth(points: readonly CurvePoint[], span: number): CurvePoint[] {
  const keep = 1 - 1 / Math.max(1, span);
  let sum = 0;
  let weight = 0;
  return points.map(({ step, value }) => {
    sum = keep * sum + value;
    weight = keep * weight + 1;
    return { step, value: sum / weight };
  });
}

/** What a metric is called, in what unit, and how it is drawn. */
interface Curve {
  title: string;
  unit: string;
  note?: string;
  scale?: 'log';
  factor?: number;
  /** Set by a schedule, so there is nothing to smooth. */
  exact?: boolean;
  domain?: [number, number];
}

const KNOWN: Record<string, Curve> = {
  loss: {
    title: 'Loss',
    unit: 'loss, mean over the batch',
    note: 'With a margin that grows, the loss may rise while accuracy does not fall.',
  },
  accuracy: {
    title: 'Accuracy on training batches',
    unit: 'share of images (%)',
    factor: 100,
    domain: [0, 100],
    note: 'Before the update, by the largest logit without margin.',
  },
  rate: { title: 'Learning rate', unit: 'rate', scale: 'log', exact: true },
  lambda: {
    title: 'Annealing λ',
    unit: 'λ',
    scale: 'log',
    exact: true,
    note: 'The margin’s share of the true class’s logit is 1 / (1 + λ).',
  },
  'collapse.variability': {
    title: 'Collapse: within-class variability',
    unit: 'tr(S_W S_B⁺) / K',
    exact: true,
    note: 'Of a sample of training images. 0 when every class is a point.',
  },
  'collapse.within': {
    title: 'Collapse: within-class over between-class',
    unit: 'tr S_W / tr S_B',
    exact: true,
    note: 'Of a sample of training images. 0 when every class is a point.',
  },
  'collapse.equinorm': {
    title: 'Collapse: class means of one length',
    unit: 'standard deviation of lengths / mean',
    exact: true,
  },
  'collapse.equiangularity': {
    title: 'Collapse: class means at one angle',
    unit: 'standard deviation of cosines',
    exact: true,
  },
  'collapse.simplexAngle': {
    title: 'Collapse: class means a simplex',
    unit: 'mean |cos + 1/(K-1)|',
    exact: true,
  },
  'collapse.selfDuality': {
    title: 'Collapse: classifier and class means',
    unit: '|W/|W| - M/|M||², 0 when they are the same',
    exact: true,
  },
  'collapse.agreement': {
    title: 'Collapse: nearest mean decides as the classifier',
    unit: 'share of images (%)',
    factor: 100,
    domain: [0, 100],
    exact: true,
  },
  scheduledLambda: {
    title: 'Annealing λ of the schedule',
    unit: 'λ',
    scale: 'log',
    exact: true,
    note: 'λ is above it while it waits for the angles.',
  },
  imagesPerSecond: { title: 'Speed', unit: 'images a second' },
  waited: { title: 'Waiting for images', unit: 'seconds a step' },
};

const NOT_CURVES = new Set(['step', 'epoch', 'seconds', 'collapsed']);

/** 'embeddingLength' as 'Embedding length'. */
const spelled = (name: string): string => {
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** What the frame shows: the bulk of the points, because the first steps can be far off and flatten the rest. */
function frame(points: readonly CurvePoint[], log: boolean): [number, number] {
  const values = points.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (log) return [low * 0.8, high * 1.25];
  const top = Math.min(high, quantile(values, 0.98) * 1.3);
  return [Math.min(0, low), top > Math.min(0, low) ? top : 1];
}

function curve(metric: string, records: readonly StepRecord[]): Markup | undefined {
  const {
    title,
    unit,
    note,
    scale,
    factor = 1,
    exact,
    domain,
  }: Curve = KNOWN[metric] ?? {
    title: spelled(metric),
    unit: spelled(metric).toLowerCase(),
  };
  const all = valuesOf(records, metric)
    .map(({ step, value }) => ({ step, value: value * factor }))
    .filter(({ value }) => scale !== 'log' || value > 0);
  if (all.length === 0) return undefined;
  const points = thin(all);
  const line = exact ? points : smooth(points, points.length / 60);
  const plot = renderPlot({
    label: `${title} against the step`,
    width: 400,
    height: 240,
    marginLeft: 56,
    marginRight: 14,
    marginBottom: 38,
    x: {
      label: 'step',
      labelAnchor: 'center',
      labelArrow: 'none',
      ticks: 5,
      domain: [1, Math.max(2, records[records.length - 1]!.step)],
    },
    y: {
      label: unit,
      labelArrow: 'none',
      grid: true,
      ticks: 5,
      clamp: true,
      domain: domain ?? frame(points, scale === 'log'),
      ...(scale && { type: scale, tickFormat: scale === 'log' ? '~g' : undefined }),
    },
    marks: [
      ...(exact || all.length < 2
        ? []
        : [Plot.dot(points, { x: 'step', y: 'value', r: 1.4, fill: colours.faint, fillOpacity: 0.7 })]),
      ...(all.length < 2
        ? [Plot.dot(points, { x: 'step', y: 'value', r: 3, fill: colours.accent })]
        : [Plot.lineY(line, { x: 'step', y: 'value', stroke: colours.accent, strokeWidth: 2 })]),
    ],
  });
  return html`<div class="card"><h3>${title}</h3>${plot}${note !== undefined && html`<p class="note">${note}</p>`}</div>\n`;
}

/** A nested object as names with dots and plain values. */
function flat(value: object, prefix = ''): [string, string][] {
  return Object.entries(value).flatMap(([name, inner]) => {
    const full = prefix ? `${prefix}.${name}` : name;
    if (inner === null || inner === undefined) return [];
    if (Array.isArray(inner)) {
      const plain = inner.every((item) => typeof item !== 'object');
      return [[full, plain ? inner.join(', ') : jsonText(inner)] as [string, string]];
    }
    return typeof inner === 'object' ? flat(inner, full) : [[full, String(inner)] as [string, string]];
  });
}

function readJson(file: string): Record<string, unknown> | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Mean of a metric over the last tenth of the run, at most 100 steps. */
function recent(records: readonly StepRecord[], metric: string): number | undefined {
  const points = valuesOf(records, metric);
  const last = points.slice(-Math.max(1, Math.min(100, Math.floor(points.length / 10))));
  return last.length === 0 ? undefined : last.reduce((sum, { value }) => sum + value, 0) / last.length;
}

function time(seconds: number | undefined): string {
  if (!finite(seconds)) return '–';
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The measured figures of results.json, whichever of them are there. */
function measured(results: Record<string, unknown> | undefined): Markup | undefined {
  if (!results) return undefined;
  const held = results.heldOut as Record<string, number> | undefined;
  const trained = results.trained as Record<string, number> | undefined;
  if (!held && !trained) return undefined;
  const rows: Piece[][] = [];
  if (trained)
    rows.push([
      `${trained.people} people trained on (sample)`,
      trained.images,
      '–',
      '–',
      decimal(trained.angularFisher, 3),
    ]);
  if (held) {
    const accuracy = html`${percent(held.accuracy, 2)} <small>± ${decimal((held.standardError ?? Number.NaN) * 100, 2)}</small>`;
    rows.push([
      `${held.people} people held out`,
      held.images,
      accuracy,
      percent(held.eer, 2),
      decimal(held.angularFisher, 3),
    ]);
  }
  return html`<section><h2>Measured</h2>
${table(['People', 'Images', 'Verification accuracy ↑', 'EER ↓', 'Angular Fisher score ↓'], rows)}
<p class="note">Verification of people who were not trained on${held && html`: ${held.pairs} pairs of same and different people, ten folds, the threshold of a fold from the other nine, ± standard error (pairs share images and people, so other people would change it by more)`}. The angular Fisher score is the spread within people over the spread between them, in angle.</p></section>`;
}

/** The page of the run in `folder` as one HTML text. Throws a UserError when there is no run. */
export function runPage(folder: string): string {
  const config = readJson(join(folder, FILES.config));
  if (!config)
    throw new UserError(`${folder}: no run here (no ${FILES.config}); name a run folder`, {
      code: 'not-found',
    });
  const records = readMetrics(folder);
  const last = records[records.length - 1];
  const steps = finite(config.steps) ? config.steps : undefined;
  const done = last?.step ?? 0;
  const { about, ...settings } = config;
  const margin = (config.lossOptions as { margin?: number } | undefined)?.margin;
  const recipe = `${config.net} with ${config.loss}${margin === undefined ? '' : `, m = ${margin}`}`;
  const collapse = records.find(({ collapsed }) => collapsed === 1);
  const state =
    last && !finite(last.loss)
      ? `stopped at step ${done}, where the loss was no longer a finite number`
      : steps !== undefined && done >= steps
        ? `all ${steps} steps done`
        : `${done} of ${steps ?? '?'} steps done`;
  const watched = collapse
    ? `; at step ${collapse.step} the run no longer learned: its embeddings had collapsed, or its accuracy had fallen back`
    : '';
  const names = new Set(
    records.flatMap((record) => Object.keys(record)).filter((name) => !NOT_CURVES.has(name)),
  );
  const order = [
    ...Object.keys(KNOWN).filter((name) => names.has(name)),
    ...[...names].filter((name) => !(name in KNOWN)),
  ];
  const curves = order.map((name) => curve(name, records)).filter((card) => card !== undefined);
  const body = html`
<section>
${table(
  ['Steps', 'Epochs', 'Loss', 'Accuracy', 'Learning rate', 'Images a second', 'Time'],
  [
    [
      `${done} / ${steps ?? '?'}`,
      decimal(last?.epoch, 1),
      decimal(recent(records, 'loss'), 3),
      percent(recent(records, 'accuracy')),
      finite(last?.rate) ? String(Number(last.rate.toPrecision(3))) : '–',
      decimal(recent(records, 'imagesPerSecond'), 0),
      time(last?.seconds),
    ],
  ],
)}
<p class="note">Loss, accuracy and speed are means over the last steps (a tenth of the run, at most 100), on training batches.</p>
</section>
${measured(readJson(join(folder, FILES.results)))}
<section>
<h2>Curves</h2>
${
  curves.length > 0
    ? html`<p>Points are means over ${records.length > POINTS ? `stretches of about ${Math.round(records.length / POINTS)} steps` : 'single steps'}; the line is their running mean. Rare points above the frame are drawn at its edge.</p><div class="cards">${curves}</div>`
    : html`<p>No step has been recorded yet.</p>`
}
</section>
<section>
<h2>Settings</h2>
${facts(flat(settings))}
${about !== null && typeof about === 'object' && html`<h2>Data and versions</h2>${facts(flat(about))}`}
</section>`;
  return page({
    kicker: 'Hypersphere · training run',
    title: basename(resolve(folder)),
    lead: html`${recipe}: ${state}${watched}. Seed ${String(config.seed ?? '?')}.`,
    body,
    footer: html`Made from ${FILES.config} and ${FILES.metrics} of the run folder.`,
  });
}

/** Writes the run's page into its folder and returns its path. */
export async function writeRunPage(folder: string): Promise<string> {
  const file = join(folder, FILES.page);
  writeWholeSync(file, runPage(folder));
  return file;
}
