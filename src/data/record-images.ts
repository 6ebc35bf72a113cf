// A record file as a collection of people: its labels are their names. Of an image only its key, its place in the file
// and its label are kept, twenty bytes, so that a set of tens of millions fits in the memory of one machine.
import { isOfInput, UserError } from '../common/errors.js';
import type { ImageCollection, ImagePlaces, OpenCollection, UnreadableImage } from './image-collection.js';
import { readLabels } from './record-headers.js';
import { imageAt, RecordFile } from './record-io.js';
import { openRecordSet, type RecordSet } from './record-set.js';

/** Notes that are shown of a file's problems. */
const SHOWN = 5;

/** The images of train.rec. See {@link ImageCollection}. */
export class RecordImages implements ImageCollection {
  readonly layout = 'one label a person';

  private constructor(
    readonly source: string,
    readonly names: readonly string[],
    readonly starts: Float64Array,
    readonly skipped: readonly UnreadableImage[],
    readonly notes: readonly string[],
    /** By image: its record's key, and the byte where it begins. */
    private readonly keys: Float64Array,
    private readonly offsets: Float64Array,
    private readonly records: RecordFile,
  ) {}

  /**
   * Opens a .rec file or the train.rec of a folder. Throws a UserError when there is none, when it ends before records
   * that train.idx lists, and when more than one record in ten is damaged.
   */
  static async open(path: string, { onListed }: OpenCollection = {}): Promise<RecordImages> {
    const set = await openRecordSet(path);
    try {
      requireWhole(set);
      const listed = {
        keys: new Float64Array(set.listed.numbers),
        offsets: new Float64Array(set.listed.offsets),
      };

      const found = await readLabels(set, (done, total) => onListed?.(done, total, 'records'));
      const { unusable, skipped, labels } = found;
      if (10 * unusable > labels.length) {
        const mend = set.indexed
          ? 'train.idx is of another file, or the file is damaged: copy both again, or move train.idx away to train on what a scan of the file finds'
          : 'the file is damaged: copy it again';
        throw new UserError(
          `${set.file}: ${unusable} of ${labels.length} records hold no usable image (${skipped[0]!.path.replace(/^.*#/, 'record ')} ${skipped[0]!.reason}); ${mend}`,
        );
      }
      const { names, starts, order } = byLabel(labels);
      const inOrder = (values: Float64Array) =>
        order ? Float64Array.from(order, (i) => values[i]!) : values;
      const hidden = set.problems.length - SHOWN + set.moreProblems;
      const notes = [
        ...set.problems.slice(0, SHOWN),
        ...(hidden > 0
          ? [`${set.file}: ${hidden} more problems; hypersphere convert tells all of them`]
          : []),
      ];
      return new RecordImages(
        set.file,
        names,
        starts,
        skipped,
        notes,
        inOrder(listed.keys),
        inOrder(listed.offsets),
        await RecordFile.open(set.file),
      );
    } finally {
      await set.close();
    }
  }

  keyOf(image: number): string {
    return String(this.keys[image]);
  }

  placeOf(image: number): string {
    return `${this.source}#${this.keys[image]}`;
  }

  places(images: ArrayLike<number>): ImagePlaces {
    return {
      kind: 'records',
      file: this.source,
      offsets: Array.from(images, (image) => this.offsets[image]!),
    };
  }

  async bytes(image: number): Promise<Uint8Array> {
    try {
      return await imageAt(this.records, this.offsets[image]!);
    } catch (error) {
      if (!isOfInput(error)) throw error;
      throw new UserError(`${this.placeOf(image)}: ${error.message}`);
    }
  }

  async close(): Promise<void> {
    await this.records.close();
  }
}

/** A file that ends before its index does was not copied to its end; to train on half of it unasked would be a surprise. */
function requireWhole({ file, index }: RecordSet): void {
  if (index.behind > 0)
    throw new UserError(
      `${file}: is cut off: ${index.behind} of the ${index.records} records that train.idx lists lie behind its last byte; copy it again, or move train.idx away to train on what is there`,
    );
}

/**
 * Groups images by label, each label's in their order; those of label -1 are left out. `order` is absent where they
 * lie so already.
 */
function byLabel(labels: Int32Array): { names: string[]; starts: Float64Array; order?: Uint32Array } {
  const rising = labels.every((label, i) => label >= 0 && (i === 0 || label >= labels[i - 1]!));
  const sorted = rising ? labels : labels.slice().sort();
  const first = rising ? 0 : sorted.findIndex((label) => label >= 0);
  const names: string[] = [];
  const starts: number[] = [];
  const place = new Map<number, number>();
  for (let i = Math.max(first, 0); i < sorted.length; i++) {
    if (starts.length > 0 && sorted[i] === sorted[i - 1]) continue;
    place.set(sorted[i]!, i - first);
    names.push(String(sorted[i]));
    starts.push(i - first);
  }
  starts.push(sorted.length - first);
  if (rising) return { names, starts: Float64Array.from(starts) };
  const order = new Uint32Array(sorted.length - first);
  labels.forEach((label, i) => {
    if (label < 0) return;
    const at = place.get(label)!;
    order[at] = i;
    place.set(label, at + 1);
  });
  return { names, starts: Float64Array.from(starts), order };
}
