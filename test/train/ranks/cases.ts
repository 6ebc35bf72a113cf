// Training steps on made-up images, in one process with a `Program` or on the ranks of a run with a `RankProgram`,
// and what is compared of them.
import { nameOf } from '../../../src/graph/index.js';
import type { Communicator } from '../../../src/mpi/index.js';
import { networkNamed } from '../../../src/nn/index.js';
import { type Device, type Feeds, openDevice } from '../../../src/runtime/index.js';
import { type ClassRows, classesOf } from '../../../src/train/class-rows.js';
import { sampleClasses, sampleSize } from '../../../src/train/class-sampling.js';
import {
  type ClassPlan,
  type RankOptions,
  RankProgram,
  stepOnRank,
} from '../../../src/train/rank-program.js';
import { velocityName } from '../../../src/train/sgd.js';
import { freshState } from '../../../src/train/start.js';
import { NAMES, type TrainingStep, trainingStep } from '../../../src/train/step.js';

export interface Case {
  loss: string;
  lossOptions?: Record<string, unknown>;
  /** Default 'digits', whose few weights leave time for many losses. */
  net?: string;
  /** Default 50. */
  steps?: number;
  /** Of all ranks together; default 8. */
  batch?: number;
  /** Default 10. */
  classes?: number;
  /** Learning rate; default .004. */
  rate?: number;
  /** In one process: of each batch only the rows from the first number to before the second. */
  rows?: readonly [number, number];
  /** Default: every rank has all classes. */
  classPlan?: ClassPlan;
  /** Default 1. */
  backwardParts?: number;
  /** Default false. */
  syncBatchNorm?: boolean;
}

/** Part of the state of a run at a moment. */
export interface Tensor {
  name: string;
  length: number;
  /** Largest absolute value. */
  largest: number;
  /** Root of the sum of squares. */
  norm: number;
  /** Some of the numbers. */
  some: number[];
}

export interface Outcome {
  losses: number[];
  /** Share of each batch that is right; none of losses without logits. */
  accuracies: number[];
  /** The state after some of the steps, by name. */
  states: Tensor[][];
}

const SIZE = [16, 16] as const;
const SEED = 1;

const complete = (given: Case) => ({
  ...{
    net: 'digits',
    steps: 50,
    batch: 8,
    classes: 10,
    rate: 0.004,
    lossOptions: {},
    backwardParts: 1,
    syncBatchNorm: false,
  },
  ...{ classPlan: { shared: false, sampled: 1 } },
  ...given,
});

export const optionsOf = (given: Case): RankOptions => {
  const { net, loss, lossOptions, classes, batch, classPlan, backwardParts, syncBatchNorm } = complete(given);
  return {
    ...{ net, size: SIZE, embedding: 16, reluAfterFc1: false, loss, lossOptions, classes, batch },
    ...{
      momentum: 0.9,
      weightDecay: 5e-4,
      seed: SEED,
      formulations: 'fast',
      classPlan,
      backwardParts,
      syncBatchNorm,
    },
  };
};

/** Every person twice or more, others at every step. */
export const labelsOf = (given: Case, step: number): Int32Array => {
  const { batch, classes } = complete(given);
  return Int32Array.from({ length: batch }, (_, i) => (3 * step + Math.floor(i / 2)) % classes);
};

/** What the rows from `from` to `to` - 1 of a batch are: images alike for one person, and other ones at every step. */
export function feedsOf(
  given: Case,
  schedule: TrainingStep['schedule'],
  step: number,
  from: number,
  to: number,
): Feeds {
  const labels = labelsOf(given, step).subarray(from, to);
  const pixels = networkNamed(complete(given).net).channels * SIZE[0] * SIZE[1];
  const images = new Float32Array(labels.length * pixels);
  for (let i = 0; i < images.length; i++) {
    const [row, pixel] = [Math.floor(i / pixels), i % pixels];
    const person = Math.sin((1 + labels[row]!) * (0.3 + 0.1 * pixel) + pixel);
    images[i] =
      person + 1.5 * Math.cos(1.3 * step + 0.7 * pixel * (1 + ((from + row + step) % 5)) + from + row);
  }
  return {
    ...{ [NAMES.images]: images, [NAMES.labels]: labels, [NAMES.rate]: complete(given).rate },
    ...Object.fromEntries(schedule.map(({ input, at }) => [nameOf(input), at(step + 1)])),
  };
}

