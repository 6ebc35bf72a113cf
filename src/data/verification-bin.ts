// Verification sets in the container of InsightFace (lfw.bin, cfp_fp.bin, agedb_30.bin): a pickled pair of a list of
// encoded images, two a trial, and a list of whether each trial shows one person. It is read as data: a pickle that
// would run something in Python is refused here.
import { createHash } from 'node:crypto';
import { UserError } from '../common/errors.js';
import { readWhole } from '../common/files.js';
import { imageEnding } from './image-kind.js';
import { pickledArray } from './numpy-array.js';
import { readPickle } from './pickle.js';
import { type Pickled, PickledObject, pickledBytes } from './pickle-values.js';

export interface VerificationBin {
  file: string;
  /** Image files' bytes, two a pair: pair i has images 2 i and 2 i + 1. */
  images: Uint8Array[];
  /** [pairs] whether a pair shows one person. */
  same: boolean[];
}

/** Reads a set. Throws a UserError that begins with the file's name, and names the image or pair that is wrong. */
export async function readVerificationBin(file: string): Promise<VerificationBin> {
  return parseVerificationBin(await readWhole(file), file);
}

/** See {@link readVerificationBin}; `file` is for messages. */
export function parseVerificationBin(bytes: Uint8Array, file = 'bin'): VerificationBin {
  const fail = (problem: string): never => {
    throw new UserError(`${file}: ${problem}`);
  };
  if (bytes.length === 0) fail('the file is empty');
  const { value, end } = readPickle(bytes, file);
  if (end < bytes.length)
    fail(`${bytes.length - end} bytes follow its pickle; the file is damaged or is no verification set`);
  const [images, same] =
    Array.isArray(value) && value.length === 2
      ? value
      : fail(
          `holds ${kindOf(value)}, and a verification set is a pair of a list of images and a list of booleans`,
        );
  if (!Array.isArray(images)) return fail(`has ${kindOf(images)} where its list of images is due`);
  const marks = booleans(same);
  if (!marks) return fail(`has ${kindOf(same)} where its list of booleans is due`);
  if (images.length !== 2 * marks.length)
    fail(`has ${images.length} images for ${marks.length} pairs, and ${2 * marks.length} are needed`);
  if (marks.length === 0) fail('holds no pair');
  // A pickle names an object again instead of repeating it: what is one stays one.
  const known = new Map<Pickled, Uint8Array>();
  return {
    file,
    images: images.map((image, i) => {
      const found = known.get(image) ?? imageBytes(image);
      if (typeof found === 'string') return fail(`image ${i + 1} (of pair ${(i >> 1) + 1}) ${found}`);
      known.set(image, found);
      return found;
    }),
    same: marks.map((mark, i) => mark ?? fail(`pair ${i + 1} is marked by what is no boolean`)),
  };
}

/** The images that differ in their bytes, and each pair as two places among them. */
export interface DistinctPairs {
  images: Uint8Array[];
  /** Of each image of `images`, the first place in the file (from 0) that has it. */
  places: number[];
  pairs: { first: number; second: number; same: boolean }[];
}

/** Images recur in many pairs: each is embedded once, and a bootstrap over images draws it once. */
export function distinctPairs({ images, same }: VerificationBin): DistinctPairs {
  const byHash = new Map<string, number>();
  const result: DistinctPairs = { images: [], places: [], pairs: [] };
  const rows = images.map((bytes, place) => {
    const hash = createHash('sha256').update(bytes).digest('base64');
    const known = byHash.get(hash);
    if (known !== undefined) return known;
    byHash.set(hash, result.images.length);
    result.places.push(place);
    return result.images.push(bytes) - 1;
  });
  result.pairs = same.map((mark, i) => ({ first: rows[2 * i]!, second: rows[2 * i + 1]!, same: mark }));
  return result;
}

/** The bytes of an encoded image, pickled as bytes or as an array of them, or what is wrong with it. */
function imageBytes(value: Pickled): Uint8Array | string {
  let bytes = pickledBytes(value);
  if (!bytes && value instanceof PickledObject) {
    const array = pickledArray(value);
    if (typeof array === 'string') return `is ${kindOf(value)}, no image`;
    const { shape, data } = array;
    if (shape.filter((size) => size !== 1).length > 1)
      return `is an array of shape [${shape.join(', ')}], and an image file's bytes are due`;
    if (!data.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255))
      return 'is an array of no bytes';
    bytes = Uint8Array.from(data);
  }
  if (!bytes) return `is ${kindOf(value)}, no image`;
  if (bytes.length === 0) return 'is empty';
  return imageEnding(bytes) ? bytes : 'begins neither as a JPEG nor as another image';
}

/** The booleans of a list or of a NumPy array; undefined stands for what is none. */
function booleans(value: Pickled | undefined): (boolean | undefined)[] | undefined {
  if (Array.isArray(value)) return value.map(boolean);
  if (!(value instanceof PickledObject)) return undefined;
  const array = pickledArray(value);
  return typeof array === 'string' || array.shape.length !== 1 ? undefined : Array.from(array.data, boolean);
}

/** Python's True and False, 1 and 0, and NumPy's scalars of them. */
function boolean(value: Pickled): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 0 || value === 1) return value === 1;
  if (value instanceof PickledObject && /^numpy\.(core|_core)\.multiarray\.scalar$/.test(value.global)) {
    const [type, held] = value.args;
    const bytes = pickledBytes(held);
    const known = type instanceof PickledObject && /^[biu]\d$/.test(String(type.args[0]));
    const rest = bytes && [...bytes];
    // A scalar of several bytes is 1 in its lowest, which byte order puts first or last.
    if (known && rest && rest.filter((byte) => byte !== 0).length <= 1 && rest.every((byte) => byte <= 1))
      return rest.includes(1);
  }
  return undefined;
}

function kindOf(value: Pickled | undefined): string {
  if (value instanceof PickledObject) return `an object of ${value.global.slice(0, 60)}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return 'a dictionary';
  if (value instanceof Uint8Array || typeof value === 'string') return 'text or bytes';
  return value === null || value === undefined ? 'nothing' : `a ${typeof value}`;
}
