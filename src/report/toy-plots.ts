// The figures of the toy experiment: features in the plane, angles between images, and training curves.
import type { FeaturePoints, ToyFigures, ToyRun } from '../evaluate/toy-results.js';
import type { Markup } from './html.js';
import { classColours, colours, Plot, quantile, renderPlot } from './plot.js';

/** The colour of a digit, the same in every figure. */
export const digitColour = (digit: number): string => classColours[digit % classColours.length]!;

interface Point {
  x: number;
  y: number;
  digit: number;
}

const points = (sets: readonly FeaturePoints[]): Point[] =>
  sets.flatMap(({ digit, x, y }) => x.map((value, i) => ({ x: value, y: y[i]!, digit })));

/** Half the side of the square that shows nearly all points: rare long features do not shrink the rest. */
function extent(figures: ToyFigures): number {
  const norms = points(figures.features.trained).map(({ x, y }) => Math.hypot(x, y));
  const shown = quantile(norms, 0.99) * 1.06;
  return shown > 0 ? shown : 1;
}

/**
 * Angles (radians) for labels around a circle: as given, but pushed apart until neighbours are at least `gap`
 * from each other.
 */
export function spreadAngles(angles: readonly number[], gap: number): number[] {
  const turn = 2 * Math.PI;
  const order = angles.map((_, i) => i).sort((a, b) => angles[a]! - angles[b]!);
  const spread = [...angles];
  const room = Math.min(gap, turn / angles.length);
  for (let pass = 0; pass < 200; pass++) {
    let moved = false;
    order.forEach((here, i) => {
      const next = order[(i + 1) % order.length]!;
      if (here === next) return;
      const apart = spread[next]! - spread[here]! + (i + 1 === order.length ? turn : 0);
      if (apart >= room - 1e-6) return;
      spread[here]! -= (room - apart) / 2;
      spread[next]! += (room - apart) / 2;
      moved = true;
    });
    if (!moved) break;
  }
  return spread;
}

/** The square frame that the two kinds of scatter plot share. */
function plane(label: string, half: number, marks: Plot.Markish[]): Markup {
  const reach = half * 1.22;
  const axis = { domain: [-reach, reach], ticks: 5, labelArrow: 'none' as const, tickSize: 3, nice: false };
  return renderPlot({
    label,
    width: 360,
    height: 360,
    margin: 14,
    marginLeft: 40,
    marginBottom: 36,
    marginRight: 8,
    marginTop: 8,
    x: { ...axis, label: 'feature 1', labelAnchor: 'center', line: true },
    y: { ...axis, label: 'feature 2', labelAnchor: 'center', line: true },
    marks,
  });
}

/** Class weight directions as rays to the rim, with the digit at the end. */
function rays(figures: ToyFigures, half: number, colour: (digit: number) => string): Plot.Markish[] {
  const { directions } = figures;
  const angles = directions.map(({ x, y }) => Math.atan2(y, x));
  const placed = spreadAngles(angles, 0.16);
  const ends = directions.map(({ digit }, i) => ({
    digit,
    x: Math.cos(angles[i]!) * half,
    y: Math.sin(angles[i]!) * half,
    labelX: Math.cos(placed[i]!) * half * 1.12,
    labelY: Math.sin(placed[i]!) * half * 1.12,
  }));
  return [
    Plot.link(ends, {
      x1: 0,
      y1: 0,
      x2: 'x',
      y2: 'y',
      stroke: (end: { digit: number }) => colour(end.digit),
      strokeWidth: 1.4,
      strokeOpacity: 0.9,
    }),
    Plot.text(ends, {
      x: 'labelX',
      y: 'labelY',
      text: (end: { digit: number }) => String(end.digit),
      fill: (end: { digit: number }) => colour(end.digit),
      stroke: colours.paper,
      strokeWidth: 3,
      fontSize: 14,
      fontWeight: 700,
    }),
  ];
}

const inside = (half: number) => (point: Point) =>
  Math.max(Math.abs(point.x), Math.abs(point.y)) <= half * 1.2;

const dots = (data: Point[], opacity: number): Plot.Markish =>
  Plot.dot(data, {
    x: 'x',
    y: 'y',
    r: 1.5,
    fill: (point: Point) => digitColour(point.digit),
    fillOpacity: opacity,
  });

/** Test images of the trained digits, with the class weight directions. */
export function trainedScatter(run: ToyRun, figures: ToyFigures): Markup {
  const half = extent(figures);
  return plane(`${run.title}: features of the trained digits in the plane`, half, [
    dots(points(figures.features.trained).filter(inside(half)), 0.6),
    ...rays(figures, half, digitColour),
  ]);
}

