// Decision boundaries of two classes over the angles to their class vectors, one panel a margin function.
import type { Angles, BoundariesData, BoundaryPanel } from '../../evaluate/figures/boundaries.js';
import { html, type Markup } from '../html.js';
import { table } from '../page.js';
import { Plot, renderPlot } from '../plot.js';
import type { Drawing, DrawnFigure } from './drawing.js';

/** The paper's colours of its two classes, orange and green. */
export const TWO_CLASSES = ['var(--class-1)', 'var(--class-2)'] as const;

const COLUMNS = 5;
/** The angle between the class vectors at which the margin is drawn. */
const SHOWN = 90;

interface Placed {
  column: number;
  row: number;
}

/** A panel's title; lengths of class vectors matter where they differ. */
const withLengths = (title: string, l1: number, l2: number): string =>
  l1 === l2 ? title : `${title}, |W₂| = ${l2 / l1} |W₁|`;

const place = (i: number): Placed => ({ column: i % COLUMNS, row: Math.floor(i / COLUMNS) });

/** Points of a class's polygons or lines in the panels, each polygon with a `z` of its own. */
function pointsOf(
  panels: readonly BoundaryPanel[],
  pick: (panel: BoundaryPanel) => [Angles[][], Angles[][]],
) {
  return panels.flatMap((panel, i) =>
    pick(panel).flatMap((lines, k) =>
      lines.flatMap((line, j) =>
        line.map(([x, y]) => ({ x, y, z: `${i} ${k} ${j}`, colour: TWO_CLASSES[k]!, ...place(i + 1) })),
      ),
    ),
  );
}

function panelsPlot({ between, panels }: BoundariesData): Markup {
  const shown = between.indexOf(SHOWN);
  const facet = { fx: 'column', fy: 'row' } as const;
  const arcs = panels.flatMap(({ arcs: all }, i) => {
    const arc = all[shown];
    if (!arc) return [];
    const [a, b] = arc.reach;
    const text = arc.margin < 0.05 ? 'no margin' : `${arc.margin.toFixed(1)}°`;
    return [{ x1: a, y1: SHOWN - a, x2: SHOWN - b, y2: b, text, ...place(i + 1) }];
  });
  const rows = Math.ceil((panels.length + 1) / COLUMNS);
  const all = Array.from({ length: panels.length }, (_, i) => place(i + 1));
  const key = place(0);
  const titles = panels.map(({ title, lengths: [l1, l2] }, i) => ({
    title: withLengths(title, l1, l2),
    ...place(i + 1),
  }));
  return renderPlot({
    label: 'Regions of two classes over the angles to both class vectors, for each margin function',
    width: 1080,
    height: 36 + 226 * rows,
    marginLeft: 46,
    marginRight: 24,
    marginTop: 26,
    marginBottom: 40,
    x: {
      domain: [0, 180],
      ticks: [0, 60, 120, 180],
      label: 'θ₁, angle to W₁ (degrees)',
      labelAnchor: 'center',
      labelArrow: 'none',
    },
    y: {
      domain: [0, 180],
      ticks: [0, 60, 120, 180],
      label: 'θ₂, angle to W₂ (degrees)',
      labelAnchor: 'center',
      labelArrow: 'none',
    },
    fx: { axis: null, padding: 0.1, domain: Array.from({ length: COLUMNS }, (_, i) => i) },
    fy: { axis: null, padding: 0.17, domain: Array.from({ length: rows }, (_, i) => i) },
    marks: [
      Plot.line(
        pointsOf(panels, ({ regions }) => regions),
        {
          x: 'x',
          y: 'y',
          z: 'z',
          ...facet,
          fill: 'colour',
          fillOpacity: 0.3,
          stroke: 'none',
          shapeRendering: 'crispEdges',
        },
      ),
      Plot.line(
        pointsOf(panels, ({ boundaries }) => boundaries),
        { x: 'x', y: 'y', z: 'z', ...facet, stroke: 'colour', strokeWidth: 1.6 },
      ),
      Plot.link(all, {
        ...facet,
        x1: 0,
        y1: SHOWN,
        x2: SHOWN,
        y2: 0,
        stroke: 'var(--soft)',
        strokeDasharray: '2,3',
      }),
      Plot.link(arcs, {
        ...facet,
        x1: 'x1',
        y1: 'y1',
        x2: 'x2',
        y2: 'y2',
        stroke: 'var(--ink)',
        strokeWidth: 2.6,
      }),
      Plot.text(arcs, {
        ...facet,
        x: SHOWN,
        y: SHOWN / 2,
        dx: -4,
        text: 'text',
        textAnchor: 'start',
        fill: 'var(--ink)',
        fontWeight: 600,
        stroke: 'var(--card)',
        strokeWidth: 4,
      }),
      Plot.text(titles, {
        ...facet,
        frameAnchor: 'top-left',
        dy: -15,
        text: 'title',
        fontWeight: 600,
        fontSize: 11,
        fill: 'var(--ink)',
      }),
      Plot.frame({ stroke: 'var(--line)' }),
      ...keyMarks(key),
    ],
  });
}

