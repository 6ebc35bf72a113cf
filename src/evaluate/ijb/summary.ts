// An IJB evaluation as rows of text: verification first, then the search as the average of both galleries with each
// beside it, and the thresholds of each, which belong to its size.
import type { VerificationPart } from '../evaluation.js';
import { fnirRow, thresholdRow } from '../identification/open-set-summary.js';
import { percent, range, type SummaryRow } from '../summary.js';
import type { Averaged, IjbSearchResult } from './ijb.js';

/** Rows of the 1:1 protocol: TAR at every FAR. */
export function summarisePairs(part: VerificationPart): SummaryRow[] {
  return [
    ...part.tarAtFar.map(({ far, tar, interval, reason = '' }) => ({
      figure: `1:1 TAR at FAR ${far.toExponential()}`,
      value: tar === null ? 'not known' : percent(tar),
      interval: range(interval),
      note: reason,
    })),
    {
      figure: '1:1 EER',
      value: percent(part.eer!),
      interval: range(part.eerInterval),
      note: '',
    },
    {
      figure: '1:1 trials',
      value: `${part.samePairs} same, ${part.differentPairs} different pairs`,
      interval: '',
      note: '',
    },
  ];
}

/** Rows of the 1:N protocol. */
export function summariseSearch({ openSet, fnir, cmc }: IjbSearchResult): SummaryRow[] {
  const each = ({ each: values, reason }: Averaged) =>
    [
      `average of gallery 1 (${text(values[0])}) and gallery 2 (${text(values[1])})`,
      ...(reason === undefined ? [] : [reason]),
    ].join('; ');
  return [
    ...cmc.map(({ rank, rate }) => ({
      figure: `1:N rank-${rank}`,
      value: text(rate.value),
      interval: range(rate.interval),
      note: each(rate),
    })),
    ...fnir.map(({ fpir, rate }) => {
      const { value, interval } = rate;
      const row = fnirRow({ fpir, fnir: value, ...(interval && { interval }), reason: each(rate) }, '');
      return { ...row, figure: `1:N ${row.figure}` };
    }),
    ...openSet.flatMap((curve, i) => [
      ...curve.points.flatMap((point) => thresholdRow(point, `, gallery ${i + 1}`)),
      {
        figure: `searches, gallery ${i + 1}`,
        value: `${curve.mated} mated, ${curve.nonMated} non-mated`,
        interval: '',
        note: `${curve.gallery} people enrolled, rank ${curve.rank}`,
      },
    ]),
  ];
}

const text = (value: number | null): string => (value === null ? 'not known' : percent(value));

/** The facts that a reader must know before comparing the figures with others. */
export function ijbNotes(pairs: {
  repeated: number;
  selves: number;
  contradictions: number;
  resampled: string;
}): string[] {
  const { repeated, selves, contradictions, resampled } = pairs;
  return [
    ...(repeated > 0 ? [`${repeated} pairs are listed more than once and count each time`] : []),
    ...(selves > 0 ? [`${selves} pairs compare a template with itself`] : []),
    ...(contradictions > 0
      ? [`the labels of ${contradictions} pairs contradict the subjects of their templates; labels were used`]
      : []),
    ...(resampled === 'templates'
      ? ['the subjects of some templates are not known, so the intervals of 1:1 draw templates']
      : []),
  ];
}