/** Images of the digits that were never trained on, in the same plane. */
export function heldOutScatter(run: ToyRun, figures: ToyFigures): Markup {
  const half = extent(figures);
  return plane(`${run.title}: features of the digits never seen in training`, half, [
    ...rays(figures, half, () => colours.faint),
    dots(points(figures.features.heldOut).filter(inside(half)), 0.55),
  ]);
}

const ANGLE_PANELS = { trained: 'trained digits, new images', heldOut: 'digits never seen' } as const;

/** Angles between same and different pairs, one row a loss, trained and never seen digits side by side. */
export function angleHistogramPlot(runs: readonly (ToyRun & { figures: ToyFigures })[]): Markup {
  const rows = runs.flatMap((run) =>
    (['trained', 'heldOut'] as const).flatMap((set) => {
      const counts = run.figures.angles[set];
      return (['same', 'different'] as const).flatMap((kind) => {
        const total = counts[kind].reduce((sum, count) => sum + count, 0) || 1;
        return counts[kind].map((count, i) => ({
          loss: run.title,
          set: ANGLE_PANELS[set],
          kind,
          from: i * counts.width,
          to: (i + 1) * counts.width,
          share: (count / total) * 100,
        }));
      });
    }),
  );
  // A loss that puts most same pairs into a few bins would flatten all other rows: those bars are cut.
  const top = Math.max(
    1,
    quantile(
      rows.map((row) => row.share),
      0.985,
    ) * 1.1,
  );
  const means = runs.flatMap((run) =>
    (['trained', 'heldOut'] as const).flatMap((set) => {
      const { meanSame, meanDifferent } = run.figures.angles[set];
      const where = { loss: run.title, set: ANGLE_PANELS[set] };
      return [
        { ...where, kind: 'same', mean: meanSame },
        { ...where, kind: 'different', mean: meanDifferent },
      ];
    }),
  );
  const colour = (row: { kind: string }) => (row.kind === 'same' ? colours.same : colours.different);
  return renderPlot({
    label: 'Histograms of the angle between two images, same and different digits, for each loss',
    width: 1000,
    height: 70 + 104 * runs.length,
    marginLeft: 46,
    marginRight: 150,
    marginBottom: 40,
    marginTop: 30,
    x: {
      domain: [0, 180],
      ticks: [0, 30, 60, 90, 120, 150, 180],
      label: 'angle between two images (degrees)',
      labelAnchor: 'center',
      labelArrow: 'none',
    },
    y: {
      domain: [0, top],
      ticks: 3,
      label: 'share of pairs (%)',
      labelAnchor: 'center',
      labelArrow: 'none',
      clamp: true,
    },
    fx: { label: null, domain: Object.values(ANGLE_PANELS), padding: 0.06 },
    fy: { label: null, domain: runs.map((run) => run.title), padding: 0.18 },
    marks: [
      Plot.axisFx({ anchor: 'top', fontSize: 12, fontWeight: 600 } as Plot.AxisXOptions),
      Plot.axisFy({ anchor: 'right', fontSize: 12, fontWeight: 600 } as Plot.AxisYOptions),
      Plot.rectY(rows, {
        x1: 'from',
        x2: 'to',
        y1: 0,
        y2: 'share',
        fx: 'set',
        fy: 'loss',
        fill: colour,
        fillOpacity: 0.62,
        insetLeft: 0.3,
        insetRight: 0.3,
      }),
      Plot.tickX(means, { x: 'mean', fx: 'set', fy: 'loss', stroke: colour, strokeWidth: 2 }),
      Plot.ruleY([0]),
    ],
  });
}

/** Loss or accuracy against the step, one line a loss. */
export function curvePlot(runs: readonly ToyRun[], what: 'loss' | 'accuracy'): Markup {
  const rows = runs.flatMap((run, i) =>
    run.curve.map((point) => ({
      title: run.title,
      step: point.step,
      value: what === 'loss' ? point.loss : point.accuracy * 100,
      colour: classColours[i % classColours.length]!,
    })),
  );
  return renderPlot({
    label:
      what === 'loss' ? 'Training loss against the step' : 'Accuracy on training batches against the step',
    width: 480,
    height: 270,
    marginLeft: 46,
    marginRight: 12,
    marginBottom: 38,
    x: { label: 'step', labelAnchor: 'center', labelArrow: 'none', ticks: 5 },
    y: {
      label: what === 'loss' ? 'loss' : 'accuracy on training batches (%)',
      labelArrow: 'none',
      grid: true,
      ...(what === 'loss' ? { zero: true } : { domain: [0, 100] }),
    },
    marks: [Plot.lineY(rows, { x: 'step', y: 'value', z: 'title', stroke: 'colour', strokeWidth: 1.6 })],
  });
}
