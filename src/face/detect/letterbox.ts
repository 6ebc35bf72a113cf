// A photograph as a network's input planes: resized to fit a canvas, laid at its upper left corner, the rest black.
// Shrinking takes the mean of the area below each pixel, enlarging is bilinear, both as two passes over one axis.
import type { Photograph } from '../../data/index.js';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Where a photograph lies on a canvas: its upper left `content` pixels. */
export interface Fit {
  readonly canvas: Size;
  readonly content: Size;
}

/** How bytes become a network's numbers: (byte - mean) * scale, planes in this order. */
export interface PlaneFormat {
  readonly order: 'rgb' | 'bgr';
  readonly mean: number;
  readonly scale: number;
}

const scaledSize = ({ width, height }: Size, scale: number): Size => ({
  width: Math.max(1, Math.round(width * scale)),
  height: Math.max(1, Math.round(height * scale)),
});

/** As large as fits a canvas of a given size, sides in proportion; never more than `most` times as large. */
export function fitInto(canvas: Size, photograph: Size, most = Number.POSITIVE_INFINITY): Fit {
  const scale = Math.min(canvas.width / photograph.width, canvas.height / photograph.height, most);
  return { canvas, content: scaledSize(photograph, scale) };
}

/** `scale` times as large, on the least canvas whose sides are multiples of `multiple`. */
export function fitScaled(scale: number, multiple: number, photograph: Size): Fit {
  const content = scaledSize(photograph, scale);
  const up = (n: number) => Math.ceil(n / multiple) * multiple;
  return { content, canvas: { width: up(content.width), height: up(content.height) } };
}

/** The canvas as planes [3, height, width]. */
export function letterbox(
  photograph: Pick<Photograph, 'width' | 'height' | 'pixels'>,
  { canvas, content }: Fit,
  { order, mean, scale }: PlaneFormat,
): Float32Array {
  const plane = canvas.width * canvas.height;
  const planes = new Float32Array(3 * plane).fill(-mean * scale);
  const columns = taps(photograph.width, content.width);
  const rows = taps(photograph.height, content.height);
  const narrow = acrossRows(photograph, columns);
  const stride = content.width * 3;
  const mixed = new Float32Array(stride);
  const [red, blue] = order === 'rgb' ? [0, 2 * plane] : [2 * plane, 0];
  for (let y = 0; y < content.height; y++) {
    const line = mix(narrow, rows, y, mixed);
    for (let x = 0, i = 0, to = y * canvas.width; x < content.width; x++, i += 3, to++) {
      planes[to + red] = (line[i]! - mean) * scale;
      planes[to + plane] = (line[i + 1]! - mean) * scale;
      planes[to + blue] = (line[i + 2]! - mean) * scale;
    }
  }
  return planes;
}

/** Row y of the result: one of the rows as it is, or a weighted mean of several, written to `into`. */
function mix(
  rows: Float32Array | Uint8Array,
  { first, start, weight }: Taps,
  y: number,
  into: Float32Array,
): Float32Array | Uint8Array {
  const count = start[y + 1]! - start[y]!;
  const from = first[y]! * into.length;
  if (count === 1) return rows.subarray(from, from + into.length);
  into.fill(0);
  for (let k = 0; k < count; k++) {
    const share = weight[start[y]! + k]!;
    const at = from + k * into.length;
    for (let i = 0; i < into.length; i++) into[i]! += share * rows[at + i]!;
  }
  return into;
}

/** Rows resized along x: [height, columns, 3]. */
function acrossRows(
  { width, height, pixels }: Pick<Photograph, 'width' | 'height' | 'pixels'>,
  { first, start, weight }: Taps,
): Float32Array | Uint8Array {
  const count = first.length;
  if (count === width) return pixels;
  const rows = new Float32Array(height * count * 3);
  for (let y = 0, to = 0; y < height; y++) {
    const row = y * width;
    for (let x = 0; x < count; x++, to += 3) {
      let [r, g, b] = [0, 0, 0];
      for (let k = start[x]!, from = (row + first[x]!) * 3; k < start[x + 1]!; k++, from += 3) {
        const w = weight[k]!;
        r += w * pixels[from]!;
        g += w * pixels[from + 1]!;
        b += w * pixels[from + 2]!;
      }
      rows[to] = r;
      rows[to + 1] = g;
      rows[to + 2] = b;
    }
  }
  return rows;
}

/** What each pixel along an axis is a mean of: weights [start[i], start[i + 1]) for the pixels from first[i] on. */
interface Taps {
  readonly first: Int32Array;
  readonly start: Int32Array;
  readonly weight: Float32Array;
}

function taps(from: number, to: number): Taps {
  const ratio = from / to;
  const first = new Int32Array(to);
  const start = new Int32Array(to + 1);
  const weight: number[] = [];
  for (let i = 0; i < to; i++) {
    if (ratio >= 1) {
      const [low, high] = [i * ratio, Math.min((i + 1) * ratio, from)];
      first[i] = Math.floor(low);
      for (let p = Math.floor(low); p < high; p++)
        weight.push((Math.min(p + 1, high) - Math.max(p, low)) / (high - low));
    } else {
      const centre = Math.min(Math.max((i + 0.5) * ratio - 0.5, 0), from - 1);
      first[i] = Math.floor(centre);
      const share = centre - Math.floor(centre);
      weight.push(1 - share);
      if (share > 0) weight.push(share);
    }
    start[i + 1] = weight.length;
  }
  return { first, start, weight: Float32Array.from(weight) };
}
