// A photograph as a detector sees it: upright, 8-bit RGB, whatever the file held. Unlike an aligned face it keeps
// its size, up to a limit of pixels beyond which it is shrunk while it is decoded.
import sharp from 'sharp';
import { UserError } from '../common/errors.js';
import { readWhole } from '../common/files.js';
import { IMAGE_FORMATS, reason } from './images.js';
import { isPortableMap, readPortableMap } from './pgm.js';

/** Pixels of a photograph, [height, width, 3] RGB, 0..255. */
export interface Photograph {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  /** How many pixels of the upright original one pixel here stands for along each axis; 1 unless it was shrunk. */
  readonly scale: number;
}

/** Photographs of more pixels than this are shrunk to it. */
const MAX_PIXELS = 16e6;
/** Files that claim more pixels than this are not decoded: 24 bits each are 3 GB. */
const REFUSED_PIXELS = 1e9;

/**
 * Reads the photograph at `path` (JPEG, PNG, WebP, TIFF, GIF, AVIF, PGM or PPM). The orientation note is obeyed,
 * transparency is laid on black, and grey, CMYK and 16-bit images become 8-bit sRGB; of an animation the first
 * frame counts. Throws a UserError that names the file when it is missing, empty, cut off or not an image.
 */
export async function readPhotograph(path: string, maxPixels = MAX_PIXELS): Promise<Photograph> {
  return decodePhotograph(await readWhole(path), path, maxPixels);
}

/** Decodes a photograph held in memory; `name` is only for messages. See {@link readPhotograph}. */
export async function decodePhotograph(
  bytes: Uint8Array,
  name: string,
  maxPixels = MAX_PIXELS,
): Promise<Photograph> {
  if (bytes.length === 0) throw new UserError(`${name}: the file is empty`);
  try {
    return await decode(bytes, maxPixels);
  } catch (error) {
    throw new UserError(`${name}: ${said(error)}`);
  }
}

/** What the image library says, where its words are not a user's. */
const WORDS: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/unsupported image format/, `not an image that can be read (${IMAGE_FORMATS})`],
  [
    /exceeds pixel limit/,
    `more than ${REFUSED_PIXELS / 1e6} million pixels are not decoded; make a smaller copy of it`,
  ],
  [/cut off|premature end|truncated|corrupt|read error|unable to parse/i, 'is cut off or damaged'],
];

function said(error: unknown): string {
  const message = reason(error);
  if (error instanceof UserError) return message;
  return WORDS.find(([pattern]) => pattern.test(message))?.[1] ?? message;
}

async function decode(bytes: Uint8Array, maxPixels: number): Promise<Photograph> {
  const portable = isPortableMap(bytes) ? readPortableMap(bytes) : undefined;
  let image = portable
    ? sharp(portable.data, {
        raw: { width: portable.width, height: portable.height, channels: portable.channels },
      })
    : sharp(bytes, { failOn: 'error', limitInputPixels: REFUSED_PIXELS, sequentialRead: true });
  const metadata = await image.metadata();
  const { width, height } = portable ?? metadata.autoOrient;
  const shrink = Math.sqrt(Math.max(1, (width * height) / maxPixels));
  if (!portable) image = image.autoOrient();
  if (shrink > 1)
    image = image.resize({
      width: Math.max(1, Math.round(width / shrink)),
      height: Math.max(1, Math.round(height / shrink)),
      fit: 'fill',
    });
  if (metadata.hasAlpha) image = image.flatten({ background: '#000000' });
  const { data, info } = await image
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return {
    width: info.width,
    height: info.height,
    pixels: colour(data, info.channels),
    // By the longer side, of which rounding to whole pixels is the smaller part.
    scale: Math.max(width, height) / Math.max(info.width, info.height),
  };
}

/** Interleaved samples of any number of channels as RGB; grey is repeated. */
function colour(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return new Uint8Array(data.buffer, data.byteOffset, data.length);
  const count = data.length / channels;
  const pixels = new Uint8Array(count * 3);
  const [green, blue] = channels > 2 ? [1, 2] : [0, 0];
  for (let i = 0, from = 0, to = 0; i < count; i++, from += channels, to += 3) {
    pixels[to] = data[from]!;
    pixels[to + 1] = data[from + green]!;
    pixels[to + 2] = data[from + blue]!;
  }
  return pixels;
}
