// One run of a table, from wherever it stands to its outcome: trained or trained on, then measured by every pass that
// has not measured it yet. A loss that leaves the real line is an outcome; a missing file is an error.
import { UserError } from '../../common/errors.js';
import { type Config, readMetrics, type StepRecord, train } from '../../train/index.js';
import { OUTCOME_FORMAT, type Outcome, readOutcome, writeOutcome } from './outcome.js';
import type { ProtocolId } from './paper-table.js';
import type { MeasureHooks, Pass } from './pass.js';
import { isBegun, type PlannedRun } from './plan.js';

export interface RunHooks {
  signal?: AbortSignal | undefined;
  onStep?(record: StepRecord, config: Config): void;
  onMeasure?(protocol: ProtocolId, done: number, total: number): void;
  onNote?(line: string): void;
}

/** Whether nothing is left to do: it diverged, or every pass has measured it. */
export const isDone = (outcome: Outcome | undefined, passes: ReadonlyMap<ProtocolId, Pass>): boolean =>
  outcome !== undefined &&
  (outcome.diverged !== undefined || [...passes].every(([id, { key }]) => outcome.measured[id]?.key === key));

/**
 * Brings a run to its outcome and keeps it; undefined when the signal stopped it, in which case what was done is saved.
 */
export async function finishRun(
  run: PlannedRun,
  passes: ReadonlyMap<ProtocolId, Pass>,
  hooks: RunHooks,
): Promise<Outcome | undefined> {
  const { folder, config, seed, row } = run;
  const { signal } = hooks;
  let outcome = readOutcome(folder);
  try {
    if (!outcome) {
      const ended = await trained(run, hooks);
      if (ended === undefined) return undefined;
      outcome = { format: OUTCOME_FORMAT, recipe: row.recipe!, seed, ...ended, measured: {} };
      writeOutcome(folder, outcome);
    }
    if (outcome.diverged !== undefined) return outcome;
    for (const [id, { key, measure }] of passes) {
      if (outcome.measured[id]?.key === key) continue;
      signal?.throwIfAborted();
      const measuring: MeasureHooks = {
        ...{ device: config.device, threads: config.threads || undefined, signal },
        onProgress: (done, total) => hooks.onMeasure?.(id, done, total),
      };
      const measured = await measure(folder, measuring);
      outcome = { ...outcome, measured: { ...outcome.measured, [id]: { key, ...measured } } };
      writeOutcome(folder, outcome);
    }
    return outcome;
  } catch (error) {
    if (signal?.aborted) return undefined;
    throw error;
  }
}

/** How the training ended; undefined when the signal stopped it. */
async function trained(
  { folder, draft, config }: PlannedRun,
  { signal, onStep, onNote }: RunHooks,
): Promise<Pick<Outcome, 'diverged' | 'end'> | undefined> {
  const resume = isBegun(folder);
  try {
    const { finished } = await train(draft, {
      resume,
      // What lies there without a configuration is no run.
      force: !resume,
      ...(signal && { signal }),
      ...(onNote && { onNote }),
      onStep: (record) => onStep?.(record, config),
    });
    if (!finished) return undefined;
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'diverged') throw error;
    const { step, what } = error.data ?? {};
    return { diverged: `step ${step}: ${what}` };
  }
  const records = readMetrics(folder);
  const last = records.slice(-Math.ceil(records.length / 20));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const accuracies = last.flatMap(({ accuracy }) => accuracy ?? []);
  return {
    end: {
      loss: mean(last.map(({ loss }) => loss)),
      ...(accuracies.length > 0 && { accuracy: mean(accuracies) }),
    },
  };
}
