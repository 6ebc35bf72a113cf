// Which plots an evaluation, or several beside each other, can give: one list of what is drawn from which part of the
// data, shared by the page of one evaluation, the comparison, and the SVG files.
import type { CmcCurve, DetCurve, Evaluation, VerificationPart } from '../../evaluate/evaluation.js';
import { html, type Markup, type Piece } from '../html.js';
import { key } from '../page.js';
import { classColours, colours } from '../plot.js';
import { inPercent, share, whole } from './axes.js';
import { histogramsPlot } from './histograms-plot.js';
import { cmcPlot, type Line, rateByGallery, thresholdByGallery } from './lines-plot.js';
import { tradeoffOfSearches, tradeoffOfVerification } from './tradeoff.js';
import { type Bar, detPlot, rocPlot, searchDetPlot } from './tradeoff-plot.js';

/** A plot of a page, which is an SVG file of its own too: `id`.svg. */
export interface EvaluationPlot {
  id: PlotId;
  title: string;
  svg: Markup;
  caption: Markup;
}

/** Every plot there can be, in the order of the page. */
export const plotIds = [
  ...['roc', 'det', 'cmc', 'rank-1', 'open-set-det', 'open-set-thresholds', 'open-set-fnir'],
  ...['scores', 'angles'],
] as const;
export type PlotId =
  | 'roc'
  | 'det'
  | 'cmc'
  | 'rank-1'
  | 'open-set-det'
  | 'open-set-thresholds'
  | 'open-set-fnir'
  | 'scores'
  | 'angles';

const colourOf = (i: number): string => classColours[i % classColours.length]!;

/** One evaluation of a plot: its name among the others, and its colour. */
export interface Named<T> {
  name: string;
  colour: string;
  part: T;
}

const DASHED = 'Dashed: fewer than ten errors are behind it, so read it with care.';
const POINTER = 'Rings stand at 1, 10 and 100; rest the pointer on the curve for the counts behind it.';

/** The ROC and the DET of verifications. */
export function verificationPlots(runs: readonly Named<VerificationPart>[]): EvaluationPlot[] {
  const drawn = runs.filter(({ part }) => part.roc.far.length > 1);
  if (drawn.length === 0) return [];
  const curves = drawn.map(({ part, name, colour }) => tradeoffOfVerification(part, name, colour));
  const bars = drawn.flatMap(({ part, colour }) =>
    part.tarAtFar.flatMap(({ far, tar, interval }): Bar[] =>
      tar === null || !interval
        ? []
        : [
            {
              ...{ falseRate: far, missRate: 1 - tar, colour },
              interval: [1 - interval[0], 1 - interval[1]],
            },
          ],
    ),
  );
  const intervals: Piece = bars.length > 0 && ' Broad bars are 95 % intervals at the rates of the table.';
  return [
    {
      id: 'roc',
      title: 'Receiver operating characteristic',
      svg: rocPlot(curves, bars),
      caption: html`How many pairs of one person are accepted, at each rate of accepting two people for one. ${DASHED}${intervals} ${POINTER}`,
    },
    {
      id: 'det',
      title: 'Detection error trade-off',
      svg: detPlot(curves, bars),
      caption: html`The two errors against each other, on normal deviates: nearer to the lower left is better, and where the dotted line crosses both are equal. ${DASHED}${intervals}`,
    },
  ];
}

/** The CMC of one evaluation, a line a gallery, and how its first rank falls as the gallery grows. */
export function identificationPlots(curves: readonly CmcCurve[]): EvaluationPlot[] {
  const lines = curves.map((curve, i) => cmcLine(curve, `gallery ${whole(curve.gallery)}`, colourOf(i)));
  const plots = [cmc(lines, 'one curve a size of the gallery')];
  if (new Set(curves.map(({ gallery }) => gallery)).size > 1)
    plots.push(byGallery([{ name: '', colour: colours.accent, part: curves }]));
  return plots;
}

/** The CMC of several evaluations in the largest gallery that all have, and their first ranks. */
export function comparedIdentification(runs: readonly Named<readonly CmcCurve[]>[]): EvaluationPlot[] {
  const gallery = largestShared(runs.map(({ part }) => part));
  const plots: EvaluationPlot[] = [];
  if (gallery !== undefined) {
    const lines = runs.map(({ name, colour, part }) =>
      cmcLine(part.find((curve) => curve.gallery === gallery)!, name, colour),
    );
    plots.push(cmc(lines, `in galleries of ${whole(gallery)}, the largest that all have`));
  }
  if (runs.some(({ part }) => part.length > 1)) plots.push(byGallery(runs));
  return plots;
}

