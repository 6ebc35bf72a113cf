// From an image file to the bytes a network sees: decoded to 8-bit colour, brought to the input's size by one stated
// rule, channels in the order asked for.
import { UserError } from '../common/errors.js';
import { type DecodeOptions, decodeHere, type ImageResult, type ImageTask } from './image-decode.js';
import { readImageFile } from './image-file.js';
import { examine } from './image-limits.js';
import { decodeIsolated } from './isolated-decoder.js';

export { type ChannelOrder, type DecodeOptions, inputWindow, type Window } from './image-decode.js';
export { IMAGE_FORMATS } from './image-kind.js';

/** File endings that are taken for images, in the order in which they are looked for. */
export const imageExtensions = [
  ...(['.jpg', '.jpeg', '.png', '.webp', '.pgm', '.ppm', '.pnm'] as const),
  ...(['.tif', '.tiff', '.gif', '.avif'] as const),
];

/** Whether the file's name ends as an image's does (any letter case). */
export function isImageName(name: string): boolean {
  return imageExtensions.some((extension) => name.toLowerCase().endsWith(extension));
}

/** Pixels of an image of a face: far more than any network sees. */
const MOST_FACE_PIXELS = 64e6;

/**
 * Does `task` with an image held in memory, where its format and size allow it (image-limits.ts). Throws a UserError
 * that begins with `name`.
 */
export async function decodeImageBytes(
  bytes: Uint8Array,
  name: string,
  task: ImageTask,
): Promise<ImageResult> {
  try {
    const image = examine(bytes, task.kind === 'face' ? MOST_FACE_PIXELS : undefined);
    return await (image.isolated ? decodeIsolated(image, task) : decodeHere(image, task));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${name}: ${error.message}`, { cause: error });
  }
}

/** Decodes an image held in memory; `name` is only for messages. See {@link decodeFace}. */
export async function decodeBytes(
  bytes: Uint8Array,
  name: string,
  options: DecodeOptions,
): Promise<Uint8Array> {
  return (await decodeImageBytes(bytes, name, { kind: 'face', options })).pixels!;
}

/**
 * Decodes the face image at `path` (JPEG, PNG, WebP, TIFF, GIF, AVIF, PGM or PPM) to bytes [H, W, 3], values 0..255,
 * channels in the order asked for.
 *
 * The orientation note of a photograph is obeyed; transparency is laid on black; grey, 16-bit and CMYK images
 * become 8-bit sRGB. An image of exactly the input's size is used as it is; any other is scaled so that it just
 * covers the input, keeping its aspect, and cropped about its centre (see {@link inputWindow}).
 *
 * Throws a UserError that names the file when it is missing, empty, truncated, beyond the limits or not an image.
 */
export async function decodeFace(path: string, options: DecodeOptions): Promise<Uint8Array> {
  return decodeBytes(await readImageFile(path), path, options);
}
