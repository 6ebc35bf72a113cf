// Shrinking by area: every pixel of the result is the mean of the pixels below it, from a summed-area table (Crow
// 1984), which makes the cost of a window independent of its size. Bins begin and end at whole pixels and may share
// one, as in adaptive average pooling, the 'area' mode of PyTorch's interpolate.

/** Pixels [height, width, 3], 0..255. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** A window in whole pixels by its upper left corner; it may reach beyond the image. */
export interface Window {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Sums over all pixels above and to the left of each corner, of which any rectangle's sum is four terms. */
export interface AreaSums {
  readonly width: number;
  readonly height: number;
  /** [height + 1, width + 1, 3], modulo 2^32: a difference is right wherever the sum itself fits in 32 bits. */
  readonly sums: Int32Array;
}

/** The summed-area table of an image; it takes 12 bytes a pixel. */
export function areaSums({ width, height, pixels }: RgbImage): AreaSums {
  const row = 3 * (width + 1);
  const sums = new Int32Array(row * (height + 1));
  for (let y = 0, from = 0, to = row; y < height; y++) {
    let [red, green, blue] = [0, 0, 0];
    to += 3;
    for (let x = 0; x < width; x++, from += 3, to += 3) {
      red += pixels[from]!;
      green += pixels[from + 1]!;
      blue += pixels[from + 2]!;
      sums[to] = sums[to - row]! + red;
      sums[to + 1] = sums[to - row + 1]! + green;
      sums[to + 2] = sums[to - row + 2]! + blue;
    }
  }
  return { width, height, sums };
}

/** Where the bins of `count` results over `length` pixels from `start` on begin and end, cut at 0 and `limit`. */
function bins(start: number, length: number, count: number, limit: number, step: number) {
  const from = new Int32Array(count);
  const to = new Int32Array(count);
  const size = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const first = Math.floor((i * length) / count);
    const end = Math.ceil(((i + 1) * length) / count);
    size[i] = end - first;
    from[i] = step * Math.min(Math.max(start + first, 0), limit);
    to[i] = step * Math.min(Math.max(start + end, 0), limit);
  }
  return { from, to, size };
}

/**
 * The window's pixels at another size, as planes [3, height, width] of red, green and blue, 0..255, written to
 * `into` from `at` on. Pixels outside of the image are black. Bin i of m over n pixels is
 * [floor(i n / m), ceil((i + 1) n / m)), so that an enlarged image repeats pixels and blends some pairs.
 */
export function resample(
  { width, height, sums }: AreaSums,
  window: Window,
  size: { readonly width: number; readonly height: number },
  into: Float32Array = new Float32Array(3 * size.width * size.height),
  at = 0,
): Float32Array {
  const columns = bins(window.x, window.width, size.width, width, 3);
  const rows = bins(window.y, window.height, size.height, height, 3 * (width + 1));
  const plane = size.width * size.height;
  const { from: left, to: right, size: across } = columns;
  for (let j = 0, to = at; j < size.height; j++) {
    const [top, bottom, down] = [rows.from[j]!, rows.to[j]!, rows.size[j]!];
    for (let i = 0; i < size.width; i++, to++) {
      const [a, b] = [top + left[i]!, top + right[i]!];
      const [c, d] = [bottom + left[i]!, bottom + right[i]!];
      const share = 1 / (down * across[i]!);
      into[to] = ((sums[d]! - sums[b]! - sums[c]! + sums[a]!) >>> 0) * share;
      into[to + plane] = ((sums[d + 1]! - sums[b + 1]! - sums[c + 1]! + sums[a + 1]!) >>> 0) * share;
      into[to + 2 * plane] = ((sums[d + 2]! - sums[b + 2]! - sums[c + 2]! + sums[a + 2]!) >>> 0) * share;
    }
  }
  return into;
}
