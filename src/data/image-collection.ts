// People and the files of their images, wherever they lie: in one folder a person, or in a record file. What trains
// on people, holds them out or measures them afterwards asks this and need not know which it is.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { type DecodeOptions, decodeBytes } from './images.js';

/** Where some images lie, as a thread that decodes them is told: a part of a list without its millions. */
export type ImagePlaces =
  | { kind: 'files'; paths: string[] }
  /** The bytes of `file` at which the images' records begin. */
  | { kind: 'records'; file: string; offsets: number[] }
  /** Rows of decoded pixels [rows, H, W, 3] in shared memory. */
  | { kind: 'pixels'; pixels: SharedArrayBuffer; rows: Int32Array };

/** An image that cannot be used, and why. */
export interface UnreadableImage {
  /** Where it is, for people: the file's path, or the record file's with '#' and the record's key. */
  path: string;
  reason: string;
}

/** People and their images: those of person p are `starts[p]` to `starts[p + 1] - 1`. */
export interface ImageCollection {
  /** The folder or the record file. */
  readonly source: string;
  /** How people are told apart, for messages, as in 'one folder a person'. */
  readonly layout: string;
  /** The people's names in natural order: their folders', or the labels of a record file. */
  readonly names: readonly string[];
  /** [people + 1] */
  readonly starts: Float64Array;
  /** Images that were left out when the collection was opened. */
  readonly skipped: readonly UnreadableImage[];
  /** What a person should know about the collection, a line each. */
  readonly notes: readonly string[];
  /** What names an image in its collection: 'person/image.jpg', or its record's key. */
  keyOf(image: number): string;
  /** Where an image is, for messages: a path, or 'train.rec#17'. */
  placeOf(image: number): string;
  /** Where images lie, for threads that decode them. */
  places(images: ArrayLike<number>): ImagePlaces;
  /** An image file's bytes. Throws a UserError that names it. */
  bytes(image: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface OpenCollection {
  /** Hears of the folders that are listed, or the records whose headers are read. */
  onListed?: (done: number, total: number, of: 'folders' | 'records') => void;
}

/** Whether `path` is a record file or a folder that holds one. Throws a UserError for a folder that lacks it. */
export function holdsRecords(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return /\.rec$/i.test(path);
  if (existsSync(join(path, 'train.rec'))) return true;
  if (existsSync(join(path, 'train.idx')))
    throw new UserError(`${path}: holds train.idx but no train.rec, the file with the images: put it there`);
  return false;
}

/** An image brought to the input's size, [H, W, 3]. Throws a UserError that names it when it cannot be decoded. */
export async function decodeImage(
  collection: ImageCollection,
  image: number,
  options: DecodeOptions,
): Promise<Uint8Array> {
  return decodeBytes(await collection.bytes(image), collection.placeOf(image), options);
}
