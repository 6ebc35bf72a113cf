// From the bytes of aligned faces to what a network sees: colour planes of floats, by the manifest's mean and
// scale, as they are or mirrored.
import type { Manifest } from '../models/manifest.js';

type Input = Manifest['input'];

/** For each colour plane the 256 values (p - mean) * scale. */
export function pixelTables({ mean, scale }: Pick<Input, 'mean' | 'scale'>): Float32Array[] {
  const of = (value: number | readonly number[], plane: number) =>
    typeof value === 'number' ? value : value[plane]!;
  return [0, 1, 2].map((plane) =>
    Float32Array.from({ length: 256 }, (_, p) => (p - of(mean, plane)) * of(scale, plane)),
  );
}

/**
 * Images of bytes [N, H, W, 3] as planes [N, 3, H, W]; with `mirror` every image is reversed from left to right.
 * The channels keep their order: the bytes are already in the manifest's.
 */
export function toPlanes(
  pixels: Uint8Array,
  { height, width }: Pick<Input, 'height' | 'width'>,
  tables: readonly Float32Array[],
  mirror: boolean,
): Float32Array {
  const planes = new Float32Array(pixels.length);
  const size = height * width * 3;
  const step = mirror ? -3 : 3;
  let to = 0;
  for (let image = 0; image < pixels.length; image += size) {
    for (let plane = 0; plane < 3; plane++) {
      const table = tables[plane]!;
      for (let y = 0; y < height; y++) {
        let from = image + (y * width + (mirror ? width - 1 : 0)) * 3 + plane;
        for (let x = 0; x < width; x++, from += step) planes[to++] = table[pixels[from]!]!;
      }
    }
  }
  return planes;
}

/** RGB bytes [..., 3] in this order of the channels; the same array where nothing changes. */
export function inChannelOrder(pixels: Uint8Array, order: Input['order']): Uint8Array {
  if (order === 'rgb') return pixels;
  const other = new Uint8Array(pixels.length);
  for (let i = 0; i < pixels.length; i += 3) {
    other[i] = pixels[i + 2]!;
    other[i + 1] = pixels[i + 1]!;
    other[i + 2] = pixels[i]!;
  }
  return other;
}
