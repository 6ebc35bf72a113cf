// Training steps fed by a source of images, along the path that `hypersphere train` takes, and what share of their
// time they waited for images; and the same steps with one batch that is always at hand.
import { BatchSource, type TrainingSet } from '../../src/data/index.js';
import { openDevice } from '../../src/runtime/index.js';
import { freshState } from '../../src/train/start.js';
import { NAMES, trainingStep } from '../../src/train/step.js';

export interface Fed {
  /** Milliseconds of each step, and how many of them it waited. */
  times: number[];
  waits: number[];
}

export interface FedStep {
  /** Takes steps on the images of a set, or on one batch that is at hand; the first two are not counted. */
  take(set: TrainingSet | undefined, steps: number): Promise<Fed>;
  close(): Promise<void>;
}

/** Steps that are not counted: the threads start, and fresh memory costs more than arithmetic. */
const DISCARDED = 2;

export async function fedStep(
  net: string,
  size: readonly [number, number],
  embedding: number,
  { batch, threads, classes }: { batch: number; threads: number; classes: number },
): Promise<FedStep> {
  const step = trainingStep({
    net,
    size,
    embedding,
    reluAfterFc1: false,
    loss: 'softmax',
    lossOptions: { bias: true },
    classes,
    batch,
    momentum: 0.9,
    weightDecay: 5e-4,
  });
  const device = await openDevice('cpu', { threads });
  const program = await device.compile(step.graph, { formulations: 'fast' });
  await program.setState(freshState(step, 1));
  const run = async (images: Float32Array, labels: Int32Array) => {
    const { [NAMES.loss]: loss } = await program.run({
      [NAMES.images]: images,
      [NAMES.labels]: labels,
      [NAMES.rate]: 1e-4,
    });
    if (!Number.isFinite(loss!.data[0])) throw new Error(`${net}: the loss became ${loss!.data[0]}`);
  };
  return {
    async take(set, steps) {
      const fed: Fed = { times: [], waits: [] };
      const source = set && new BatchSource(set.pixels, { batch, seed: 1, mirror: true });
      const pixels = batch * 3 * size[0] * size[1];
      const still = {
        images: Float32Array.from(
          { length: source ? 0 : pixels },
          (_, i) => ((i * 7919) % 2003) / 1001.5 - 1,
        ),
        labels: Int32Array.from({ length: batch }, (_, i) => i % classes),
      };
      for (let i = 0; i < steps + DISCARDED; i++) {
        const start = performance.now();
        const { images, labels } = source ? await source.next(i) : still;
        const waited = performance.now() - start;
        await run(images, labels);
        if (i < DISCARDED) continue;
        fed.times.push(performance.now() - start);
        fed.waits.push(waited);
      }
      // What was prepared ahead must not run beside the next one.
      if (source) await source.settled();
      return fed;
    },
    async close() {
      await program.dispose();
      await device.close();
    },
  };
}
