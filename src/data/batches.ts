// Training batches as a pure function of (seed, step): the order of an epoch and which images are mirrored come
// from streams named by the seed and the epoch, so a resumed run sees exactly the batches it would have seen,
// and no position has to be saved. The batch after the one just given is prepared meanwhile.
import { UserError } from '../common/errors.js';
import { random } from '../common/random.js';
import { type ImageSet, writePlanes } from './image-set.js';

export interface BatchOptions {
  /** Images a batch. */
  batch: number;
  seed: number;
  /** Reverse each image from left to right with probability 1/2, drawn anew every epoch. Default false. */
  mirror?: boolean;
}

export interface Batch {
  /** [B, C, H, W], scaled (p - 127.5) / 128; with k batches stacked, [k, B, C, H, W]. */
  images: Float32Array;
  /** [B], or [k, B]. */
  labels: Int32Array;
}

/** The shuffled order and the mirrored images of one epoch. */
interface Epoch {
  number: number;
  order: Int32Array;
  /** By image, not by place: 1 where it is mirrored. */
  mirrored: Uint8Array;
}

export class BatchSource {
  /** Whole batches an epoch; the images left over come in other epochs, as the order changes. */
  readonly batchesPerEpoch: number;
  private epoch: Epoch | undefined;
  private ahead: { step: number; count: number; batch: Promise<Batch> } | undefined;

  /** Throws a UserError when the set has fewer images than one batch. */
  constructor(
    readonly set: ImageSet,
    private readonly options: BatchOptions,
  ) {
    const { batch } = options;
    const count = set.labels.length;
    if (!Number.isInteger(batch) || batch < 1)
      throw new UserError(`a batch of ${batch} images: use a whole number from 1 on`);
    if (count < batch)
      throw new UserError(
        `the data set has ${count} images, fewer than one batch of ${batch}: use a batch of ${count} or less`,
      );
    this.batchesPerEpoch = Math.floor(count / batch);
  }

  /** The batch of a global step (0-based); the batch of the next step is prepared meanwhile. */
  next(step: number): Promise<Batch> {
    return this.stack(step, 1);
  }

  /** `count` batches from `step` on, one behind the other: for programs that take several steps a call. */
  async stack(step: number, count: number): Promise<Batch> {
    if (!Number.isInteger(step) || step < 0) throw new RangeError(`step ${step} is not a step number`);
    const ahead = this.ahead;
    this.ahead = undefined;
    const batch = await (ahead?.step === step && ahead.count === count
      ? ahead.batch
      : this.prepare(step, count));
    // Not before the caller has had its turn: it hands the batch to the runtime, and this runs beside that.
    const later = new Promise((resolve) => setImmediate(resolve));
    const prepared = later.then(() => this.prepare(step + count, count));
    const following = { step: step + count, count, batch: prepared };
    following.batch.catch(() => {}); // it is reported when it is asked for
    this.ahead = following;
    return batch;
  }

  /** The indices and mirrorings of one batch, without its pixels. */
  plan(step: number): { indices: Int32Array; mirrored: Uint8Array } {
    const { batch } = this.options;
    const epoch = this.epochOf(Math.floor(step / this.batchesPerEpoch));
    const start = (step % this.batchesPerEpoch) * batch;
    const indices = epoch.order.slice(start, start + batch);
    return { indices, mirrored: Uint8Array.from(indices, (index) => epoch.mirrored[index]!) };
  }

  private epochOf(number: number): Epoch {
    if (this.epoch?.number === number) return this.epoch;
    const { seed, mirror } = this.options;
    const count = this.set.labels.length;
    const order = random(seed, 'shuffle', number).shuffle(Int32Array.from({ length: count }, (_, i) => i));
    const coin = random(seed, 'mirror', number);
    const mirrored = new Uint8Array(count);
    if (mirror) for (let i = 0; i < count; i++) mirrored[i] = coin.integer(2);
    this.epoch = { number, order, mirrored };
    return this.epoch;
  }

  private async prepare(step: number, count: number): Promise<Batch> {
    const { batch } = this.options;
    const { set } = this;
    const indices = new Int32Array(count * batch);
    const mirrored = new Uint8Array(count * batch);
    for (let k = 0; k < count; k++) {
      const plan = this.plan(step + k);
      indices.set(plan.indices, k * batch);
      mirrored.set(plan.mirrored, k * batch);
    }
    const pixels = await set.read(indices);
    const images = new Float32Array(pixels.length);
    writePlanes(pixels, set, images, 0, mirrored);
    return { images, labels: Int32Array.from(indices, (index) => set.labels[index]!) };
  }
}
