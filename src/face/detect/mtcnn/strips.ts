// Images for P-Net in strips: caches hold a strip's activations, and memory does not grow with the photograph.
import { CELL, STRIDE } from './candidates.js';

/** Rows of an image, from `top` on. */
export interface Strip {
  readonly top: number;
  readonly height: number;
}

/**
 * An image of height x width in strips of about `pixels` pixels, each as far into the next as a window of P-Net
 * reaches, so that together they have the windows of the whole, each once and in order. Strips begin at multiples of
 * P-Net's stride. P-Net's pooling lets a last window lack one row, so images from 11 rows on have one.
 */
export function* strips(height: number, width: number, pixels: number): Generator<Strip> {
  const reach = CELL - STRIDE;
  const rows = STRIDE * Math.max(1, Math.floor((pixels / width - reach) / STRIDE));
  for (let top = 0; top + CELL - 1 <= height; top += rows) {
    const isLast = top + rows + CELL - 1 > height;
    yield { top, height: isLast ? height - top : rows + reach };
  }
}

/** The strip's rows of planes [3, height, width]. */
export function rowsOf(
  planes: Float32Array,
  { width, height }: { readonly width: number; readonly height: number },
  strip: Strip,
): Float32Array {
  if (strip.height === height) return planes;
  const data = new Float32Array(3 * strip.height * width);
  for (let c = 0; c < 3; c++) {
    const from = (c * height + strip.top) * width;
    data.set(planes.subarray(from, from + strip.height * width), c * strip.height * width);
  }
  return data;
}
