// Trade-offs of errors as the field draws them: the receiver operating characteristic with false accepts on a
// logarithmic axis, the detection error trade-off on normal deviates, and that of searches (NIST's FRVT 1:N reports) on
// two logarithms. What rests on fewer than ten errors is dashed, and what rests on less than one is not drawn.
import type { Markup } from '../html.js';
import { colours, Plot } from '../plot.js';
import {
  type Axis,
  brief,
  decades,
  deviateAxis,
  inPercent,
  logAxis,
  plainAxis,
  share,
  whole,
} from './axes.js';
import { besideEachOther, type CurveName, frame } from './frame.js';
import { marksOf, missAt, type Step, stepsOf, type Tradeoff } from './tradeoff.js';

/** A rate with its 95 % interval, to be drawn as a bar. */
export interface Bar {
  falseRate: number;
  missRate: number;
  interval: readonly [number, number];
  colour: string;
}

/** What the two errors of a trade-off are called. */
interface Words {
  label: string;
  /** One false positive, and of what. */
  falsePositives: string;
  falseTrials: string;
  /** What a dot says when the pointer rests on it. */
  title(curve: Tradeoff, count: number, miss: number): string;
}

interface Drawing {
  words: Words;
  x: Axis;
  y: Axis;
  /** What is drawn for a miss rate. */
  value(miss: number): number;
  /** Whether misses, too, must be ten. */
  misses: boolean;
  curves: readonly Tradeoff[];
  bars: readonly Bar[];
  extra?: Plot.Markish[];
}

/** ROC: TAR against FAR. */
export function rocPlot(curves: readonly Tradeoff[], bars: readonly Bar[] = []): Markup {
  const worst = Math.max(0, ...curves.map((curve) => missAt(curve, 1 / curve.falseTrials) ?? 1));
  const room = Math.max(worst, ...bars.map(({ interval }) => interval[1])) * 1.08;
  const low = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5].find((miss) => miss >= room);
  return draw({
    curves,
    bars,
    words: {
      label: 'Receiver operating characteristic: true accepts against false accepts',
      falsePositives: 'false accepts',
      falseTrials: 'different pairs',
      title: (curve, count, miss) =>
        `${named(curves, curve)}FAR ${share(count / curve.falseTrials)} (${whole(count)} of ${whole(curve.falseTrials)} different pairs): TAR ${percents(1 - miss)} (${whole((1 - miss) * curve.missTrials)} of ${whole(curve.missTrials)} same pairs)`,
    },
    x: logAxis('false accept rate (FAR)', [lowest(curves, 'falseTrials'), 1], share),
    y: plainAxis('true accept rate (%)', [low === undefined ? 0 : 1 - low, 1], inPercent),
    value: (miss) => 1 - miss,
    misses: false,
  });
}

/** DET of one-to-one comparisons: false rejects against false accepts, both on normal deviates. */
export function detPlot(curves: readonly Tradeoff[], all: readonly Bar[] = []): Markup {
  const fewest = 1 / Math.max(...curves.map(({ missTrials }) => missTrials));
  const bars = all.filter(({ missRate }) => missRate >= fewest * (1 - 1e-9));
  const x = deviateAxis('false accept rate (FAR)', [lowest(curves, 'falseTrials'), 0.5], share);
  const y = deviateAxis('false reject rate (%)', missDomain(curves, bars), inPercent);
  const from = Math.max(x.domain[0], y.domain[0]);
  const to = Math.min(x.domain[1], y.domain[1]);
  return draw({
    ...{ curves, bars, x, y, value: (miss) => miss, misses: true },
    words: {
      label: 'Detection error trade-off: false rejects against false accepts, on normal deviates',
      falsePositives: 'false accepts',
      falseTrials: 'different pairs',
      title: (curve, count, miss) =>
        `${named(curves, curve)}FAR ${share(count / curve.falseTrials)} (${whole(count)} of ${whole(curve.falseTrials)} different pairs): false reject rate ${percents(miss)} (${whole(miss * curve.missTrials)} of ${whole(curve.missTrials)} same pairs)`,
    },
    extra:
      to > from
        ? [
            Plot.link([0], {
              ...{ x1: x.at(from), y1: y.at(from), x2: x.at(to), y2: y.at(to) },
              ...{ stroke: colours.faint, strokeDasharray: '2 4' },
            }),
          ]
        : [],
  });
}

