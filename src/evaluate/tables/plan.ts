// Which runs a table needs, settled before anything is computed: settings, folders, and what of them is there already.
// A folder whose run was begun with other settings or other faces is refused here, in one line.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../common/errors.js';
import { requireWritable } from '../../common/folders.js';
import { listPeople } from '../../data/index.js';
import type { DeviceName } from '../../runtime/index.js';
import { RESUMABLE } from '../../train/config.js';
import {
  type Config,
  type Draft,
  draftConfig,
  FILES,
  type Identities,
  readSettings,
  resolveConfig,
} from '../../train/index.js';
import type { PaperTable, Scale, TableRow } from './paper-table.js';
import type { TestData } from './pass.js';
import { BUDGETS, type Budget, COST, depthOf, rowSettings } from './scales.js';

/** What to reproduce, on which faces, and where. */
export interface ReproduceOptions extends TestData {
  table: PaperTable;
  scale: Scale;
  /** Folder with one folder of aligned faces a person. */
  data: string;
  /** People to leave out of training. */
  exclude?: readonly string[];
  minImages?: number;
  /** The folder of the table; it is made as needed. */
  out: string;
  /** The folder of the runs, `out`/runs by default; tables of one scale may share it. */
  runs?: string;
  /** Rows to run, by their ids; by default all but those too deep for the scale. */
  rows?: readonly string[];
  seeds?: number;
  steps?: number;
  /** Instead of steps. */
  epochs?: number;
  size?: [number, number];
  batch?: number;
  device?: DeviceName;
  threads?: number;
  /** Steps between checkpoints; by default they are written by time. */
  checkpointSteps?: number;
}

export interface PlannedRun {
  row: TableRow;
  seed: number;
  folder: string;
  draft: Draft;
  config: Config;
  /** The work of all its steps, in steps of the 4-layer network. */
  work: number;
}

export interface Plan {
  options: ReproduceOptions;
  budget: Budget;
  /** Seed by seed, so that every row has its first figure early. */
  runs: PlannedRun[];
  /** Why rows are not run, by id. */
  notRun: Map<string, string>;
  /** People and images to train on, as the folder lists them. */
  faces: { people: number; images: number };
}

/** Throws a UserError for settings, rows and folders that cannot be used. */
export async function planTable(options: ReproduceOptions): Promise<Plan> {
  const { table, scale, out, data, exclude = [], minImages = 1, device, threads, checkpointSteps } = options;
  requireWritable(out);
  const folder = options.runs ?? join(out, 'runs');
  requireWritable(folder, '--runs');
  const unwanted = new Set(exclude);
  const people = (await listPeople(data)).filter(
    ({ name, paths }) => !unwanted.has(name) && paths.length >= minImages,
  );
  const images = people.reduce((sum, { paths }) => sum + paths.length, 0);
  const budget = budgetOf(options, images);
  const notRun = rowsLeftOut(options);
  const runs = Array.from({ length: budget.seeds }, (_, i) => i + 1).flatMap((seed) =>
    table.rows
      .filter(({ id }) => !notRun.has(id))
      .map((row): PlannedRun => {
        const depth = depthOf(table, row, scale);
        const place = join(folder, `sphereface-${depth}-${row.recipe}-seed${seed}`);
        const draft = draftConfig({
          ...rowSettings(table, row, scale, budget),
          ...{ data, seed, minImages, out: place },
          ...(exclude.length > 0 && { exclude: [...exclude] }),
          ...(device && { device }),
          ...(threads !== undefined && { threads }),
          ...(checkpointSteps !== undefined && { checkpointSteps }),
        });
        // The steps are given, so those of an epoch do not matter.
        const config = resolveConfig(draft, 1);
        return { row, seed, folder: place, draft, config, work: config.steps * COST[depth] };
      }),
  );
  const names = new Set(people.map(({ name }) => name));
  for (const run of runs) requireSameRun(run, names);
  return { options, budget, runs, notRun, faces: { people: people.length, images } };
}

function budgetOf(
  { scale, steps, epochs, size, batch, seeds, data }: ReproduceOptions,
  images: number,
): Budget {
  const own = BUDGETS[scale];
  if (steps !== undefined && epochs !== undefined)
    throw new UserError('--steps and --epochs both say how long to train: give one of them');
  const budget = { ...own, size: size ?? own.size, batch: batch ?? own.batch, seeds: seeds ?? own.seeds };
  const perEpoch = Math.floor(images / budget.batch);
  if (perEpoch === 0)
    throw new UserError(
      `${data}: ${images} images to train on, and a step takes ${budget.batch}; give more, or a smaller --batch`,
    );
  return {
    ...budget,
    steps: steps ?? (epochs === undefined ? own.steps : Math.max(1, Math.round(epochs * perEpoch))),
  };
}

function rowsLeftOut({ table, scale, rows }: ReproduceOptions): Map<string, string> {
  const unknown = rows?.find((id) => !table.rows.some((row) => row.id === id && row.recipe));
  if (unknown !== undefined)
    throw new UserError(
      `${table.id} has no row '${unknown}' to run: ${table.rows.flatMap(({ id, recipe }) => (recipe ? [id] : [])).join(', ')}`,
    );
  const left = new Map<string, string>();
  for (const { id, recipe, shown, deep } of table.rows) {
    if (!recipe) left.set(id, shown ?? 'as published');
    else if (rows ? !rows.includes(id) : deep && scale === 'small')
      left.set(id, rows ? 'not asked for' : `not run at this scale (--rows ${id} runs it)`);
  }
  return left;
}

/** Whether a run was begun in the folder: it has a configuration. */
export const isBegun = (folder: string): boolean => existsSync(join(folder, FILES.config));

/** Refuses to mix runs of other settings or other people with those of this call. */
function requireSameRun({ folder, config }: PlannedRun, names: ReadonlySet<string>): void {
  if (!isBegun(folder)) return;
  const before = readSettings(join(folder, FILES.config));
  const mend = 'repeat the call as it was, or name another folder with --out';
  for (const key of Object.keys(config) as (keyof Config)[]) {
    if (RESUMABLE.includes(key) || isDeepStrictEqual(before[key], config[key])) continue;
    throw new UserError(
      `${folder}: its run began with ${key} ${said(before[key])}, and this call asks for ${said(config[key])}; ${mend}`,
    );
  }
  const file = join(folder, FILES.identities);
  if (!existsSync(file)) return;
  const { trained, tooFew } = JSON.parse(readFileSync(file, 'utf8')) as Identities;
  const there = new Set([...trained.map(({ person }) => person), ...tooFew]);
  if ([...names].every((name) => there.has(name)) && trained.every(({ person }) => names.has(person))) return;
  throw new UserError(`${folder}: its run was trained on other people than ${config.data} has now; ${mend}`);
}

function said(value: unknown): string {
  if (value === undefined) return 'not set';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
