// Draws Fig. 11: the plane with and without biases in the classification layer.
import type { TrainedData } from '../../evaluate/figures/trained-data.js';
import { html, type Piece } from '../html.js';
import { decimal, percent } from '../page.js';
import type { Drawing } from './drawing.js';
import { scatterPlots } from './fig-scatter.js';
import { divergences, measuredOf, plotsOf, settingsOf, spreadTable, whom } from './fig-text.js';

function outcome(data: TrainedData): Piece {
  return data.parts.map((part) => {
    const networks = measuredOf(part);
    const [bias, free] = [true, false].map(
      (which) => networks.find(({ measured }) => (measured.biases !== undefined) === which)?.measured,
    );
    if (!bias || !free) return '';
    const largest = Math.max(...bias.biases!.map(Math.abs));
    return html` On ${whom(part)}, ${percent(bias.accuracy.test)} of the new images are recognised with biases and ${percent(free.accuracy.test)} without; the largest bias is ${decimal(largest, 2)}; without them an image’s largest logit is on average ${decimal(bias.logitGap, 1)} above its second.`;
  });
}

export const fig11: Drawing<TrainedData> = {
  draw: (data) => ({
    lead: html`Softmax with and without biases, everything else the same. The paper leaves biases out because features use the plane alike with them and without.${outcome(data)}`,
    plots: plotsOf(data, (part) =>
      scatterPlots(part, {
        caption: () =>
          html`2-D features of softmax. A bias lets a class be told by the length of its features, close to the centre, where angles say nothing; compare the middles.`,
      }),
    ),
    after: html`${divergences(data)}${spreadTable(data)}`,
    settings: settingsOf(data),
  }),
};