/** DET of searches: FNIR against FPIR, both on logarithms. */
export function searchDetPlot(curves: readonly Tradeoff[], bars: readonly Bar[] = []): Markup {
  return draw({
    ...{ curves, bars, value: (miss: number) => miss, misses: true },
    x: logAxis('false positive identification rate, FPIR (%)', [lowest(curves, 'falseTrials'), 1], inPercent),
    y: logAxis('false negative identification rate, FNIR (%)', missDomain(curves, bars), inPercent),
    words: {
      label: 'Detection error trade-off of searches: FNIR against FPIR',
      falsePositives: 'false positives',
      falseTrials: 'non-mated searches',
      title: (curve, count, miss) =>
        `${named(curves, curve)}FPIR ${percents(count / curve.falseTrials)} (${whole(count)} of ${whole(curve.falseTrials)} non-mated searches): FNIR ${percents(miss)} (${whole(miss * curve.missTrials)} of ${whole(curve.missTrials)} mated searches)`,
    },
  });
}

const percents = (value: number): string => `${inPercent(value)} %`;

const named = (curves: readonly Tradeoff[], { name }: Tradeoff): string =>
  curves.length > 1 ? `${name}: ` : '';

/** Where an axis begins: somewhat below one error, so that what is not known has a place too. */
const lowest = (curves: readonly Tradeoff[], trials: 'falseTrials' | 'missTrials'): number =>
  Math.min(0.05, 1 / Math.max(...curves.map((curve) => curve[trials])) / 10 ** 0.3);

function missDomain(curves: readonly Tradeoff[], bars: readonly Bar[]): [number, number] {
  const worst = Math.max(
    ...curves.map((curve) => missAt(curve, 1 / curve.falseTrials) ?? 1),
    ...bars.map(({ interval }) => interval[1]),
  );
  return [lowest(curves, 'missTrials'), Math.min(0.99, Math.max(0.1, worst * 1.25))];
}

