// From a photograph's bytes to the planes that a network sees, in one pass: a square or oblong window of it, resized
// bilinearly, normalised, black where the window leaves the region that counts. Sample j lies at pixel j step of the
// window, as TensorFlow's resize_bilinear puts it (without half-pixel centres), which these networks were trained on.
import type { Photograph } from '../../../data/index.js';
import type { Box } from '../detection.js';

/** Pixels are written as (p - mean) scale. */
export interface Pixels {
  /** Of red, green and blue. */
  readonly mean: readonly number[];
  readonly scale: number;
}

/** What is resized: samples start at (x, y) of the photograph and lie `step` pixels apart. */
export interface Window {
  readonly x: number;
  readonly y: number;
  readonly step: number;
  /** Length of the window in pixels: its last pixel is repeated where a sample would lie beyond. */
  readonly side: number;
}

/** Where one image's planes are written. */
export interface Planes {
  readonly data: Float32Array;
  /** Index of the first value. */
  readonly offset: number;
  /** Samples that are written. */
  readonly width: number;
  readonly height: number;
  /** Values between rows, and between planes. */
  readonly rowStride: number;
  readonly planeStride: number;
}

/** Samples along one axis: two pixels each, and what they count; a pixel outside the region counts nothing. */
function axis(count: number, start: number, { step, side }: Window, from: number, to: number) {
  const pixels = [new Int32Array(count), new Int32Array(count)] as const;
  const weights = [new Float64Array(count), new Float64Array(count)] as const;
  for (let j = 0; j < count; j++) {
    const at = j * step;
    const first = Math.min(Math.floor(at), side - 1);
    const fraction = Math.min(at - first, 1);
    for (const [k, pixel] of [first, Math.min(first + 1, side - 1)].entries()) {
      const place = start + pixel;
      const inside = place >= from && place < to;
      pixels[k]![j] = inside ? place : from;
      weights[k]![j] = inside ? (k === 0 ? 1 - fraction : fraction) : 0;
    }
  }
  return { pixels, weights };
}

/** Writes the window of `photograph` to `planes`; `region`, of whole pixels inside the photograph, is what counts. */
export function resample(
  { width, pixels }: Pick<Photograph, 'width' | 'pixels'>,
  region: Box,
  window: Window,
  { mean, scale }: Pixels,
  planes: Planes,
): void {
  const across = axis(planes.width, window.x, window, region.x, region.x + region.width);
  const down = axis(planes.height, window.y, window, region.y, region.y + region.height);
  const left = across.pixels[0].map((x) => x * 3);
  const right = across.pixels[1].map((x) => x * 3);
  const [leftWeight, rightWeight] = across.weights;
  const { data, rowStride, planeStride } = planes;
  const [red, green, blue] = mean.map((m) => -m * scale) as [number, number, number];
  for (let j = 0; j < planes.height; j++) {
    const above = down.pixels[0][j]! * width * 3;
    const below = down.pixels[1][j]! * width * 3;
    const [aboveWeight, belowWeight] = [down.weights[0][j]! * scale, down.weights[1][j]! * scale];
    let to = planes.offset + j * rowStride;
    for (let i = 0; i < planes.width; i++, to++) {
      const [l, r] = [left[i]!, right[i]!];
      const [lw, rw] = [leftWeight[i]!, rightWeight[i]!];
      const [a, b, c, d] = [aboveWeight * lw, aboveWeight * rw, belowWeight * lw, belowWeight * rw];
      const [p, q, s, t] = [above + l, above + r, below + l, below + r];
      data[to] = a * pixels[p]! + b * pixels[q]! + c * pixels[s]! + d * pixels[t]! + red;
      data[to + planeStride] =
        a * pixels[p + 1]! + b * pixels[q + 1]! + c * pixels[s + 1]! + d * pixels[t + 1]! + green;
      data[to + 2 * planeStride] =
        a * pixels[p + 2]! + b * pixels[q + 2]! + c * pixels[s + 2]! + d * pixels[t + 2]! + blue;
    }
  }
}
