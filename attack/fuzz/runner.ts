// Many cases of a reader, in processes that are replaced when a case ends them. What failed is tried once more in a fresh
// process: only what fails again, by its number alone, is a failure of the reader.
import type { Batch, BatchResult } from './batch.js';
import { causeOf, type Failure } from './outcome.js';
import { CaseProcess, type Death, LIMITS, type Limits } from './process.js';

export interface FuzzOptions {
  seed: number;
  /** Cases from 0 on. */
  count: number;
  /** No further batch is begun after this time, in the clock of `performance.now`. */
  until?: number;
  limits?: Limits;
}

/** What came of a reader's cases. */
export interface ReaderResult {
  reader: string;
  cases: number;
  values: number;
  refused: number;
  /** Failures that came again, one of each cause, with the number of all of that cause. */
  failures: (Failure & { times: number })[];
  /** Failures that did not come again. */
  unconfirmed: Failure[];
  /** The longest case that ended. */
  slowest: { number: number; seconds: number };
  seconds: number;
}

/** Cases a batch: few enough to stop in time. */
const BATCH = 250;
/** Processes that a reader may end before its turn is over: each takes seconds. */
const DEATHS = 25;

const isDeath = (result: BatchResult | Death): result is Death => 'at' in result;

/** Runs a reader's cases. */
export async function fuzzReader(reader: string, options: FuzzOptions): Promise<ReaderResult> {
  const { seed, count, until = Number.POSITIVE_INFINITY, limits = LIMITS } = options;
  const began = performance.now();
  const result = { reader, cases: 0, values: 0, refused: 0, slowest: { number: 0, seconds: 0 } };
  const found: Failure[] = [];
  /** Batches that are to be done before the next new one, which begins at `next`. */
  const waiting: Batch[] = [];
  let next = 0;
  const batchOf = (): Batch | undefined => {
    const left = waiting.shift();
    if (left || next >= count) return left;
    next = Math.min(count, next + BATCH);
    return { from: Math.floor((next - 1) / BATCH) * BATCH, to: next };
  };
  const start = () => CaseProcess.start({ reader, seed }, limits);
  let runs = await start();
  let deaths = 0;
  try {
    while (performance.now() < until && deaths < DEATHS) {
      const batch = batchOf();
      if (!batch) break;
      const came = await runs.run(batch);
      if (isDeath(came)) {
        deaths++;
        found.push({ reader, number: came.at, problem: came.problem, detail: came.detail });
        result.cases++;
        // What the process had done of the batch is not known, so it is done again.
        waiting.unshift({ from: batch.from, to: came.at }, { from: came.at + 1, to: batch.to });
      } else {
        result.cases += came.to - came.from;
        result.values += came.values;
        result.refused += came.refused;
        found.push(...came.failures);
        if (came.slowest.seconds > result.slowest.seconds) result.slowest = came.slowest;
        if (came.to < batch.to) waiting.unshift({ from: came.to, to: batch.to });
      }
      while (waiting[0] && waiting[0].from >= waiting[0].to) waiting.shift();
      // One that has grown stays so.
      if (isDeath(came) || came.to < batch.to) {
        await runs.close();
        runs = await start();
      }
    }
  } finally {
    await runs.close();
  }
  const { failures, unconfirmed } = await confirmed(found, (number) =>
    runCase(reader, { seed, number, limits }),
  );
  return { ...result, failures, unconfirmed, seconds: (performance.now() - began) / 1000 };
}

/** Tries a failure of each cause again. */
async function confirmed(
  found: readonly Failure[],
  again: (number: number) => Promise<Failure | string>,
): Promise<Pick<ReaderResult, 'failures' | 'unconfirmed'>> {
  const causes = new Map<string, Failure[]>();
  for (const failure of found)
    causes.set(causeOf(failure), [...(causes.get(causeOf(failure)) ?? []), failure]);
  const failures: ReaderResult['failures'] = [];
  const unconfirmed: Failure[] = [];
  for (const all of causes.values()) {
    const [first] = all;
    const came = await again(first!.number);
    if (typeof came === 'string') unconfirmed.push(first!);
    else failures.push({ ...came, times: all.length });
  }
  return { failures, unconfirmed };
}

/** Runs one case in a process of its own: its failure, or 'value' or 'refused'. */
export async function runCase(
  reader: string,
  { seed, number, limits = LIMITS }: { seed: number; number: number; limits?: Limits },
): Promise<Failure | 'value' | 'refused'> {
  const runs = await CaseProcess.start({ reader, seed }, limits);
  try {
    const came = await runs.run({ from: number, to: number + 1 });
    if (isDeath(came)) return { reader, number, problem: came.problem, detail: came.detail };
    return came.failures[0] ?? (came.values > 0 ? 'value' : 'refused');
  } finally {
    await runs.close();
  }
}