function draw({ words, x, y, value, misses, curves, bars, extra = [] }: Drawing): Markup {
  const inside = (rate: number) => rate >= x.domain[0] && rate <= x.domain[1] * (1 + 1e-9);
  const place = (rate: number, miss: number) => ({ x: x.at(rate), y: y.at(within(y, value(miss))) });
  const lines = curves.flatMap((curve, c) =>
    strokes(stepsOf(curve, { misses }), x.domain[1]).map(({ firm, points }, i) => ({
      z: `${c}-${i}`,
      firm,
      colour: curve.colour,
      points: points.map(([rate, miss]) => place(rate, miss)),
    })),
  );
  const stroke = (firm: boolean) =>
    Plot.line(
      lines
        .filter((line) => line.firm === firm)
        .flatMap(({ points, ...rest }) => points.map((p) => ({ ...rest, ...p }))),
      {
        ...{ x: 'x', y: 'y', z: 'z', stroke: 'colour', strokeLinejoin: 'round' },
        ...(firm
          ? { strokeWidth: 2 }
          : {
              strokeWidth: 1.4,
              strokeDasharray: '4 3',
              strokeOpacity: 0.75,
              strokeLinecap: 'butt' as const,
            }),
      },
    );
  const dots = curves.flatMap((curve) =>
    marksOf(curve).flatMap((count) => {
      const miss = missAt(curve, count / curve.falseTrials);
      if (miss === undefined || !inside(count / curve.falseTrials)) return [];
      if (misses && miss * curve.missTrials < 1 - 1e-9) return [];
      return [
        {
          ...place(count / curve.falseTrials, miss),
          title: words.title(curve, count, miss),
          colour: curve.colour,
          seen: Number.isInteger(Math.log10(count)) && count <= 100,
        },
      ];
    }),
  );
  const trials = [...new Set(curves.map(({ falseTrials }) => falseTrials))];
  const unknown = 1 / Math.max(...trials);
  return frame({
    ...{ label: words.label, x, y },
    names: curves.length > 1 ? curves.flatMap((curve) => nameOf(curve, { x, value, misses })) : [],
    ...(trials.length === 1 && {
      above: {
        label: `${words.falsePositives} among ${whole(trials[0]!)} ${words.falseTrials}`,
        ticks: decades([1, trials[0]! * x.domain[1]]).map((count) => count / trials[0]!),
        format: (rate: number) => brief(rate * trials[0]!),
      },
    }),
    marks: [
      Plot.rect([0], {
        ...{ x1: x.at(x.domain[0]), x2: x.at(unknown), y1: y.at(y.domain[0]), y2: y.at(y.domain[1]) },
        ...{ fill: colours.faint, fillOpacity: 0.16 },
        title: () => `less than one of ${whole(1 / unknown)} ${words.falseTrials}: not known`,
      }),
      Plot.text([0], {
        x: (x.at(x.domain[0]) + x.at(unknown)) / 2,
        y: (y.at(y.domain[0]) + y.at(y.domain[1])) / 2,
        ...{ text: () => 'too few trials: not known', rotate: -90, fill: 'var(--soft)', fontSize: 10.5 },
      }),
      Plot.rect(misses ? [0] : [], {
        ...{ x1: x.at(unknown), x2: x.at(x.domain[1]), y1: y.at(y.domain[0]) },
        y2: y.at(1 / Math.max(...curves.map(({ missTrials }) => missTrials))),
        ...{ fill: colours.faint, fillOpacity: 0.16 },
        title: () => 'less than one miss: not known',
      }),
      ...extra,
      ...besideEachOther(
        bars.filter(({ falseRate }) => inside(falseRate)),
        {
          x: ({ falseRate }: Bar) => x.at(falseRate),
          y1: ({ interval }: Bar) => y.at(within(y, value(interval[0]))),
          y2: ({ interval }: Bar) => y.at(within(y, value(interval[1]))),
        },
      ),
      stroke(false),
      stroke(true),
      Plot.dot(
        dots.filter(({ seen }) => seen),
        { x: 'x', y: 'y', r: 3.2, fill: colours.paper, stroke: 'colour', strokeWidth: 1.5 },
      ),
      // Larger than what is seen, for the pointer to find.
      Plot.dot(dots, { x: 'x', y: 'y', r: 7, fill: 'colour', fillOpacity: 0, title: 'title' }),
    ],
  });
}

const within = ({ domain }: Axis, value: number): number => Math.min(domain[1], Math.max(domain[0], value));

/** The name of a curve at the height where it leaves the frame. */
function nameOf(
  curve: Tradeoff,
  { x, value, misses }: { x: Axis; value: (miss: number) => number; misses: boolean },
): CurveName[] {
  const steps = stepsOf(curve, { misses }).filter(({ from }) => from <= x.domain[1]);
  const last = steps[steps.length - 1];
  return last ? [{ name: curve.name, colour: curve.colour, y: value(last.miss) }] : [];
}

/** Steps as polylines of [rate, miss], cut where they turn from pale to firm and at `end`. */
function strokes(steps: readonly Step[], end: number): { firm: boolean; points: [number, number][] }[] {
  const out: { firm: boolean; points: [number, number][] }[] = [];
  let before: Step | undefined;
  for (const step of steps) {
    if (step.from >= end) break;
    const corners: [number, number][] = [
      [step.from, step.miss],
      [Math.min(end, step.to), step.miss],
    ];
    const current = out[out.length - 1];
    if (before && current && current.firm === step.firm) current.points.push(...corners);
    else {
      // The drop between two strokes is the new one's.
      out.push({ firm: step.firm, points: before ? [[step.from, before.miss], ...corners] : corners });
    }
    before = step;
  }
  return out;
}
