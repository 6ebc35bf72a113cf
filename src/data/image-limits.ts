// What a file may ask of a decoder, decided from its first bytes before a decoder sees any. A few bytes can announce
// any number of pixels, and the formats differ in what that costs: plain JPEG and PNG files are bounded by their
// headers, which are read here, and are decoded in this process; everything else is decoded in a process of its own
// that is ended when it takes too long or too much (isolated-decoder.ts).
import { UserError } from '../common/errors.js';
import { type ImageKind, imageKind, refusal } from './image-kind.js';
import { readJpegHeader } from './jpeg-header.js';
import { readPngHeader, withoutTexts } from './png-header.js';

/** An image file in memory, and what may be done with it. */
export interface ExaminedImage {
  readonly bytes: Uint8Array;
  readonly kind: ImageKind;
  /** The decoder refuses a picture of more pixels than this. */
  readonly pixels: number;
  /** Whether it is decoded in a process of its own. */
  readonly isolated: boolean;
  /** Size in pixels where the file is known to be upright and opaque: the decoder need not be asked. */
  readonly plainSize?: { readonly width: number; readonly height: number };
}

/** Bytes of an image file; the largest photographs of telephones have a tenth. */
export const MOST_IMAGE_BYTES = 2 ** 29;
/** Pixels of a sequential JPEG: it is read row by row and shrunk while it is (telephones take 200 million). */
const MOST_JPEG_PIXELS = 2 ** 28;
/** Pixels of any other file: an interlaced PNG or a progressive JPEG is held in memory whole. */
const MOST_PIXELS = 1e8;
/** Pixels along one side, JPEG's own limit. */
const MOST_SIDE = 65_535;
/** How many times as long as the other a side may be. */
const MOST_ASPECT = 100;

/** Bytes of texts with which a PNG is decoded: unpacked they are a thousand times as long. */
const MOST_TEXTS = 16e3;

/** Beyond these a JPEG or a PNG is decoded in a process of its own, where the cost of starting one does not matter. */
const HERE = {
  /** Pixels of a sequential JPEG. */
  jpeg: 64e6,
  /** Pixels of a JPEG of several scans, which is held in memory whole, and pixels times scans. */
  scanned: 32e6,
  passes: 500e6,
  /** Unpacked bytes of a PNG read row by row, and of an interlaced one. */
  png: 128e6,
  interlaced: 64e6,
  /** Bytes of colour profiles, which a PNG has packed. */
  profile: 1e6,
  packedProfile: 64e3,
} as const;

/**
 * Decides about the bytes of an image file. Throws a UserError for what is no image of a format that is read, for
 * data too short to hold the picture, and for pictures beyond the limits; `mostPixels` lowers that of pixels.
 */
export function examine(bytes: Uint8Array, mostPixels = Number.POSITIVE_INFINITY): ExaminedImage {
  if (bytes.length === 0) throw new UserError('the file is empty');
  const kind = imageKind(bytes);
  if (!kind) throw new UserError(refusal(bytes));
  const isolated = { bytes, kind, pixels: Math.min(MOST_PIXELS, mostPixels), isolated: true };
  if (kind === 'jpeg') {
    const { width, height, scans, mayTurn, profile } = readJpegHeader(bytes);
    const pixels = width * height;
    requireSize(width, height, Math.min(scans === 1 ? MOST_JPEG_PIXELS : MOST_PIXELS, mostPixels));
    const small = scans === 1 ? pixels <= HERE.jpeg : pixels <= HERE.scanned && pixels * scans <= HERE.passes;
    const plainSize = mayTurn ? {} : { plainSize: { width, height } };
    return { bytes, kind, pixels, isolated: !small || profile > HERE.profile, ...plainSize };
  }
  if (kind === 'png') {
    const { width, height, unpacked, interlaced, profile, texts } = readPngHeader(bytes);
    requireSize(width, height, isolated.pixels);
    const small = unpacked <= (interlaced ? HERE.interlaced : HERE.png) && profile <= HERE.packedProfile;
    const needed = texts > MOST_TEXTS ? withoutTexts(bytes) : bytes;
    return { bytes: needed, kind, pixels: width * height, isolated: !small };
  }
  // A portable map has all of its pixels in the file, and is read by code of ours.
  if (kind === 'portable') return { ...isolated, isolated: false };
  return isolated;
}

/** Throws a UserError for a picture of too many pixels or too narrow a one. */
export function requireSize(width: number, height: number, mostPixels: number): void {
  if (width * height > mostPixels)
    throw new UserError(
      `${width}x${height} pixels: more than ${inMillions(mostPixels)} million are not decoded; make a smaller copy of it`,
      { code: 'limit' },
    );
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  if (long > MOST_SIDE || long > MOST_ASPECT * short)
    throw new UserError(
      `${width}x${height} pixels: a side of more than ${MOST_SIDE}, or more than ${MOST_ASPECT} times the other, is not decoded`,
      { code: 'limit' },
    );
}

export const inMillions = (pixels: number) => Math.floor(pixels / 1e6);
