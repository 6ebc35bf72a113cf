// RecordIO, the container of MXNet's training sets: a record is a magic number, a length whose upper three bits say
// whether it goes on, the bytes, and padding to four. A record that holds the magic number itself on a boundary of
// four is cut there into parts, so that a reader can find its way after damage. An image record begins with MXNet's
// header (flag u32, label f32, id u64, id2 u64, then `flag` more labels). All numbers are little-endian.
import { type FileHandle, open, stat } from 'node:fs/promises';
import { UserError } from '../common/errors.js';
import { unreadable } from '../common/files.js';

export const MAGIC = Buffer.from([0x0a, 0x23, 0xd7, 0xce]);
/** Magic number and length. */
export const HEAD = 8;
/** Bytes of an image record's header without further labels. */
export const IMAGE_HEADER = 24;
/** Longest part: its length has 29 bits. */
export const MOST_BYTES = 2 ** 29 - 1;
/** Bytes read at a time while looking for where a record begins. */
const CHUNK = 1 << 20;

/** Whether a part is a whole record, or the first, a middle or the last one: the upper three bits. */
const [WHOLE, FIRST, MIDDLE, LAST] = [0, 1, 2, 3];

const padded = (length: number): number => Math.ceil(length / 4) * 4;

/** One part of a record: where its bytes lie. */
interface Part {
  at: number;
  length: number;
}

/** Where a record lies. */
export interface Extent {
  parts: Part[];
  /** Bytes of its content. */
  length: number;
  /** Where the next record begins. */
  end: number;
}

/** A file of records, read by position; never more than one record is in memory. */
export class RecordFile {
  private constructor(
    readonly file: string,
    readonly size: number,
    private readonly handle: FileHandle,
  ) {}

  /** Throws a UserError that names the file when it cannot be read or is empty. */
  static async open(file: string): Promise<RecordFile> {
    const fail = (error: NodeJS.ErrnoException): never => {
      throw new UserError(`${file}: ${unreadable(error)}`);
    };
    // Opening a pipe waits for somebody who writes into it.
    const found = await stat(file).catch(fail);
    if (!found.isFile())
      throw new UserError(
        `${file}: is ${found.isDirectory() ? 'a folder, not a file' : 'not a regular file'}`,
      );
    if (found.size === 0) throw new UserError(`${file}: the file is empty`);
    return new RecordFile(file, found.size, await open(file).catch(fail));
  }

  /** Where the record at byte `offset` lies. Throws a UserError that says what is wrong there. */
  async extent(offset: number): Promise<Extent> {
    const parts: Part[] = [];
    let length = 0;
    for (let at = offset; ; ) {
      const head = await this.bytes(at, HEAD);
      if (head.length < HEAD) throw new UserError(parts.length > 0 ? 'it is cut off' : 'the file ends there');
      if (!head.subarray(0, 4).equals(MAGIC))
        throw new UserError(
          parts.length > 0
            ? `it goes on at byte ${at}, where its next part does not begin`
            : 'no record begins there (the magic number 0xced7230a is missing)',
        );
      const word = head.readUInt32LE(4);
      const [kind, size] = [word >>> 29, word & MOST_BYTES];
      const expected = parts.length === 0 ? [WHOLE, FIRST] : [MIDDLE, LAST];
      if (!expected.includes(kind))
        throw new UserError(
          parts.length > 0
            ? `its part at byte ${at} is none that goes on`
            : 'a later part of a record is there',
        );
      if (at + HEAD + size > this.size)
        throw new UserError(
          `it is cut off: ${size} bytes are announced at byte ${at}, ${this.size - at - HEAD} are left`,
        );
      parts.push({ at: at + HEAD, length: size });
      length += size + (parts.length > 1 ? MAGIC.length : 0);
      at += HEAD + padded(size);
      if (kind === WHOLE || kind === LAST) return { parts, length, end: Math.min(at, this.size) };
    }
  }

