// The plots of open-set identification: the DET of searches of one or several evaluations, and what a growing gallery
// does to misses and thresholds.
import type { DetCurve } from '../../evaluate/evaluation.js';
import { html } from '../html.js';
import { inPercent, whole } from './axes.js';
import { type Line, rateByGallery, thresholdByGallery } from './lines-plot.js';
import {
  colourOf,
  DASHED,
  type EvaluationPlot,
  galleryName,
  intervalText,
  largestShared,
  type Named,
  POINTER,
  type Print,
} from './plot-parts.js';
import { stepsOf, tradeoffOfSearches } from './tradeoff.js';
import { type Bar, searchDetPlot } from './tradeoff-plot.js';

/** The DETs of searches of one evaluation, a curve a gallery, and what a growing gallery does to them. */
export function openSetPlots(curves: readonly DetCurve[], apart: boolean): EvaluationPlot[] {
  const named = curves.map((part, i) => ({
    ...{ name: galleryName(part.gallery, i, apart), colour: colourOf(i), part },
  }));
  const plots = [searches(named, 'one curve a gallery')];
  if (apart || new Set(curves.map(({ gallery }) => gallery)).size < 2) return plots;
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
  const misses = lines('fnir', 'interval', (value) => `${inPercent(value)} %`);
  if (misses.length > 0)
    plots.push({
      id: 'open-set-fnir',
      title: 'Misses as the gallery grows',
      svg: rateByGallery('FNIR against the size of the gallery', 'FNIR (%)', misses),
      caption: html`The share of searches for enrolled people that miss them, at each FPIR. Broad bars are 95 % intervals, where there are any.`,
    });
  const thresholds = lines('threshold', 'thresholdInterval', (value) => value.toFixed(4));
  if (thresholds.length > 0)
    plots.push({
      id: 'open-set-thresholds',
      title: 'The threshold grows with the gallery',
      svg: thresholdByGallery(thresholds),
      caption: html`The score at or above which a candidate counts, for each rate of searches for strangers that may find someone. A threshold holds for the gallery it was measured with: more people, a higher threshold.`,
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
      fnir === null || fnir * part.mated < 1 || !interval
        ? []
        : [{ falseRate: fpir, missRate: fnir, interval, colour }],
    ),
  );
  const tradeoffs = curves.map(({ part, name, colour }) => tradeoffOfSearches(part, name, colour));
  const faultless = tradeoffs
    .filter((curve) => stepsOf(curve, { misses: true }).length === 0)
    .map(({ name }) => name);
  return {
    id: 'open-set-det',
    title: 'Searches: misses against false alarms',
    svg: searchDetPlot(tradeoffs, bars),
    caption: html`The share of searches for enrolled people that miss them, against the share of searches for strangers that find someone, ${which}. ${DASHED}${bars.length > 0 && ' Broad bars are 95 % intervals.'} ${POINTER}${faultless.length > 0 && ` Without a curve, as no search missed where that is known: ${faultless.join(', ')}.`}`,
  };
}
