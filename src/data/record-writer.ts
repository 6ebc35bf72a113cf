// An image folder as a training set in the field's container: the images' files as they are, one record each, in the
// layout of InsightFace's tools (see record-set.ts), with train.idx, property and MXNet's list of names (train.lst).
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { isOfInput, UserError } from '../common/errors.js';
import { PRIVATE, replaceFile, writeAll, writeWhole } from '../common/files.js';
import { locked, lockFile } from '../common/lock.js';
import { readImageFile } from './image-file.js';
import { imageEnding } from './image-kind.js';
import { decodeImageBytes } from './images.js';
import { listPeople } from './people.js';
import { encodeRecord, imageRecord } from './record-io.js';

/** Labels and ranges of keys are 32-bit floats, which count no further. */
const MOST = 2 ** 24;

export interface WrittenRecords {
  /** The .rec file and those beside it. */
  files: string[];
  images: number;
  /** The people's folders by label. */
  people: string[];
  /** The first image's, as `property` has them; in pixels. */
  height: number;
  width: number;
  /** Images of another size. */
  otherSizes: number;
  /** Images that were left out, and why. */
  skipped: { path: string; reason: string }[];
}

/**
 * Writes `folder/person/image` to `file` (.rec) and the files beside it; they appear whole or not at all. People and
 * their images are taken in natural order, people without a readable image are left out. Throws a UserError for a
 * folder without images, one of more than 2^24, and a `signal` that is aborted.
 */
export async function writeRecordSet(
  folder: string,
  file: string,
  { onProgress, signal }: { onProgress?: (done: number, total: number) => void; signal?: AbortSignal } = {},
): Promise<WrittenRecords> {
  const listed = await listPeople(folder);
  const total = listed.reduce((sum, { paths }) => sum + paths.length, 0);
  if (total + listed.length + 1 > MOST)
    throw new UserError(
      `${folder}: ${total} images of ${listed.length} people: a record set counts no further than 2^24`,
    );
  return locked(lockFile(file), async () => {
    const { index, names, property, ...written } = await replaceFile(
      file,
      (handle) => writeRecords(handle, folder, file, listed, onProgress, signal),
      PRIVATE,
    );
    const stem = file.replace(/\.rec$/i, '');
    const beside = join(dirname(file), 'property');
    await writeWhole(`${stem}.idx`, index, PRIVATE);
    await writeWhole(`${stem}.lst`, names, PRIVATE);
    await writeWhole(beside, property, PRIVATE);
    return { files: [file, `${stem}.idx`, `${stem}.lst`, beside], ...written };
  });
}

/** The records that were written, and the texts of the files beside them. */
interface Records extends Omit<WrittenRecords, 'files'> {
  /** The texts of train.idx, train.lst and property. */
  index: string;
  names: string;
  property: string;
}

/** Writes the records of `folder` to the start of an empty file. */
async function writeRecords(
  handle: FileHandle,
  folder: string,
  file: string,
  listed: readonly { name: string; paths: string[] }[],
  onProgress: ((done: number, total: number) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<Records> {
  const total = listed.reduce((sum, { paths }) => sum + paths.length, 0);
  const index: string[] = [];
  let end = 0;
  const add = async (key: number, content: Buffer) => {
    const bytes = encodeRecord(content);
    await writeAll(handle, bytes, end);
    index.push(`${key}\t${end}\n`);
    end += bytes.length;
  };
  const names: string[] = [];
  const people: string[] = [];
  const ranges: [first: number, end: number][] = [];
  const skipped: WrittenRecords['skipped'] = [];
  let size: { width: number; height: number } | undefined;
  let otherSizes = 0;
  let key = 1;
  let done = 0;
  for (const { name, paths } of listed) {
    const first = key;
    for (const path of paths) {
      if (signal?.aborted)
        throw new UserError(`stopped after ${done} of ${total} images; ${file} was not written`, {
          code: 'interrupted',
        });
      const read = await readImage(path);
      onProgress?.(++done, total);
      if (typeof read === 'string') {
        skipped.push({ path, reason: read });
        continue;
      }
      size ??= read;
      if (read.width !== size.width || read.height !== size.height) otherSizes++;
      await add(key, imageRecord(people.length, key, read.bytes));
      names.push(`${key}\t${people.length}\t${relative(folder, path).split(sep).join('/')}\n`);
      key++;
    }
    if (key === first) continue;
    ranges.push([first, key]);
    people.push(name);
  }
  if (!size)
    throw new UserError(
      `${folder}: none of its ${total} images can be read (${skipped[0]!.path}: ${skipped[0]!.reason})`,
    );
  await add(0, imageRecord([key, key + ranges.length], 0, new Uint8Array()));
  for (const [i, range] of ranges.entries())
    await add(key + i, imageRecord(range, key + i, new Uint8Array()));
  return {
    index: index.join(''),
    names: names.join(''),
    property: `${people.length},${size.height},${size.width}`,
    images: key - 1,
    people,
    height: size.height,
    width: size.width,
    otherSizes,
    skipped,
  };
}

/** An image file's bytes and size, or why it is none. */
async function readImage(path: string): Promise<{ bytes: Buffer; width: number; height: number } | string> {
  try {
    const bytes = await readImageFile(path);
    const { width, height } = await decodeImageBytes(bytes, path, { kind: 'size' });
    if (!imageEnding(bytes)) return `${basename(path)} begins as no image that a record set may hold`;
    return { bytes, width, height };
  } catch (error) {
    if (!isOfInput(error)) throw error;
    return error.message.replace(`${path}: `, '');
  }
}