/** How to read a panel, in the first one's place. */
function keyMarks(at: Placed): Plot.Markish[] {
  const lines = [
    { y: 168, text: 'class 1, margin met', colour: TWO_CLASSES[0] },
    { y: 142, text: 'class 2, margin met', colour: TWO_CLASSES[1] },
    { y: 116, text: 'neither: the margin', colour: 'none' },
  ].map((line) => ({ ...line, ...at }));
  const facet = { fx: 'column', fy: 'row' } as const;
  return [
    Plot.rect(lines, {
      ...facet,
      x1: 6,
      x2: 24,
      y1: (line: { y: number }) => line.y - 7,
      y2: (line: { y: number }) => line.y + 7,
      fill: 'colour',
      fillOpacity: 0.3,
      stroke: (line: { colour: string }) => (line.colour === 'none' ? 'var(--line)' : line.colour),
    }),
    Plot.text(lines, { ...facet, x: 32, y: 'y', text: 'text', textAnchor: 'start', fill: 'var(--ink)' }),
    Plot.text(
      [
        { ...at, y: 78, text: 'Dashed: the arc from W₁ to W₂\nwhere they are 90° apart.' },
        { ...at, y: 36, text: 'Thick: what the margin\nleaves free of it.' },
      ],
      { ...facet, x: 6, y: 'y', text: 'text', textAnchor: 'start', fill: 'var(--soft)', lineHeight: 1.25 },
    ),
  ];
}

function draw(data: BoundariesData): DrawnFigure {
  const { between, panels } = data;
  const at = between.indexOf(SHOWN);
  const margin = (id: string) => {
    const arc = panels.find((panel) => panel.id === id)?.arcs[at];
    return arc ? `${arc.margin.toFixed(1)}°` : '–';
  };
  return {
    lead: html`An image of class 1 has satisfied the loss’s demand where its own logit, margin included, is the larger one. With free class vectors the border depends on their lengths and runs at an angle that means nothing; with unit vectors it is θ₁ = θ₂, and a margin pulls the two classes’ borders apart. With class vectors 90° apart, A-Softmax with m = 4 leaves ${margin('a-softmax-4')} between them, CosFace ${margin('cosface')}, ArcFace ${margin('arcface')}.`,
    plots: [
      {
        id: 'panels',
        wide: true,
        caption: html`Both regions, found from the losses’ own functions. A multiplied angle gives straight borders that open with the angle between the classes; ArcFace’s border is parallel to the diagonal, so its margin is the same everywhere; CosFace’s bends, and near W₂ leaves class 1 nothing at all. Beyond 90° the easy margin asks for none. An image lies where θ₁ + θ₂ is at least the angle between the class vectors and |θ₁ − θ₂| at most.`,
        svg: panelsPlot(data),
      },
    ],
    after: html`<p>The margin as an angle: how many degrees between W₁ and W₂ belong to neither class.</p>
${table(
  ['', ...between.map((angle) => `W₁ and W₂ ${angle}° apart`)],
  panels.map(({ title, lengths: [l1, l2], arcs }) => [
    withLengths(title, l1, l2),
    ...arcs.map((arc) => (arc === null ? 'cannot be met' : `${Math.abs(arc.margin).toFixed(1)}°`)),
  ]),
)}`,
    settings: [
      ['angles', '0° to 180°, rows every 1°, borders to rounding error'],
      ['margins', 'as in the titles; scale and bias have no part in the borders'],
    ],
  };
}

export const boundaries: Drawing<BoundariesData> = { draw };
