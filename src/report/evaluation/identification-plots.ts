// The plots of closed-set identification: the CMC, and rank-1 as the gallery grows, of one or several evaluations.
import type { CmcCurve } from '../../evaluate/evaluation.js';
import { html, type Piece } from '../html.js';
import { colours } from '../plot.js';
import { inPercent, whole } from './axes.js';
import { cmcPlot, type Line, rateByGallery } from './lines-plot.js';
import {
  colourOf,
  type EvaluationPlot,
  galleryName,
  intervalText,
  largestShared,
  type Named,
  padding,
} from './plot-parts.js';

/** The CMC of one evaluation, a line a gallery, and how its first rank falls as the gallery grows. */
export function identificationPlots(curves: readonly CmcCurve[], apart: boolean): EvaluationPlot[] {
  const lines = curves.map((curve, i) =>
    cmcLine(curve, `${galleryName(curve.gallery, i, apart)}${curve.synthetic ? '*' : ''}`, colourOf(i)),
  );
  const plots = [
    cmc(
      lines,
      'one curve a gallery',
      curves.some(({ synthetic }) => synthetic),
    ),
  ];
  if (!apart && new Set(curves.map(({ gallery }) => gallery)).size > 1)
    plots.push(byGallery([{ name: '', colour: colours.accent, part: curves }]));
  return plots;
}

/** The CMC of several evaluations in the largest gallery that all have, and their first ranks. */
export function comparedIdentification(
  runs: readonly Named<readonly CmcCurve[]>[],
  apart: boolean,
): EvaluationPlot[] {
  const gallery = largestShared(runs.map(({ part }) => part));
  const plots: EvaluationPlot[] = [];
  if (gallery !== undefined) {
    const lines = runs.map(({ name, colour, part }) =>
      cmcLine(part.find((curve) => curve.gallery === gallery)!, name, colour),
    );
    plots.push(cmc(lines, `in galleries of ${whole(gallery)}, the largest that all have`));
  }
  if (!apart && runs.some(({ part }) => part.length > 1)) plots.push(byGallery(runs));
  return plots;
}

function cmc(lines: readonly Line[], which: string, padded = false): EvaluationPlot {
  return {
    id: 'cmc',
    title: 'Cumulative match characteristic',
    svg: cmcPlot(lines),
    caption: html`How often the right person is among the best candidates, ${which}.${lines.some(({ points }) => points.some(({ interval }) => interval)) && ' Shaded: 95 % intervals.'}${padded && ' *: padded with synthetic templates.'}`,
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
      points: sorted.map(({ gallery, rates, intervals, trials, synthetic }) => ({
        ...{ x: gallery, y: rates[0]!, interval: intervals?.[0] },
        title: `${name && `${name}, `}gallery ${whole(gallery)}${padding({ synthetic })}: rank-1 ${inPercent(rates[0]!)} % (${whole(rates[0]! * trials)} of ${whole(trials)} searches)${intervalText(intervals?.[0])}`,
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
    caption: html`How often the right person comes first. Every template more in the gallery is one more chance for someone else to be nearer.${paddedText(runs)}`,
  };
}

/** From which gallery on templates are no faces. */
function paddedText(runs: readonly Named<readonly CmcCurve[]>[]): Piece {
  const padded = runs.flatMap(({ part }) => part.filter(({ synthetic }) => synthetic));
  const least = Math.min(...padded.map(({ gallery }) => gallery));
  return (
    padded.length > 0 &&
    ` Galleries of ${whole(least)} and more hold synthetic templates beside those of faces; how far these stand for strangers is said in the notes.`
  );
}
