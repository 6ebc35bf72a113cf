// The part of a training step that a loss is: the embedding comes in, its gradient goes out to the network, and the
// loss's own parameters are updated. Built from the same pieces as src/train/step.ts, without the network.
import { random } from '../../src/common/random.js';
import { gradients, input, nameOf, sizeOf, type Tensor } from '../../src/graph/index.js';
import { lossNamed } from '../../src/losses/index.js';
import type { StepGraph } from '../../src/lower/index.js';
import { gaussian, type Parameter, Scope, xavier } from '../../src/nn/index.js';
import { type Device, type Feeds, openDevice } from '../../src/runtime/index.js';
import { sgdUpdates } from '../../src/train/sgd.js';
import { accuracy } from '../../src/train/step.js';
import type { Timed } from '../statistics.js';
import type { Head } from './heads.js';

/** The sizes of all heads of one run. */
export interface Sizes {
  classes: number;
  batch: number;
  /** Length of the embedding. */
  length: number;
  threads: number;
}

/** Images of each person in the batch. */
const IMAGES_PER_PERSON = 4;
/** Scheduled inputs have the values of this step. */
const STEP = 1000;

/** A head that runs, and the memory that came with it. */
export interface RunningHead extends Timed {
  readonly title: string;
  /** Growth of the process from before the head was compiled to after its first step, in bytes. */
  readonly bytes: number;
  close(): Promise<void>;
}

/** The head as a step graph, with what a training step reads back of it. */
function headGraph({ loss, options }: Head, { classes, batch, length }: Sizes) {
  const scope = new Scope();
  const embedding = input('embedding', [batch, length]);
  const labels = input('labels', [batch], 'int32');
  const rate = input('rate', []);
  const terms = lossNamed(loss).build({ scope, embedding, labels, classes }, options);
  const { parameters } = scope;
  const [towardsNetwork, ...own] = gradients(
    terms.loss,
    [embedding, ...parameters.map(({ tensor }) => tensor)],
    rate,
  ) as [Tensor, ...Tensor[]];
  const { state, velocities } = sgdUpdates(parameters, own, { rate, momentum: 0.9, weightDecay: 5e-4 });
  const graph: StepGraph = {
    inputs: [embedding, labels, rate, ...terms.schedule.map((entry) => entry.input)],
    state,
    outputs: {
      ...terms.metrics,
      ...(terms.logits && { accuracy: accuracy(terms.logits, labels) }),
      loss: terms.loss,
      'embedding.gradient': towardsNetwork,
    },
  };
  const scheduled = terms.schedule.map((entry) => [nameOf(entry.input), entry.at(STEP)] as const);
  return { graph, parameters, velocities, scheduled: Object.fromEntries(scheduled) };
}

/** Opens heads of one size on the CPU; class vectors start the same for all, made once. */
export class HeadBench {
  private readonly vectors: Float32Array;

  private constructor(
    private readonly device: Device,
    private readonly sizes: Sizes,
  ) {
    this.vectors = xavier([sizes.classes, sizes.length], random(1, 'class vectors'));
  }

  static async open(sizes: Sizes): Promise<HeadBench> {
    return new HeadBench(await openDevice('cpu', { threads: sizes.threads, spin: false }), sizes);
  }

  /** Compiles a head and runs its first step. */
  async head(head: Head): Promise<RunningHead> {
    const { classes, batch, length } = this.sizes;
    const before = process.memoryUsage.rss();
    const { graph, parameters, velocities, scheduled } = headGraph(head, this.sizes);
    const program = await this.device.compile(graph);
    program.setState(this.start(parameters));
    for (const velocity of velocities)
      program.setState({ [nameOf(velocity)]: new Float32Array(sizeOf(velocity.shape)) });
    const people = Math.ceil(batch / IMAGES_PER_PERSON);
    const feeds: Feeds = {
      embedding: gaussian(1)([batch, length], random(1, 'embedding')),
      labels: Int32Array.from({ length: batch }, (_, i) => Math.floor(((i % people) * classes) / people)),
      rate: 0.01,
      ...scheduled,
    };
    const step = async (): Promise<number> => {
      const start = performance.now();
      const result = await program.run(feeds);
      const milliseconds = performance.now() - start;
      const loss = result.loss!.data[0]!;
      if (!Number.isFinite(loss)) throw new Error(`${head.title}: the loss became ${loss}`);
      return milliseconds;
    };
    await step();
    return {
      title: head.title,
      bytes: process.memoryUsage.rss() - before,
      step,
      close: () => program.dispose(),
    };
  }

  close(): Promise<void> {
    return this.device.close();
  }

  private start(parameters: readonly Parameter[]): Map<string, Float32Array> {
    const all = this.sizes.classes * this.sizes.length;
    return new Map(
      parameters.map(({ name, shape, initializer }) => [
        name,
        sizeOf(shape) === all ? this.vectors : initializer(shape, random(1, name)),
      ]),
    );
  }
}