function cmc(lines: readonly Line[], which: string): EvaluationPlot {
  return {
    id: 'cmc',
    title: 'Cumulative match characteristic',
    svg: cmcPlot(lines),
    caption: html`How often the right person is among the best candidates, ${which}.${lines.some(({ points }) => points.some(({ interval }) => interval)) && ' Shaded: 95 % intervals.'}`,
  };
}

const cmcLine = ({ ranks, rates, intervals, trials }: CmcCurve, name: string, colour: string): Line => ({
  ...{ name, colour },
  points: ranks.map((rank, i) => ({
    ...{ x: rank, y: rates[i]!, interval: intervals?.[i] },
    title: `${name}, rank ${whole(rank)}: ${inPercent(rates[i]!)} % (${whole(rates[i]! * trials)} of ${whole(trials)} searches)${intervalText(intervals?.[i])}`,
  })),
});

function byGallery(runs: readonly Named<readonly CmcCurve[]>[]): EvaluationPlot {
  const lines = runs.map(({ name, colour, part }): Line => {
    const sorted = [...part].sort((a, b) => a.gallery - b.gallery);
    return {
      ...{ name, colour },
      points: sorted.map(({ gallery, rates, intervals, trials }) => ({
        ...{ x: gallery, y: rates[0]!, interval: intervals?.[0] },
        title: `${name && `${name}, `}gallery ${whole(gallery)}: rank-1 ${inPercent(rates[0]!)} % (${whole(rates[0]! * trials)} of ${whole(trials)} searches)${intervalText(intervals?.[0])}`,
      })),
    };
  });
  return {
    id: 'rank-1',
    title: 'Rank-1 as the gallery grows',
    svg: rateByGallery(
      'Rank-1 identification rate against the size of the gallery',
      'rank-1 rate (%)',
      lines,
    ),
    caption: html`How often the right person comes first. Every template more in the gallery is one more chance for someone else to be nearer.`,
  };
}

/** The DETs of searches of one evaluation, a curve a gallery, and what a growing gallery does to them. */
export function openSetPlots(curves: readonly DetCurve[]): EvaluationPlot[] {
  const named = curves.map((part, i) => ({
    ...{ name: `gallery ${whole(part.gallery)}`, colour: colourOf(i), part },
  }));
  const plots = [searches(named, 'one curve a size of the gallery')];
  if (new Set(curves.map(({ gallery }) => gallery)).size < 2) return plots;
  const rates = [...new Set(curves.flatMap(({ points }) => points.map(({ fpir }) => fpir)))].sort(
    (a, b) => a - b,
  );
  const lines = (value: 'threshold' | 'fnir', interval: 'thresholdInterval' | 'interval', print: Print) =>
    rates
      .map(
        (fpir, i): Line => ({
          name: `FPIR ${inPercent(fpir)} %`,
          colour: colourOf(i),
          points: curves
            .flatMap(({ gallery, points }) => {
              const point = points.find((each) => each.fpir === fpir);
              const y = point?.[value] ?? null;
              if (!point || y === null) return [];
              return [
                {
                  ...{ x: gallery, y, interval: point[interval] },
                  title: `gallery ${whole(gallery)}, FPIR ${inPercent(fpir)} %: ${print(y)}${intervalText(point[interval], print)}`,
                },
              ];
            })
            .sort((a, b) => a.x - b.x),
        }),
      )
      .filter(({ points }) => points.length > 0);
  const thresholds = lines('threshold', 'thresholdInterval', (value) => value.toFixed(4));
  if (thresholds.length > 0)
    plots.push({
      id: 'open-set-thresholds',
      title: 'The threshold grows with the gallery',
      svg: thresholdByGallery(thresholds),
      caption: html`The score at or above which a candidate counts, for each rate of searches for strangers that may find someone. A threshold holds for the gallery it was measured with: more people, a higher threshold.`,
    });
  const misses = lines('fnir', 'interval', (value) => `${inPercent(value)} %`);
  if (misses.length > 0)
    plots.push({
      id: 'open-set-fnir',
      title: 'Misses as the gallery grows',
      svg: rateByGallery('FNIR against the size of the gallery', 'FNIR (%)', misses),
      caption: html`The share of searches for enrolled people that miss them, at each FPIR. Broad bars are 95 % intervals, where there are any.`,
    });
  return plots;
}

