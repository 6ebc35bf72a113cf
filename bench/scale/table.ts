// What was measured, and how it is printed.
import type { Ratio } from '../statistics.js';
import type { StepCase } from './cases.js';

/** One case's figures; times in milliseconds, memory in bytes of the rank that has most. */
export interface Measured extends StepCase {
  mode: string;
  milliseconds: number;
  low: number;
  high: number;
  least: number;
  /** Time over that of the first case of the round, turn by turn; absent where memory had no room for both. */
  ratio?: Ratio;
  computing: number;
  exchanging: number;
  /** Bytes that a rank gave to exchanges in a step. */
  exchanged: number;
  peak: number;
  /** Until a step could be taken. */
  startSeconds: number;
  /** Of all steps taken. */
  losses: number[];
}

/** The machine's limits in the same rounds: a matrix product, and bytes read and written by a copy. */
export interface Limits {
  gflops: number;
  copyGigabytes: number;
}

export interface Round {
  question: string;
  title: string;
  limits: Limits;
  measured: Measured[];
}

const COLUMNS = [
  'ranks',
  'batch',
  'parts',
  'step ms',
  'least ms',
  'computing',
  'exchange',
  'MB sent',
  'GiB a rank',
];

export function printRound({ title, limits, measured }: Round): void {
  const { gflops, copyGigabytes } = limits;
  console.log(
    `\n${title}\nlimits: matrix product ${gflops.toFixed(0)} GFLOP/s, memory copy ${copyGigabytes.toFixed(1)} GB/s`,
  );
  console.log(
    `${''.padEnd(34)}${COLUMNS.map((name) => name.padStart(11)).join('')}  time / first's (quartiles)`,
  );
  for (const one of measured) {
    const cells = [
      ...[one.ranks, one.batch, one.backwardParts, one.milliseconds.toFixed(0), one.least.toFixed(0)],
      ...(one.computing > 0 ? [one.computing.toFixed(0), one.exchanging.toFixed(0)] : ['', '']),
      ...[(one.exchanged / 1e6).toFixed(1), (one.peak / 2 ** 30).toFixed(2)],
    ].map((cell) => String(cell).padStart(11));
    const { ratio } = one;
    const beside = ratio
      ? `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`
      : '';
    console.log(`${`${one.mode}, ${one.classes} classes`.padEnd(34)}${cells.join('')}  ${beside}`);
  }
}
