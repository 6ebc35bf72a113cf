// The frame that the curves of an evaluation share: two axes with their units, lines with the names of the curves at
// their ends, and grid lines that stay behind.
import type { Markup } from '../html.js';
import { colours, Plot, renderPlot } from '../plot.js';
import type { Axis } from './axes.js';

export interface FrameOptions {
  /** For those who cannot see it. */
  label: string;
  x: Axis;
  y: Axis;
  marks: Plot.Markish[];
  /** Names of curves, each at the value of y where its curve ends. */
  names?: readonly CurveName[];
  /** A second axis above: values of x and what is written there. */
  above?: Pick<Axis, 'label' | 'ticks' | 'format'>;
  height?: number;
}

export interface CurveName {
  name: string;
  colour: string;
  /** Value of y. */
  y: number;
}

const LINE = 15;
/** Letters of a name that is written beside its curve. */
const LONGEST = 22;

/** Without its middle, as names of runs differ at their ends. */
const clipped = (name: string): string =>
  name.length > LONGEST ? `${name.slice(0, LONGEST / 2 - 1)}…${name.slice(-LONGEST / 2)}` : name;

/** Places (ascending in any order) pushed apart until neighbours are `gap` from each other, within [low, high]. */
export function spread(places: readonly number[], gap: number, low: number, high: number): number[] {
  const order = places.map((_, i) => i).sort((a, b) => places[a]! - places[b]!);
  const out = [...places];
  let floor = low;
  for (const i of order) {
    out[i] = Math.max(out[i]!, floor);
    floor = out[i]! + gap;
  }
  let ceiling = high;
  for (const i of order.reverse()) {
    out[i] = Math.min(out[i]!, ceiling);
    ceiling = out[i]! - gap;
  }
  return out;
}

/** Ticks whose texts do not run into each other on an axis so many units long, the first of two kept. */
function withRoom(
  axis: Axis,
  length: number,
  size = (tick: number) => 7 * axis.format(tick).length,
): number[] {
  const [start, end] = axis.domain.map(axis.at) as [number, number];
  let free = Number.NEGATIVE_INFINITY;
  return axis.ticks.filter((tick) => {
    const at = ((axis.at(tick) - start) / (end - start)) * length;
    const half = size(tick) / 2;
    if (at - half < free) return false;
    free = at + half + 4;
    return true;
  });
}

/** A plot in its frame. Marks are in places of the axes: `x.at(value)`, `y.at(value)`. */
export function frame({ label, x, y, marks, names = [], above, ...size }: FrameOptions): Markup {
  const { height = 400 } = size;
  const written = names.map(({ name }) => clipped(name));
  const right = names.length > 0 ? 24 + 7.2 * Math.max(...written.map((name) => name.length)) : 16;
  // Long names take half of their room from the plot, and half is added.
  const width = 520 + Math.max(0, right - 100) / 2;
  const [top, bottom] = [above ? 46 : 14, 44];
  const [x0, x1] = x.domain.map(x.at) as [number, number];
  const [y0, y1] = y.domain.map(y.at) as [number, number];
  const line = ((y1 - y0) * LINE) / (height - top - bottom);
  const ends = names.map((name) => Math.min(y1, Math.max(y0, y.at(name.y))));
  const at = spread(ends, line, y0, y1);
  const inner = width - 52 - right;
  const ticks = (axis: Axis, shown: readonly number[]) => {
    const texts = new Map(shown.map((tick) => [axis.at(tick), axis.format(tick)]));
    return { ticks: [...texts.keys()], tickFormat: (place: number) => texts.get(place) ?? '' };
  };
  const grid = (axis: Axis) => axis.ticks.map(axis.at);
  const labels = names.map((name, i) => ({ ...name, text: written[i]!, end: ends[i]!, at: at[i]! }));
  return renderPlot({
    label,
    width,
    height,
    marginLeft: 52,
    marginRight: right,
    marginTop: top,
    marginBottom: bottom,
    x: { type: 'linear', domain: [x0, x1], axis: null },
    y: { type: 'linear', domain: [y0, y1], axis: null },
    marks: [
      Plot.gridX(grid(x), { stroke: 'var(--line)', strokeOpacity: 1 }),
      Plot.gridY(grid(y), { stroke: 'var(--line)', strokeOpacity: 1 }),
      ...marks,
      Plot.ruleY([y0], { stroke: 'var(--soft)' }),
      Plot.axisX({
        ...ticks(x, withRoom(x, inner)),
        label: x.label,
        labelAnchor: 'center',
        labelArrow: 'none',
        labelOffset: 38,
      }),
      Plot.axisY({
        ...ticks(
          y,
          withRoom(y, height - top - bottom, () => 11),
        ),
        label: y.label,
        labelAnchor: 'center',
        labelArrow: 'none',
        labelOffset: 46,
      }),
      above &&
        Plot.axisX({
          anchor: 'top',
          ...ticks({ ...x, ...above }, withRoom({ ...x, ...above }, inner)),
          ...{ label: above.label, labelAnchor: 'center', labelArrow: 'none', labelOffset: 38 },
          color: 'var(--soft)',
        }),
      Plot.link(labels, {
        ...{ x1, x2: x1, y1: 'end', y2: 'at', stroke: 'colour', strokeWidth: 1 },
        ...{ dx: 4, strokeOpacity: 0.7 },
      }),
      Plot.text(labels, {
        ...{ x: x1, y: 'at', text: 'text', fill: 'colour', textAnchor: 'start', dx: 10, fontWeight: 600 },
        ...{ title: 'name', stroke: colours.paper, strokeWidth: 3 },
      }),
    ],
  });
}

/** Intervals as broad bars, those of several colours side by side where they would hide each other. */
export function besideEachOther<T extends { colour: string }>(
  bars: readonly T[],
  channels: Pick<Plot.RuleXOptions, 'x' | 'y1' | 'y2'>,
): Plot.Markish[] {
  const shades = [...new Set(bars.map(({ colour }) => colour))];
  const width = shades.length > 3 ? 3 : 5;
  return shades.map((shade, i) =>
    Plot.ruleX(
      bars.filter(({ colour }) => colour === shade),
      {
        ...{ ...channels, stroke: shade, strokeWidth: width, strokeOpacity: 0.35 },
        dx: (i - (shades.length - 1) / 2) * (width + 0.5),
      },
    ),
  );
}
