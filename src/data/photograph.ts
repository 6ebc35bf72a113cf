// A photograph as a detector sees it: upright, 8-bit RGB, whatever the file held. Unlike an aligned face it keeps
// its size, up to a limit of pixels beyond which it is shrunk while it is decoded.
import type { Photograph } from './image-decode.js';
import { readImageFile } from './image-file.js';
import { decodeImageBytes } from './images.js';

export type { Photograph } from './image-decode.js';

/** Photographs of more pixels than this are shrunk to it. */
const MAX_PIXELS = 16e6;

/**
 * Reads the photograph at `path` (JPEG, PNG, WebP, TIFF, GIF, AVIF, PGM or PPM). The orientation note is obeyed,
 * transparency is laid on black, and grey, CMYK and 16-bit images become 8-bit sRGB; of an animation the first
 * frame counts. Throws a UserError that names the file when it is missing, empty, cut off, beyond the limits
 * (image-limits.ts) or not an image.
 */
export async function readPhotograph(path: string, maxPixels = MAX_PIXELS): Promise<Photograph> {
  return decodePhotograph(await readImageFile(path), path, maxPixels);
}

/** Decodes a photograph held in memory; `name` is only for messages. See {@link readPhotograph}. */
export async function decodePhotograph(
  bytes: Uint8Array,
  name: string,
  maxPixels = MAX_PIXELS,
): Promise<Photograph> {
  const { width, height, pixels, scale } = await decodeImageBytes(bytes, name, {
    kind: 'photograph',
    maxPixels,
  });
  return { width, height, pixels: pixels!, scale: scale! };
}
