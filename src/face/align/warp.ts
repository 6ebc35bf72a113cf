// Resampling by a transform: for every pixel of the result the place in the photograph is computed and the four
// pixels around it are blended (inverse mapping, bilinear), as imtransform, OpenCV and scikit-image do.
import type { Photograph } from '../../data/index.js';
import { invert, scaleOf, type Transform } from './similarity.js';

export interface WarpOptions {
  /** Pixels of the result. */
  readonly width: number;
  readonly height: number;
  /** What lies beyond the photograph: black (the default), or its outermost pixels repeated. */
  readonly border?: 'black' | 'replicate';
  /**
   * Where the result is much smaller, the four nearest pixels are a poor account of those it stands for. With
   * 'area' (the default) a pixel is the mean of n x n samples two pixels of the photograph apart, as far as each
   * blends: n is half of how many times smaller the result is, rounded, so that up to 3 times smaller nothing
   * changes. 'none' always takes one sample, as the published pipelines do.
   */
  readonly antialias?: 'area' | 'none';
}

/** More samples than this a side change nothing that is seen. */
const MOST_SAMPLES = 16;

/**
 * The photograph carried by `transform` (from its pixels to those of the result) into an image of
 * [height, width, 3] RGB bytes, rounded to nearest. Pixel centres lie at whole numbers.
 */
export function warp(
  photograph: Pick<Photograph, 'width' | 'height' | 'pixels'>,
  transform: Transform,
  { width, height, border = 'black', antialias = 'area' }: WarpOptions,
): Uint8Array {
  const back = invert(transform);
  const times = antialias === 'none' ? 1 : Math.round(scaleOf(back) / 2);
  const samples = Math.min(Math.max(times, 1), MOST_SAMPLES);
  const sums = new Float64Array(width * 3);
  const result = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    sums.fill(0.5 * samples ** 2);
    for (let i = 0; i < samples; i++) {
      const sampleY = y + (i + 0.5) / samples - 0.5;
      for (let j = 0; j < samples; j++)
        addRow(photograph, back, (j + 0.5) / samples - 0.5, sampleY, sums, border);
    }
    const share = 1 / samples ** 2;
    for (let i = 0, to = y * width * 3; i < sums.length; i++, to++) result[to] = sums[i]! * share;
  }
  return result;
}

/** Adds to a row of sums what lies at (firstX, y), (firstX + 1, y), ... of the result. */
function addRow(
  { width, height, pixels }: Pick<Photograph, 'width' | 'height' | 'pixels'>,
  [a, b, c, d, e, f]: Transform,
  firstX: number,
  y: number,
  sums: Float64Array,
  border: 'black' | 'replicate',
): void {
  const startX = a * firstX + b * y + c;
  const startY = d * firstX + e * y + f;
  const [lastX, lastY, stride] = [width - 1, height - 1, width * 3];
  for (let i = 0, to = 0; to < sums.length; i++, to += 3) {
    const px = startX + a * i;
    const py = startY + d * i;
    if (px >= 0 && py >= 0 && px < lastX && py < lastY) {
      // px and py are not negative here, so that cutting off is rounding down.
      const left = px | 0;
      const top = py | 0;
      const right = px - left;
      const low = py - top;
      const w00 = (1 - right) * (1 - low);
      const w01 = right * (1 - low);
      const w10 = (1 - right) * low;
      const w11 = right * low;
      const at = top * stride + left * 3;
      const below = at + stride;
      sums[to]! +=
        w00 * pixels[at]! + w01 * pixels[at + 3]! + w10 * pixels[below]! + w11 * pixels[below + 3]!;
      sums[to + 1]! +=
        w00 * pixels[at + 1]! + w01 * pixels[at + 4]! + w10 * pixels[below + 1]! + w11 * pixels[below + 4]!;
      sums[to + 2]! +=
        w00 * pixels[at + 2]! + w01 * pixels[at + 5]! + w10 * pixels[below + 2]! + w11 * pixels[below + 5]!;
      continue;
    }
    const x0 = Math.floor(px);
    const y0 = Math.floor(py);
    for (let corner = 0; corner < 4; corner++) {
      let x = x0 + (corner & 1);
      let yy = y0 + (corner >> 1);
      const weight = (corner & 1 ? px - x0 : 1 - px + x0) * (corner >> 1 ? py - y0 : 1 - py + y0);
      if (border === 'replicate') {
        x = Math.min(Math.max(x, 0), lastX);
        yy = Math.min(Math.max(yy, 0), lastY);
      } else if (x < 0 || yy < 0 || x > lastX || yy > lastY) continue;
      const at = yy * stride + x * 3;
      for (let plane = 0; plane < 3; plane++) sums[to + plane]! += weight * pixels[at + plane]!;
    }
  }
}
