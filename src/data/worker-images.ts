// The training images of a collection, brought to batches by worker threads: from decoded pixels in memory, or from
// their files at every read. An image that turns out to be unreadable is replaced by the next one of its person, so
// that what a step sees stays a function of (seed, step) and of the data alone.
import { UserError } from '../common/errors.js';
import { DecoderPool } from './decoder-pool.js';
import type { ImageCollection, ImagePlaces, UnreadableImage } from './image-collection.js';
import type { ImageSet } from './image-set.js';
import type { DecodeOptions } from './images.js';

export interface WorkerImagesOptions {
  decoding: DecodeOptions;
  classes: number;
  /** Decoded pixels [labels.length, H, W, 3]; absent where the files are read. */
  pixels?: SharedArrayBuffer;
  threads?: number;
}

/** See {@link ImageSet}. Labels rise, so a person's images are neighbours. */
export class WorkerImages implements ImageSet {
  readonly channels = 3;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
  onUnreadable?: (image: UnreadableImage) => void;
  readonly #pool: DecoderPool;
  readonly #pixels: SharedArrayBuffer | undefined;
  /** Images found to be unreadable. */
  readonly #unreadable = new Set<number>();

  constructor(
    private readonly collection: ImageCollection,
    /** The collection's number of each image. */
    private readonly images: Uint32Array,
    readonly labels: Int32Array,
    { decoding, classes, pixels, threads }: WorkerImagesOptions,
  ) {
    [this.height, this.width] = decoding.size;
    this.classes = classes;
    this.#pool = new DecoderPool(decoding, threads);
    this.#pixels = pixels;
  }

  /** Every thread has a batch at hand, and one more is ready. */
  get ahead(): number {
    return this.#pool.threads + 1;
  }

  async read(indices: ArrayLike<number>): Promise<Uint8Array> {
    if (!this.#pixels) return new Uint8Array(await this.#load(Uint32Array.from(indices)));
    const length = this.height * this.width * 3;
    const out = new Uint8Array(indices.length * length);
    for (let i = 0; i < indices.length; i++)
      out.set(new Uint8Array(this.#pixels, indices[i]! * length, length), i * length);
    return out;
  }

  async planes(indices: ArrayLike<number>, mirrored: Uint8Array): Promise<Float32Array> {
    return new Float32Array(await this.#load(Uint32Array.from(indices), mirrored));
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** Bytes, or planes with `mirrored`, of the images or of those that stand in for them. */
  async #load(wanted: Uint32Array, mirrored?: Uint8Array): Promise<ArrayBuffer> {
    const images = wanted.map((image) => this.#standIn(image) ?? image);
    const { memory, unreadable } = await this.#pool.load(this.#places(images), images.length, mirrored);
    if (unreadable.length === 0) return memory;
    // A disk that is gone makes everything unreadable; a damaged image is one among many.
    if (unreadable.length === images.length && images.length > 1)
      throw new UserError(
        `none of the ${images.length} images of a batch can be read (${unreadable[0]!.reason})`,
      );
    for (const { at, reason } of unreadable) this.#tell(images[at]!, reason);
    const blank = mirrored ? 0 : 128;
    const result = mirrored ? new Float32Array(memory) : new Uint8Array(memory);
    const length = this.height * this.width * 3;
    for (const { at } of unreadable) {
      const one = await this.#another(wanted[at]!, mirrored?.subarray(at, at + 1));
      if (one) result.set(mirrored ? new Float32Array(one) : new Uint8Array(one), at * length);
      else result.fill(blank, at * length, (at + 1) * length);
    }
    return memory;
  }

  /** The first readable image of the person after this one; undefined when there is none. */
  async #another(image: number, mirrored: Uint8Array | undefined): Promise<ArrayBuffer | undefined> {
    for (let next = this.#standIn(image); next !== undefined; next = this.#standIn(image)) {
      const { memory, unreadable } = await this.#pool.load(
        this.#places(Uint32Array.of(next)),
        1,
        mirrored?.slice(),
      );
      if (unreadable.length === 0) return memory;
      this.#tell(next, unreadable[0]!.reason);
    }
    return undefined;
  }

  /** The image itself, or the next one of its person that is not known to be unreadable, the first after the last. */
  #standIn(image: number): number | undefined {
    if (!this.#unreadable.has(image)) return image;
    const label = this.labels[image];
    let first = image;
    while (this.labels[first - 1] === label) first--;
    for (let next = image + 1; next !== image; next++) {
      if (this.labels[next] !== label) next = first;
      if (next === image) break;
      if (!this.#unreadable.has(next)) return next;
    }
    return undefined;
  }

  #tell(image: number, reason: string): void {
    if (this.#unreadable.has(image)) return;
    this.#unreadable.add(image);
    const path = this.collection.placeOf(this.images[image]!);
    this.onUnreadable?.({ path, reason: withoutPlace(reason, path) });
  }

  #places(images: Uint32Array): ImagePlaces {
    if (this.#pixels) return { kind: 'pixels', pixels: this.#pixels, rows: Int32Array.from(images) };
    return this.collection.places(images.map((image) => this.images[image]!));
  }
}

/** What is wrong with an image, without where it is. */
export function withoutPlace(reason: string, path: string): string {
  const file = path.replace(/#\d+$/, '');
  return reason.replace(`${path}: `, '').replace(`${file}: record at byte`, 'at byte');
}
