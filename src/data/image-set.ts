// A labelled set of equally large images, wherever its pixels lie: in memory, or decoded anew at every read.
// Pixels are bytes, channels interleaved as decoders give them; networks take float planes, and the step from
// one to the other, (p - 127.5) / 128 as in the SphereFace line, is here.
import { UserError } from '../common/errors.js';
import type { UnreadableImage } from './image-collection.js';

/** A labelled set of images of one size. */
export interface ImageSet {
  readonly height: number;
  readonly width: number;
  /** 3 for colour, 1 for grey. */
  readonly channels: number;
  /** The class of every image, 0 .. classes-1; its length is the number of images. */
  readonly labels: Int32Array;
  readonly classes: number;
  /** The pixels of the images asked for, [indices.length, height, width, channels], 0..255. */
  read(indices: ArrayLike<number>): Promise<Uint8Array>;
  /**
   * The same as float planes [indices.length, channels, height, width], made by other threads; see `writePlanes`.
   * Absent where the caller's thread has to make them.
   */
  planes?(indices: ArrayLike<number>, mirrored: Uint8Array): Promise<Float32Array>;
  /** Batches that are worth preparing before they are asked for. Default 1. */
  readonly ahead?: number;
  /** Hears once of each image that a read finds to be unreadable, where a set replaces such images. */
  onUnreadable?: (image: UnreadableImage) => void;
  /** Lets go of threads, where there are any. */
  close(): Promise<void>;
}

/** A set whose pixels are in memory. */
export class MemoryImages implements ImageSet {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly classes: number;

  /** `pixels` is [labels.length, height, width, channels]; `classes` defaults to the largest label + 1. */
  constructor(
    readonly pixels: Uint8Array,
    readonly labels: Int32Array,
    shape: { height: number; width: number; channels: number; classes?: number },
  ) {
    ({ height: this.height, width: this.width, channels: this.channels } = shape);
    this.classes = shape.classes ?? labels.reduce((most, label) => Math.max(most, label), -1) + 1;
    const length = this.height * this.width * this.channels;
    if (pixels.length !== labels.length * length)
      throw new UserError(`${pixels.length} bytes of pixels for ${labels.length} images of ${length} bytes`);
  }

  async read(indices: ArrayLike<number>): Promise<Uint8Array> {
    const length = this.height * this.width * this.channels;
    const out = new Uint8Array(indices.length * length);
    for (let i = 0; i < indices.length; i++) {
      const from = indices[i]! * length;
      out.set(this.pixels.subarray(from, from + length), i * length);
    }
    return out;
  }

  async close(): Promise<void> {}
}

/** (p - 127.5) / 128 for every byte p. */
const scaled = Float32Array.from({ length: 256 }, (_, p) => (p - 127.5) / 128);

/**
 * Writes images of bytes [N, H, W, C] as float planes [N, C, H, W], scaled by (p - 127.5) / 128, into `planes`
 * from `start` on. Where `mirrored[i]` is not zero, image i is reversed from left to right.
 */
export function writePlanes(
  pixels: Uint8Array,
  { height, width, channels }: { height: number; width: number; channels: number },
  planes: Float32Array,
  start = 0,
  mirrored?: ArrayLike<number>,
): void {
  const size = height * width * channels;
  const count = pixels.length / size;
  let to = start;
  for (let i = 0; i < count; i++) {
    const reversed = mirrored !== undefined && mirrored[i] !== 0;
    const step = reversed ? -channels : channels;
    for (let channel = 0; channel < channels; channel++) {
      for (let y = 0; y < height; y++) {
        let from = i * size + (y * width + (reversed ? width - 1 : 0)) * channels + channel;
        for (let x = 0; x < width; x++, from += step) planes[to++] = scaled[pixels[from]!]!;
      }
    }
  }
}

/** The images asked for (all by default) as a network takes them: [N, C, H, W], (p - 127.5) / 128. */
export async function readPlanes(set: ImageSet, indices?: ArrayLike<number>): Promise<Float32Array> {
  const wanted = indices ?? Int32Array.from(set.labels.keys());
  const planes = new Float32Array(wanted.length * set.channels * set.height * set.width);
  writePlanes(await set.read(wanted), set, planes);
  return planes;
}
