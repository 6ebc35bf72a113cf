// Whether two aligned faces are one photograph, by their pixels: no network is asked, which takes two photographs of
// one person for nearly the same. Each face becomes a band of its detail (difference of Gaussians; Marr and Hildreth,
// 1980), which exposure and compression change little; the one is laid on the other by the turn, scale and shift that
// fit best, mirrored too, and what counts is their normalised cross-correlation (Lewis, 1995).
import type { RgbImage } from '../../data/index.js';
import {
  compose,
  similarity,
  type Template,
  type Transform,
  templatePoints,
  warp,
} from '../../face/index.js';

/** Pixels of a side that faces are compared at. */
const SIDE = 64;
/** Pixels around the compared part: the outermost differ by how a photograph was cut. */
const MARGIN = 8;
/** Standard deviations of the two Gaussians, in pixels. */
const [FINE, COARSE] = [1, 4];

/** The detail of a face, [SIDE, SIDE]. */
export type FaceDetail = Float32Array;

/**
 * The detail of an aligned face. Faces that lie on different templates have to say which, so that both are laid on
 * the first one: `carry` goes `from` the face's own `to` that.
 */
export function faceDetail(image: RgbImage, carry?: { from: Template; to: Template }): FaceDetail {
  const { width, height } = carry ? carry.to : image;
  const [x, y] = [SIDE / width, SIDE / height];
  const shrink: Transform = [x, 0, (x - 1) / 2, 0, y, (y - 1) / 2];
  const transform = carry
    ? compose(similarity(templatePoints(carry.from), templatePoints(carry.to)), shrink)
    : shrink;
  const rgb = warp(image, transform, { width: SIDE, height: SIDE, border: 'replicate' });
  const grey = Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [red, green, blue] = [rgb[3 * i]!, rgb[3 * i + 1]!, rgb[3 * i + 2]!];
    return 0.299 * red + 0.587 * green + 0.114 * blue;
  });
  const [fine, coarse] = [blurred(grey, FINE), blurred(grey, COARSE)];
  return fine.map((value, i) => value - coarse[i]!);
}

/** A placing of the other face: shift in pixels, natural logarithm of the scale, turn in radians. */
type Placing = readonly [dx: number, dy: number, scale: number, turn: number];

const DEGREE = Math.PI / 180;
/** Every placing that is tried first, and the steps from the best of them on. */
const COARSE_PLACINGS: readonly Placing[] = [-4, 0, 4].flatMap((turn) =>
  [-0.06, 0, 0.06].flatMap((scale) =>
    [-4, -2, 0, 2, 4].flatMap((dx) => [-4, -2, 0, 2, 4].map((dy): Placing => [dx, dy, scale, turn * DEGREE])),
  ),
);
const FIRST_STEPS: Placing = [1, 1, 0.03, 2 * DEGREE];
const HALVINGS = 3;
/** A correlation below which no small step helps. */
const HOPELESS = 0.4;

/** The correlation from which on two faces are taken for one photograph, or two of one moment (docs/evaluation.md). */
export const ONE_PHOTOGRAPH = 0.95;

/** The correlation of two faces' detail, -1 to 1, where the one is laid on the other as well as it can be. */
export function photographLikeness(a: FaceDetail, b: FaceDetail): number {
  return Math.max(bestPlacing(a, b), bestPlacing(a, mirrored(b)));
}

function bestPlacing(a: FaceDetail, b: FaceDetail): number {
  let [best, placing]: [number, Placing] = [-1, [0, 0, 0, 0]];
  for (const tried of COARSE_PLACINGS) {
    const value = correlation(a, b, tried, 2);
    if (value > best) [best, placing] = [value, tried];
  }
  best = correlation(a, b, placing, 1);
  if (best < HOPELESS) return best;
  let steps: readonly number[] = FIRST_STEPS;
  for (let halving = 0; halving <= HALVINGS; ) {
    const before = best;
    for (let axis = 0; axis < 4; axis++)
      for (const sign of [-1, 1]) {
        const tried = placing.map((value, i) =>
          i === axis ? value + sign * steps[i]! : value,
        ) as unknown as Placing;
        const value = correlation(a, b, tried, 1);
        if (value > best) [best, placing] = [value, tried];
      }
    if (best > before) continue;
    steps = steps.map((step) => step / 2);
    halving++;
  }
  return best;
}

/** Normalised cross-correlation of the middle of `a` with `b` laid on it, at every `stride`-th pixel. */
function correlation(a: FaceDetail, b: FaceDetail, [dx, dy, scale, turn]: Placing, stride: number): number {
  const middle = (SIDE - 1) / 2;
  const [cos, sin] = [Math.exp(scale) * Math.cos(turn), Math.exp(scale) * Math.sin(turn)];
  let [n, sumA, sumB, squaresA, squaresB, both] = [0, 0, 0, 0, 0, 0];
  for (let y = MARGIN; y < SIDE - MARGIN; y += stride)
    for (let x = MARGIN; x < SIDE - MARGIN; x += stride) {
      const px = middle + dx + cos * (x - middle) - sin * (y - middle);
      const py = middle + dy + sin * (x - middle) + cos * (y - middle);
      const u = Math.min(SIDE - 1.001, Math.max(0, px));
      const v = Math.min(SIDE - 1.001, Math.max(0, py));
      const [left, top] = [Math.floor(u), Math.floor(v)];
      const [fx, fy] = [u - left, v - top];
      const at = top * SIDE + left;
      const above = b[at]! + fx * (b[at + 1]! - b[at]!);
      const below = b[at + SIDE]! + fx * (b[at + SIDE + 1]! - b[at + SIDE]!);
      const [p, q] = [a[y * SIDE + x]!, above + fy * (below - above)];
      n++;
      sumA += p;
      sumB += q;
      squaresA += p * p;
      squaresB += q * q;
      both += p * q;
    }
  const spread = (squaresA - sumA ** 2 / n) * (squaresB - sumB ** 2 / n);
  return spread > 1e-9 ? (both - (sumA * sumB) / n) / Math.sqrt(spread) : 0;
}

function mirrored(detail: FaceDetail): FaceDetail {
  return detail.map((_, i) => detail[i - (i % SIDE) + (SIDE - 1 - (i % SIDE))]!);
}

/** Convolution with a Gaussian, along rows and then along columns; the outermost pixels are repeated. */
function blurred(image: Float32Array, deviation: number): Float32Array {
  const reach = Math.ceil(4 * deviation);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const inside = (place: number) => Math.min(SIDE - 1, Math.max(0, place));
  const along = (from: Float32Array, at: (line: number, place: number) => number) => {
    const out = new Float32Array(SIDE * SIDE);
    for (let line = 0; line < SIDE; line++)
      for (let place = 0; place < SIDE; place++) {
        let sum = 0;
        weights.forEach((weight, i) => {
          sum += weight * from[at(line, inside(place + i - reach))]!;
        });
        out[at(line, place)] = sum / total;
      }
    return out;
  };
  const rows = along(image, (line, place) => line * SIDE + place);
  return along(rows, (line, place) => place * SIDE + line);
}
