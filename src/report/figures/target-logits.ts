// The target-logit curves: each family of margins beside the plain cosine, and all of them in one plot.
import type { Leap, TargetCurve, TargetLogitsData } from '../../evaluate/figures/target-logits.js';
import { html, type Markup } from '../html.js';
import { classColours, Plot, renderPlot } from '../plot.js';
import type { Drawing, DrawnFigure, DrawnPlot } from './drawing.js';

/** Colours of curves, the same in every plot; ArcFace and CosFace are what two combinations come to. */
const COLOURS: Record<string, string> = {
  cosine: 'var(--soft)',
  'a-softmax-2': classColours[4]!,
  'a-softmax-3': classColours[0]!,
  'a-softmax-4': classColours[8]!,
  'a-softmax-4-annealed': classColours[8]!,
  'sphereface-r-v1': classColours[2]!,
  cosface: classColours[5]!,
  arcface: classColours[1]!,
  'arcface-easy': classColours[1]!,
  'combined-1-0.5-0': classColours[1]!,
  'combined-1-0-0.35': classColours[5]!,
  'combined-1-0.3-0.2': classColours[3]!,
  'combined-0.9-0.4-0.15': classColours[9]!,
  'sphereface-r-v2': classColours[6]!,
};
const DASHED = ['cosine', 'a-softmax-4-annealed', 'arcface-easy'];

interface Point {
  theta: number;
  value: number;
}

/** A curve's points; a gap (NaN) where it leaps. */
function pointsOf({ values, leaps }: TargetCurve, step: number): Point[] {
  return values.flatMap((value, i): Point[] => {
    const here = { theta: i * step, value };
    const leap = leaps.find(({ theta }) => theta >= here.theta && theta < here.theta + step);
    if (!leap) return [here];
    const { theta, before, after } = leap;
    const ends = [
      { theta, value: before },
      { theta, value: Number.NaN },
      { theta, value: after },
    ];
    return theta === here.theta ? ends : [here, ...ends];
  });
}

/** Heights moved apart until neighbours are at least `gap` from each other, in their order; least first. */
export function spreadHeights(heights: readonly number[], gap: number): number[] {
  const order = heights.map((_, i) => i).sort((a, b) => heights[a]! - heights[b]!);
  const placed = [...heights];
  for (let pass = 0; pass < 500; pass++) {
    let moved = false;
    for (let i = 1; i < order.length; i++) {
      const [below, above] = [order[i - 1]!, order[i]!];
      const short = gap - (placed[above]! - placed[below]!);
      if (short <= 1e-6) continue;
      placed[below]! -= short / 2;
      placed[above]! += short / 2;
      moved = true;
    }
    if (!moved) break;
  }
  return placed;
}

interface Frame {
  label: string;
  width: number;
  height: number;
  /** For labels at the ends of curves. */
  marginRight: number;
  low: number;
  titles?: Record<string, string>;
}

const MARGIN = { marginTop: 24, marginBottom: 40, marginLeft: 44 };

