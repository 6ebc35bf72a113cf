// A verification result as rows of text that a command line or a page can print. A figure that the trials
// cannot support is printed as unknown, with the reason.
import type { LfwResult } from './lfw.js';
import type { VerificationResult } from './verification.js';

/** One printed figure. */
export interface SummaryRow {
  figure: string;
  value: string;
  /** 95 % interval, '' when there is none. */
  interval: string;
  /** Why it is unknown, or what it rests on; '' when there is nothing to say. */
  note: string;
}

export const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
export const range = (bounds: [number, number] | undefined, print = percent) =>
  bounds ? `${print(bounds[0])} .. ${print(bounds[1])}` : '';
export const decimals = (value: number) => value.toFixed(4);

/** A result, or one whose scores are no cosines and have no angles. */
export type Summarised = Omit<VerificationResult, 'angles'> & Partial<Pick<VerificationResult, 'angles'>>;

/** Rows for the figures of `result`, in the order to print them. */
export function summarise(result: Summarised | LfwResult): SummaryRow[] {
  const row = (figure: string, value: string, interval = '', note = ''): SummaryRow => ({
    figure,
    value,
    interval,
    note,
  });
  const rows = [
    row(
      'accuracy',
      `${percent(result.accuracy)} +- ${(100 * result.standardError).toFixed(2)}`,
      range(result.accuracyInterval),
      `mean of ${result.folds.length} folds +- its standard error; standard deviation of folds ${(100 * result.standardDeviation).toFixed(2)}`,
    ),
    row('AUC', decimals(result.auc), range(result.aucInterval, decimals)),
    row('EER', percent(result.eer), range(result.eerInterval)),
    ...result.tarAtFar.map((entry) =>
      row(
        `TAR at FAR ${entry.far}`,
        entry.tar === null ? 'not known' : percent(entry.tar),
        range(entry.interval),
        entry.reason,
      ),
    ),
  ];
  if ('foldTar' in result && result.foldTar) {
    const { far, tar, standardDeviation, measuredFar, reason } = result.foldTar;
    const known = tar !== null && standardDeviation !== null;
    const words = `thresholds from the other folds; measured FAR ${percent(measuredFar)}`;
    rows.push(
      row(
        `TAR at FAR ${far}, fold by fold`,
        known ? `${percent(tar)} +- ${(100 * standardDeviation).toFixed(2)}` : 'not known',
        '',
        [...(known ? [words] : []), ...(reason ? [`${reason} in the other folds`] : [])].join('; '),
      ),
    );
  }
  const lowest = Math.min(...result.thresholds);
  const highest = Math.max(...result.thresholds);
  rows.push(
    row(
      'thresholds',
      `${decimals(lowest)} .. ${decimals(highest)}`,
      '',
      `of the ${'thresholdOf' in result ? result.thresholdOf : result.angles ? 'cosine' : 'score'}`,
    ),
  );
  if (result.angles) {
    const { same, different } = result.angles;
    const angles = `same ${same.mean.toFixed(1)}, different ${different.mean.toFixed(1)} degrees`;
    rows.push(row('mean angle', angles));
  }
  rows.push(row('trials', `${result.samePairs} same, ${result.differentPairs} different pairs`));
  if (result.intervals) {
    const { resampled, replicates, seed } = result.intervals;
    rows.push(row('intervals', '95 %', '', `bootstrap over ${resampled}, ${replicates} draws, seed ${seed}`));
  }
  if ('mode' in result) {
    rows.push(row('mode', result.mode, '', `${result.protocol}; image and mirror: ${result.fusion}`));
  }
  return rows;
}
