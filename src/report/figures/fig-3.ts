// Fig. 3 drawn: what each loss wants of the features of two classes, in the plane and, below, in space.
import type { Constraint, Euclidean, Fig3Data, Place } from '../../evaluate/figures/fig-3.js';
import { html, type Markup } from '../html.js';
import { Plot, renderPlot } from '../plot.js';
import { type Panel, sideBySide } from '../side-by-side.js';
import { TWO_CLASSES } from './boundaries.js';
import type { Drawing, DrawnFigure } from './drawing.js';

const SIZE = 204;
const NAMES = ['W₁', 'W₂'] as const;
const DEGREE = Math.PI / 180;

interface Point {
  x: number;
  y: number;
  colour: string;
  z: string;
}

const closed = (places: readonly Place[], k: number, z = String(k)): Point[] =>
  [...places, places[0]!].map(([x, y]) => ({ x: x!, y: y!, colour: TWO_CLASSES[k]!, z }));

const circle = (radius: number, [cx, cy]: Place = [0, 0]): Place[] =>
  Array.from({ length: 96 }, (_, i) => [
    cx! + radius * Math.cos((i * Math.PI) / 48),
    cy! + radius * Math.sin((i * Math.PI) / 48),
  ]);

const line = { x: 'x', y: 'y', z: 'z' } as const;
const label = { fontWeight: 600, stroke: 'var(--card)', strokeWidth: 3.5, fill: 'var(--ink)' } as const;

/** A square of the plane with its axes. */
function planePlot(about: string, reach: number, marks: Plot.Markish[]): Markup {
  const axis = {
    domain: [-reach, reach],
    ticks: [-1, 0, 1],
    tickFormat: (value: number) => String(value).replace('-', '−'),
    labelArrow: 'none',
    labelAnchor: 'center',
  } as const;
  return renderPlot({
    label: about,
    width: SIZE,
    height: SIZE,
    marginLeft: 38,
    marginBottom: 38,
    marginTop: 2,
    marginRight: 2,
    x: { ...axis, label: 'feature 1', labelOffset: 34 },
    y: { ...axis, label: 'feature 2', labelOffset: 34 },
    marks: [Plot.ruleX([0], { stroke: 'var(--line)' }), Plot.ruleY([0], { stroke: 'var(--line)' }), ...marks],
  });
}

/** Both regions within the disc, the class vectors, and the angle between the regions on the unit circle. */
function plane({ title, plane: regions, vectors, ends }: Constraint, { reach, between }: Fig3Data): Markup {
  const start = Math.atan2(vectors.plane[0][1]!, vectors.plane[0][0]!);
  const onCircle = (degrees: number, radius = 1): { x: number; y: number } => ({
    x: radius * Math.cos(start - degrees * DEGREE),
    y: radius * Math.sin(start - degrees * DEGREE),
  });
  const margin = ends[1] - ends[0];
  const arc = Array.from({ length: 41 }, (_, i) => onCircle(ends[0] + (margin * i) / 40));
  const ways = vectors.plane.map(([x, y], k) => ({
    x: x!,
    y: y!,
    name: NAMES[k]!,
    colour: TWO_CLASSES[k]!,
    // Beside the tip, on the side that is not between the two.
    ...onCircleBeside(start - k * between * DEGREE, Math.hypot(x!, y!), k),
  }));
  return planePlot(`${title}: regions of two classes in the plane`, reach * 1.03, [
    Plot.line(
      regions.flatMap((region, k) => closed(region, k)),
      { ...line, fill: 'colour', fillOpacity: 0.3, stroke: 'colour', strokeWidth: 1.2 },
    ),
    Plot.line(closed(circle(1), 0), { ...line, stroke: 'var(--faint)', strokeDasharray: '2,3' }),
    Plot.arrow(ways, {
      x1: 0,
      y1: 0,
      x2: 'x',
      y2: 'y',
      stroke: 'var(--ink)',
      strokeWidth: 1.6,
      headLength: 6,
    }),
    Plot.text(ways, { x: 'labelX', y: 'labelY', text: 'name', ...label }),
    ...(margin > 0.05
      ? [
          Plot.line(arc, { x: 'x', y: 'y', stroke: 'var(--ink)', strokeWidth: 2.6 }),
          Plot.text([onCircle((ends[0] + ends[1]) / 2, 1.17)], {
            x: 'x',
            y: 'y',
            text: () => `${margin.toFixed(0)}°`,
            ...label,
          }),
        ]
      : []),
  ]);
}

function onCircleBeside(angle: number, length: number, k: number): { labelX: number; labelY: number } {
  const aside = angle + (k === 0 ? 1 : -1) * (0.21 / length);
  return { labelX: length * Math.cos(aside), labelY: length * Math.sin(aside) };
}

