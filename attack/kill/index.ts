// Kills of every command that writes, with a table of counts.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { random } from '../../src/common/random.js';
import { table, whole } from '../report.js';
import { type Attempt, attempt, referenceOf } from './attempt.js';
import { hasStrace } from './calls.js';
import { lastLine, run } from './command.js';
import { makeKit } from './kit.js';
import { preparations, scenariosNamed } from './scenarios.js';

export interface KillFlags {
  command: string[];
  /** Kills of each command. */
  count: number;
  seconds?: number;
  /** The number of one kill, to repeat it. */
  case?: number;
  seed: number;
  json?: boolean;
}

interface CommandResult {
  command: string;
  kills: number;
  missed: number;
  refused: number;
  seconds: number;
  failures: { number: number; kill: string; problems: string[] }[];
  /** Why there was no kill. */
  error?: string;
}

const note = (line: string): void => void process.stderr.write(`${line}\n`);

/** Returns the exit code: 1 when something failed. */
export async function killCommand(flags: KillFlags): Promise<number> {
  if (!existsSync(new URL('../../dist/cli/main.js', import.meta.url)))
    throw new Error('there is no dist; run npm run build first');
  if (!hasStrace()) note('strace is not there: kills are spread over time and not put before system calls');
  const chosen = scenariosNamed(flags.command);
  const folder = mkdtempSync(join(tmpdir(), 'hypersphere-kill-'));
  const kit = await makeKit(folder);
  process.env.HYPERSPHERE_CACHE = join(folder, 'cache');
  const until =
    flags.seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + 1000 * flags.seconds;
  const results: CommandResult[] = [];
  try {
    for (const args of preparations(kit)) {
      const ended = await run(args);
      if (ended.code !== 0) throw new Error(`the inputs cannot be made: ${lastLine(ended)}`);
    }
    for (const scenario of chosen) {
      const result: CommandResult = {
        command: scenario.name,
        kills: 0,
        missed: 0,
        refused: 0,
        seconds: 0,
        failures: [],
      };
      results.push(result);
      const began = performance.now();
      try {
        const reference = await referenceOf(scenario, kit);
        const numbers =
          flags.case === undefined ? Array.from({ length: 4 * flags.count }, (_, i) => i) : [flags.case];
        for (const number of numbers) {
          if (result.kills >= flags.count || performance.now() > until) break;
          count(result, number, await attempt(reference, random(flags.seed, 'kill', scenario.name, number)));
        }
      } catch (error) {
        result.error = (error as Error).message;
      }
      result.seconds = (performance.now() - began) / 1000;
      const { kills, failures, error } = result;
      note(`${scenario.name}: ${kills} kills, ${failures.length} failures${error ? `: ${error}` : ''}`);
    }
  } finally {
    await kit.close();
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(
    `${flags.json ? JSON.stringify({ seed: flags.seed, results }) : text(results, flags.seed)}\n`,
  );
  return results.some(({ failures, error }) => failures.length > 0 || error) ? 1 : 0;
}

function count(result: CommandResult, number: number, { kill, missed, refused, problems }: Attempt): void {
  if (missed) {
    result.missed++;
    return;
  }
  result.kills++;
  if (refused) result.refused++;
  if (problems.length > 0) result.failures.push({ number, kill, problems });
}

function text(results: readonly CommandResult[], seed: number): string {
  const sum = (of: (result: CommandResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const rows = results.map(({ command, kills, refused, failures, error }) => [
    command,
    kills,
    refused,
    error ? `not tried: ${error}` : failures.length,
  ]);
  const total = [
    'all',
    sum(({ kills }) => kills),
    sum(({ refused }) => refused),
    sum(({ failures }) => failures.length),
  ];
  const failures = results.flatMap(({ command, failures }) =>
    failures.map(({ number, kill, problems }) => [
      command,
      kill,
      problems.join('; '),
      `\`npm run attack -- kill --command ${command} --seed ${seed} --case ${number}\``,
    ]),
  );
  return [
    table(['command', 'kills', 'refused until made again', 'failures'], [...rows, total]),
    `\n${whole(sum(({ kills }) => kills))} kills, seed ${seed}.`,
    ...(failures.length > 0 ? [`\n${table(['command', 'killed', 'what', 'again with'], failures)}`] : []),
  ].join('\n');
}
