// Training batches as a pure function of (seed, step): which images a step sees is settled by a sampler (see
// samplers.ts), so a resumed run sees exactly the batches it would have seen, and no position has to be saved.
// The batch after the one just given is prepared meanwhile. Of a run in several processes each one reads its rows alone.
import { UserError } from '../common/errors.js';
import { type ImageSet, writePlanes } from './image-set.js';
import { type Plan, peopleByImages, type Sampler, type SamplerOptions, shuffled } from './samplers.js';

export interface BatchOptions extends SamplerOptions {
  /**
   * P x K batches: so many images of each person, K, which must divide the batch. By default all images are
   * shuffled and a person has as many in a batch as chance gives.
   */
  perPerson?: number;
  /**
   * Of several processes that share each batch, the one whose rows are read: B / `of` of them, from row
   * `rank` x B / `of` on. The plan is that of the whole batch, so what a step sees does not depend on their number.
   */
  part?: { rank: number; of: number };
}

/** With a part of the batch, B is the part's number of images. */
export interface Batch {
  /** [B, C, H, W], scaled (p - 127.5) / 128; with k batches stacked, [k, B, C, H, W]. */
  images: Float32Array;
  /** [B], or [k, B]. */
  labels: Int32Array;
}

export class BatchSource {
  /** Whole batches an epoch; the images left over come in other epochs, as the order changes. */
  readonly batchesPerEpoch: number;
  /** Seconds that callers have waited for batches. */
  waited = 0;
  private readonly sampler: Sampler;
  /** The rows of each batch that are read here. */
  private readonly rows: { from: number; to: number };
  private ahead: { step: number; count: number; batch: Promise<Batch> } | undefined;

  /**
   * Throws a UserError when the set has fewer images than one batch, or too few people for P x K, and for a batch that
   * does not divide into so many parts.
   */
  constructor(
    readonly set: ImageSet,
    options: BatchOptions,
  ) {
    const { perPerson, part, ...order } = options;
    this.sampler =
      perPerson === undefined
        ? shuffled(set.labels, order)
        : peopleByImages(set.labels, { ...order, perPerson });
    this.batchesPerEpoch = this.sampler.batchesPerEpoch;
    this.rows = rowsOf(options.batch, part);
  }

  /** The batch of a global step (0-based); the batch of the next step is prepared meanwhile. */
  next(step: number): Promise<Batch> {
    return this.stack(step, 1);
  }

  /** `count` batches from `step` on, one behind the other: for programs that take several steps a call. */
  async stack(step: number, count: number): Promise<Batch> {
    if (!Number.isInteger(step) || step < 0) throw new RangeError(`step ${step} is not a step number`);
    const asked = performance.now();
    const ahead = this.ahead;
    this.ahead = undefined;
    const batch = await (ahead?.step === step && ahead.count === count
      ? ahead.batch
      : this.read(step, count));
    // Not before the caller has had its turn: it hands the batch to the runtime, and this runs beside that.
    const later = new Promise((resolve) => setImmediate(resolve));
    const following = { step: step + count, count, batch: later.then(() => this.read(step + count, count)) };
    following.batch.catch(() => {}); // it is reported when it is asked for
    this.ahead = following;
    this.waited += (performance.now() - asked) / 1000;
    return batch;
  }

  /** Begins to prepare the batches of `stack(step, count)`, for a caller who has other things to do before. */
  prepare(step: number, count: number): void {
    const ahead = { step, count, batch: this.read(step, count) };
    ahead.batch.catch(() => {}); // it is reported when it is asked for
    this.ahead = ahead;
  }

  /** The indices and mirrorings of one whole batch, without its pixels. */
  plan(step: number): Plan {
    return this.sampler.plan(step);
  }

  /** The labels of one whole batch, [B]. */
  labelsOf(step: number): Int32Array {
    return this.plan(step).indices.map((index) => this.set.labels[index]!);
  }

  private async read(step: number, count: number): Promise<Batch> {
    const { set } = this;
    const { from, to } = this.rows;
    const batch = to - from;
    const indices = new Int32Array(count * batch);
    const mirrored = new Uint8Array(count * batch);
    for (let k = 0; k < count; k++) {
      const plan = this.plan(step + k);
      indices.set(plan.indices.subarray(from, to), k * batch);
      mirrored.set(plan.mirrored.subarray(from, to), k * batch);
    }
    const pixels = await set.read(indices);
    const images = new Float32Array(pixels.length);
    writePlanes(pixels, set, images, 0, mirrored);
    return { images, labels: Int32Array.from(indices, (index) => set.labels[index]!) };
  }
}

/** The rows of a batch that are a process's own; all of them without a part. */
function rowsOf(batch: number, part: BatchOptions['part']): { from: number; to: number } {
  if (part === undefined) return { from: 0, to: batch };
  const { rank, of } = part;
  if (!Number.isInteger(of) || of < 1 || !Number.isInteger(rank) || rank < 0 || rank >= of)
    throw new RangeError(`part ${rank} of ${of} is no part of a batch`);
  if (batch % of !== 0) {
    const below = batch - (batch % of);
    const mend = [below, below + of].filter((n) => n > 0).join(' or ');
    throw new UserError(
      `a batch of ${batch} images cannot be shared evenly by ${of} processes: use a batch of ${mend}`,
    );
  }
  return { from: (rank * batch) / of, to: ((rank + 1) * batch) / of };
}
