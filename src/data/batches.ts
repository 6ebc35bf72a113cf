// Training batches as a pure function of (seed, step): which images a step sees is settled by a sampler (see
// samplers.ts), so a resumed run sees exactly the batches it would have seen, and no position has to be saved.
// The batch after the one just given is prepared meanwhile.
import { type ImageSet, writePlanes } from './image-set.js';
import { type Plan, peopleByImages, type Sampler, type SamplerOptions, shuffled } from './samplers.js';

export interface BatchOptions extends SamplerOptions {
  /**
   * P x K batches: so many images of each person, K, which must divide the batch. By default all images are
   * shuffled and a person has as many in a batch as chance gives.
   */
  perPerson?: number;
}

export interface Batch {
  /** [B, C, H, W], scaled (p - 127.5) / 128; with k batches stacked, [k, B, C, H, W]. */
  images: Float32Array;
  /** [B], or [k, B]. */
  labels: Int32Array;
}

export class BatchSource {
  /** Whole batches an epoch; the images left over come in other epochs, as the order changes. */
  readonly batchesPerEpoch: number;
  private readonly sampler: Sampler;
  private ahead: { step: number; count: number; batch: Promise<Batch> } | undefined;

  /** Throws a UserError when the set has fewer images than one batch, or too few people for P x K. */
  constructor(
    readonly set: ImageSet,
    private readonly options: BatchOptions,
  ) {
    const { perPerson, ...order } = options;
    this.sampler =
      perPerson === undefined
        ? shuffled(set.labels, order)
        : peopleByImages(set.labels, { ...order, perPerson });
    this.batchesPerEpoch = this.sampler.batchesPerEpoch;
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
  plan(step: number): Plan {
    return this.sampler.plan(step);
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
