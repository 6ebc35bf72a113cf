// Features on disk as they are computed, so that a long measurement that was stopped goes on where it was: one line
// of JSON that says whose features they are, then record after record, each with a checksum. From the first record on
// that is cut off or damaged, records are dropped and computed again.
import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.js';
import { PRIVATE, unreadableFile, writeAll } from '../../common/files.js';
import { type Lock, lockFile } from '../../common/lock.js';
import { systemError } from '../../common/system-error.js';
import { type Template, templateLabel } from '../align/template.js';
import { type Manifest, manifestSchema, modelDifference } from '../models/manifest.js';

const FORMAT = 'hypersphere-features/2';

const headerSchema = z.object({
  format: z.literal(FORMAT),
  /** The template that faces were carried from; absent when they were taken as they lay. */
  aligned: z.string().optional(),
  model: manifestSchema,
});

/** Bytes read at a time. */
const CHUNK = 1 << 22;

/** Bytes of a record's checksum: the first of its SHA-256. */
const CHECKSUM = 8;
const checksum = (record: Uint8Array): Buffer =>
  createHash('sha256').update(record).digest().subarray(0, CHECKSUM);

/**
 * A record: the key's length (u16), the key, the features of image and mirror (2 D float32, little-endian), and the
 * checksum of all that. The file is this process's alone while it is open.
 */
export class KeptFeatures {
  readonly #pending: Buffer[] = [];

  private constructor(
    readonly file: string,
    private readonly handle: FileHandle,
    private readonly lock: Lock,
    private readonly length: number,
    private readonly known: Map<string, Float32Array>,
    private end: number,
  ) {}

  /**
   * Opens `file`, or begins it. Throws a UserError when it holds something else, or the features of another model or
   * of faces that were prepared in another way.
   */
  static async open(file: string, model: Manifest, from: Template | undefined): Promise<KeptFeatures> {
    const lock = await lockFile(file);
    let handle: FileHandle | undefined;
    try {
      handle = await openOrMake(file);
      const { length } = model.embedding;
      const aligned = from && templateLabel(from);
      const kept = new KeptFeatures(file, handle, lock, length, new Map(), 0);
      if ((await handle.stat()).size > 0) await kept.#read(model, aligned);
      else {
        const header = Buffer.from(`${JSON.stringify({ format: FORMAT, aligned, model })}\n`);
        await writeAll(handle, header, 0);
        kept.end = header.length;
      }
      return kept;
    } catch (error) {
      await handle?.close();
      await lock.release();
      throw systemError(file, error);
    }
  }

  /** Image and mirror [2 D] of an image that has not changed since (see `imageKey`); undefined when it is not known. */
  get(image: string): Float32Array | undefined {
    return this.known.get(image);
  }

  /** Keeps the features of an image whose key was taken before it was read. */
  add(image: string, original: Float32Array, mirrored: Float32Array): void {
    const key = Buffer.from(image);
    const record = Buffer.alloc(2 + key.length + 8 * this.length + CHECKSUM);
    record.writeUInt16LE(key.length, 0);
    key.copy(record, 2);
    for (let d = 0; d < this.length; d++) {
      record.writeFloatLE(original[d]!, 2 + key.length + 4 * d);
      record.writeFloatLE(mirrored[d]!, 2 + key.length + 4 * (this.length + d));
    }
    checksum(record.subarray(0, -CHECKSUM)).copy(record, record.length - CHECKSUM);
    this.#pending.push(record);
  }

  /** Writes what was added. Throws a UserError that names the file when it cannot be written whole. */
  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending.splice(0));
    try {
      await writeAll(this.handle, bytes, this.end);
    } catch (error) {
      throw systemError(this.file, error);
    }
    this.end += bytes.length;
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.handle.close();
      await this.lock.release();
    }
  }

  async #read(model: Manifest, aligned: string | undefined): Promise<void> {
    let buffer = await this.#more(Buffer.alloc(0));
    const line = buffer.indexOf(10);
    const header = headerSchema.safeParse(parsed(buffer.subarray(0, Math.max(0, line)).toString('utf8')));
    if (!header.success)
      throw new UserError(
        `${this.file}: not a file of kept features, or one of an older version; name another with --keep, or delete it`,
      );
    const faces = (on?: string) => (on === undefined ? 'faces as they are' : `faces carried over from ${on}`);
    const { model: theirs, aligned: before } = header.data;
    const difference =
      modelDifference(theirs, model) ??
      (before === aligned ? undefined : `${faces(before)}, not ${faces(aligned)}`);
    if (difference !== undefined)
      throw new UserError(
        `${this.file}: keeps the features of ${difference}; name another file with --keep, or delete it`,
      );
    buffer = buffer.subarray(line + 1);
    this.end += line + 1;
    for (;;) {
      const body = buffer.length < 2 ? 2 : 2 + buffer.readUInt16LE(0) + 8 * this.length;
      const size = body + CHECKSUM;
      if (buffer.length < size) {
        const more = await this.#more(buffer);
        if (more.length === buffer.length) break;
        buffer = more;
        continue;
      }
      if (!checksum(buffer.subarray(0, body)).equals(buffer.subarray(body, size))) break;
      const key = buffer.subarray(2, body - 8 * this.length).toString('utf8');
      const features = Float32Array.from({ length: 2 * this.length }, (_, d) =>
        buffer.readFloatLE(body - 8 * this.length + 4 * d),
      );
      this.known.set(key, features);
      buffer = buffer.subarray(size);
      this.end += size;
    }
    await this.handle.truncate(this.end);
  }

  /** What is left and the next bytes of the file. */
  async #more(left: Buffer): Promise<Buffer> {
    const chunk = Buffer.alloc(CHUNK);
    const { bytesRead } = await this.handle.read(chunk, 0, CHUNK, this.end + left.length);
    return Buffer.concat([left, chunk.subarray(0, bytesRead)]);
  }
}

/** The file as it is, or a new one that only its owner may read. */
async function openOrMake(file: string): Promise<FileHandle> {
  try {
    // A pipe or a device cannot be continued.
    if ((await stat(file)).isFile()) return await open(file, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return open(file, 'wx+', PRIVATE.mode);
    throw unreadableFile(file, error);
  }
  throw new UserError(`${file}: is not a regular file; name another with --keep`);
}

/** The key of an image: its path, size and time of change. */
export async function imageKey(folder: string, path: string): Promise<string> {
  const found = await stat(join(folder, path)).catch(() => undefined);
  return `${path}\0${found?.size ?? ''}\0${Math.round(found?.mtimeMs ?? 0)}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
