// Training batches as a pure function of (seed, step): which images a step sees is settled by a sampler (see
// samplers.ts), so a resumed run sees exactly the batches it would have seen, and no position has to be saved.
// The batches after the one just given are prepared meanwhile. Of a run in several processes each one reads its rows alone.
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
  /** Batches under way, in the order in which they are expected to be asked for. */
  private queue: { step: number; count: number; batch: Promise<Batch> }[] = [];

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

  /** The batch of a global step (0-based); the batches after it are prepared meanwhile. */
  next(step: number): Promise<Batch> {
    return this.stack(step, 1);
  }

  /** `count` batches from `step` on, one behind the other: for programs that take several steps a call. */
  async stack(step: number, count: number): Promise<Batch> {
    if (!Number.isInteger(step) || step < 0) throw new RangeError(`step ${step} is not a step number`);
    const asked = performance.now();
    const [ready] = this.queue;
    const due = ready?.step === step && ready.count === count;
    if (due) this.queue.shift();
    else this.queue = [];
    const batch = await (due ? ready.batch : this.read(step, count));
    this.waited += (performance.now() - asked) / 1000;
    this.prepare(step + count, count);
    return batch;
  }

  /** Begins to prepare the batches of `stack(step, count)` and those after it, as far ahead as the set wants it. */
  prepare(step: number, count: number): void {
    const { ahead = 1, planes } = this.set;
    if (this.queue[0]?.step !== step || this.queue[0].count !== count) this.queue = [];
    while (this.queue.length < ahead) {
      const at = step + this.queue.length * count;
      // Where no other thread does the work the caller has its turn first: it hands its batch to the runtime, and this
      // runs beside that.
      const turn = planes ? undefined : new Promise((resolve) => setImmediate(resolve));
      const batch = turn ? turn.then(() => this.read(at, count)) : this.read(at, count);
      batch.catch(() => {}); // it is reported when it is asked for
      this.queue.push({ step: at, count, batch });
    }
  }

  /** Resolves when nothing is being prepared any more, for callers who want the threads for something else. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.queue.map(({ batch }) => batch));
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
    const labels = Int32Array.from(indices, (index) => set.labels[index]!);
    if (set.planes) return { images: await set.planes(indices, mirrored), labels };
    const pixels = await set.read(indices);
    const images = new Float32Array(pixels.length);
    writePlanes(pixels, set, images, 0, mirrored);
    return { images, labels };
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
