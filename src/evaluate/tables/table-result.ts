// A reproduced table as JSON: what was published, what was measured beside it with its spread over seeds, and all that
// a reader must know before comparing the two. It is whole at every moment: what is not measured says why.
import { spread } from '../folds.js';
import type { Measurement, Outcome } from './outcome.js';
import type { ColumnId, Published, Scale, TableRow } from './paper-table.js';

export const TABLE_FORMAT = 'hypersphere-table/1';

/** A figure over seeds. */
export interface OverSeeds {
  mean: number;
  /** Standard deviation (n - 1); null for one run. */
  deviation: number | null;
  runs: number;
}

export interface RunSummary {
  seed: number;
  state: 'done' | 'diverged' | 'stopped' | 'waiting';
  /** Where it diverged. */
  diverged?: string;
  figures: Partial<Record<ColumnId, number>>;
  /** Of training, over all sittings. */
  seconds?: number;
}

export interface RowResult {
  id: string;
  title: string;
  published: Published;
  /** Why it was not run. */
  notRun?: string;
  /** Of the row's run: loss, options, rate and so on, in words. */
  recipe?: string;
  runs: RunSummary[];
  ours: Partial<Record<ColumnId, OverSeeds>>;
  /** Why a figure is missing, or what to mind. */
  reasons: Partial<Record<ColumnId, string>>;
}

export interface ColumnResult {
  id: ColumnId;
  title: string;
  unit: '%' | '';
  digits: number;
  better: 'higher' | 'lower';
  /** Why nothing was measured: which flags would give the data. */
  noData?: string;
  /** What ours was measured on. */
  ours?: string;
}

export interface TableResult {
  format: typeof TABLE_FORMAT;
  table: string;
  title: string;
  source: string;
  scale: Scale;
  /** Whether every run that was to be made is done. */
  finished: boolean;
  columns: ColumnResult[];
  rows: RowResult[];
  /** How this differs from the paper's runs: what, there, here. */
  differences: [what: string, paper: string, here: string][];
  /** The training data and what else was set. */
  settings: [name: string, value: string][];
  remarks: string[];
}

/** Mean and standard deviation (n - 1) of a figure's values; nothing for none. */
export function overSeeds(values: readonly number[]): OverSeeds | undefined {
  const runs = values.length;
  if (runs === 0) return undefined;
  const { mean, deviation } = spread(values);
  return { mean, deviation: runs > 1 ? deviation : null, runs };
}

/** A run as far as it has come. */
export interface RunState {
  seed: number;
  begun: boolean;
  outcome?: Outcome;
  seconds?: number;
}

/** A row with what its runs gave of these columns, as far as it was measured on the data that is asked for. */
export function rowResult(
  { id, title, published }: TableRow,
  columns: readonly ColumnId[],
  states: readonly RunState[],
  measurementOf: (outcome: Outcome | undefined, column: ColumnId) => Measurement | undefined,
  told: Pick<RowResult, 'notRun' | 'recipe'>,
): RowResult {
  const reasons: RowResult['reasons'] = {};
  const runs = states.map(({ seed, begun, outcome, seconds }): RunSummary => {
    const figures: RunSummary['figures'] = {};
    for (const column of columns) {
      const found = measurementOf(outcome, column);
      const value = found?.figures[column];
      if (typeof value === 'number') figures[column] = value;
      const reason = found?.reasons?.[column];
      if (reason !== undefined) reasons[column] = reason;
    }
    const state = outcome
      ? outcome.diverged === undefined
        ? 'done'
        : 'diverged'
      : begun
        ? 'stopped'
        : 'waiting';
    return {
      seed,
      state,
      ...(outcome?.diverged !== undefined && { diverged: outcome.diverged }),
      figures,
      ...(seconds !== undefined && { seconds }),
    };
  });
  const ours: RowResult['ours'] = {};
  for (const column of columns) {
    const over = overSeeds(runs.flatMap(({ figures }) => figures[column] ?? []));
    if (over) ours[column] = over;
  }
  return { id, title, published, ...told, runs, ours, reasons };
}
