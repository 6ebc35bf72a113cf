// The figures of all cases as one table on standard output, a few lines a case as they come.
import type { Ratio } from '../statistics.js';
import type { Case } from './candidate.js';

/** One candidate's figures in one case. */
export interface Row {
  name: string;
  milliseconds: number;
  fastest: number;
  imagesPerSecond: number;
  /** The most that its process held, in MiB; undefined where the system does not say. */
  memory: number | undefined;
  /** FLOP of direct convolution a second over the peak's, round by round. */
  shareOfPeak: number;
  /** Time over the faster PyTorch's, round by round: median and quartiles. */
  ratio?: Ratio;
}

/** What was measured in one case: every side, and the machine's limits in the same rounds. */
export interface CaseResult extends Case {
  steps: number;
  /** Of a 2048 x 2048 x 2048 matrix product. */
  peakGflops: number;
  /** Bytes read and written a second by a plain copy, over 1e9. */
  copyGigabytes: number;
  rows: Row[];
}

const COLUMNS = ['median ms', 'least ms', 'images/s', 'of peak', 'MiB'];

export function printHeader(threads: number): void {
  const columns = COLUMNS.map((name) => name.padStart(11)).join('');
  console.log(
    `${`${threads} threads`.padEnd(44)}${columns}  time / PyTorch's (quartiles)  images/s / PyTorch's`,
  );
}

export function printCase({ depth, batch, peakGflops, copyGigabytes, rows }: CaseResult): void {
  rows.forEach(({ name, milliseconds, fastest, imagesPerSecond, shareOfPeak, memory, ratio }, i) => {
    const title = i === 0 ? `${depth} layers, ${batch}` : '';
    const cells = [
      milliseconds.toFixed(0),
      fastest.toFixed(0),
      imagesPerSecond.toFixed(1),
      `${(100 * shareOfPeak).toFixed(0)} %`,
      memory?.toFixed(0) ?? '',
    ].map((cell) => cell.padStart(11));
    const relative = ratio
      ? `  ${`${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`.padEnd(28)}  ${(1 / ratio.median).toFixed(2)}`
      : '';
    console.log(`${title.padEnd(15)}${name.padEnd(29)}${cells.join('')}${relative}`);
  });
  console.log(
    `${''.padEnd(15)}limits: matrix product ${peakGflops.toFixed(0)} GFLOP/s, memory copy ${copyGigabytes.toFixed(1)} GB/s`,
  );
}
