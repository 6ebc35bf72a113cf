// The labels of all images of a record set, from their records' headers: one short read a record instead of the
// image's bytes. It is the only pass over a set of millions before training, so the common record, in one part and
// with few labels, is read without a promise; whatever else is there is looked at by the set itself.
import { closeSync, openSync, readSync } from 'node:fs';
import { isOfInput, UserError } from '../common/errors.js';
import type { UnreadableImage } from './image-collection.js';
import { imageEnding } from './image-kind.js';
import { HEAD, imageHeader, MAGIC, MOST_BYTES } from './record-io.js';
import { GLIMPSE, type RecordSet } from './record-set.js';

/** Records between two reports, after which others have their turn. */
const TURN = 4096;
/** Unusable records that are kept word for word. */
const KEPT = 1000;

export interface RecordLabels {
  /** By place in the set; -1 where the record holds no usable image. */
  labels: Int32Array;
  /** Unusable records; beyond a thousand they are counted only. */
  skipped: UnreadableImage[];
  unusable: number;
}

/** Throws what `onProgress` throws. */
export async function readLabels(
  set: RecordSet,
  onProgress?: (done: number, total: number) => void,
): Promise<RecordLabels> {
  const labels = new Int32Array(set.length);
  const skipped: UnreadableImage[] = [];
  let unusable = 0;
  const buffer = Buffer.alloc(HEAD + GLIMPSE);
  const handle = openSync(set.file, 'r');
  try {
    for (let i = 0; i < labels.length; i++) {
      const bytes = readSync(handle, buffer, 0, buffer.length, set.listed.offsets[i]!);
      let label = commonLabel(buffer.subarray(0, bytes), set.size - set.listed.offsets[i]!);
      if (label === undefined) {
        try {
          ({ label } = await set.describe(i));
          if (label > 0x7fffffff) throw new UserError(`its label ${label} is no person's number`);
        } catch (error) {
          if (!isOfInput(error)) throw error;
          const path = `${set.file}#${set.listed.numbers[i]}`;
          if (++unusable <= KEPT)
            skipped.push({ path, reason: error.message.replace(/^.*? at byte (\d+): /, 'at byte $1: ') });
          label = -1;
        }
      }
      labels[i] = label;
      if ((i + 1) % TURN !== 0) continue;
      onProgress?.(i + 1, labels.length);
      await new Promise(setImmediate);
    }
  } finally {
    closeSync(handle);
  }
  onProgress?.(labels.length, labels.length);
  return { labels, skipped, unusable };
}

/** The label of a whole record with an image whose beginning is in `bytes`; undefined for anything else. */
function commonLabel(bytes: Buffer, left: number): number | undefined {
  if (bytes.length < HEAD + GLIMPSE || !bytes.subarray(0, 4).equals(MAGIC)) return undefined;
  // Of a record in several parts the upper three bits are not zero, and the length is beyond any image's.
  const length = bytes.readUInt32LE(4);
  if (length > MOST_BYTES || length < GLIMPSE || HEAD + length > left) return undefined;
  const content = bytes.subarray(HEAD);
  if (content.readUInt32LE(0) > 2) return undefined;
  const { labels, end } = imageHeader(content, length);
  const label = labels[0]!;
  const usable = Number.isInteger(label) && label >= 0 && label <= 0x7fffffff;
  return usable && imageEnding(content.subarray(end)) !== undefined ? label : undefined;
}
