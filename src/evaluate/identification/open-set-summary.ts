// Searches as rows of text: FNIR and threshold at every FPIR of every gallery, beside what independent comparisons
// would predict, and the closed-set rates.
import type { CmcCurve, FnirAtFpir } from '../evaluation.js';
import { decimals, percent, range, type SummaryRow } from '../summary.js';
import type { Independence } from './independence.js';
import type { OpenSetResult } from './open-set.js';

/** A rate that names a figure: 0.3 %, 1 %, 10 %. */
export const rateName = (share: number): string => `${Number((100 * share).toPrecision(6))} %`;

/** The row of one FNIR; `where` follows the figure's name, as in ', gallery 840'. */
export function fnirRow(point: Omit<FnirAtFpir, 'threshold' | 'falsePositives'>, where: string): SummaryRow {
  const { fpir, fnir, reason = '', interval } = point;
  return {
    figure: `FNIR at FPIR ${rateName(fpir)}${where}`,
    value: fnir === null ? 'not known' : percent(fnir),
    interval: range(interval),
    note: reason,
  };
}

/** The row of its threshold; nothing where there is none. */
export function thresholdRow(
  { fpir, fnir, threshold, thresholdInterval }: FnirAtFpir,
  where: string,
  predicted?: Independence,
): SummaryRow[] {
  if (fnir === null) return [];
  const word =
    predicted &&
    `independent comparisons (FMR ${predicted.fmr.toPrecision(2)}) would give FPIR ${percent(predicted.predictedFpir)}${predicted.predictedThreshold === null ? '' : `, and ask for ${decimals(predicted.predictedThreshold)}`}`;
  return [
    {
      figure: `threshold at FPIR ${rateName(fpir)}${where}`,
      value: threshold === null ? 'none' : decimals(threshold),
      interval: range(thresholdInterval, decimals),
      note: threshold === null ? 'too many of the highest scores are equal' : (word ?? ''),
    },
  ];
}

/** Rows of a cumulative match characteristic at these ranks. */
export function cmcRows(cmc: CmcCurve, where: string, wanted: readonly number[] = [1]): SummaryRow[] {
  return wanted.flatMap((rank) => {
    const at = cmc.ranks.indexOf(rank);
    if (at < 0) return [];
    return [
      {
        figure: `rank-${rank}${where}`,
        value: percent(cmc.rates[at]!),
        interval: range(cmc.intervals?.[at]),
        note: rank === 1 ? `closed set, ${cmc.trials} searches` : '',
      },
    ];
  });
}

/** Rows of an open-set experiment, the largest gallery first. */
export function summariseOpenSet({ openSet, identification, independence }: OpenSetResult): SummaryRow[] {
  return openSet
    .map((curve, i) => {
      const where = `, gallery ${curve.gallery}`;
      const predicted = (point: FnirAtFpir) =>
        independence.find(({ gallery, fpir }) => gallery === curve.gallery && fpir === point.fpir);
      return [
        ...curve.points.flatMap((point) => [
          fnirRow(point, where),
          ...thresholdRow(point, where, predicted(point)),
        ]),
        ...cmcRows(identification[i]!, where),
        {
          figure: `searches${where}`,
          value: `${curve.mated} mated, ${curve.nonMated} non-mated`,
          interval: '',
          note: '',
        },
      ];
    })
    .reverse()
    .flat();
}
