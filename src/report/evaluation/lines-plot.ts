// Lines through measured points with their intervals: the cumulative match characteristic, and what a growing gallery
// does to a rate or a threshold. The horizontal axis is logarithmic; ranks and galleries span decades.
import type { Markup } from '../html.js';
import { colours, Plot } from '../plot.js';
import { type Axis, brief, decades, inPercent, logAxis, plainAxis } from './axes.js';
import { besideEachOther, frame } from './frame.js';

/** One line: values at ascending places, with 95 % intervals where there are any. */
export interface Line {
  name: string;
  colour: string;
  points: readonly LinePoint[];
}

export interface LinePoint {
  x: number;
  y: number;
  interval?: readonly [number, number] | undefined;
  /** What a dot says when the pointer rests on it. */
  title: string;
}

/** Points beyond which a line has no dots of its own. */
const DOTTED = 8;

/** Rates (shares) at ranks; every line is a gallery or a run. */
export const cmcPlot = (lines: readonly Line[]): Markup =>
  linesPlot(
    'Cumulative match characteristic: rate of searches whose mate is among the best candidates',
    lines,
    {
      x: 'rank',
      y: 'identification rate (%)',
      rates: true,
    },
  );

/** Rates against the size of the gallery. */
export const rateByGallery = (label: string, y: string, lines: readonly Line[]): Markup =>
  linesPlot(label, lines, { x: 'templates in the gallery', y, rates: true });

/** Thresholds against the size of the gallery. */
export const thresholdByGallery = (lines: readonly Line[]): Markup =>
  linesPlot('Threshold against the size of the gallery', lines, {
    x: 'people in the gallery',
    y: 'threshold (score)',
    rates: false,
  });

function linesPlot(
  label: string,
  lines: readonly Line[],
  words: { x: string; y: string; rates: boolean },
): Markup {
  const points = lines.flatMap((line) => line.points.map((point) => ({ ...point, colour: line.colour })));
  const x = rankAxis(
    words.x,
    points.map((point) => point.x),
  );
  const y = valueAxis(words.y, points, words.rates);
  const at = ({ x: value, y: height }: LinePoint) => ({ x: x.at(value), y: y.at(height) });
  const dots = points.map((point) => ({ ...point, ...at(point) }));
  const crowded = lines.some((line) => line.points.length > DOTTED);
  const banded = lines.flatMap((line, z) =>
    line.points.flatMap((point) =>
      point.interval
        ? [
            {
              ...{ x: x.at(point.x), low: inside(y, point.interval[0]), high: inside(y, point.interval[1]) },
              ...{ z, colour: line.colour },
            },
          ]
        : [],
    ),
  );
  return frame({
    ...{ label, x, y },
    names:
      lines.length > 1
        ? lines.flatMap(({ name, colour, points: own }) =>
            own.length > 0 ? [{ name, colour, y: own[own.length - 1]!.y }] : [],
          )
        : [],
    marks: [
      ...(crowded
        ? [Plot.areaY(banded, { x: 'x', y1: 'low', y2: 'high', z: 'z', fill: 'colour', fillOpacity: 0.14 })]
        : besideEachOther(banded, { x: 'x', y1: 'low', y2: 'high' })),
      Plot.line(
        lines.flatMap((line, z) => line.points.map((point) => ({ ...at(point), z, colour: line.colour }))),
        { x: 'x', y: 'y', z: 'z', stroke: 'colour', strokeWidth: 2, strokeLinejoin: 'round' },
      ),
      Plot.dot(crowded ? [] : dots, {
        x: 'x',
        y: 'y',
        r: 3.2,
        fill: colours.paper,
        stroke: 'colour',
        strokeWidth: 1.5,
      }),
      Plot.dot(dots, { x: 'x', y: 'y', r: crowded ? 4 : 7, fill: 'colour', fillOpacity: 0, title: 'title' }),
    ],
  });
}

/** An interval that leaves the frame is cut there. */
const inside = ({ domain }: Axis, value: number): number => Math.min(domain[1], Math.max(domain[0], value));

function rankAxis(label: string, values: readonly number[]): Axis {
  const low = Math.min(...values);
  const high = Math.max(...values);
  // Ranks begin at 1; galleries have some room on both sides.
  const domain = low > 1 ? ([low * 0.85, high * 1.18] as const) : ([low, Math.max(high, low * 10)] as const);
  const axis = logAxis(label, domain, brief);
  // A gallery of 1,680 alone between two powers of ten would have no tick.
  return decades(domain).length > 1 ? axis : { ...axis, ticks: [...new Set([...axis.ticks, low, high])] };
}

/** Room for the values, and for their intervals as far as they do not press the values into a line. */
function valueAxis(label: string, points: readonly LinePoint[], rates: boolean): Axis {
  const values = points.map(({ y }) => y);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(high - low, rates ? 0.005 : 0.01);
  const bounds = points.flatMap(({ interval }) => interval ?? []);
  const domain = [
    Math.max(rates ? 0 : -1, low - 2 * room, Math.min(low, ...bounds) - 0.12 * room),
    Math.min(1, high + 2 * room, Math.max(high, ...bounds) + 0.12 * room),
  ] as const;
  return plainAxis(label, domain, rates ? inPercent : (value) => String(value));
}
