// attack fuzz: a case alone, or all of them with a table.
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { table, whole } from '../report.js';
import { commandOf, fuzzAll, saveCase } from './index.js';
import { type ReaderResult, runCase } from './runner.js';

export interface FuzzFlags {
  reader: string[];
  count: number;
  seconds?: number;
  jobs: number;
  case?: number;
  seed: number;
  out: string;
  json?: boolean;
}

const note = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Returns the exit code: 1 when something failed. */
export async function fuzzCommand(flags: FuzzFlags): Promise<number> {
  const { reader, seed, out, json } = flags;
  if (flags.case !== undefined) {
    if (reader.length !== 1) throw new Error('--case needs one --reader');
    const came = await runCase(reader[0]!, { seed, number: flags.case });
    const folder = await saveCase(reader[0]!, seed, flags.case, out);
    print(
      json
        ? JSON.stringify({ came, folder })
        : `${typeof came === 'string' ? came : `${came.problem}: ${came.detail}`}\n${folder}`,
    );
    return typeof came === 'string' ? 0 : 1;
  }
  const { count, seconds } = flags;
  const began = performance.now();
  const jobs = Math.max(1, Math.min(flags.jobs, availableParallelism()));
  const onReader = (result: ReaderResult) => note(progressLine(result));
  const results = await fuzzAll({
    readers: reader,
    seed,
    count,
    jobs,
    out,
    onReader,
    ...(seconds !== undefined && { seconds }),
  });
  const took = (performance.now() - began) / 1000;
  const failed = results.some(({ failures }) => failures.length > 0);
  print(json ? JSON.stringify({ seed, seconds: took, results }) : text(results, seed, took));
  return failed ? 1 : 0;
}

const failuresOf = ({ failures }: ReaderResult): number =>
  failures.reduce((sum, { times }) => sum + times, 0);

const progressLine = (result: ReaderResult): string =>
  `${result.reader}: ${whole(result.cases)} cases in ${result.seconds.toFixed(0)} s, ${failuresOf(result)} failures`;

function text(results: readonly ReaderResult[], seed: number, seconds: number): string {
  const total = (of: (result: ReaderResult) => number) =>
    results.reduce((sum, result) => sum + of(result), 0);
  const row = (name: string, among: readonly ReaderResult[]) => [
    name,
    whole(among.reduce((sum, { cases }) => sum + cases, 0)),
    whole(among.reduce((sum, { values }) => sum + values, 0)),
    whole(among.reduce((sum, { refused }) => sum + refused, 0)),
    whole(among.reduce((sum, result) => sum + failuresOf(result), 0)),
    Math.max(...among.map(({ slowest }) => slowest.seconds)).toFixed(2),
  ];
  const counts = table(
    ['reader', 'inputs', 'read', 'refused in one line', 'failures', 'longest, s'],
    [...results.map((result) => row(result.reader, [result])), row('all', results)],
  );
  const failures = results.flatMap(({ failures }) => failures);
  const lines = failures.map(({ reader, number, problem, detail, times }) => [
    `${reader} ${problem}`,
    times,
    detail,
    `\`${commandOf(reader, seed, number)}\``,
  ]);
  const once = results.flatMap(({ unconfirmed }) => unconfirmed);
  return [
    counts,
    `\n${whole(total(({ cases }) => cases))} inputs, seed ${seed}, ${seconds.toFixed(0)} s.`,
    ...(lines.length > 0 ? [`\n${table(['failure', 'times', 'what', 'again with'], lines)}`] : []),
    ...once.map(
      ({ reader, number, problem, detail }) =>
        `did not fail again: ${reader} ${number}: ${problem}: ${detail}`,
    ),
  ].join('\n');
}
