// A table of the paper from end to end: what is missing is trained and measured, what is there is not done again, and
// after every run the table is whole, with what is known so far.
import { locked, lockFolder } from '../../common/lock.js';
import { readMetrics } from '../../train/index.js';
import { type Measurement, type Outcome, readOutcome } from './outcome.js';
import { COLUMNS, type ColumnId } from './paper-table.js';
import { isBegun, type Plan, type PlannedRun, planTable, type ReproduceOptions } from './plan.js';
import { openPasses, type Passes } from './protocols.js';
import {
  type ColumnResult,
  type RunState,
  rowResult,
  TABLE_FORMAT,
  type TableResult,
} from './table-result.js';
import { differencesOf, recipeText, settingsOf } from './told.js';
import { finishRun, isDone } from './train-run.js';

/** How far the work of a call has come. */
export interface ReproduceProgress {
  /** Which run, and what it does. */
  text: string;
  /** Training steps of this call, done and in all. */
  done: number;
  total: number;
  /** NaN until a step is done. */
  secondsLeft: number;
}

export interface ReproduceHooks {
  /** When it is aborted the run at hand is saved, and the table says what is missing. */
  signal?: AbortSignal;
  onProgress?(progress: ReproduceProgress): void;
  onNote?(line: string): void;
  /** Hears of the table before the first run and after each. */
  onResult?(result: TableResult): Promise<void> | void;
}

/**
 * Reproduces a table; the result has `finished: false` when the signal stopped it. Throws a UserError for data,
 * settings and folders that cannot be used, before anything is computed.
 */
export async function reproduceTable(
  options: ReproduceOptions,
  hooks: ReproduceHooks = {},
): Promise<TableResult> {
  return locked(lockFolder(options.out), () => reproduceHere(options, hooks));
}

/** Reproduces a table once its folder is that of this run alone. */
async function reproduceHere(options: ReproduceOptions, hooks: ReproduceHooks): Promise<TableResult> {
  const said = new Set<string>();
  const say = (line: string) => {
    // What holds for every run is said once.
    if (!said.has(line)) hooks.onNote?.(line);
    said.add(line);
  };
  const plan = await planTable(options);
  const passes = await openPasses(options.table.columns, options, options.scale);
  for (const [protocol, flags] of passes.missing) hooks.onNote?.(`no data for ${protocol}: give ${flags}`);
  const left = plan.runs.filter(({ folder }) => !isDone(readOutcome(folder), passes.passes));
  const timing = new Timing(left);
  if (left.length < plan.runs.length)
    hooks.onNote?.(`${plan.runs.length - left.length} of ${plan.runs.length} runs are done already`);
  await hooks.onResult?.(tableResult(plan, passes));
  for (const [i, run] of left.entries()) {
    if (hooks.signal?.aborted) break;
    const name = `run ${i + 1} of ${left.length}: ${run.row.title}, seed ${run.seed}`;
    const tell = (text: string) => hooks.onProgress?.({ text: `${name}: ${text}`, ...timing.state() });
    const outcome = await finishRun(run, passes.passes, {
      signal: hooks.signal,
      onNote: say,
      onStep({ step, loss, accuracy }) {
        timing.at(run, step);
        const right = accuracy === undefined ? '' : `, accuracy ${(100 * accuracy).toFixed(0)} %`;
        tell(`step ${step}, loss ${loss.toFixed(3)}${right}`);
      },
      onMeasure: (protocol, done, total) => tell(`measuring ${protocol}, image ${done} of ${total}`),
    });
    if (outcome) {
      timing.finished(run);
      if (outcome.diverged !== undefined) hooks.onNote?.(`${name}: diverged at ${outcome.diverged}`);
    }
    await hooks.onResult?.(tableResult(plan, passes));
  }
  return tableResult(plan, passes);
}

