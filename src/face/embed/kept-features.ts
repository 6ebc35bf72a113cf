// Features on disk as they are computed, so that a long measurement that was stopped goes on where it was: one line
// of JSON that says whose features they are, then record after record. A record that was cut off is dropped.
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.js';
import { unreadable } from '../../common/files.js';
import { type Template, templateLabel } from '../align/template.js';
import { type Manifest, manifestSchema, modelDifference } from '../models/manifest.js';

const headerSchema = z.object({
  format: z.literal('hypersphere-features/1'),
  /** The template that faces were carried from; absent when they were taken as they lay. */
  aligned: z.string().optional(),
  model: manifestSchema,
});

/** Bytes read at a time. */
const CHUNK = 1 << 22;

/** A record: the key's length (u16), the key, and the features of image and mirror (2 D float32), little-endian. */
export class KeptFeatures {
  readonly #pending: Buffer[] = [];

  private constructor(
    readonly file: string,
    private readonly handle: FileHandle,
    private readonly length: number,
    private readonly known: Map<string, Float32Array>,
    private end: number,
  ) {}

  /**
   * Opens `file`, or begins it. Throws a UserError when it holds something else, or the features of another model or
   * of faces that were prepared in another way.
   */
  static async open(file: string, model: Manifest, from: Template | undefined): Promise<KeptFeatures> {
    const handle = await open(file, 'r+')
      .catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        return open(file, 'w+');
      })
      .catch((error: NodeJS.ErrnoException) => {
        throw new UserError(
          `${file}: ${error.code === 'ENOENT' ? 'its folder does not exist' : unreadable(error)}`,
        );
      });
    try {
      const { length } = model.embedding;
      const aligned = from && templateLabel(from);
      const header = JSON.stringify({ format: 'hypersphere-features/1', aligned, model });
      const kept = new KeptFeatures(file, handle, length, new Map(), 0);
      if ((await handle.stat()).size === 0) {
        kept.end = (await handle.write(`${header}\n`, 0)).bytesWritten;
      } else await kept.#read(model, aligned);
      return kept;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Image and mirror [2 D] of an image that has not changed since (see `imageKey`); undefined when it is not known. */
  get(image: string): Float32Array | undefined {
    return this.known.get(image);
  }

  /** Keeps the features of an image whose key was taken before it was read. */
  add(image: string, original: Float32Array, mirrored: Float32Array): void {
    const key = Buffer.from(image);
    const record = Buffer.alloc(2 + key.length + 8 * this.length);
    record.writeUInt16LE(key.length, 0);
    key.copy(record, 2);
    for (let d = 0; d < this.length; d++) {
      record.writeFloatLE(original[d]!, 2 + key.length + 4 * d);
      record.writeFloatLE(mirrored[d]!, 2 + key.length + 4 * (this.length + d));
    }
    this.#pending.push(record);
  }

  /** Writes what was added. */
  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending.splice(0));
    await this.handle.write(bytes, 0, bytes.length, this.end);
    this.end += bytes.length;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.handle.close();
  }

  async #read(model: Manifest, aligned: string | undefined): Promise<void> {
    let buffer = await this.#more(Buffer.alloc(0));
    const line = buffer.indexOf(10);
    const header = headerSchema.safeParse(parsed(buffer.subarray(0, Math.max(0, line)).toString('utf8')));
    if (!header.success)
      throw new UserError(`${this.file}: not a file of kept features; name another with --keep`);
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
      const size = buffer.length < 2 ? 2 : 2 + buffer.readUInt16LE(0) + 8 * this.length;
      if (buffer.length < size) {
        const more = await this.#more(buffer);
        if (more.length === buffer.length) break;
        buffer = more;
        continue;
      }
      const key = buffer.subarray(2, size - 8 * this.length).toString('utf8');
      const features = Float32Array.from({ length: 2 * this.length }, (_, d) =>
        buffer.readFloatLE(size - 8 * this.length + 4 * d),
      );
      this.known.set(key, features);
      buffer = buffer.subarray(size);
      this.end += size;
    }
  }

  /** What is left and the next bytes of the file. */
  async #more(left: Buffer): Promise<Buffer> {
    const chunk = Buffer.alloc(CHUNK);
    const { bytesRead } = await this.handle.read(chunk, 0, CHUNK, this.end + left.length);
    return Buffer.concat([left, chunk.subarray(0, bytesRead)]);
  }
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
