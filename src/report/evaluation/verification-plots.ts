// The plots of one-to-one scores: ROC and DET of one or several evaluations, and the histograms of one.
import type { VerificationPart } from '../../evaluate/evaluation.js';
import { degrees } from '../../theory/vectors.js';
import { html, type Piece } from '../html.js';
import { key } from '../page.js';
import { colours } from '../plot.js';
import { histogramsPlot } from './histograms-plot.js';
import { DASHED, type EvaluationPlot, type Named, POINTER } from './plot-parts.js';
import { stepsOf, tradeoffOfVerification } from './tradeoff.js';
import { type Bar, detPlot, rocPlot } from './tradeoff-plot.js';

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
  const plots: EvaluationPlot[] = [
    {
      id: 'roc',
      title: 'Receiver operating characteristic',
      svg: rocPlot(curves, bars),
      caption: html`How many pairs of one person are accepted, at each rate of accepting two people for one. ${DASHED}${intervals} ${POINTER}`,
    },
  ];
  // A DET without a miss that is known has nothing to draw.
  if (curves.some((curve) => stepsOf(curve, { misses: true }).length > 0))
    plots.push({
      id: 'det',
      title: 'Detection error trade-off',
      svg: detPlot(curves, bars),
      caption: html`The two errors against each other, on normal deviates: nearer to the lower left is better, and where the dotted line crosses both are equal. ${DASHED}${intervals}`,
    });
  return plots;
}

/** What the thresholds of a protocol are thresholds of, and the score that one stands for. Without angles scores are no cosines. */
const UNITS: Record<
  string,
  { axis: string; range: readonly [number, number]; score: (at: number) => number }
> = {
  cosine: { axis: 'score (cosine)', range: [-1, 1], score: (at) => at },
  // Of unit vectors: 2 - 2 cos.
  'squared distance': { axis: 'score (cosine)', range: [-1, 1], score: (at) => 1 - at / 2 },
  // Made elsewhere, in a unit of its own.
  score: {
    axis: 'score',
    range: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    score: (at) => at,
  },
};

/** Scores and angles of same and of different pairs. */
export function histogramPlots(part: VerificationPart & { thresholdOf?: string }): EvaluationPlot[] {
  const plots: EvaluationPlot[] = [];
  const { axis, range, score } =
    UNITS[part.thresholdOf ?? (part.angles ? 'cosine' : 'score')] ?? UNITS.score!;
  const { thresholds = [] } = part;
  const mean = thresholds.reduce((sum, threshold) => sum + threshold, 0) / thresholds.length;
  const threshold = Number.isFinite(mean) ? score(mean) : undefined;
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
        ...{ axis, ...part.scores, range, threshold },
        format: (value) => String(Number(value.toPrecision(3))),
      }),
      caption: html`${legend}The scores of pairs, each kind as shares of its own. Dashed lines are the means.${line}`,
    });
  if (part.angles)
    plots.push({
      id: 'angles',
      title: 'Angles',
      svg: histogramsPlot({
        label: 'Histograms of the angles between the templates of same and of different pairs',
        axis: 'angle between two templates (degrees)',
        ...{ same: part.angles.same, different: part.angles.different, range: [0, 180] },
        threshold: threshold === undefined ? undefined : degrees(threshold),
        format: (value) => `${value.toFixed(1)}°`,
      }),
      caption: html`${legend}The same pairs on the hypersphere, as the angle between the two templates (Fig. 5 of the SphereFace paper).${line}`,
    });
  return plots;
}
