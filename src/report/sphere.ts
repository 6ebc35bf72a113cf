// The unit sphere with points on it, to be turned: by dragging, with a finger, or with the arrow keys. Without
// script it is the same picture standing still, an orthographic projection (as in SphereFace, Fig. 5). The points
// of one class are one path of dots, so that thousands of them can be turned at once.
import { html, type Markup } from './html.js';
import { BEHIND, HALF, RADIUS, SPHERE_SCRIPT } from './sphere-script.js';

/** A place on the unit sphere. */
export interface SpherePoint {
  x: number;
  y: number;
  z: number;
  /** Counted from 0: which of the page's class colours. */
  class: number;
}

export interface SphereParts {
  /** What is shown, for those who cannot see it. */
  label: string;
  /** Some thousands at most; they are brought to unit length, and left out at the centre. */
  points: readonly SpherePoint[];
  /** Class vectors: drawn from the centre to the surface, with their name (default the class) at the end. */
  directions?: readonly (SpherePoint & { name?: string })[];
  /** Names of the three axes, the third upright at first. */
  axes?: readonly [string, string, string];
  /** Degrees by which the sphere is turned at first: to the right, then with its top towards the reader. */
  view?: readonly [right: number, towards: number];
}

const VIEW = [-35, 25] as const;

type Vector = readonly [number, number, number];
/** Rows: what lies to the right, up, and towards the reader. */
type Turn = readonly [Vector, Vector, Vector];

/** Turned about the third axis, which is upright, by `right` degrees, then tipped `towards` the reader. */
function turnOf([right, towards]: readonly [number, number]): Turn {
  const [c, s] = [Math.cos((right * Math.PI) / 180), Math.sin((right * Math.PI) / 180)];
  const [d, t] = [Math.cos((towards * Math.PI) / 180), Math.sin((towards * Math.PI) / 180)];
  return [
    [c, -s, 0],
    [t * s, t * c, d],
    [-d * s, -d * c, t],
  ];
}

/** What the script turns: places in thousandths of the radius, three numbers each. */
interface Model {
  turn: Turn;
  /** One list of places a line. */
  grid: number[][];
  /** One list of places a class. */
  dots: number[][];
  rays: number[];
  axes: number[];
}

/** Meridians and parallels every 30 degrees, as closed lines. */
function graticule(): number[][] {
  const circle = Array.from({ length: 49 }, (_, i) => (i * Math.PI) / 24);
  const meridians = Array.from({ length: 6 }, (_, i) => (i * Math.PI) / 6).map((longitude) =>
    circle.flatMap((a) =>
      thousandths([Math.cos(a) * Math.cos(longitude), Math.cos(a) * Math.sin(longitude), Math.sin(a)]),
    ),
  );
  const parallels = [-60, -30, 0, 30, 60].map((degrees) => {
    const [radius, height] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
    return circle.flatMap((a) => thousandths([radius * Math.cos(a), radius * Math.sin(a), height]));
  });
  return [...meridians, ...parallels];
}

const thousandths = (place: readonly number[]): number[] => place.map((value) => Math.round(value * 1000));

function unit({ x, y, z }: SpherePoint): number[] {
  const length = Math.hypot(x, y, z);
  return length > 0 ? thousandths([x / length, y / length, z / length]) : [];
}

// From here to `labelAt` the same is done as in the script: a test turns a sphere with both.

/** Right, down and towards the reader, of the i-th place. */
function seen(turn: Turn, places: readonly number[], i: number): Vector {
  const [r, u, t] = turn.map(
    (row) => (row[0] * places[3 * i]! + row[1] * places[3 * i + 1]! + row[2] * places[3 * i + 2]!) / 1000,
  );
  return [r! * RADIUS, -u! * RADIUS, t!];
}

const short = (value: number): string => String(Math.round(value * 10) / 10);

/** The parts of a line on one side of the sphere. */
function linePath(turn: Turn, places: readonly number[], front: boolean): string {
  let path = '';
  let drawing = false;
  for (let i = 0; i < places.length / 3; i++) {
    const [x, y, t] = seen(turn, places, i);
    const here = front ? t >= 0 : t < 0;
    if (here) path += `${drawing ? 'L' : 'M'}${short(x)} ${short(y)}`;
    drawing = here;
  }
  return path;
}

/** Dots on one side of the sphere: lines of no length with round ends. */
function dotPath(turn: Turn, places: readonly number[], front: boolean): string {
  let path = '';
  for (let i = 0; i < places.length / 3; i++) {
    const [x, y, t] = seen(turn, places, i);
    if (front ? t >= 0 : t < 0) path += `M${short(x)} ${short(y)}h0`;
  }
  return path;
}

