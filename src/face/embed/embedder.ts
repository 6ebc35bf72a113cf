// Aligned faces in, embeddings out: any ONNX model with a manifest, in batches, with the features of the image
// and of its mirror image. Images are decoded on other threads while the network runs, a few batches ahead, so
// that a data set of any size passes through little memory.
import { isOfInput, UserError } from '../../common/errors.js';
import { DecoderPool } from '../../data/decoder-pool.js';
import { decodeFace } from '../../data/index.js';
import { type Leader, threadsOfRank } from '../../mpi/index.js';
import type { Device, InferenceModel } from '../../runtime/index.js';
import type { Manifest } from '../models/manifest.js';
import { requireDirections } from './directions.js';
import { pixelTables, toPlanes } from './planes.js';

export interface EmbedHooks {
  /** Called after every batch with the number of images done and of all. */
  onProgress?(done: number, total: number): void;
  /**
   * Called for an image that cannot be read; its features are zeros then. Without it such an image is an error
   * that names it.
   */
  onUnreadable?(index: number, reason: string): void;
  /** What an image is called in messages; by default its path, or its number from 1 on. */
  nameOf?(index: number): string;
}

/** Aligned faces: paths of image files, or bytes [height, width, 3] in the manifest's size and channel order. */
export type FaceImages = readonly string[] | readonly Uint8Array[];

/** Features [N, length] of the images and of their mirror images. */
export interface BothFeatures {
  length: number;
  original: Float32Array;
  mirrored: Float32Array;
}

/** Batches that are decoded ahead of the network. */
const AHEAD = 3;

/** A model that all ranks of a run have open: who leads them, and what they call it. */
export interface SharedModel {
  leader: Leader;
  model: string;
}

export class Embedder {
  readonly #tables: readonly Float32Array[];
  readonly #decoders: DecoderPool;

  constructor(
    readonly manifest: Manifest,
    readonly device: Device,
    private readonly model: InferenceModel,
    /** Images a run; when `fixed`, the model takes no other number. */
    private readonly batch: { size: number; fixed: boolean },
    private readonly ownsDevice: boolean,
    /** Other ranks compute with this one in `bothOf` and `embeddingsOf`; the methods here compute on this one alone. */
    readonly shared?: SharedModel,
  ) {
    this.#tables = pixelTables(manifest.input);
    const threads = threadsOfRank();
    this.#decoders = new DecoderPool(this.#decoding, threads && Math.min(4, threads));
  }

  /** Images a run of the network. */
  get batchSize(): number {
    return this.batch.size;
  }

  /** Numbers of one embedding from `embed`: twice the feature's when the mirror's are concatenated. */
  get length(): number {
    const { flip, embedding } = this.manifest;
    return flip === 'concatenate' ? 2 * embedding.length : embedding.length;
  }

