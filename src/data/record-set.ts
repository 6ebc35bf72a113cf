// A training set as InsightFace publishes it: train.rec holds the images with their labels, train.idx says where each
// lies ('key TAB byte' a line), and property how many people there are and how large the faces. Record 0 and those
// after the images hold no image: 0 says which keys the images and the people have, and a person's which images are his.
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isOfInput, UserError } from '../common/errors.js';
import { readText } from '../common/files.js';
import { IMAGE_BEGINNING, imageEnding } from './image-kind.js';
import { readRecordIndex } from './record-index.js';
import { type Extent, IMAGE_HEADER, type ImageHeader, imageHeader, RecordFile } from './record-io.js';

/** An image of a set, without its bytes. */
export interface RecordImage {
  /**
   * Its key in train.idx. Where the file was scanned: the id in its header, which is its key in the sets that MXNet
   * packs; which record of the file it is, from 1, if those ids do not tell the images apart.
   */
  number: number;
  /** Where its record begins in the file. */
  offset: number;
  /** The person: a whole number from 0 on. */
  label: number;
  /** Bytes of the image file. */
  length: number;
  /** What its file name should end in, as in '.jpg'. */
  ending: string;
}

/** What the file `property` says. */
export interface RecordProperty {
  people: number;
  /** In pixels. */
  height: number;
  width: number;
}

export interface RecordSetOptions {
  /** Called while a file without train.idx is scanned, with bytes. */
  onProgress?: (done: number, total: number) => void;
}

/** Bytes of a record that tell its label and the kind of its image. */
export const GLIMPSE = IMAGE_HEADER + 16 + IMAGE_BEGINNING;
/** Problems that are kept word for word; a file that is no record file has one at every step. */
const PROBLEMS = 1000;

/** Keys of images and the bytes at which their records begin. */
export interface Listed {
  numbers: ArrayLike<number>;
  offsets: ArrayLike<number>;
}

/** Images by position, each read when it is asked for: one at a time is in memory. */
export class RecordSet {
  /** What could not be read while the images were listed, a line each; everything else was. */
  readonly problems: string[] = [];
  /** Problems beyond those that are kept word for word. */
  moreProblems = 0;
  /** Whether train.idx says where the images are; else the file was scanned. */
  indexed = false;
  /** Records that train.idx lists, and those of them that lie behind the file's last byte. */
  index = { records: 0, behind: 0 };
  property: RecordProperty | undefined;
  /** The images by place in the set. */
  listed: Listed = { numbers: [], offsets: [] };

  private constructor(private readonly records: RecordFile) {}

  /** Bytes of the record file. */
  get size(): number {
    return this.records.size;
  }

  get file(): string {
    return this.records.file;
  }

  /** Number of images. */
  get length(): number {
    return this.listed.offsets.length;
  }

  /**
   * Opens a .rec file, or the train.rec of a folder. Without a usable train.idx beside it the file is scanned. Throws
   * a UserError when there is no such file or no image in it.
   */
  static async open(path: string, { onProgress }: RecordSetOptions = {}): Promise<RecordSet> {
    const file = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, 'train.rec') : path;
    const set = new RecordSet(await RecordFile.open(file));
    try {
      await set.#readProperty();
      const index = `${file.replace(/\.rec$/i, '')}.idx`;
      const indexed = existsSync(index) ? await set.#fromIndex(index) : undefined;
      set.indexed = indexed !== undefined;
      set.listed = indexed ?? (await set.#scan(onProgress));
      if (set.length === 0)
        throw new UserError(
          `${file}: holds no image${set.problems.length > 0 ? ` (${set.problems[0]!.replace(`${file}: `, '')})` : ''}`,
        );
      return set;
    } catch (error) {
      await set.close();
      throw error;
    }
  }

