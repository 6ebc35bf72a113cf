// Draws Fig. 10: the biases of a softmax layer. A few classes are bars with their names, many are a histogram.
import { spearman } from '../../evaluate/figures/spearman.js';
import type { TrainedData, TrainedPart } from '../../evaluate/figures/trained-data.js';
import { html, type Markup, type Piece } from '../html.js';
import { decimal } from '../page.js';
import { colours, Plot, renderPlot } from '../plot.js';
import type { Drawing, DrawnPlot } from './drawing.js';
import { divergences, heading, measuredOf, plotsOf, prefix, settingsOf, signed, whom } from './fig-text.js';

/** As many classes as have a bar each. */
const FEW = 20;

const frame = {
  width: 1000,
  height: 270,
  marginLeft: 50,
  marginBottom: 40,
  marginRight: 14,
  marginTop: 12,
};
const centred = { labelAnchor: 'center', labelArrow: 'none' } as const;

function bars(label: string, biases: readonly number[], names: readonly string[]): Markup {
  const rows = biases.map((bias, i) => ({ name: names[i]!, bias }));
  const most = Math.max(...biases.map(Math.abs)) * 1.15;
  return renderPlot({
    label,
    ...frame,
    x: { label: 'class', type: 'band', domain: names, padding: 0.35, ...centred },
    y: { label: 'bias', domain: [-most, most], grid: true, ticks: 6, ...centred },
    marks: [
      Plot.barY(rows, { x: 'name', y: 'bias', fill: colours.accent, fillOpacity: 0.75 }),
      Plot.ruleY([0]),
    ],
  });
}

function histogram(label: string, biases: readonly number[]): Markup {
  const most = Math.max(...biases.map(Math.abs)) * 1.05;
  const bins = 40;
  const width = (2 * most) / bins;
  const counts = new Array<number>(bins).fill(0);
  for (const bias of biases) counts[Math.min(bins - 1, Math.floor((bias + most) / width))]!++;
  const rows = counts.map((count, i) => ({ from: -most + i * width, to: -most + (i + 1) * width, count }));
  return renderPlot({
    label,
    ...frame,
    x: { label: 'bias', domain: [-most, most], ...centred },
    y: { label: 'classes', grid: true, ...centred },
    marks: [
      Plot.rectY(rows, {
        x1: 'from',
        x2: 'to',
        y1: 0,
        y2: 'count',
        fill: colours.accent,
        fillOpacity: 0.75,
        insetLeft: 0.5,
        insetRight: 0.5,
      }),
      Plot.ruleX([0], { strokeDasharray: '3 3', strokeOpacity: 0.6 }),
      Plot.ruleY([0]),
    ],
  });
}

function plot(part: TrainedPart): DrawnPlot[] {
  return measuredOf(part).flatMap(({ measured: { biases, counts } }): DrawnPlot[] => {
    if (!biases) return [];
    const label = `Biases that softmax has learned, ${whom(part)}`;
    const few = biases.length <= FEW;
    const sized = 2 * Math.min(...counts) <= Math.max(...counts);
    return [
      {
        id: prefix(part, 'biases'),
        title: heading(part),
        wide: true,
        svg: few ? bars(label, biases, part.classes) : histogram(label, biases),
        caption: html`The bias of ${few ? 'every class' : html`each of ${biases.length} classes, as a histogram`}.${sized && html` The classes have ${Math.min(...counts)} to ${Math.max(...counts)} training images; Spearman’s rank correlation of a class’s bias with their number is ${signed(spearman(counts, biases))}.`}`,
      },
    ];
  });
}

function outcome(data: TrainedData): Piece {
  return data.parts.map((part) =>
    measuredOf(part).map(({ measured: { biases, logitGap } }) => {
      if (!biases) return '';
      const deviation = Math.sqrt(biases.reduce((sum, bias) => sum + bias * bias, 0) / biases.length);
      return html` On ${whom(part)} the root mean square of the biases is ${decimal(deviation, 3)}; without them, an image’s largest logit is on average ${decimal(logitGap, 1)} above its second.`;
    }),
  );
}

export const fig10: Drawing<TrainedData> = {
  draw: (data) => ({
    lead: html`The biases of the classification layer after training with softmax. They start at zero; the paper found most of them to end near it, and leaves them out.${outcome(data)}`,
    plots: plotsOf(data, plot),
    after: divergences(data),
    settings: settingsOf(data),
  }),
};