/** Two discs whose gap is the margin. */
function euclideanPlane({ centres, radius, margin }: Euclidean, reach: number): Markup {
  const [[x1, y1], [x2]] = centres as [[number, number], [number, number]];
  return planePlot('Euclidean margin: two discs in the plane', reach * 1.03, [
    Plot.line(
      centres.flatMap((centre, k) => closed(circle(radius, centre), k)),
      { ...line, fill: 'colour', fillOpacity: 0.3, stroke: 'colour', strokeWidth: 1.2 },
    ),
    Plot.dot(centres, { x: (c: Place) => c[0]!, y: (c: Place) => c[1]!, r: 2, fill: 'var(--ink)' }),
    Plot.text(
      centres.map(([x, y], k) => ({ x: x!, y: y! - radius - 0.14, name: `class ${k + 1}` })),
      { x: 'x', y: 'y', text: 'name', ...label },
    ),
    Plot.link([0], {
      x1: x1 + radius,
      y1,
      x2: x2 - radius,
      y2: y1,
      stroke: 'var(--ink)',
      strokeWidth: 2.6,
    }),
    Plot.text([`m = ${margin}`], { x: (x1 + x2) / 2, y: y1 + 0.2, text: (t: string) => t, ...label }),
  ]);
}

/** Longitude and latitude in degrees. */
const lonLat = ([x, y, z]: Place): [number, number] => [
  Math.atan2(y!, x!) / DEGREE,
  Math.asin(Math.max(-1, Math.min(1, z! / Math.hypot(x!, y!, z!)))) / DEGREE,
];

/** The sphere seen from in front and somewhat above. */
const TILT = 22;

const orthographic = { type: 'orthographic', rotate: [0, -TILT] as [number, number], inset: 6 } as const;

/** Regions on the unit sphere, with the angle between them along the great circle from W_1 to W_2. */
function onSphere({ title, sphere, vectors, ends }: Constraint, { between }: Fig3Data): Markup {
  const polygons = sphere.map((outline, k) => ({
    type: 'Feature',
    properties: { colour: TWO_CLASSES[k]! },
    geometry: { type: 'Polygon', coordinates: [[...outline, outline[0]!].map(lonLat).reverse()] },
  }));
  const margin = ends[1] - ends[0];
  const ways = vectors.space.map((vector, k) => {
    const [longitude, latitude] = lonLat(vector);
    return { longitude, latitude, name: NAMES[k]! };
  });
  const colour = (feature: { properties: { colour: string } }) => feature.properties.colour;
  return renderPlot({
    label: `${title}: regions of two classes on the unit sphere`,
    width: SIZE,
    height: SIZE,
    margin: 2,
    projection: orthographic,
    marks: [
      Plot.sphere({ fill: 'var(--card)', stroke: 'none' }),
      Plot.geo(polygons as never, { fill: colour as never, fillOpacity: 0.3 }),
      Plot.graticule({ stroke: 'var(--faint)', strokeOpacity: 0.45, strokeWidth: 0.6 }),
      Plot.geo(polygons as never, { stroke: colour as never, strokeWidth: 1.2 }),
      Plot.sphere({ stroke: 'var(--faint)', fill: 'none' }),
      ...(margin > 0.05
        ? [
            Plot.line(
              Array.from({ length: 41 }, (_, i) => [-between / 2 + ends[0] + (margin * i) / 40, 0]),
              { stroke: 'var(--ink)', strokeWidth: 2.6 },
            ),
            Plot.text([[0, 0]], { text: () => `${margin.toFixed(0)}°`, dy: 13, ...label }),
          ]
        : []),
      Plot.dot(ways, { x: 'longitude', y: 'latitude', r: 2.4, fill: 'var(--ink)' }),
      Plot.text(ways, { x: 'longitude', y: 'latitude', text: 'name', dy: -10, ...label }),
    ],
  });
}

/** A circle in space, seen as the spheres are: the part in front, and the part behind. */
function seenCircle(centre: Place, radius: number, a: Place, b: Place, z: string) {
  const [c, s] = [Math.cos(TILT * DEGREE), Math.sin(TILT * DEGREE)];
  return Array.from({ length: 97 }, (_, i) => {
    const [u, v] = [Math.cos((i * Math.PI) / 48) * radius, Math.sin((i * Math.PI) / 48) * radius];
    const [x, y, up] = [0, 1, 2].map((axis) => a[axis]! * u + b[axis]! * v);
    // x is towards the reader, y to the right.
    const front = c * x! + s * up! >= 0;
    return { x: centre[0]! + y!, y: centre[1]! + c * up! - s * x!, front, z };
  });
}

