// Histograms of the angle between two images, same class and different classes: the lower row of Fig. 5 of
// SphereFace.
import type { AngleCounts } from '../../evaluate/toy-results.js';
import type { Markup } from '../html.js';
import { colours, Plot, renderPlot } from '../plot.js';

export interface AnglesOptions {
  label: string;
  counts: AngleCounts;
  /** Share of pairs (%) at the top of the frame; taller bars are cut. */
  top: number;
  width: number;
  height: number;
}

const KINDS = ['same', 'different'] as const;

/** Shares of pairs in each bin, in percent. */
export function shares(counts: AngleCounts) {
  return KINDS.flatMap((kind) => {
    const total = counts[kind].reduce((sum, count) => sum + count, 0) || 1;
    return counts[kind].map((count, i) => ({
      kind,
      from: i * counts.width,
      to: (i + 1) * counts.width,
      share: (count / total) * 100,
    }));
  });
}

export function anglesPlot({ label, counts, top, width, height }: AnglesOptions): Markup {
  const colour = ({ kind }: { kind: string }) => (kind === 'same' ? colours.same : colours.different);
  const means = [
    { kind: 'same', mean: counts.meanSame },
    { kind: 'different', mean: counts.meanDifferent },
  ];
  return renderPlot({
    label,
    width,
    height,
    marginLeft: 40,
    marginBottom: 36,
    marginRight: 10,
    marginTop: 8,
    x: {
      domain: [0, 180],
      ticks: [0, 60, 120, 180],
      label: 'angle (degrees)',
      labelAnchor: 'center',
      labelArrow: 'none',
    },
    y: {
      domain: [0, top],
      ticks: 4,
      label: 'share of pairs (%)',
      labelAnchor: 'center',
      labelArrow: 'none',
      clamp: true,
    },
    marks: [
      Plot.rectY(shares(counts), {
        x1: 'from',
        x2: 'to',
        y1: 0,
        y2: 'share',
        fill: colour,
        fillOpacity: 0.62,
        insetLeft: 0.2,
        insetRight: 0.2,
      }),
      Plot.ruleX(means, { x: 'mean', stroke: colour, strokeWidth: 1.6, strokeDasharray: '3 3' }),
      Plot.ruleY([0]),
    ],
  });
}
