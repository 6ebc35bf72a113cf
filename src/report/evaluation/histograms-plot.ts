// Histograms of same and of different pairs on one axis, as in the lower row of Fig. 5 of the SphereFace paper: how
// far the two kinds lie apart, and where the threshold runs between them.
import type { Histogram } from '../../evaluate/histogram.js';
import type { Markup } from '../html.js';
import { colours, Plot, renderPlot } from '../plot.js';

export interface HistogramsOptions {
  label: string;
  /** Of the horizontal axis, with its unit. */
  axis: string;
  same: Histogram;
  different: Histogram;
  /** The range of all values that can be; infinite where there is none. */
  range: readonly [number, number];
  threshold?: number | undefined;
  /** A number of this axis as text. */
  format: (value: number) => string;
}

const KINDS = ['different', 'same'] as const;

/** The two histograms as shares of their pairs, in per cent. */
export function histogramsPlot(options: HistogramsOptions): Markup {
  const { label, axis, range, threshold, format } = options;
  const bars = KINDS.flatMap((kind) => {
    const { from, width, counts, total } = options[kind];
    return counts.map((count, i) => ({
      colour: colours[kind],
      from: from + i * width,
      to: from + (i + 1) * width,
      share: (100 * count) / (total || 1),
      title: `${format(from + i * width)} to ${format(from + (i + 1) * width)}: ${count} of ${total} ${kind} pairs`,
      seen: count > 0,
    }));
  }).filter(({ seen }) => seen);
  const cut = threshold !== undefined && Number.isFinite(threshold) ? [threshold] : [];
  const step = options.same.width * 2;
  const domain = [
    Math.max(range[0], Math.min(...bars.map(({ from }) => from), ...cut) - step),
    Math.min(range[1], Math.max(...bars.map(({ to }) => to), ...cut) + step),
  ];
  const top = Math.max(...bars.map(({ share }) => share));
  const means = KINDS.filter((kind) => Number.isFinite(options[kind].mean)).map((kind) => ({
    ...{ kind, mean: options[kind].mean, colour: colours[kind] },
    title: `mean of ${kind} pairs: ${format(options[kind].mean)}, standard deviation ${format(options[kind].standardDeviation)}`,
  }));
  return renderPlot({
    label,
    ...{ width: 520, height: 300, marginLeft: 52, marginBottom: 44, marginRight: 16, marginTop: 34 },
    x: { domain, ticks: 7, label: axis, labelAnchor: 'center', labelArrow: 'none', labelOffset: 38 },
    y: {
      ...{ domain: [0, top * 1.04], ticks: 5, label: 'share of pairs (%)', labelAnchor: 'center' },
      ...{ labelArrow: 'none', labelOffset: 46 },
    },
    marks: [
      Plot.gridY({ ticks: 5, stroke: 'var(--line)', strokeOpacity: 1 }),
      Plot.rectY(bars, {
        ...{ x1: 'from', x2: 'to', y1: 0, y2: 'share', fill: 'colour', fillOpacity: 0.62, title: 'title' },
        ...{ insetLeft: 0.2, insetRight: 0.2 },
      }),
      Plot.ruleX(means, {
        ...{ x: 'mean', stroke: 'colour', strokeWidth: 1.6, strokeDasharray: '3 3', title: 'title' },
      }),
      Plot.ruleX(cut, { stroke: 'var(--ink)', strokeWidth: 1.4 }),
      Plot.text(cut, {
        ...{ x: (value: number) => value, frameAnchor: 'top', dy: -12, fill: 'var(--ink)' },
        text: (value: number) => `threshold ${format(value)}`,
      }),
      Plot.ruleY([0], { stroke: 'var(--soft)' }),
    ],
  });
}
