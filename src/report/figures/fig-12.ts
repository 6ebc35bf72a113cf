// Draws Fig. 12: the plane for m = 1 to 4, training images above, new images below.
import type { TrainedData } from '../../evaluate/figures/trained-data.js';
import { html, type Piece } from '../html.js';
import type { Drawing } from './drawing.js';
import { scatterPlots } from './fig-scatter.js';
import { degrees, divergences, measuredOf, plotsOf, settingsOf, spreadTable, whom } from './fig-text.js';

/** From the first to the last margin, in numbers. */
function outcome(data: TrainedData): Piece {
  return data.parts.map((part) => {
    const networks = measuredOf(part);
    const [first, last] = [networks[0], networks[networks.length - 1]];
    if (!first?.measured.spread || !last?.measured.spread || first === last) return '';
    const [from, to] = [first.measured.spread, last.measured.spread];
    return html` On ${whom(part)}, from m = ${first.margin} to m = ${last.margin}, the mean angle of a training image to its class’s mean direction went from ${degrees(from.training.within)} to ${degrees(to.training.within)}, and that of a new image from ${degrees(from.test.within)} to ${degrees(to.test.within)}.`;
  });
}

export const fig12: Drawing<TrainedData> = {
  draw: (data) => ({
    lead: html`A larger margin m asks that an image’s angle to its own class be m times smaller than to any other: the clouds become spokes.${outcome(data)}`,
    plots: plotsOf(data, (part) =>
      scatterPlots(part, {
        caption: () =>
          html`Every point is an image, coloured by its class; every ray is the direction of a class’s weights. Look at the angle that a cloud takes up as seen from the centre: it is that angle, not the distance, which the margin narrows. Each panel has its own scale.`,
      }),
    ),
    after: html`${divergences(data)}${spreadTable(data)}`,
    settings: settingsOf(data),
  }),
};
