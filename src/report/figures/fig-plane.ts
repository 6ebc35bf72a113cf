// Features in the plane: a cloud of points for each class, and a ray along each class's weights. What Figs. 2, 8,
// 11 and 12 of SphereFace have in common.
import type { Cloud } from '../../evaluate/figures/trained-data.js';
import type { Markup } from '../html.js';
import { classColours, colours, Plot, quantile, renderPlot } from '../plot.js';
import { spreadAngles } from '../toy-plots.js';

/** The colour of a class, the same in every panel of a figure. */
export const colourOf = (label: number): string => classColours[label % classColours.length]!;

interface Point {
  x: number;
  y: number;
  label: number;
}

const points = (clouds: readonly Cloud[]): Point[] =>
  clouds.flatMap((cloud, label) => cloud.map(([x, y]) => ({ x: x!, y: y!, label })));

/** Half the side of the square that shows nearly all points: rare long features do not shrink the rest. */
export function extentOf(clouds: readonly Cloud[]): number {
  const norms = points(clouds).map(({ x, y }) => Math.hypot(x, y));
  const shown = quantile(norms, 0.99) * 1.06;
  return shown > 0 ? shown : 1;
}

/** Names of people are longer than digits. */
const long = (names: readonly string[]): boolean => names.some((name) => name.length > 2);

export interface PlaneOptions {
  /** For those who cannot see it. */
  label: string;
  clouds: readonly Cloud[];
  /** Class vectors [K][2]: rays along them to the rim, with the class's name at the end. */
  directions?: readonly number[][];
  names: readonly string[];
  /** Half the side of the square shown; default by the points. */
  half?: number;
  /** Marks under the points. */
  under?: Plot.Markish[];
  /** Marks over everything. */
  over?: Plot.Markish[];
  /** Only the first quadrant and a little around it, and of the rays those that lie in it. */
  quadrant?: boolean;
  size?: number;
}

/** Features of images in the plane, both axes to the same scale. */
export function planePlot(options: PlaneOptions): Markup {
  const { label, clouds, directions = [], names, under = [], over = [], quadrant, size = 340 } = options;
  const half = options.half ?? extentOf(clouds);
  // Room for the classes' names at the rim.
  const reach = half * (directions.length > 0 && long(names) ? 1.34 : 1.24);
  const domain = [quadrant ? -half * 0.2 : -reach, reach];
  const all = points(clouds);
  const shown = all.filter(({ x, y }) => [x, y].every((value) => value >= domain[0]! && value <= reach));
  // Where points lie thick, each is fainter.
  const opacity = all.length > 1500 ? 0.5 : all.length > 400 ? 0.6 : 0.75;
  const axis = { domain, ticks: 5, labelArrow: 'none' as const, tickSize: 3, nice: false };
  return renderPlot({
    label,
    width: size,
    height: size,
    marginLeft: 42,
    marginBottom: 36,
    marginRight: 6,
    marginTop: 6,
    x: { ...axis, label: 'feature 1', labelAnchor: 'center', line: true },
    y: { ...axis, label: 'feature 2', labelAnchor: 'center', line: true },
    marks: [
      Plot.ruleX([0], { stroke: colours.faint, strokeOpacity: 0.4 }),
      Plot.ruleY([0], { stroke: colours.faint, strokeOpacity: 0.4 }),
      ...under,
      Plot.dot(shown, {
        x: 'x',
        y: 'y',
        r: all.length > 400 ? 1.4 : 2.2,
        fill: (point: Point) => colourOf(point.label),
        fillOpacity: opacity,
      }),
      ...rays(directions, names, half, quadrant),
      ...over,
    ],
  });
}

/** Rays along class vectors to the rim, with the class's name at the end. */
function rays(
  directions: readonly number[][],
  names: readonly string[],
  half: number,
  quadrant = false,
): Plot.Markish[] {
  const angles = directions.map(([x, y]) => Math.atan2(y!, x!));
  const placed = spreadAngles(angles, 0.17);
  const at = (angle: number, radius: number) => [Math.cos(angle) * radius, Math.sin(angle) * radius] as const;
  const ends = angles.flatMap((angle, label) => {
    if (quadrant && (angle < 0 || angle > Math.PI / 2)) return [];
    return { label, name: names[label]!, end: at(angle, half), text: at(placed[label]!, half * 1.13) };
  });
  type End = (typeof ends)[number];
  return [
    Plot.link(ends, {
      x1: 0,
      y1: 0,
      x2: ({ end }: End) => end[0],
      y2: ({ end }: End) => end[1],
      stroke: ({ label }: End) => colourOf(label),
      strokeWidth: 1.4,
      strokeOpacity: 0.9,
    }),
    Plot.text(ends, {
      x: ({ text }: End) => text[0],
      y: ({ text }: End) => text[1],
      text: 'name',
      fill: ({ label }: End) => colourOf(label),
      stroke: colours.paper,
      strokeWidth: 3,
      fontSize: long(names) ? 11.5 : 14,
      fontWeight: 700,
    }),
  ];
}