/** A line from `inner` to `outer` radii along a direction. */
function rayPath([x, y]: Vector, inner: number, outer: number): string {
  return `M${short(x * inner)} ${short(y * inner)}L${short(x * outer)} ${short(y * outer)}`;
}

const labelAt = ([x, y]: Vector, radii: number): string =>
  `translate(${short(x * radii)} ${short(y * radii)})`;

const opacity = ([, , t]: Vector): number => (t >= 0 ? 1 : BEHIND);

const colour = (index: number): string => `var(--class-${index % 10})`;

interface Built {
  model: Model;
  content: Markup;
}

function build({
  points,
  directions = [],
  axes = ['x₁', 'x₂', 'x₃'],
  view = VIEW,
}: Omit<SphereParts, 'label'>): Built {
  const classes = [...new Set(points.map((point) => point.class))].sort((a, b) => a - b);
  const model: Model = {
    turn: turnOf(view),
    grid: graticule(),
    dots: classes.map((one) => points.filter((point) => point.class === one).flatMap(unit)),
    rays: directions.flatMap(unit),
    axes: [1000, 0, 0, 0, 1000, 0, 0, 0, 1000],
  };
  const { turn, grid, dots, rays } = model;
  const side = (
    front: boolean,
  ) => html`<g data-lines="${front ? 1 : 0}" fill="none" stroke="var(--faint)" stroke-width=".6" stroke-opacity="${front ? 0.55 : 0.22}">${grid.map(
    (line) => html`<path d="${linePath(turn, line, front)}"/>`,
  )}</g>
<g data-dots="${front ? 1 : 0}" fill="none" stroke-linecap="round" stroke-width="${front ? 2.6 : 2.2}" stroke-opacity="${front ? 0.75 : 0.16}">${dots.map(
    (places, i) => html`<path stroke="${colour(classes[i]!)}" d="${dotPath(turn, places, front)}"/>`,
  )}</g>`;
  const content = html`<circle r="${RADIUS}" fill="var(--card)" stroke="var(--faint)" stroke-width="1"/>
${side(false)}
<g data-axes="lines" stroke="var(--soft)" stroke-width=".9">${axes.map((_, i) => {
    const end = seen(turn, model.axes, i);
    return html`<path d="${rayPath(end, 1, 1.16)}" opacity="${opacity(end)}"/>`;
  })}</g>
<g data-rays="lines" stroke-width="1.6">${directions.map((direction, i) => {
    const end = seen(turn, rays, i);
    return html`<path stroke="${colour(direction.class)}" d="${rayPath(end, 0, 1)}" opacity="${opacity(end)}"/>`;
  })}</g>
${side(true)}
<g data-axes="names" fill="var(--soft)" font-size="9">${axes.map((name, i) => {
    const end = seen(turn, model.axes, i);
    return html`<text dy=".32em" transform="${labelAt(end, 1.25)}" opacity="${opacity(end)}">${name}</text>`;
  })}</g>
<g data-rays="names" font-size="12" font-weight="700" paint-order="stroke" stroke="var(--card)" stroke-width="3" stroke-linejoin="round">${directions.map(
    (direction, i) => {
      const end = seen(turn, rays, i);
      return html`<text dy=".32em" fill="${colour(direction.class)}" transform="${labelAt(end, 1.1)}" opacity="${opacity(end)}">${direction.name ?? direction.class}</text>`;
    },
  )}</g>`;
  return { model, content };
}

const frame = (label: string, content: Markup, model?: Model): Markup =>
  html`<svg role="img" aria-label="${label}"${model && html` data-sphere="${JSON.stringify(model)}"`} class="plot" xmlns="http://www.w3.org/2000/svg" width="${2 * HALF}" height="${2 * HALF}" viewBox="${-HALF} ${-HALF} ${2 * HALF} ${2 * HALF}" font-family="system-ui, sans-serif" text-anchor="middle">
${content}
</svg>`;

/** The sphere standing still, for files. */
export function sphereSvg({ label, ...parts }: SphereParts): Markup {
  return frame(label, build(parts).content);
}

/** The sphere for a page: with `SPHERE_SCRIPT` in the page it can be turned, without it is `sphereSvg`. */
export function sphere({ label, ...parts }: SphereParts): Markup {
  const { model, content } = build(parts);
  return frame(label, content, model);
}

/** Says how to turn spheres; seen only where the script runs. */
export const sphereHint: Markup = html`<p class="note" data-sphere-hint hidden>The spheres can be turned: drag them, or choose one with Tab and use the arrow keys; Home turns it back.</p>`;

/** For `page`: the script, if there is a sphere in what it shows. */
export const sphereScript = (body: Markup): string | undefined =>
  body.text.includes(' data-sphere="') ? SPHERE_SCRIPT : undefined;