  /** The first `count` bytes of a record's content (all by default), the magic number back between its parts. */
  async content({ parts, length }: Extent, count = length): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let got = 0;
    for (const [i, part] of parts.entries()) {
      if (got >= count) break;
      if (i > 0) {
        pieces.push(MAGIC);
        got += MAGIC.length;
      }
      const piece = await this.bytes(part.at, Math.min(part.length, Math.max(0, count - got)));
      // A writer cuts a record wherever the magic number is, so a part that holds one was given a wrong length.
      const inside = magicIn(piece);
      if (inside >= 0)
        throw new UserError(`its length is wrong: another record begins at byte ${part.at + inside}`);
      pieces.push(piece);
      got += piece.length;
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces).subarray(0, count);
  }

  /** Where the next record may begin, from byte `from` on; undefined when there is no further one. */
  async nextRecord(from: number): Promise<number | undefined> {
    for (let at = padded(from); at < this.size; at += CHUNK) {
      // Eight bytes more than a chunk, so that none is cut in two.
      const bytes = await this.bytes(at, CHUNK + HEAD);
      for (let i = magicIn(bytes); i >= 0 && i < CHUNK; i = magicIn(bytes, i + 4))
        if (i + HEAD <= bytes.length && bytes.readUInt32LE(i + 4) >>> 29 <= FIRST!) return at + i;
    }
    return undefined;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  /** `count` bytes from `at` on, fewer at the end of the file. */
  private async bytes(at: number, count: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(count, this.size - at)));
    for (let done = 0; done < buffer.length; ) {
      const { bytesRead } = await this.handle.read(buffer, done, buffer.length - done, at + done);
      if (bytesRead === 0) return buffer.subarray(0, done);
      done += bytesRead;
    }
    return buffer;
  }
}

/** Where the magic number begins in `bytes` on a boundary of four, from `from` on; -1 when it does not. */
function magicIn(bytes: Buffer, from = 0): number {
  let at = bytes.indexOf(MAGIC, from);
  while (at >= 0 && at % 4 !== 0) at = bytes.indexOf(MAGIC, at + 1);
  return at;
}

/** A record's bytes as they lie in a file: head, content and padding. Throws a UserError for 2^29 bytes and more. */
export function encodeRecord(content: Buffer): Buffer {
  if (content.length > MOST_BYTES)
    throw new UserError(`a record of ${content.length} bytes: RecordIO takes fewer than 2^29`);
  const pieces: Buffer[] = [];
  const part = (kind: number, bytes: Buffer) => {
    const head = Buffer.alloc(HEAD);
    MAGIC.copy(head);
    head.writeUInt32LE(kind * 2 ** 29 + bytes.length, 4);
    pieces.push(head, bytes);
  };
  let start = 0;
  for (let at = magicIn(content); at >= 0; at = magicIn(content, at + 4)) {
    part(start === 0 ? FIRST! : MIDDLE!, content.subarray(start, at));
    start = at + 4;
  }
  part(start === 0 ? WHOLE! : LAST!, content.subarray(start));
  pieces.push(Buffer.alloc(padded(content.length) - content.length));
  return Buffer.concat(pieces);
}

/** What an image record's header says. */
export interface ImageHeader {
  /** The label, or the `flag` labels that follow the header. */
  labels: number[];
  id: number;
  /** Where the image begins in the record's content. */
  end: number;
}

/**
 * The header of an image record of `length` bytes, of which `bytes` are the first. A record without an image may have
 * labels of eight bytes: a 32-bit float cannot tell 2^24 images apart. Throws a UserError when it is too short.
 */
export function imageHeader(bytes: Buffer, length: number): ImageHeader {
  if (length < IMAGE_HEADER) throw new UserError(`it has ${length} bytes, too few for an image's header`);
  const flag = bytes.readUInt32LE(0);
  const id = Number(bytes.readBigUInt64LE(8));
  if (flag === 0) return { labels: [bytes.readFloatLE(4)], id, end: IMAGE_HEADER };
  const wide = length === IMAGE_HEADER + 8 * flag;
  const end = IMAGE_HEADER + (wide ? 8 : 4) * flag;
  if (end > length) throw new UserError(`its header announces ${flag} labels, more than it has room for`);
  // The first two are all that is ever used.
  const count = Math.min(flag, Math.floor((bytes.length - IMAGE_HEADER) / (wide ? 8 : 4)));
  const labels = Array.from({ length: count }, (_, i) =>
    wide ? bytes.readDoubleLE(IMAGE_HEADER + 8 * i) : bytes.readFloatLE(IMAGE_HEADER + 4 * i),
  );
  return { labels, id, end };
}

/** The image in the record at byte `offset`. Throws a UserError that says what is wrong there. */
export async function imageAt(records: RecordFile, offset: number): Promise<Buffer> {
  const extent = await records.extent(offset);
  const content = await records.content(extent);
  return content.subarray(imageHeader(content, extent.length).end);
}

/** The content of an image record. One label stands in the header, a list of them behind it, as MXNet packs them. */
export function imageRecord(label: number | readonly number[], id: number, image: Uint8Array): Buffer {
  const labels = typeof label === 'number' ? [] : label;
  const header = Buffer.alloc(IMAGE_HEADER + 4 * labels.length);
  header.writeUInt32LE(labels.length, 0);
  header.writeFloatLE(typeof label === 'number' ? label : 0, 4);
  header.writeBigUInt64LE(BigInt(id), 8);
  for (const [i, value] of labels.entries()) header.writeFloatLE(value, IMAGE_HEADER + 4 * i);
  return Buffer.concat([header, image]);
}