/** The table as it stands in its folders. */
function tableResult(plan: Plan, { passes, missing }: Passes): TableResult {
  const { table, scale } = plan.options;
  const measurementOf = (outcome: Outcome | undefined, column: ColumnId) => {
    const { protocol } = COLUMNS[column];
    const found = outcome?.measured[protocol];
    return found && found.key === passes.get(protocol)?.key ? found : undefined;
  };
  const outcomes = plan.runs.map(({ folder }) => readOutcome(folder));
  const rows = table.rows.map((row) => {
    const own = plan.runs.filter((run) => run.row === row);
    const notRun = plan.notRun.get(row.id);
    return rowResult(row, table.columns, own.map(stateOf), measurementOf, {
      ...(notRun !== undefined && { notRun }),
      ...(own[0] && { recipe: recipeText(own[0].config) }),
    });
  });
  const columns = table.columns.map((id): ColumnResult => {
    const { title, unit, digits, better, protocol } = COLUMNS[id];
    const flags = missing.get(protocol);
    const ours = oursOf(
      id,
      outcomes.flatMap((outcome) => measurementOf(outcome, id) ?? []),
    );
    return {
      ...{ id, title, unit, digits, better },
      ...(flags !== undefined && { noData: `no data: ${flags}` }),
      ...(ours !== undefined && { ours }),
    };
  });
  return {
    format: TABLE_FORMAT,
    ...{ table: table.id, title: table.title, source: table.source, scale },
    finished: outcomes.every((outcome) => isDone(outcome, passes)),
    columns,
    rows,
    differences: differencesOf(plan),
    settings: settingsOf(plan),
    remarks: [...table.remarks],
  };
}

/** What a column was measured on, with the range of the standard errors of its runs. */
function oursOf(id: ColumnId, measured: readonly Measurement[]): string | undefined {
  const [first] = measured;
  if (!first) return undefined;
  const errors = measured.flatMap((one) => one.errors?.[id] ?? []);
  const inDigits = (value: number) => value.toFixed(COLUMNS[id].digits);
  const [low, high] = [Math.min(...errors), Math.max(...errors)].map(inDigits);
  return [
    ...(first.about[id] === undefined ? [] : [first.about[id]]),
    ...(errors.length > 0
      ? [`standard error of a run over its folds ${low}${low === high ? '' : ` to ${high}`}`]
      : []),
    ...(first.alignment === undefined ? [] : [`faces ${first.alignment}`]),
  ].join('; ');
}

function stateOf({ folder, seed }: PlannedRun): RunState {
  const begun = isBegun(folder);
  const outcome = readOutcome(folder);
  const seconds = begun ? readMetrics(folder).at(-1)?.seconds : undefined;
  return {
    ...{ seed, begun },
    ...(outcome && { outcome }),
    ...(seconds !== undefined && { seconds }),
  };
}

/** The steps of a call and the time they will take, by the work that is done; runs to be measured only have none. */
class Timing {
  readonly #began = performance.now();
  readonly #runs: readonly PlannedRun[];
  readonly #done = new Map<PlannedRun, number>();
  /** What earlier sittings had done of a run when this call came to it. */
  readonly #before = new Map<PlannedRun, number>();

  constructor(runs: readonly PlannedRun[]) {
    this.#runs = runs.filter(({ folder }) => !readOutcome(folder));
  }

  at(run: PlannedRun, step: number): void {
    if (!this.#before.has(run)) this.#before.set(run, step - 1);
    // The last step counts when the run is measured too, so that the work is not all done before it is.
    this.#done.set(run, Math.min(step, run.config.steps - 1));
  }

  finished(run: PlannedRun): void {
    if (!this.#before.has(run)) this.#before.set(run, run.config.steps);
    this.#done.set(run, run.config.steps);
  }

  state(): { done: number; total: number; secondsLeft: number } {
    const work = (share: (run: PlannedRun) => number) =>
      this.#runs.reduce((sum, run) => sum + share(run) * run.work, 0);
    const part = (of: ReadonlyMap<PlannedRun, number>) => (run: PlannedRun) =>
      (of.get(run) ?? 0) / run.config.steps;
    const [worked, before] = [work(part(this.#done)), work(part(this.#before))];
    const seconds = (performance.now() - this.#began) / 1000;
    return {
      done: this.#runs.reduce((sum, run) => sum + (this.#done.get(run) ?? 0), 0),
      total: this.#runs.reduce((sum, { config }) => sum + config.steps, 0),
      secondsLeft: (seconds / (worked - before)) * (work(() => 1) - worked),
    };
  }
}
