// Two classes as angles: features on the unit circle as a histogram around it, and on the circle itself which
// directions each class's loss accepts (the lower row of Fig. 2 of SphereFace). What no class accepts is the margin.
import type { Cloud } from '../../evaluate/figures/trained-data.js';
import { psi } from '../../losses/index.js';
import type { Markup } from '../html.js';
import { colours, Plot, renderPlot } from '../plot.js';
import { colourOf } from './fig-plane.js';

export interface RingOptions {
  label: string;
  clouds: readonly Cloud[];
  /** [2][2], as learned. */
  classVectors: readonly number[][];
  names: readonly string[];
  /** Whether the lengths of the class vectors count, as in softmax. */
  lengths: boolean;
  /** m of A-Softmax; 1 for none. */
  margin: number;
  /** The weight of the plain cosine at the end of training. */
  lambda: number;
  size: number;
}

const BINS = 120;
const turn = 2 * Math.PI;

/** The angle between two directions in the plane, in [0, pi]. */
export function between(a: number, b: number): number {
  const apart = Math.abs(a - b) % turn;
  return Math.min(apart, turn - apart);
}

/**
 * The class whose loss accepts the direction `angle`, or -1: class y accepts it when its logit, lowered by the
 * margin to l_y (lambda cos + psi) / (1 + lambda), is still above the other's l cos. l are the lengths of the
 * class vectors where they count, else 1. Biases have no part in it: they do not lie at an angle.
 */
export function acceptedBy(
  angle: number,
  {
    classVectors,
    lengths,
    margin,
    lambda,
  }: Pick<RingOptions, 'classVectors' | 'lengths' | 'margin' | 'lambda'>,
): number {
  const sides = classVectors.map(([x, y]) => ({
    cosine: Math.cos(between(angle, Math.atan2(y!, x!))),
    length: lengths ? Math.hypot(x!, y!) : 1,
  }));
  return sides.findIndex(({ cosine, length }, label) => {
    const own = margin === 1 ? cosine : (lambda * cosine + psi(cosine, margin)) / (1 + lambda);
    return sides.every((other, i) => i === label || length * own > other.length * other.cosine);
  });
}

/** Arcs of the circle that one class accepts, in half degrees. */
function arcs(options: RingOptions) {
  const steps = 720;
  return Array.from({ length: steps }, (_, i) => {
    const label = acceptedBy(((i + 0.5) / steps) * turn, options);
    return { label, from: (i / steps) * turn, to: ((i + 1) / steps) * turn };
  }).filter(({ label }) => label >= 0);
}

/** Bars around the circle: the share of a class's features in each direction, the longest bar to `most`. */
function bars(clouds: readonly Cloud[]) {
  const counted = clouds.map((cloud) => {
    const counts = new Array<number>(BINS).fill(0);
    for (const [x, y] of cloud) counts[Math.floor((((Math.atan2(y!, x!) + turn) % turn) / turn) * BINS)]!++;
    return counts.map((count) => count / cloud.length);
  });
  const most = Math.max(...counted.flat());
  return counted.flatMap((shares, label) =>
    shares.flatMap((share, bin) => ({ label, angle: ((bin + 0.5) / BINS) * turn, length: share / most })),
  );
}

export function ringPlot(options: RingOptions): Markup {
  const { label, clouds, classVectors, names, size } = options;
  const at = (angle: number, radius: number) => ({
    x: Math.cos(angle) * radius,
    y: Math.sin(angle) * radius,
  });
  const link = (from: { x: number; y: number }, to: { x: number; y: number }, of: number) => ({
    x1: from.x,
    y1: from.y,
    x2: to.x,
    y2: to.y,
    label: of,
  });
  type Line = ReturnType<typeof link>;
  const lines = (data: Line[], strokeWidth: number, strokeOpacity: number) =>
    Plot.link(data, {
      x1: 'x1',
      y1: 'y1',
      x2: 'x2',
      y2: 'y2',
      stroke: (line: Line) => colourOf(line.label),
      strokeWidth,
      strokeOpacity,
    });
  const weights = classVectors.map(([x, y], i) => ({ angle: Math.atan2(y!, x!), label: i }));
  const ticks = [0, 90, 180, 270].map((degree) => ({
    ...at((degree / 360) * turn, 0.8),
    text: `${degree}°`,
  }));
  const domain = [-1.62, 1.62];
  return renderPlot({
    label,
    width: size,
    height: size,
    margin: 4,
    x: { domain, axis: null },
    y: { domain, axis: null },
    marks: [
      Plot.line(
        Array.from({ length: 181 }, (_, i) => at((i * turn) / 180, 0.97)),
        { x: 'x', y: 'y', stroke: colours.faint, strokeWidth: 1 },
      ),
      lines(
        arcs(options).map(({ label: of, from, to }) => link(at(from, 0.97), at(to, 0.97), of)),
        9,
        0.3,
      ),
      lines(
        bars(clouds)
          .filter(({ length }) => length > 0)
          .map(({ label: of, angle, length }) => link(at(angle, 1.03), at(angle, 1.03 + 0.55 * length), of)),
        ((size / 3.24) * 1.03 * turn) / BINS - 0.5,
        0.85,
      ),
      Plot.arrow(
        weights.map(({ angle, label: of }) => link({ x: 0, y: 0 }, at(angle, 0.68), of)),
        {
          x1: 'x1',
          y1: 'y1',
          x2: 'x2',
          y2: 'y2',
          stroke: (line: Line) => colourOf(line.label),
          strokeWidth: 1.8,
          headLength: 9,
        },
      ),
      Plot.text(ticks, {
        x: 'x',
        y: 'y',
        text: 'text',
        fill: 'currentColor',
        fillOpacity: 0.55,
        fontSize: 10,
      }),
      Plot.text(
        weights.map(({ angle, label: of }) => ({
          ...at(angle + 0.2 + 0.15 * names[of]!.length, 0.45),
          label: of,
        })),
        {
          x: 'x',
          y: 'y',
          text: (one: { label: number }) => `W ${names[one.label]}`,
          fill: (one: { label: number }) => colourOf(one.label),
          stroke: colours.paper,
          strokeWidth: 3,
          fontSize: 13,
          fontWeight: 700,
        },
      ),
    ],
  });
}
