// The fuzzer's run over all readers: several at a time, a table at the end, the files of each failure in a folder.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { caseOf, corpusOf } from './cases.js';
import { readersNamed } from './readers/index.js';
import { fuzzReader, type ReaderResult } from './runner.js';

export interface FuzzAllOptions {
  readers: readonly string[];
  seed: number;
  /** Cases of an ordinary reader. */
  count: number;
  /** Seconds for all readers together; each has its part. */
  seconds?: number;
  /** Readers at a time. */
  jobs: number;
  /** Folder for the files of failures. */
  out: string;
  onReader?(result: ReaderResult): void;
}

/** The command that runs a case alone. */
export const commandOf = (reader: string, seed: number, number: number): string =>
  `npm run attack -- fuzz --reader ${reader} --seed ${seed} --case ${number}`;

/** Runs all readers; results are in their order. */
export async function fuzzAll(options: FuzzAllOptions): Promise<ReaderResult[]> {
  const { seed, count, seconds, jobs, out, onReader } = options;
  const chosen = readersNamed(options.readers);
  const shares = chosen.reduce((sum, { share = 1 }) => sum + share, 0);
  const results = new Map<string, ReaderResult>();
  const waiting = [...chosen];
  const lane = async (): Promise<void> => {
    for (let reader = waiting.shift(); reader; reader = waiting.shift()) {
      const { name, share = 1 } = reader;
      const until =
        seconds === undefined ? undefined : performance.now() + (1000 * seconds * jobs * share) / shares;
      const cases = seconds === undefined ? Math.ceil(count * share) : Number.MAX_SAFE_INTEGER;
      const result = await fuzzReader(name, { seed, count: cases, ...(until !== undefined && { until }) });
      for (const { number } of result.failures) await saveCase(name, seed, number, out);
      results.set(name, result);
      onReader?.(result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, chosen.length) }, lane));
  return chosen.map(({ name }) => results.get(name)!);
}

/** Writes the files of a case below `out`; returns their folder. */
export async function saveCase(reader: string, seed: number, number: number, out: string): Promise<string> {
  const [found] = readersNamed([reader]);
  const folder = join(out, `${reader}-${seed}-${number}`);
  rmSync(folder, { recursive: true, force: true });
  for (const [name, bytes] of Object.entries(caseOf(await corpusOf(found!), seed, number))) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return folder;
}