  /** What image `i` is, without reading it. Throws a UserError with the record's number and place. */
  async describe(i: number): Promise<RecordImage> {
    return (await this.#find(i)).image;
  }

  /** Image `i` with its file's bytes as they are. Throws as `describe` does. */
  async read(i: number): Promise<RecordImage & { bytes: Buffer }> {
    const { image, extent, header } = await this.#find(i);
    const content = await this.#naming(image.number, image.offset, () => this.records.content(extent));
    return { ...image, bytes: content.subarray(header.end) };
  }

  async close(): Promise<void> {
    await this.records.close();
  }

  async #find(i: number): Promise<{ image: RecordImage; extent: Extent; header: ImageHeader }> {
    const [number, offset] = [this.listed.numbers[i]!, this.listed.offsets[i]!];
    return this.#naming(number, offset, async () => {
      const extent = await this.records.extent(offset);
      const { header, image } = await this.#glimpse(extent);
      const [label] = header.labels;
      const ending = imageEnding(image);
      const length = extent.length - header.end;
      if (length === 0) throw new UserError('it holds no image');
      if (!ending)
        throw new UserError('it holds no image: its bytes begin neither as a JPEG nor as another image');
      if (label === undefined || !Number.isSafeInteger(label) || label < 0)
        throw new UserError(`its label ${label} is no person's number`);
      return { image: { number, offset, label, length, ending }, extent, header };
    });
  }

  /** A record's header and the first bytes of its image. */
  async #glimpse(extent: Extent): Promise<{ header: ImageHeader; image: Buffer }> {
    const first = await this.records.content(extent, GLIMPSE);
    const header = imageHeader(first, extent.length);
    const needed = header.end + IMAGE_BEGINNING;
    const bytes =
      needed > first.length && first.length < extent.length
        ? await this.records.content(extent, needed)
        : first;
    return { header, image: bytes.subarray(header.end) };
  }

  async #naming<T>(number: number, offset: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isOfInput(error)) throw error;
      throw new UserError(`${this.file}: record ${number} at byte ${offset}: ${error.message}`);
    }
  }

  #problem(text: string): void {
    if (this.problems.length < PROBLEMS) this.problems.push(text);
    else this.moreProblems++;
  }

  async #readProperty(): Promise<void> {
    const file = join(dirname(this.file), 'property');
    if (!existsSync(file)) return;
    const text = (await readText(file)).trim();
    const [, people, height, width] = (/^(\d+),(\d+),(\d+)$/.exec(text) ?? []).map(Number);
    if (width === undefined)
      this.#problem(`${file}: is not 'people,height,width' in whole numbers; it is not used`);
    else this.property = { people: people!, height: height!, width };
  }

  /** The images as train.idx lists them, by rising key; undefined when it is not this file's. */
  async #fromIndex(index: string): Promise<Listed | undefined> {
    try {
      const { keys, offsets } = await readRecordIndex(index);
      if (keys.length === 0) throw new UserError(`${index}: is empty`);
      this.index.records = keys.length;
      for (const offset of offsets) if (offset >= this.size) this.index.behind++;
      const end = await this.#announced(index, keys[0]!, offsets[0]!);
      if (end === undefined) return { numbers: keys, offsets };
      let last = 1;
      while (last < keys.length && keys[last]! < end) last++;
      const listed = { numbers: keys.subarray(1, last), offsets: offsets.subarray(1, last) };
      if (last < end) {
        const missing = listed.numbers.findIndex((key, i) => key !== i + 1);
        this.#problem(
          `${index}: lacks ${end - last} of the ${end - 1} images that record 0 announces, the first of them ${missing < 0 ? last : missing + 1}`,
        );
      }
      return listed;
    } catch (error) {
      if (!isOfInput(error)) throw error;
      this.#problem(`${error.message}; the records are found by scanning the file instead`);
      return undefined;
    }
  }

  /** The key after the last image's, as record 0 says it; undefined when all records are images. */
  async #announced(index: string, key: number, offset: number): Promise<number | undefined> {
    try {
      const extent = await this.records.extent(offset);
      const { header, image } = await this.#glimpse(extent);
      const [end] = header.labels;
      const announces = key === 0 && image.length === 0 && Number.isInteger(end) && end! >= 1;
      return announces ? end : undefined;
    } catch (error) {
      if (!isOfInput(error)) throw error;
      throw new UserError(`${index}: points elsewhere: record ${key} at byte ${offset}: ${error.message}`);
    }
  }

  /** The images in the order in which they lie; what is damaged is told of and stepped over. */
  async #scan(onProgress: RecordSetOptions['onProgress']): Promise<Listed> {
    const numbers: number[] = [];
    const ids: number[] = [];
    const offsets: number[] = [];
    const { size } = this.records;
    // Where to look for the next record if this one cannot be read: a wrong length of the one before may have led
    // past others.
    let from = 4;
    let told = -1;
    let offset: number | undefined = 0;
    for (let number = 1; offset !== undefined && offset < size; number++) {
      const at: number = offset;
      try {
        const extent = await this.records.extent(at);
        const { header, image } = await this.#glimpse(extent);
        if (image.length > 0) {
          numbers.push(number);
          ids.push(header.id);
          offsets.push(at);
        }
        offset = extent.end;
        from = at + 4;
      } catch (error) {
        if (!isOfInput(error)) throw error;
        offset = await this.records.nextRecord(from);
        if (offset === at) offset = await this.records.nextRecord(at + 4);
        from = (offset ?? size) + 4;
        const then =
          offset === undefined ? 'nothing can be read after it' : `reading goes on at byte ${offset}`;
        if (at !== told)
          this.#problem(
            `${this.file}: record ${number} of the file at byte ${at}: ${error.message}; ${then}`,
          );
        told = at;
      }
      if (number % 1000 === 0) onProgress?.(at, size);
    }
    onProgress?.(size, size);
    const sorted = Float64Array.from(ids).sort();
    const distinct = sorted.every((id, i) => Number.isSafeInteger(id) && id !== sorted[i - 1]);
    return { numbers: distinct ? ids : numbers, offsets };
  }
}

/** See {@link RecordSet.open}. */
export const openRecordSet = RecordSet.open;
