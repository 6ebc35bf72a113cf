// Scatter plots of every network of a part, of training and of new images, as Figs. 8, 11 and 12 of SphereFace show
// them.
import type { TrainedPart } from '../../evaluate/figures/trained-data.js';
import { html, type Piece } from '../html.js';
import { sideBySide } from '../side-by-side.js';
import type { DrawnPlot } from './drawing.js';
import { planePlot } from './fig-plane.js';
import { classKey, heading, type MeasuredNetwork, measuredOf, prefix, whom } from './fig-text.js';

export interface ScatterOptions {
  caption: (part: TrainedPart) => Piece;
  /** Networks whose features are nowhere negative: only their quadrant is drawn. */
  quadrant?: (network: MeasuredNetwork) => boolean;
}

/** Side of a panel; four stand in a row. */
const SIZE = 260;
const COLUMNS = 4;

const ROWS = { training: 'training images', test: 'new images' } as const;

/** One plot: every network's training images, then every network's new ones. */
export function scatterPlots(part: TrainedPart, { caption, quadrant }: ScatterOptions): DrawnPlot[] {
  const networks = measuredOf(part).filter(({ measured }) => measured.features);
  if (networks.length === 0) return [];
  const panels = (['training', 'test'] as const).flatMap((set) =>
    networks.map((network) => {
      const { features, classVectors } = network.measured;
      return {
        title: `${network.title}, ${ROWS[set]}`,
        svg: planePlot({
          label: `${network.title}: features of ${ROWS[set]}`,
          clouds: features![set],
          directions: classVectors,
          names: part.classes,
          quadrant: quadrant?.(network),
          size: SIZE,
        }),
      };
    }),
  );
  return [
    {
      id: prefix(part, 'features'),
      title: heading(part),
      caption: html`${classKey(part)}${caption(part)}`,
      svg: sideBySide(panels, {
        label: `Features of ${whom(part)} in the plane, training and new images`,
        columns: COLUMNS,
        width: SIZE,
        height: SIZE,
      }),
      wide: true,
    },
  ];
}
