// All faults, with a table of counts.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { lastLine, run } from '../kill/command.js';
import { makeKit } from '../kill/kit.js';
import { preparations } from '../kill/scenarios.js';
import { table, whole } from '../report.js';
import { fullDisk, readOnly } from './disk.js';
import type { Fault, Trial } from './fault.js';
import { amongGoodFiles, deviceAsInput, oddNames, pipeAsInput } from './inputs.js';
import { closedOutput, fewFiles, fullOutput, littleMemory, noInput, twoAtOnce } from './resources.js';

export const faults: readonly Fault[] = [
  ...[fullDisk, readOnly, fewFiles, littleMemory, closedOutput, fullOutput, noInput, twoAtOnce],
  ...[pipeAsInput, deviceAsInput, amongGoodFiles, oddNames],
];

export interface FaultFlags {
  fault: string[];
  /** No trial is begun later. */
  seconds?: number;
  json?: boolean;
}

interface FaultResult {
  fault: string;
  trials: number;
  failures: Trial[];
  skipped?: string;
}

const note = (line: string): void => void process.stderr.write(`${line}\n`);

/** Returns the exit code: 1 when something failed. */
export async function faultCommand({ fault: names, seconds, json }: FaultFlags): Promise<number> {
  if (!existsSync(new URL('../../dist/cli/main.js', import.meta.url)))
    throw new Error('there is no dist; run npm run build first');
  const unknown = names.find((name) => faults.every((fault) => fault.name !== name));
  if (unknown !== undefined)
    throw new Error(`no fault '${unknown}'; there are ${faults.map(({ name }) => name).join(', ')}`);
  const folder = mkdtempSync(join(tmpdir(), 'hypersphere-fault-'));
  const kit = await makeKit(folder);
  process.env.HYPERSPHERE_CACHE = join(folder, 'cache');
  const results: FaultResult[] = [];
  const until = seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + 1000 * seconds;
  try {
    for (const args of preparations(kit)) {
      const ended = await run(args);
      if (ended.code !== 0) throw new Error(`the inputs cannot be made: ${lastLine(ended)}`);
    }
    for (const fault of faults) {
      if (names.length > 0 && !names.includes(fault.name)) continue;
      const result: FaultResult = { fault: fault.name, trials: 0, failures: [] };
      results.push(result);
      const missing = fault.missing?.();
      if (missing !== undefined) result.skipped = missing;
      else
        for await (const trial of fault.run(kit)) {
          result.trials++;
          if (trial.problems.length > 0) {
            result.failures.push(trial);
            note(`${fault.name}: ${trial.what}: ${trial.problems.join('; ')}`);
          }
          if (performance.now() > until) break;
        }
      note(`${fault.name}: ${missing ?? `${result.trials} trials, ${result.failures.length} failures`}`);
    }
  } finally {
    await kit.close();
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(`${json ? JSON.stringify({ results }) : text(results)}\n`);
  return results.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

function text(results: readonly FaultResult[]): string {
  const rows = results.map(({ fault, trials, failures, skipped }) => [
    fault,
    trials,
    skipped ?? failures.length,
  ]);
  const failures = results.flatMap(({ fault, failures }) =>
    failures.map(({ what, problems }) => [fault, what, problems.join('; ')]),
  );
  const trials = results.reduce((sum, { trials }) => sum + trials, 0);
  return [
    table(['fault', 'trials', 'failures'], rows),
    `\n${whole(trials)} trials.`,
    ...(failures.length > 0 ? [`\n${table(['fault', 'command', 'what'], failures)}`] : []),
  ].join('\n');
}