const summary = (state: ReadonlyMap<string, Float32Array>): Tensor[] =>
  [...state]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, values]) => {
      const stride = Math.max(1, Math.floor(values.length / 200));
      let [largest, squares] = [0, 0];
      for (const value of values) {
        largest = Math.max(largest, Math.abs(value));
        squares += value * value;
      }
      const some = Array.from({ length: Math.min(200, values.length) }, (_, i) => values[i * stride]!);
      return { name, length: values.length, largest, norm: Math.sqrt(squares), some };
    });

/** Class rows of all ranks behind each other. */
async function gathered(rows: ClassRows | undefined, { shared }: ClassPlan, communicator: Communicator) {
  const all = new Map<string, Float32Array>();
  for (const [name, own] of rows?.tensors ?? [])
    all.set(name, shared ? await communicator.allGather(own.slice()) : own.slice());
  return all;
}

/** Takes the steps of `given`; without a communicator in one process, else as its rank. */
export async function outcomeOf(device: Device, given: Case, communicator?: Communicator): Promise<Outcome> {
  const { steps, batch, classPlan } = complete(given);
  const outcome: Outcome = { losses: [], accuracies: [], states: [] };
  const looks = new Set([4, Math.floor(steps / 2), steps - 1]);
  const note = (outputs: Record<string, { data: ArrayLike<number> }>) => {
    outcome.losses.push(outputs[NAMES.loss]!.data[0]!);
    const accuracy = outputs[NAMES.accuracy];
    if (accuracy) outcome.accuracies.push(accuracy.data[0]!);
  };
  if (!communicator) {
    const [from, to] = given.rows ?? [0, batch];
    const step = trainingStep({ ...optionsOf(given), batch: to - from });
    const program = await device.compile(step.graph);
    await program.setState(freshState(step, SEED));
    for (let i = 0; i < steps; i++) {
      note(await program.run(feedsOf(given, step.schedule, i, from, to)));
      if (looks.has(i)) outcome.states.push(summary(await program.getState()));
    }
    await program.dispose();
    return outcome;
  }
  const { rank, size } = communicator;
  const step = stepOnRank(optionsOf(given), communicator);
  const program = await RankProgram.open(device, step, optionsOf(given), communicator);
  program.begin();
  const rows = batch / size;
  for (let i = 0; i < steps; i++) {
    const feeds = feedsOf(given, step.schedule, i, rank * rows, (rank + 1) * rows);
    note(await program.run(i, feeds, labelsOf(given, i)));
    if (!looks.has(i)) continue;
    const state = await program.getState();
    for (const [name, all] of await gathered(program.classRows, classPlan, communicator))
      state.set(name, all);
    outcome.states.push(summary(state));
  }
  await program.dispose();
  return outcome;
}

/**
 * The first step of one process that has those classes alone which so many ranks sample, each of its own: what the
 * step with sampled classes must come to.
 */
export async function outcomeOfSample(device: Device, given: Case, ranks: number): Promise<Outcome> {
  const { batch, classes, classPlan } = complete(given);
  const labels = labelsOf(given, 0);
  const sample = Array.from({ length: ranks }, (_, rank) => {
    const range = classesOf({ rank, ranks }, classes);
    const count = sampleSize(classPlan.sampled, range.to - range.from, batch);
    return [...sampleClasses(range, labels, count, { seed: SEED, step: 0 })];
  }).flat();
  const all = trainingStep(optionsOf(given));
  const start = freshState(all, SEED);
  for (const { name, perClass } of all.parameters) {
    for (const key of perClass ? [name, velocityName(name)] : []) {
      const values = start.get(key)!;
      const length = values.length / classes;
      const rows = sample.flatMap((label) => [...values.subarray(label * length, (label + 1) * length)]);
      start.set(key, Float32Array.from(rows));
    }
  }
  const step = trainingStep({ ...optionsOf(given), classes: sample.length });
  const program = await device.compile(step.graph);
  await program.setState(start);
  const feeds = {
    ...feedsOf(given, step.schedule, 0, 0, batch),
    [NAMES.labels]: labels.map((label) => sample.indexOf(label)),
  };
  const outputs = await program.run(feeds);
  await program.dispose();
  const first = (name: string) => [outputs[name]!.data[0] as number];
  return { losses: first(NAMES.loss), accuracies: first(NAMES.accuracy), states: [] };
}

/** The outcomes of several cases. */
export async function outcomesOf(cases: readonly Case[], communicator?: Communicator): Promise<Outcome[]> {
  const device = await openDevice('cpu', { threads: 1 });
  const outcomes: Outcome[] = [];
  for (const given of cases) outcomes.push(await outcomeOf(device, given, communicator));
  await device.close();
  return outcomes;
}
