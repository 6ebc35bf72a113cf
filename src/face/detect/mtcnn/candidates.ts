// Windows that may hold a face, and what happens to them between the networks: where P-Net saw them, shifted edges,
// squares, whole pixels. Formulas as in the released code, which counts pixels from 1 and includes the last:
// its box x1..x2 is x = x1 - 1 and width = x2 - x1 + 1 here.
import type { Box } from '../detection.js';

/** Shifts of left, top, right and bottom edge, in widths and heights of the box. */
export type Shifts = readonly [left: number, top: number, right: number, bottom: number];

/** A window with what a network said of it. */
export interface Candidate {
  readonly box: Box;
  /** The probability that it is a face. */
  readonly score: number;
  readonly shifts: Shifts;
}

/** P-Net sees windows of 12 pixels at every second pixel. */
export const CELL = 12;
export const STRIDE = 2;

/**
 * The factors by which an image of height x width pixels is shrunk for P-Net: the first makes `minFace` pixels a
 * window of 12, each further one is `factor` times the one before, until the shorter side is below 12.
 */
export function pyramidScales(height: number, width: number, minFace: number, factor: number): number[] {
  const scales: number[] = [];
  const side = Math.min(height, width);
  for (let scale = CELL / minFace; side * scale >= CELL; scale *= factor) scales.push(scale);
  return scales;
}

/** Of the logits of no face and face, the probability of a face. */
export const faceProbability = (none: number, face: number): number => 1 / (1 + Math.exp(none - face));

/** What P-Net says of an image, or of its rows from `top` on: logits [2, rows, columns], shifts [4, rows, columns]. */
export interface WindowMap {
  readonly face: ArrayLike<number>;
  readonly box: ArrayLike<number>;
  readonly columns: number;
  readonly top: number;
}

/** The windows of a photograph, shrunk by `scale`, that P-Net takes for faces. */
export function pickWindows(
  { face, box, columns, top }: WindowMap,
  scale: number,
  threshold: number,
): Candidate[] {
  const count = face.length / 2;
  const candidates: Candidate[] = [];
  for (let i = 0; i < count; i++) {
    const score = faceProbability(face[i]!, face[i + count]!);
    if (score < threshold) continue;
    const [x, width] = span(STRIDE * (i % columns), scale);
    const [y, height] = span(top + STRIDE * Math.floor(i / columns), scale);
    candidates.push({ box: { x, y, width, height }, score, shifts: shiftsAt(box, i, count) });
  }
  return candidates;
}

/** Where P-Net's window from pixel `start` of the shrunk image on begins in the photograph, and its pixels there. */
function span(start: number, scale: number): [start: number, length: number] {
  const first = Math.floor((start + 1) / scale);
  const last = Math.floor((start + CELL) / scale);
  return [first - 1, last - first + 1];
}

/** Four shifts that lie `stride` apart from `at` on. */
export const shiftsAt = (data: ArrayLike<number>, at: number, stride = 1): Shifts => [
  data[at]!,
  data[at + stride]!,
  data[at + 2 * stride]!,
  data[at + 3 * stride]!,
];

/**
 * The box with its edges shifted. Shifts count in the box's width and height; `less` is taken off of these first:
 * the released code counts one pixel less behind P-Net than behind the others.
 */
export function shifted(box: Box, [left, top, right, bottom]: Shifts, less: 0 | 1 = 0): Box {
  const [width, height] = [box.width - less, box.height - less];
  return {
    x: box.x + left * width,
    y: box.y + top * height,
    width: box.width + (right - left) * width,
    height: box.height + (bottom - top) * height,
  };
}

/** The square about the box's centre whose sides are its longer one. */
export function squared({ x, y, width, height }: Box): Box {
  const side = Math.max(width, height);
  return { x: x + (width - side) / 2, y: y + (height - side) / 2, width: side, height: side };
}

/** The first and last pixel cut to whole numbers, counted from 1 and towards 0. */
export function wholePixels({ x, y, width, height }: Box): Box {
  const cut = (start: number, length: number): [number, number] => {
    const first = Math.trunc(start + 1);
    return [first - 1, Math.trunc(start + length) - first + 1];
  };
  const [left, across] = cut(x, width);
  const [top, down] = cut(y, height);
  return { x: left, y: top, width: across, height: down };
}
