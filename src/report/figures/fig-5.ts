// Draws Fig. 5: spheres that can be turned, one for each margin, and below each the angles between its features.
import type { TrainedData, TrainedPart } from '../../evaluate/figures/trained-data.js';
import { html, type Markup, type Piece, trusted } from '../html.js';
import { key } from '../page.js';
import { colours } from '../plot.js';
import { sideBySide } from '../side-by-side.js';
import { type SphereParts, sphere, sphereSvg } from '../sphere.js';
import type { Drawing, DrawnPlot } from './drawing.js';
import { anglesPlot, shares } from './fig-angles.js';
import {
  classKey,
  degrees,
  divergences,
  heading,
  type MeasuredNetwork,
  measuredOf,
  plotsOf,
  prefix,
  settingsOf,
  spreadTable,
  whom,
} from './fig-text.js';

const SIZE = 260;

/**
 * The turn (see `SphereParts.view`) that brings most of the directions well to the front: the largest sum of how
 * far each lies towards the reader, up to .6 of the radius, so that none has to be in the middle.
 */
export function viewOf(directions: readonly number[][]): [right: number, towards: number] {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const units = directions.map((row) => row.map((value) => value / (Math.hypot(...row) || 1)));
  let best: { view: [number, number]; score: number } = { view: [0, 0], score: -1 };
  for (let right = -180; right < 180; right += 5) {
    for (let towards = -45; towards <= 45; towards += 5) {
      const [s, c] = [Math.sin(radians(right)), Math.cos(radians(right))];
      const [t, d] = [Math.sin(radians(towards)), Math.cos(radians(towards))];
      const front = units.map(([x, y, z]) => -d * s * x! - d * c * y! + t * z!);
      const score = front.reduce((sum, at) => sum + Math.max(0, Math.min(0.6, at)), 0);
      if (score > best.score + 1e-9) best = { view: [right, towards], score };
    }
  }
  return best.view;
}

function parts(
  { title, measured }: MeasuredNetwork,
  part: TrainedPart,
  view: readonly [number, number],
): SphereParts {
  const place = ([x, y, z]: number[], label: number) => ({ x: x!, y: y!, z: z!, class: label });
  return {
    label: `${title}: features of ${whom(part)} on the unit sphere`,
    view,
    points: measured.features!.training.flatMap((cloud, label) => cloud.map((row) => place(row, label))),
    directions: measured.classVectors.map((row, label) => ({
      ...place(row, label),
      name: part.classes[label]!,
    })),
  };
}

/** Spheres beside each other, each under its title; a narrow window has fewer in a row. */
const row = (spheres: readonly { title: string; svg: Markup }[]): Markup =>
  html`<div style="display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:1rem">${spheres.map(
    ({ title, svg }) =>
      html`<div><h3 style="text-align:center">${title}</h3>${trusted(
        svg.text.replace('class="plot"', 'class="plot" style="min-width:0"'),
      )}</div>`,
  )}</div>`;

function plots(part: TrainedPart): DrawnPlot[] {
  const networks = measuredOf(part).filter(({ measured }) => measured.features && measured.angles);
  if (networks.length === 0) return [];
  const top = Math.max(
    1,
    ...networks.flatMap(({ measured }) =>
      shares(measured.angles!)
        .filter(({ kind }) => kind === 'different')
        .map(({ share }) => share),
    ),
  );
  // All are seen from the same side.
  const view = viewOf(networks[networks.length - 1]!.measured.classVectors);
  const size = { columns: networks.length, width: SIZE };
  return [
    {
      id: prefix(part, 'spheres'),
      title: heading(part),
      wide: true,
      svg: sideBySide(
        networks.map((network) => ({ title: network.title, svg: sphereSvg(parts(network, part, view)) })),
        { ...size, height: SIZE, label: `3-D features of ${whom(part)} on the unit sphere, by margin` },
      ),
      interactive: row(
        networks.map((network) => ({ title: network.title, svg: sphere(parts(network, part, view)) })),
      ),
      caption: html`${classKey(part)}Directions of the training images’ features, coloured by class; rays are the directions of the classes’ weights, and what lies behind is fainter. The larger the margin, the smaller the spot.`,
    },
    {
      id: prefix(part, 'angles'),
      title: `${heading(part)}, angles between two images`,
      wide: true,
      svg: sideBySide(
        networks.map(({ title, measured }) => ({
          title,
          svg: anglesPlot({
            label: `${title}: angles between two training images`,
            counts: measured.angles!,
            top: top * 1.6,
            width: SIZE,
            height: 200,
          }),
        })),
        { ...size, height: 200, label: `Angles between two images of ${whom(part)}, by margin` },
      ),
      caption: html`${key([
        { colour: colours.same, text: 'two images of one class' },
        { colour: colours.different, text: 'images of two classes' },
      ])}Angles between two training images, of all pairs of classes (the paper shows those of two). Dashed lines are the means; bars taller than the frame are cut.`,
    },
  ];
}

function outcome(data: TrainedData): Piece {
  return data.parts.map((part) => {
    const networks = measuredOf(part);
    const [first, last] = [networks[0], networks[networks.length - 1]];
    if (!first?.measured.angles || !last?.measured.angles || first === last) return '';
    const [from, to] = [first.measured.angles, last.measured.angles];
    return html` On ${whom(part)}, from ${first.title} to ${last.title}, the mean angle between two images of one class went from ${degrees(from.meanSame)} to ${degrees(to.meanSame)}, between images of two classes from ${degrees(from.meanDifferent)} to ${degrees(to.meanDifferent)}.`;
  });
}

export const fig5: Drawing<TrainedData> = {
  draw: (data) => ({
    lead: html`3-D features, brought to unit length, for every margin of the paper.${outcome(data)}`,
    plots: plotsOf(data, plots),
    after: html`${divergences(data)}${spreadTable(data)}`,
    settings: settingsOf(data),
  }),
};
