// From an image file to the bytes a network sees: decoded to 8-bit colour, brought to the input's size by one
// stated rule, channels in the order asked for. The decoding is deterministic: one thread an image, no cache,
// no shrinking while a JPEG is read, so that a streamed image equals one decoded beforehand.
import sharp, { type Sharp } from 'sharp';
import { UserError } from '../common/errors.js';
import { readWhole } from '../common/files.js';
import { plainJpegSize } from './jpeg-size.js';
import { isPortableMap, readPortableMap } from './pgm.js';

// Faces are small: threads are better spent on several images at once than inside one.
sharp.concurrency(1);
sharp.cache(false);

/** The order of the colour channels in memory; the SphereFace line (Caffe, OpenCV) uses 'bgr'. */
export type ChannelOrder = 'bgr' | 'rgb';

export interface DecodeOptions {
  /** [height, width] of the network's input, in pixels. */
  size: readonly [number, number];
  order: ChannelOrder;
}

/** File endings that are taken for images, in the order in which they are looked for. */
export const imageExtensions = [
  ...(['.jpg', '.jpeg', '.png', '.webp', '.pgm', '.ppm', '.pnm'] as const),
  ...(['.tif', '.tiff', '.gif', '.avif'] as const),
];

/** The same in words, for messages. */
export const IMAGE_FORMATS = 'JPEG, PNG, WebP, TIFF, GIF, AVIF, PGM or PPM';

/** Whether the file's name ends as an image's does (any letter case). */
export function isImageName(name: string): boolean {
  return imageExtensions.some((extension) => name.toLowerCase().endsWith(extension));
}

/** An image longer than this many times its other side is not a face, and would need a huge scaled copy. */
const longestAspect = 16;

/** Where the input's window lies in an image, by the rule of {@link decodeFace}. */
export interface Window {
  /** Size of the whole image after scaling; equal to its own size when nothing is scaled. */
  width: number;
  height: number;
  /** Upper left corner of the window in the scaled image. */
  left: number;
  top: number;
}

/**
 * The window rule: the image is scaled by max(W/width, H/height), the least that covers the input of
 * [H, W], and the centre is kept (an odd pixel stays at the right or bottom). So a 112x112 face for a 112x96
 * input is its columns 8..103, not resampled.
 */
export function inputWindow(width: number, height: number, size: readonly [number, number]): Window {
  const [H, W] = size;
  const scale = Math.max(W / width, H / height);
  const scaledWidth = Math.max(W, Math.round(width * scale));
  const scaledHeight = Math.max(H, Math.round(height * scale));
  return {
    width: scaledWidth,
    height: scaledHeight,
    left: Math.floor((scaledWidth - W) / 2),
    top: Math.floor((scaledHeight - H) / 2),
  };
}

/**
 * The first line of a library's message, without the name of the part that complains. On a second thread the
 * library may lose what it had to say.
 */
export function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const lines = message.split('\n').map((line) => line.trim());
  const first = lines.find((line) => line !== '' && line !== 'Unknown error');
  return (first ?? 'cannot be decoded: cut off or damaged').replace(/^(Input buffer|VipsJpeg): /, '');
}

/** Decodes an image held in memory; `name` is only for messages. See {@link decodeFace}. */
export async function decodeBytes(
  bytes: Uint8Array,
  name: string,
  options: DecodeOptions,
): Promise<Uint8Array> {
  if (bytes.length === 0) throw new UserError(`${name}: the file is empty`);
  try {
    return await decode(bytes, options);
  } catch (error) {
    throw new UserError(`${name}: ${reason(error)}`);
  }
}

async function decode(bytes: Uint8Array, { size, order }: DecodeOptions): Promise<Uint8Array> {
  let image: Sharp;
  let width: number;
  let height: number;
  if (isPortableMap(bytes)) {
    const raw = readPortableMap(bytes);
    ({ width, height } = raw);
    image = sharp(raw.data, { raw: { width, height, channels: raw.channels } });
  } else {
    // 'error' lets harmless oddities of real JPEG files pass and refuses truncated ones.
    image = sharp(bytes, { failOn: 'error' });
    const plain = plainJpegSize(bytes);
    if (plain) ({ width, height } = plain);
    else {
      const metadata = await image.metadata();
      ({ width, height } = metadata.autoOrient);
      image = image.autoOrient();
      if (metadata.hasAlpha) image = image.flatten({ background: '#000000' });
    }
  }
  if (Math.max(width, height) > longestAspect * Math.min(width, height))
    throw new UserError(`${width}x${height} is too narrow to be a face`);
  const [H, W] = size;
  const window = inputWindow(width, height, size);
  if (window.width !== width || window.height !== height)
    image = image.resize({
      width: window.width,
      height: window.height,
      fit: 'fill',
      kernel: 'cubic',
      fastShrinkOnLoad: false,
    });
  if (window.width !== W || window.height !== H)
    image = image.extract({ left: window.left, top: window.top, width: W, height: H });
  const { data, info } = await image
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.width !== W || info.height !== H)
    throw new UserError(`decoded to ${info.width}x${info.height} instead of ${W}x${H}`);
  return toColour(data, info.channels, order);
}

/** Interleaved samples of any channel count to [H, W, 3] in the order asked for; grey is repeated. */
function toColour(data: Uint8Array, channels: number, order: ChannelOrder): Uint8Array {
  if (channels === 3 && order === 'rgb') return new Uint8Array(data.buffer, data.byteOffset, data.length);
  const pixels = data.length / channels;
  const colour = new Uint8Array(pixels * 3);
  const first = channels < 3 ? 0 : order === 'rgb' ? 0 : 2;
  const middle = channels < 3 ? 0 : 1;
  const last = channels < 3 ? 0 : 2 - first;
  for (let i = 0, from = 0, to = 0; i < pixels; i++, from += channels, to += 3) {
    colour[to] = data[from + first]!;
    colour[to + 1] = data[from + middle]!;
    colour[to + 2] = data[from + last]!;
  }
  return colour;
}

/**
 * Decodes the face image at `path` (JPEG, PNG, WebP, TIFF, GIF, AVIF, PGM or PPM) to bytes [H, W, 3], values 0..255, channels
 * in the order asked for.
 *
 * The orientation note of a photograph is obeyed; transparency is laid on black; grey, 16-bit and CMYK images
 * become 8-bit sRGB. An image of exactly the input's size is used as it is; any other is scaled so that it just
 * covers the input, keeping its aspect, and cropped about its centre (see {@link inputWindow}).
 *
 * Throws a UserError that names the file when it is missing, empty, truncated or not an image.
 */
export async function decodeFace(path: string, options: DecodeOptions): Promise<Uint8Array> {
  return decodeBytes(await readWhole(path), path, options);
}