  /**
   * Embeddings [N, length], the mirror joined as the manifest's `flip` says. They are not normalised. Throws a
   * UserError that names image and model for one that is not finite or has length zero.
   */
  async embed(images: FaceImages, hooks: EmbedHooks = {}): Promise<Float32Array> {
    const { flip, embedding } = this.manifest;
    const out = new Float32Array(images.length * this.length);
    const nameOf = namesOf(images, hooks);
    await this.#each(images, hooks, flip !== 'none', (first, original, mirrored, unreadable) => {
      for (let i = 0; i < original.length / embedding.length; i++) {
        const row = (features: Float32Array) =>
          features.subarray(i * embedding.length, (i + 1) * embedding.length);
        const start = (first + i) * this.length;
        out.set(row(original), start);
        if (!mirrored) continue;
        if (flip === 'concatenate') out.set(row(mirrored), start + embedding.length);
        else
          row(mirrored).forEach((value, d) => {
            out[start + d]! += value;
          });
      }
      if (flip !== 'sum') return;
      const joined = out.subarray(first * this.length, first * this.length + original.length);
      this.#check(joined, (row) => nameOf(first + row), unreadable);
    });
    return out;
  }

  /** Features of the images and of their mirror images, apart; throws as `embed` does. */
  async both(images: FaceImages, hooks: EmbedHooks = {}): Promise<BothFeatures> {
    const { length } = this.manifest.embedding;
    const original = new Float32Array(images.length * length);
    const mirrored = new Float32Array(images.length * length);
    await this.#each(images, hooks, true, (first, ofImages, ofMirrors) => {
      original.set(ofImages, first * length);
      mirrored.set(ofMirrors!, first * length);
    });
    return { length, original, mirrored };
  }

  /** Frees the model, the decoding threads, and the device unless it was handed in. */
  async close(): Promise<void> {
    await this.#decoders.close();
    await this.model.dispose();
    if (this.ownsDevice) await this.device.close();
  }

  get #decoding() {
    const { height, width, order } = this.manifest.input;
    return { size: [height, width] as const, order };
  }

  async #each(
    images: FaceImages,
    hooks: EmbedHooks,
    mirror: boolean,
    take: (
      first: number,
      original: Float32Array,
      mirrored: Float32Array | undefined,
      unreadable: ReadonlySet<number>,
    ) => void,
  ): Promise<void> {
    const { onProgress, onUnreadable } = hooks;
    const nameOf = namesOf(images, hooks);
    const { size } = this.batch;
    const { height, width } = this.manifest.input;
    const pending: Promise<Batch>[] = [];
    let asked = 0;
    try {
      for (let first = 0; first < images.length; first += size) {
        for (; asked < images.length && pending.length < AHEAD; asked += size) {
          const batch = this.#decode(
            images.slice(asked, asked + size) as FaceImages,
            onUnreadable !== undefined,
          );
          batch.catch(() => {}); // It is awaited below, in its turn.
          pending.push(batch);
        }
        const { pixels, unreadable } = await pending.shift()!;
        for (const { at, reason } of unreadable) onUnreadable?.(first + at, reason);
        const left = new Set(unreadable.map(({ at }) => at));
        const run = async (mirrored: boolean) => {
          const features = await this.#run(toPlanes(pixels, { height, width }, this.#tables, mirrored));
          this.#check(features, (row) => nameOf(first + row), left);
          for (const { at } of unreadable) features.fill(0, at * this.#width, (at + 1) * this.#width);
          return features;
        };
        take(first, await run(false), mirror ? await run(true) : undefined, left);
        onProgress?.(Math.min(first + size, images.length), images.length);
      }
    } finally {
      await Promise.allSettled(pending);
    }
  }

  #check(features: Float32Array, nameOf: (row: number) => string, except: ReadonlySet<number>): void {
    requireDirections(features, this.#width, this.manifest.name, nameOf, except);
  }

  get #width(): number {
    return this.manifest.embedding.length;
  }

  /** The pixels [n, H, W, 3] of a batch. Unreadable images are zeros when they are tolerated. */
  async #decode(images: FaceImages, tolerant: boolean): Promise<Batch> {
    const { height, width } = this.manifest.input;
    const bytes = height * width * 3;
    const named = images.every((image) => typeof image === 'string');
    if (named) {
      try {
        return { pixels: await this.#decoders.decode(images as readonly string[]), unreadable: [] };
      } catch (error) {
        if (!tolerant || !isOfInput(error)) throw error;
      }
    }
    const pixels = new Uint8Array(images.length * bytes);
    const unreadable: Batch['unreadable'] = [];
    for (const [i, image] of images.entries()) {
      try {
        const face = typeof image === 'string' ? await decodeFace(image, this.#decoding) : image;
        if (face.length !== bytes) {
          throw new UserError(`image ${i} has ${face.length} bytes; ${height}x${width}x3 are ${bytes}`);
        }
        pixels.set(face, i * bytes);
      } catch (error) {
        if (!tolerant || !isOfInput(error)) throw error;
        unreadable.push({ at: i, reason: error.message });
      }
    }
    return { pixels, unreadable };
  }

  /** Features [n, length] of planes [n, 3, H, W]; a model with a fixed batch runs as often as it takes. */
  async #run(planes: Float32Array): Promise<Float32Array> {
    const { input, embedding } = this.manifest;
    const image = 3 * input.height * input.width;
    const count = planes.length / image;
    const size = this.batch.fixed ? this.batch.size : count;
    const features = new Float32Array(Math.ceil(count / size) * size * embedding.length);
    for (let first = 0; first < count; first += size) {
      let data = planes.subarray(first * image, (first + size) * image);
      if (data.length < size * image) {
        const padded = new Float32Array(size * image);
        padded.set(data);
        data = padded;
      }
      const shape = [size, 3, input.height, input.width];
      const result = (await this.model.run({ [input.name]: { data, shape } }))[embedding.output]!;
      if (result.data.length !== size * embedding.length) {
        throw new UserError(
          `${this.manifest.name}: gave ${result.data.length / size} numbers an image, its manifest says ${embedding.length}`,
        );
      }
      features.set(result.data, first * embedding.length);
    }
    return features.subarray(0, count * embedding.length);
  }
}

function namesOf(images: FaceImages, { nameOf }: EmbedHooks): (index: number) => string {
  return (index) => {
    const image = images[index];
    return nameOf?.(index) ?? (typeof image === 'string' ? image : `image ${index + 1}`);
  };
}

interface Batch {
  pixels: Uint8Array;
  unreadable: { at: number; reason: string }[];
}