/** Curves over theta, each with its name at its end: on the right, or where it leaves the plot below. */
function curvesPlot(
  curves: readonly TargetCurve[],
  step: number,
  { label, width, height, marginRight, low, titles = {} }: Frame,
): Markup {
  const high = 1.05;
  // Room for the lines from the ends of curves to their names, in degrees.
  const leader = (16 / (width - MARGIN.marginLeft - marginRight)) * 180;
  const gap = (14 / (height - MARGIN.marginTop - MARGIN.marginBottom)) * (high - low);
  const named = (curve: TargetCurve) => ({ curve, title: titles[curve.id] ?? curve.title });
  const right = curves.filter(({ values }) => values.at(-1)! >= low).map(named);
  const heights = spreadHeights(
    right.map(({ curve }) => curve.values.at(-1)!),
    gap,
  );
  const below = curves.filter(({ values }) => values.at(-1)! < low).map(named);
  const rows = curves.flatMap((curve) => {
    // Where a curve leaves below, it ends at the frame.
    const points = pointsOf(curve, step);
    const out = points.findIndex(({ value }) => value < low);
    if (out < 0) return points.map((point) => ({ ...point, id: curve.id }));
    const [last, next] = [points[out - 1]!, points[out]!];
    const share = (last.value - low) / (last.value - next.value);
    const end = { theta: last.theta + share * (next.theta - last.theta), value: low };
    return [...points.slice(0, out), end].map((point) => ({ ...point, id: curve.id }));
  });
  const leaps = curves.flatMap(({ id, leaps: all }) => all.map((leap: Leap) => ({ ...leap, id })));
  const stroke = ({ id }: { id: string }) => COLOURS[id]!;
  const line = (dashed: boolean) =>
    Plot.lineY(
      rows.filter(({ id }) => DASHED.includes(id) === dashed),
      {
        x: 'theta',
        y: 'value',
        z: 'id',
        stroke,
        strokeWidth: 1.9,
        ...(dashed && { strokeDasharray: '5,3.5' }),
      },
    );
  return renderPlot({
    label,
    width,
    height,
    ...MARGIN,
    marginRight,
    x: {
      domain: [0, 180 + leader],
      ticks: width > 500 ? [0, 30, 60, 90, 120, 150, 180] : [0, 60, 120, 180],
      label: 'angle θ to the class vector (degrees)',
      labelAnchor: 'center',
      labelArrow: 'none',
    },
    y: { domain: [low, high], ticks: 6, grid: true, label: 'in place of cos θ', labelArrow: 'none' },
    marks: [
      Plot.ruleX([90], { stroke: 'var(--line)' }),
      line(true),
      line(false),
      Plot.ruleX(leaps, {
        x: 'theta',
        y1: 'before',
        y2: 'after',
        stroke: (leap: { id: string }) => COLOURS[leap.id]!,
        strokeDasharray: '1.5,2.5',
      }),
      Plot.link(
        right.map(({ curve }, i) => ({ id: curve.id, from: curve.values.at(-1)!, to: heights[i]! })),
        { x1: 181, y1: 'from', x2: 180 + leader, y2: 'to', stroke, strokeWidth: 0.8 },
      ),
      Plot.text(
        right.map(({ curve, title }, i) => ({ id: curve.id, title, y: heights[i]! })),
        { x: 180 + leader, y: 'y', dx: 4, text: 'title', fill: stroke, textAnchor: 'start', fontWeight: 600 },
      ),
      Plot.text(
        below.map(({ curve, title }) => ({
          id: curve.id,
          title,
          x: curve.values.findIndex((value) => value < low) * step,
        })),
        {
          x: 'x',
          y: low,
          dx: 9,
          lineAnchor: 'bottom',
          lineHeight: 1.2,
          text: 'title',
          fill: stroke,
          textAnchor: 'start',
          fontWeight: 600,
        },
      ),
    ],
  });
}

/** Names at the foot of the plot stand close together. */
const wrapped = (id: string, title: string): string =>
  /^a-softmax-\d$/.test(id) ? title.replace(', ', '\n') : title;

const degrees = (theta: number): string => `${theta.toFixed(1)}°`;

/** What the families are, in the order of the page. */
const FAMILIES: {
  family: TargetCurve['family'];
  title: string;
  caption: Markup;
  titles: Record<string, string>;
}[] = [
  {
    family: 'multiplied',
    title: 'The angle multiplied',
    caption: html`A-Softmax puts ψ(θ) for cos θ: cos mθ, continued so that it falls to 1 − 2m. With annealing at λ = 5, where the paper’s schedule ends, most of the cosine is left. SphereFace-R stops at −1.`,
    titles: {
      'a-softmax-2': 'm = 2',
      'a-softmax-3': 'm = 3',
      'a-softmax-4': 'm = 4',
      'a-softmax-4-annealed': 'm = 4, λ = 5',
      'sphereface-r-v1': 'R v1, m = 1.5',
    },
  },
  {
    family: 'subtracted',
    title: 'A number taken from the cosine',
    caption: html`CosFace and AM-Softmax lower the whole curve by m, so that no angle, not even 0, reaches 1.`,
    titles: { cosface: 'm = 0.35' },
  },
  {
    family: 'added',
    title: 'A number added to the angle',
    caption: html`ArcFace’s cos(θ + m) would rise again beyond 180° − m; from there on a lower curve follows. The easy margin leaps up at 90° to the plain cosine: the one curve here that is not falling all the way.`,
    titles: { arcface: 'm = 0.5', 'arcface-easy': 'easy margin' },
  },
  {
    family: 'combined',
    title: 'All three',
    caption: html`cos(m₁θ + m₂) − m₃, continued so that it falls to the end. (1, 0.5, 0) is ArcFace up to 180° − m, (1, 0, 0.35) is CosFace.`,
    titles: {
      'combined-1-0.5-0': '(1, 0.5, 0)',
      'combined-1-0-0.35': '(1, 0, 0.35)',
      'combined-1-0.3-0.2': '(1, 0.3, 0.2)',
      'combined-0.9-0.4-0.15': '(0.9, 0.4, 0.15)',
    },
  },
];