/** The DET of several evaluations in the largest gallery that all have. */
export function comparedOpenSet(runs: readonly Named<readonly DetCurve[]>[]): EvaluationPlot[] {
  const gallery = largestShared(runs.map(({ part }) => part));
  if (gallery === undefined) return [];
  const named = runs.map(({ name, colour, part }) => ({
    ...{ name, colour, part: part.find((curve) => curve.gallery === gallery)! },
  }));
  return [searches(named, `in galleries of ${whole(gallery)} people, the largest that all have`)];
}

function searches(curves: readonly Named<DetCurve>[], which: string): EvaluationPlot {
  const bars = curves.flatMap(({ part, colour }) =>
    part.points.flatMap(({ fpir, fnir, interval }): Bar[] =>
      fnir === null || !interval ? [] : [{ falseRate: fpir, missRate: fnir, interval, colour }],
    ),
  );
  return {
    id: 'open-set-det',
    title: 'Searches: misses against false alarms',
    svg: searchDetPlot(
      curves.map(({ part, name, colour }) => tradeoffOfSearches(part, name, colour)),
      bars,
    ),
    caption: html`The share of searches for enrolled people that miss them, against the share of searches for strangers that find someone, ${which}. ${DASHED}${bars.length > 0 && ' Broad bars are 95 % intervals.'} ${POINTER}`,
  };
}

type Print = (value: number) => string;

const intervalText = (
  interval: readonly [number, number] | undefined,
  print: Print = (value) => `${inPercent(value)} %`,
): string => (interval ? `, 95 % interval ${print(interval[0])} .. ${print(interval[1])}` : '');

/** The largest gallery that is in every list. */
function largestShared(lists: readonly (readonly { gallery: number }[])[]): number | undefined {
  const [first, ...others] = lists.map((list) => new Set(list.map(({ gallery }) => gallery)));
  const shared = [...(first ?? [])].filter((gallery) => others.every((sizes) => sizes.has(gallery)));
  return shared.length > 0 ? Math.max(...shared) : undefined;
}

/** Scores and angles of same and of different pairs. */
export function histogramPlots(part: VerificationPart): EvaluationPlot[] {
  const plots: EvaluationPlot[] = [];
  const threshold = scoreThreshold(part);
  const legend = key([
    { colour: colours.same, text: 'the same person' },
    { colour: colours.different, text: 'different people' },
  ]);
  const line = threshold !== undefined && ' The line is the threshold (mean over folds).';
  if (part.scores)
    plots.push({
      id: 'scores',
      title: 'Scores',
      svg: histogramsPlot({
        label: 'Histograms of the scores of same and of different pairs',
        ...{ axis: 'score (cosine)', ...part.scores, range: [-1, 1], threshold },
        format: (value) => value.toFixed(3),
      }),
      caption: html`${legend}Cosines of pairs, each kind as shares of its own. Dashed lines are the means.${line}`,
    });
  if (part.angles)
    plots.push({
      id: 'angles',
      title: 'Angles',
      svg: histogramsPlot({
        label: 'Histograms of the angles between the templates of same and of different pairs',
        axis: 'angle between two templates (degrees)',
        ...{ same: part.angles.same, different: part.angles.different, range: [0, 180] },
        threshold: threshold === undefined ? undefined : (Math.acos(threshold) * 180) / Math.PI,
        format: (value) => `${value.toFixed(1)}°`,
      }),
      caption: html`${legend}The same pairs on the hypersphere, as the angle between the two templates (Fig. 5 of the SphereFace paper).${line}`,
    });
  return plots;
}

/** The mean of the folds' thresholds as a cosine. */
function scoreThreshold(part: VerificationPart & { thresholdOf?: unknown }): number | undefined {
  const { thresholds = [], thresholdOf } = part;
  if (thresholds.length === 0 || thresholds.some((threshold) => !Number.isFinite(threshold)))
    return undefined;
  const mean = thresholds.reduce((sum, threshold) => sum + threshold, 0) / thresholds.length;
  // Squared distances of unit vectors are 2 - 2 cos.
  const cosine = thresholdOf === 'squared distance' ? 1 - mean / 2 : mean;
  return cosine >= -1 && cosine <= 1 ? cosine : undefined;
}

/** All plots of one evaluation. */
export function plotsOf({ verification, identification, openSet }: Evaluation): EvaluationPlot[] {
  return [
    ...(verification
      ? verificationPlots([{ name: 'all pairs', colour: colours.accent, part: verification }])
      : []),
    ...(identification?.length ? identificationPlots(identification) : []),
    ...(openSet?.length ? openSetPlots(openSet) : []),
    ...(verification ? histogramPlots(verification) : []),
  ];
}

export { share };
