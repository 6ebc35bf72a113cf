// Draws Fig. 8: the plane with and without a ReLU after the last layer.
import type { TrainedData } from '../../evaluate/figures/trained-data.js';
import { html, type Piece } from '../html.js';
import { percent } from '../page.js';
import type { Drawing } from './drawing.js';
import { scatterPlots } from './fig-scatter.js';
import { divergences, measuredOf, plotsOf, settingsOf, spreadTable, whom } from './fig-text.js';

function outcome(data: TrainedData): Piece {
  return data.parts.map((part) => {
    const networks = measuredOf(part);
    const [relu, free] = [true, false].map((which) => networks.find((one) => one.relu === which)?.measured);
    if (!relu || !free) return '';
    const zero = relu.spread?.training.zero ?? 0;
    return html` On ${whom(part)}, ${percent(relu.accuracy.training)} of the training images and ${percent(relu.accuracy.test)} of the new ones are recognised with it, ${percent(free.accuracy.training)} and ${percent(free.accuracy.test)} without.${zero > 0 && html` ${percent(zero)} of the training images have a feature of zero, which has no direction at all.`}`;
  });
}

export const fig8: Drawing<TrainedData> = {
  draw: (data) => ({
    lead: html`After a ReLU no feature is negative: in two dimensions all classes have to share the first quadrant, 90 of the circle’s 360 degrees. SphereFace leaves the last ReLU out.${outcome(data)}`,
    plots: plotsOf(data, (part) =>
      scatterPlots(part, {
        quadrant: ({ relu }) => relu === true,
        caption: () =>
          html`2-D features of softmax. With a ReLU after the last layer only the first quadrant is drawn, as nothing lies elsewhere. Rays are the directions of the classes’ weights; those that point out of the quadrant are left out.`,
      }),
    ),
    after: html`${divergences(data)}${spreadTable(data)}<p class="note">Angles are those of features that are not zero.</p>`,
    settings: settingsOf(data),
  }),
};
