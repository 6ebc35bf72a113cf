// Draws Fig. 9: the length of every class's weights against the number of its images.
import { spearman } from '../../evaluate/figures/spearman.js';
import type { TrainedData, TrainedPart } from '../../evaluate/figures/trained-data.js';
import { html, type Markup, type Piece } from '../html.js';
import { colours, Plot, renderPlot } from '../plot.js';
import { sideBySide } from '../side-by-side.js';
import type { Drawing, DrawnPlot } from './drawing.js';
import {
  divergences,
  heading,
  listed,
  type MeasuredNetwork,
  measuredOf,
  plotsOf,
  prefix,
  settingsOf,
  signed,
  whom,
} from './fig-text.js';

/** Size and length of weights of every class of one network. */
function classesOf({ measured: { counts, classVectors } }: MeasuredNetwork) {
  return classVectors.map((row, label) => ({ label, size: counts[label]!, length: Math.hypot(...row) }));
}

const lengthCorrelation = (network: MeasuredNetwork): number =>
  spearman(
    network.measured.counts,
    classesOf(network).map(({ length }) => length),
  );

/** Mean correlation of the lengths of the same classes in two networks: what a class has to say, not its size. */
function agreement(networks: readonly MeasuredNetwork[]): number {
  const lengths = networks.map((network) => classesOf(network).map(({ length }) => length));
  const pairs = lengths.flatMap((a, i) => lengths.slice(i + 1).map((b) => spearman(a, b)));
  return pairs.reduce((sum, one) => sum + one, 0) / pairs.length;
}

const centred = { labelAnchor: 'center', labelArrow: 'none' } as const;

const SIZE = { width: 345, height: 270 };

/** Numbers of images that are written at the axis, where it has them. */
const TICKS = [2, 5, 10, 20, 50, 100, 200, 500];

function panel(network: MeasuredNetwork, part: TrainedPart, domain: readonly [number, number]): Markup {
  const digits = part.subject === 'digits';
  const rows = classesOf(network).map((one) => ({ ...one, name: part.classes[one.label]! }));
  const sizes = [Math.min(...network.measured.counts), Math.max(...network.measured.counts)];
  return renderPlot({
    label: `${network.title}: length of the weights of each class against its number of images`,
    ...SIZE,
    marginLeft: 44,
    marginBottom: 38,
    marginRight: 16,
    marginTop: 10,
    x: {
      type: 'log',
      label: 'training images of the class',
      ...centred,
      ticks: TICKS.filter((tick) => tick >= sizes[0]! && tick <= sizes[1]!),
      tickFormat: 'd',
    },
    y: { label: 'length of its weights |W|', ...centred, grid: true, ticks: 5, domain },
    marks: [
      Plot.dot(rows, {
        x: 'size',
        y: 'length',
        r: digits ? 3.5 : 2.6,
        fill: colours.accent,
        fillOpacity: digits ? 0.85 : 0.5,
      }),
      ...(digits
        ? [Plot.text(rows, { x: 'size', y: 'length', text: 'name', dy: -11, fill: 'currentColor' })]
        : []),
    ],
  });
}

function plot(part: TrainedPart): DrawnPlot[] {
  const networks = measuredOf(part);
  if (networks.length === 0) return [];
  const lengths = networks.flatMap((network) => classesOf(network).map(({ length }) => length));
  const domain = [Math.min(...lengths) * 0.95, Math.max(...lengths) * 1.06] as const;
  return [
    {
      id: prefix(part, 'lengths'),
      title: heading(part),
      wide: true,
      svg: sideBySide(
        networks.map((network) => ({
          title: `${network.title}: ρ = ${signed(lengthCorrelation(network))}`,
          svg: panel(network, part, domain),
        })),
        {
          label: `Length of the weights of each class against its number of images, ${whom(part)}`,
          columns: networks.length,
          ...SIZE,
        },
      ),
      caption: html`Every point is a class${part.subject === 'digits' && ', named by its digit'}; each network was given the same sizes in another order. The scale of sizes is logarithmic; ρ is Spearman’s rank correlation.`,
    },
  ];
}

function outcome(data: TrainedData): Piece {
  return data.parts.map((part) => {
    const networks = measuredOf(part);
    if (networks.length === 0) return '';
    const { counts } = networks[0]!.measured;
    const all = (correlation: (network: MeasuredNetwork) => number) =>
      listed(networks.map((network) => signed(correlation(network))));
    const biases = networks.every(({ measured }) => measured.biases)
      ? html`; between the number of images and the bias it is ${all(({ measured }) => spearman(measured.counts, measured.biases!))}`
      : '';
    return html` On ${whom(part)} with ${Math.min(...counts)} to ${Math.max(...counts)} images each, Spearman’s rank correlation between the number of images and the length of the weights is ${all(lengthCorrelation)}${biases}.${networks.length > 1 && html` The lengths of the same classes in two of the networks, where their sizes differ, correlate at ${signed(agreement(networks))} on average.`}`;
  });
}

export const fig9: Drawing<TrainedData> = {
  draw: (data) => ({
    lead: html`Softmax without normalised weights, on classes that were deliberately given very different numbers of images: does the length of a class’s weights grow with its size? The paper found so on CASIA-WebFace, and normalises the weights to be rid of it.${outcome(data)}`,
    plots: plotsOf(data, plot),
    after: divergences(data),
    settings: settingsOf(data),
  }),
};
