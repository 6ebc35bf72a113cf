// Draws Fig. 2: features of two classes with their weight vectors and the border between them, and below the same
// as angles.
import type { TrainedData, TrainedPart } from '../../evaluate/figures/trained-data.js';
import { html, type Markup, type Piece } from '../html.js';
import { Plot } from '../plot.js';
import { sideBySide } from '../side-by-side.js';
import type { Drawing, DrawnPlot } from './drawing.js';
import { colourOf, extentOf, planePlot } from './fig-plane.js';
import { ringPlot } from './fig-ring.js';
import {
  classKey,
  degrees,
  divergences,
  heading,
  listed,
  type MeasuredNetwork,
  measuredOf,
  plotsOf,
  prefix,
  settingsOf,
  spreadTable,
  whom,
} from './fig-text.js';

const SIZE = 345;

/** Softmax has class vectors of any length; the others use their direction alone. */
const lengthsCount = ({ loss }: MeasuredNetwork): boolean => loss === 'softmax';

/**
 * The border w . x + b = 0 between two classes as a segment across the square of half side `half`: w is the
 * difference of the class vectors, b of the biases.
 */
export function border(w: readonly number[], b: number, half: number): [number, number, number, number] {
  const [x, y] = w as [number, number];
  const squared = x * x + y * y || 1;
  const [footX, footY] = [(-b * x) / squared, (-b * y) / squared];
  const reach = (1.6 * half) / Math.sqrt(squared);
  return [footX - y * reach, footY + x * reach, footX + y * reach, footY - x * reach];
}

function plane(network: MeasuredNetwork, part: TrainedPart): Markup {
  const { features, classVectors, biases } = network.measured;
  const half = extentOf(features!.training);
  const lengths = classVectors.map(([x, y]) => Math.hypot(x!, y!));
  const longest = Math.max(...lengths);
  const scaled = classVectors.map(([x, y], i) => {
    const size = lengthsCount(network) ? longest : lengths[i]!;
    return { label: i, x: (x! / size) * half * 0.95, y: (y! / size) * half * 0.95 };
  });
  type Arrow = (typeof scaled)[number];
  const unit = (i: number) =>
    classVectors[i]!.map((value) => (lengthsCount(network) ? value : value / lengths[i]!));
  const [w0, w1] = [unit(0), unit(1)];
  const b = (biases?.[0] ?? 0) - (biases?.[1] ?? 0);
  const line = border([w0[0]! - w1[0]!, w0[1]! - w1[1]!], b, half);
  // The segment's part inside the frame.
  const inside = Array.from({ length: 201 }, (_, i) => ({
    x: line[0] + ((line[2] - line[0]) * i) / 200,
    y: line[1] + ((line[3] - line[1]) * i) / 200,
  })).filter(({ x, y }) => Math.max(Math.abs(x), Math.abs(y)) <= half * 1.22);
  return planePlot({
    label: `${network.title}: features of ${whom(part)} in the plane, with weight vectors and the border`,
    clouds: features!.training,
    names: part.classes,
    half,
    size: SIZE,
    under: [
      Plot.line(inside, {
        x: 'x',
        y: 'y',
        stroke: 'currentColor',
        strokeDasharray: '5 4',
        strokeOpacity: 0.7,
      }),
    ],
    over: [
      Plot.arrow(scaled, {
        x1: 0,
        y1: 0,
        x2: 'x',
        y2: 'y',
        stroke: 'var(--card)',
        strokeWidth: 4.5,
        headLength: 7,
      }),
      Plot.arrow(scaled, {
        x1: 0,
        y1: 0,
        x2: 'x',
        y2: 'y',
        stroke: (arrow: Arrow) => colourOf(arrow.label),
        strokeWidth: 2,
        headLength: 9,
      }),
    ],
  });
}

function ring(network: MeasuredNetwork, part: TrainedPart): Markup {
  const { features, classVectors } = network.measured;
  return ringPlot({
    label: `${network.title}: directions of the features of ${whom(part)}, and which the loss accepts`,
    clouds: features!.training,
    classVectors,
    names: part.classes,
    lengths: lengthsCount(network),
    margin: network.margin ?? 1,
    lambda: network.end.lambda ?? 0,
    size: SIZE,
  });
}

function plot(part: TrainedPart): DrawnPlot[] {
  const networks = measuredOf(part).filter(({ measured }) => measured.features);
  if (networks.length === 0) return [];
  const panels = [
    ...networks.map((network) => ({ title: network.title, svg: plane(network, part) })),
    ...networks.map((network) => ({ title: `${network.title}, angles`, svg: ring(network, part) })),
  ];
  return [
    {
      id: prefix(part, 'features'),
      title: heading(part),
      wide: true,
      svg: sideBySide(panels, {
        label: `Two classes with ${listed(networks.map(({ title }) => title))}, in the plane and as angles`,
        columns: networks.length,
        width: SIZE,
        height: SIZE,
      }),
      caption: html`${classKey(part)}Training images. Above: features, class vectors (of softmax to scale with each other, of the others at equal length), and the border where the two logits are equal. Below: how many features lie in each direction, as bars outside the circle; the band on the circle has the colour of the class whose loss is content with that direction. Where the band is empty, the loss asks for more: the angular margin. Softmax’s bias, if any, shifts its border away from the centre and is not in the band.`,
    },
  ];
}

function outcome(data: TrainedData): Piece {
  return data.parts.map((part) => {
    const widths = measuredOf(part).map(
      ({ title, measured }) => `${degrees(measured.spread?.training.within ?? Number.NaN)} (${title})`,
    );
    return html` Mean angle of a training image to its class’s mean direction on ${whom(part)}: ${listed(widths)}.`;
  });
}

export const fig2: Drawing<TrainedData> = {
  draw: (data) => ({
    lead: html`Two classes, 2-D features, three losses. Softmax parts the classes by a border that need not pass through the centre; modified softmax by angles alone; A-Softmax keeps an angle between them clear.${outcome(data)}`,
    plots: plotsOf(data, plot),
    after: html`${divergences(data)}${spreadTable(data)}`,
    settings: settingsOf(data),
  }),
};
