// Alternation and the few order statistics the benchmarks report. The speed of a shared machine moves by tens of
// per cent within minutes, so candidates take turns step by step and are compared pair by pair.
import { setTimeout as sleep } from 'node:timers/promises';

/** Something to time: runs one step and resolves to its milliseconds. */
export interface Timed {
  step(): Promise<number>;
}

/** The first steps of everyone are thrown away: fresh memory costs more than arithmetic. */
const DISCARDED = 2;
/** Rest between two candidates, so that one's worker threads have stopped spinning when the next one starts. */
const REST_MILLISECONDS = 50;

/** Times `steps` steps of every candidate in turns; result[i][k] is candidate i's k-th step in milliseconds. */
export async function alternate(
  candidates: readonly Timed[],
  steps: number,
  progress: (round: number, rounds: number) => void = () => undefined,
): Promise<number[][]> {
  const times: number[][] = candidates.map(() => []);
  for (let round = 0; round < steps + DISCARDED; round++) {
    progress(round + 1, steps + DISCARDED);
    for (const [i, candidate] of candidates.entries()) {
      await sleep(REST_MILLISECONDS);
      const milliseconds = await candidate.step();
      if (round >= DISCARDED) times[i]!.push(milliseconds);
    }
  }
  return times;
}

/** The q-quantile, linear between neighbours; NaN for nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  const high = Math.ceil(at);
  if (sorted.length === 0) return Number.NaN;
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (at - low);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** values[k] / reference[k]: the ratio within each round. */
export function ratios(values: readonly number[], reference: readonly number[]): number[] {
  return values.map((value, k) => value / reference[k]!);
}

/** Median and quartiles of the ratios within each round. */
export interface Ratio {
  median: number;
  low: number;
  high: number;
}

export function ratioOf(values: readonly number[], reference: readonly number[]): Ratio {
  const relative = ratios(values, reference);
  return { median: median(relative), low: quantile(relative, 0.25), high: quantile(relative, 0.75) };
}
