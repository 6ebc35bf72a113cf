// From the bytes of an examined image (image-limits.ts) to 8-bit pixels, in whichever process this runs. The decoding
// is deterministic: one thread an image, no cache, so that a streamed image equals one decoded beforehand.
import type { Sharp } from 'sharp';
import { UserError } from '../common/errors.js';
import { IMAGE_FORMATS } from './image-kind.js';
import sharp from './image-library.js';
import { type ExaminedImage, inMillions, requireSize } from './image-limits.js';
import { hasAllBlocks } from './jpeg-blocks.js';
import { type RawImage, readPortableMap } from './pgm.js';

/** The order of the colour channels in memory; the SphereFace line (Caffe, OpenCV) uses 'bgr'. */
export type ChannelOrder = 'bgr' | 'rgb';

export interface DecodeOptions {
  /** [height, width] of the network's input, in pixels. */
  size: readonly [number, number];
  order: ChannelOrder;
}

/** Pixels of a photograph, [height, width, 3] RGB, 0..255. */
export interface Photograph {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  /** How many pixels of the upright original one pixel here stands for along each axis; 1 unless it was shrunk. */
  readonly scale: number;
}

/** What is wanted of an image. */
export type ImageTask =
  /** The whole picture, shrunk to `maxPixels`. */
  | { readonly kind: 'photograph'; readonly maxPixels: number }
  /** The window of a network's input. */
  | { readonly kind: 'face'; readonly options: DecodeOptions }
  /** Nothing but its size as stored. */
  | { readonly kind: 'size' };

export interface ImageResult {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3]; absent for a size. */
  readonly pixels?: Uint8Array;
  readonly scale?: number;
}

/** An image longer than this many times its other side is not a face, and would need a huge scaled copy. */
const LONGEST_FACE = 16;

/** Where the input's window lies in an image, by the rule of `decodeFace`. */
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

/** Does `task` with an image, in this process. Throws a UserError, without the image's name, for a damaged one. */
export async function decodeHere(image: ExaminedImage, task: ImageTask): Promise<ImageResult> {
  try {
    return await decodeAs(image, task, 'error');
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw inWords(error, image);
  }
}

async function decodeAs(image: ExaminedImage, task: ImageTask, failOn: 'error'): Promise<ImageResult> {
  if (image.kind !== 'jpeg') return decode(image, task, failOn);
  try {
    return await decode(image, task, 'warning');
  } catch (error) {
    // libjpeg warns both about missing data, which it fills up with grey, and about harmless oddities.
    if (error instanceof UserError || !hasAllBlocks(image.bytes)) throw error;
    return decode(image, task, failOn);
  }
}

/** What the library says, as a user needs it. On a second thread it may lose what it had to say. */
function inWords(error: unknown, { pixels }: ExaminedImage): UserError {
  const message = error instanceof Error ? error.message : String(error);
  if (/exceeds pixel limit/.test(message))
    return new UserError(
      `more than ${inMillions(pixels)} million pixels are not decoded; make a smaller copy of it`,
      { code: 'limit' },
    );
  if (/unsupported image format/.test(message))
    return new UserError(`is not an image of a format that is read (${IMAGE_FORMATS})`);
  if (DAMAGED.test(message)) return new UserError('is cut off or damaged');
  const line = message
    .split('\n')
    .map((part) => part.trim().replace(/^(Input buffer |\w+: )+/, ''))
    .find((part) => part !== '');
  return new UserError(`is damaged, or of a variant that is not read (${line})`);
}

const DAMAGED =
  /cut off|premature end|truncated|corrupt|damaged|read error|unable to parse|Unknown error|^\s*$/i;

/** An opened image: upright size, and whether it is known that nothing turns it or shines through it. */
interface Opened {
  image: Sharp;
  width: number;
  height: number;
}

function openRaw({ data, width, height, channels }: RawImage): Opened {
  return { image: sharp(data, { raw: { width, height, channels } }), width, height };
}

async function open(examined: ExaminedImage, failOn: 'error' | 'warning'): Promise<Opened> {
  const { bytes, kind, pixels, plainSize } = examined;
  if (kind === 'portable') return openRaw(readPortableMap(bytes));
  const image = sharp(bytes, { failOn, limitInputPixels: pixels, sequentialRead: true });
  if (plainSize) return { image, ...plainSize };
  const { autoOrient, hasAlpha } = await image.metadata();
  requireSize(autoOrient.width, autoOrient.height, pixels);
  const upright = image.autoOrient();
  return { image: hasAlpha ? upright.flatten({ background: '#000000' }) : upright, ...autoOrient };
}

async function decode(
  examined: ExaminedImage,
  task: ImageTask,
  failOn: 'error' | 'warning',
): Promise<ImageResult> {
  switch (task.kind) {
    case 'photograph':
      return photograph(await open(examined, failOn), task.maxPixels);
    case 'face':
      return face(await open(examined, failOn), task.options);
    case 'size':
      return storedSize(examined);
  }
}

async function storedSize({ bytes, kind, pixels, plainSize }: ExaminedImage): Promise<ImageResult> {
  if (kind === 'portable') return readPortableMap(bytes);
  const { width, height } = plainSize ?? (await sharp(bytes, { limitInputPixels: pixels }).metadata());
  requireSize(width, height, pixels);
  return { width, height };
}

async function photograph({ image, width, height }: Opened, maxPixels: number): Promise<ImageResult> {
  const shrink = Math.sqrt(Math.max(1, (width * height) / maxPixels));
  const sized =
    shrink > 1
      ? image.resize({
          width: Math.max(1, Math.round(width / shrink)),
          height: Math.max(1, Math.round(height / shrink)),
          fit: 'fill',
        })
      : image;
  const { data, info } = await toPixels(sized);
  return {
    width: info.width,
    height: info.height,
    pixels: toColour(data, info.channels, 'rgb'),
    // By the longer side, of which rounding to whole pixels is the smaller part.
    scale: Math.max(width, height) / Math.max(info.width, info.height),
  };
}

async function face(opened: Opened, { size, order }: DecodeOptions): Promise<ImageResult> {
  const { width, height } = opened;
  let { image } = opened;
  if (Math.max(width, height) > LONGEST_FACE * Math.min(width, height))
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
  const { data, info } = await toPixels(image);
  if (info.width !== W || info.height !== H)
    throw new UserError(`decoded to ${info.width}x${info.height} instead of ${W}x${H}`);
  return { width: W, height: H, pixels: toColour(data, info.channels, order) };
}

const toPixels = (image: Sharp) =>
  image.toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });

/** Interleaved samples of any channel count to [H, W, 3] in the order asked for; grey is repeated. */
function toColour(data: Uint8Array, channels: number, order: ChannelOrder): Uint8Array {
  if (channels === 3)
    return order === 'rgb' ? new Uint8Array(data.buffer, data.byteOffset, data.length) : reversed(data);
  const pixels = data.length / channels;
  const colour = new Uint8Array(pixels * 3);
  const [middle, last] = channels < 3 ? [0, 0] : [1, 2];
  for (let i = 0, from = 0, to = 0; i < pixels; i++, from += channels, to += 3) {
    colour[to] = data[from]!;
    colour[to + 1] = data[from + middle]!;
    colour[to + 2] = data[from + last]!;
  }
  return order === 'rgb' ? colour : reversed(colour);
}

/** [H, W, 3] with the first and the last channel exchanged. */
function reversed(data: Uint8Array): Uint8Array {
  const colour = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    colour[i] = data[i + 2]!;
    colour[i + 1] = data[i + 1]!;
    colour[i + 2] = data[i]!;
  }
  return colour;
}
