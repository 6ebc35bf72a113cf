// An image folder as a collection: one folder a person. Names of files are kept in a table, about twenty bytes an
// image, because there may be millions.
import { join } from 'node:path';
import { type Ignored, ignoredLine } from './ignored.js';
import type { ImageCollection, ImagePlaces, OpenCollection } from './image-collection.js';
import { readImageFile } from './image-file.js';
import { NameTable } from './name-table.js';
import { peopleIn } from './people.js';

/** `folder/person/image`. See {@link ImageCollection}. */
export class FolderImages implements ImageCollection {
  readonly layout = 'one folder a person';
  readonly skipped = [];

  private constructor(
    readonly source: string,
    readonly names: readonly string[],
    readonly starts: Float64Array,
    private readonly files: NameTable,
    readonly notes: readonly string[],
  ) {}

  /** Throws a UserError for a missing or empty folder, and for images outside of person folders. */
  static async open(folder: string, { onListed }: OpenCollection = {}): Promise<FolderImages> {
    const names: string[] = [];
    const starts = [0];
    const files = new NameTable();
    const ignored: Ignored[] = [];
    const listed = (done: number, total: number) => onListed?.(done, total, 'folders');
    const passed = (each: Ignored) => {
      // Lists and tables beside the images are usual in a data set.
      if (each.kind !== 'text') ignored.push(each);
    };
    for await (const person of peopleIn(folder, listed, passed)) {
      for (const file of person.files) files.add(file);
      names.push(person.name);
      starts.push(files.length);
    }
    const note = ignoredLine(ignored);
    const notes = note === undefined ? [] : [note];
    return new FolderImages(folder, names, Float64Array.from(starts), files, notes);
  }

  keyOf(image: number): string {
    return `${this.names[personOf(this.starts, image)]}/${this.files.at(image)}`;
  }

  placeOf(image: number): string {
    return join(this.source, this.names[personOf(this.starts, image)]!, this.files.at(image));
  }

  places(images: ArrayLike<number>): ImagePlaces {
    return { kind: 'files', paths: Array.from(images, (image) => this.placeOf(image)) };
  }

  bytes(image: number): Promise<Uint8Array> {
    return readImageFile(this.placeOf(image));
  }

  async close(): Promise<void> {}
}

/** Whose image it is: the last person whose images begin at or before it. */
export function personOf(starts: Float64Array, image: number): number {
  let [low, high] = [0, starts.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! <= image) low = middle;
    else high = middle;
  }
  return low;
}