function draw({ step, cosine, targets, others }: TargetLogitsData): DrawnFigure {
  const small = { width: 360, height: 300 };
  const twice = ['combined-1-0.5-0', 'combined-1-0-0.35'];
  const families = FAMILIES.map(({ family, title, caption, titles }): DrawnPlot => {
    const curves = [cosine, ...targets.filter((curve) => curve.family === family)];
    return {
      id: family,
      title,
      caption,
      svg: curvesPlot(curves, step, {
        label: `${title}: what stands for cos θ, over θ from 0 to 180 degrees`,
        ...small,
        marginRight: 104,
        low: Math.min(...curves.flatMap(({ values }) => values)) - 0.05,
        titles: { ...titles, cosine: 'cos θ' },
      }),
    };
  });
  const changed: DrawnPlot = {
    id: 'others',
    title: 'The other classes instead',
    caption: html`SphereFace-R v2 leaves the true class its cosine, and gives the others cos(θ/m): they look nearer than they are.`,
    svg: curvesPlot([cosine, ...others], step, {
      label: 'SphereFace-R v2: what stands for cos θ of the true class and of the others',
      ...small,
      marginRight: 104,
      low: -1.05,
      titles: { cosine: 'true class', 'sphereface-r-v2': 'the others' },
    }),
  };
  const all = [cosine, ...targets.filter(({ id, family }) => family !== 'others' && !twice.includes(id))];
  const zero = (curve: TargetCurve) => degrees(curve.values.findIndex((value) => value < 0) * step);
  const arcface = targets.find(({ id }) => id === 'arcface')!;
  const a4 = targets.find(({ id }) => id === 'a-softmax-4')!;
  return {
    lead: html`A margin loss is softmax over cosines in which the true class’s cosine is replaced by something smaller: to bring its logit back up, the image must lie closer to its class vector. Where cos θ reaches zero at 90°, ArcFace has zero at about ${zero(arcface)} and A-Softmax with m = 4 at about ${zero(a4)}. Values are without the scale s (or the length |x|) that multiplies all logits.`,
    plots: [
      {
        id: 'all',
        wide: true,
        caption: html`All margins over the angle to the true class: what each puts in the place of cos θ (a number without unit). A-Softmax goes on below the frame, to −3, −5 and −7 at 180°. Dotted: leaps.`,
        svg: curvesPlot(all, step, {
          label: 'What each margin function puts in the place of cos θ, over θ from 0 to 180 degrees',
          width: 1080,
          height: 520,
          marginRight: 224,
          low: -2.05,
          titles: Object.fromEntries(all.map(({ id, title }) => [id, wrapped(id, title)])),
        }),
      },
      ...families,
      changed,
    ],
    settings: [
      ['angles', `0° to 180° in steps of ${step}°`],
      ...targets.map(
        ({ title, loss, options, lambda }) =>
          [
            title,
            html`<code>${loss}</code> with ${[
              ...Object.entries(options).map(([name, value]) => `${name} ${value}`),
              ...(lambda === undefined ? [] : [`lambda ${lambda}`]),
            ].join(', ')}`,
          ] as const,
      ),
    ],
  };
}

export const targetLogits: Drawing<TargetLogitsData> = { draw };