/** The same two classes as balls. */
function euclideanSpace({ centres, radius, margin }: Euclidean, reach: number): Markup {
  const seen = centres.map(([x]) => [x!, 0]);
  const grid = seen.flatMap((centre, k) => [
    ...seenCircle(centre, radius, [1, 0, 0], [0, 1, 0], `${k} equator`),
    ...seenCircle(centre, radius, [1, 0, 0], [0, 0, 1], `${k} meridian`),
  ]);
  const gridLine = (front: boolean) =>
    Plot.line(grid, {
      x: 'x',
      y: (point: { y: number; front: boolean }) => (point.front === front ? point.y : Number.NaN),
      z: 'z',
      stroke: 'var(--soft)',
      strokeWidth: 0.7,
      strokeOpacity: front ? 0.9 : 0.35,
    });
  return renderPlot({
    label: 'Euclidean margin: two balls in space',
    width: SIZE,
    height: SIZE,
    margin: 2,
    x: { domain: [-reach, reach], axis: null },
    y: { domain: [-reach, reach], axis: null },
    marks: [
      Plot.line(
        seen.flatMap((centre, k) => closed(circle(radius, centre), k)),
        { ...line, fill: 'colour', fillOpacity: 0.3, stroke: 'colour', strokeWidth: 1.2 },
      ),
      gridLine(false),
      gridLine(true),
      Plot.link([0], {
        x1: seen[0]![0]! + radius,
        y1: 0,
        x2: seen[1]![0]! - radius,
        y2: 0,
        stroke: 'var(--ink)',
        strokeWidth: 2.6,
      }),
      Plot.text([`m = ${margin}`], { x: 0, y: 0.2, text: (t: string) => t, ...label }),
      Plot.text(
        seen.map(([x], k) => ({ x: x!, y: -radius - 0.14, name: `class ${k + 1}` })),
        { x: 'x', y: 'y', text: 'name', ...label },
      ),
    ],
  });
}

function draw(data: Fig3Data): DrawnFigure {
  const { constraints, euclidean, reach, between } = data;
  const row = (first: Markup, rest: (one: Constraint) => Markup): Panel[] => [
    { title: 'Euclidean margin', svg: first },
    ...constraints.map((one) => ({ title: one.title, svg: rest(one) })),
  ];
  const layout = { columns: constraints.length + 1, width: SIZE, height: SIZE };
  const last = constraints[constraints.length - 1]!;
  const { lengths, biases } = freeOf(constraints);
  return {
    lead: html`Losses on distances want the classes in balls with a gap between them, wherever those lie. Softmax wants each class on its side of a border. Once class vectors have unit length and no bias, the border is the bisector and angles alone decide. A-Softmax asks that the angle to the own class vector be m times smaller than to the other: with class vectors ${between}° apart, m = ${last.options.margin as number} leaves ${(last.ends[1] - last.ends[0]).toFixed(0)}° between the regions.`,
    plots: [
      {
        id: 'plane',
        title: 'Features with two numbers',
        wide: true,
        caption: html`Orange: where the loss wants class 1; green: class 2. Only the part within ${reach} of the centre is shown; the regions of the last four go on outwards. Arrows are class vectors; the dashed circle has radius 1.`,
        svg: sideBySide(
          row(euclideanPlane(euclidean, reach), (one) => plane(one, data)),
          { label: 'Regions of two classes in the plane for five losses', ...layout },
        ),
      },
      {
        id: 'sphere',
        title: 'Features with three numbers',
        wide: true,
        caption: html`The same in space, for features of length 1 on the sphere, seen from in front and ${TILT}° above (orthographic). Softmax gives two caps of any size, modified softmax two halves, A-Softmax two patches that the margin keeps apart. Distances know no sphere: their regions are balls in space.`,
        svg: sideBySide(
          row(euclideanSpace(euclidean, reach), (one) => onSphere(one, data)),
          { label: 'Regions of two classes in space for five losses', ...layout },
        ),
      },
    ],
    settings: [
      ['angle between class vectors', `${between}°`],
      ['softmax', `|W₁| = ${lengths[0]}, |W₂| = ${lengths[1]}, biases ${biases[0]} and ${biases[1]}`],
      [
        'Euclidean margin',
        `contrastive, m = ${euclidean.margin}: balls of radius m/2 with centres 2 m apart, so that two of one class are at most m apart and two of both at least m`,
      ],
      [
        'regions',
        'where |W| |x| target(θ) + b of the class is at least W · x + b of the other, to rounding error',
      ],
    ],
  };
}

/** Lengths and biases of the loss that leaves them free. */
function freeOf(constraints: readonly Constraint[]) {
  const { vectors, biases } = constraints.find(({ loss }) => loss === 'softmax')!;
  const lengths = vectors.plane.map((vector) => Number(Math.hypot(...vector).toFixed(4)));
  return { lengths, biases };
}

export const fig3: Drawing<Fig3Data> = { draw };
