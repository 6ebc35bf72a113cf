// A trained figure from its description: which images, which networks, what to keep of them. Every figure of the
// SphereFace paper that shows learned features or weights is one such description (fig-*.ts).
import { type Device, openDevice } from '../../runtime/index.js';
import { classCounts, type FigureSet } from '../../train/figure-data.js';
import type { FeatureNet, Subject } from '../../train/figure-net.js';
import { DIGIT_RECIPE, FACE_RECIPE, type FigureRecipe } from '../../train/figure-recipe.js';
import {
  type FeatureStep,
  type FeatureTraining,
  trainFeatures,
  wholeCalls,
} from '../../train/figure-training.js';
import { angleHistograms } from '../histogram.js';
import { classSeparation } from '../separation.js';
import { type Embedded, embedSet, shareRight } from './embed-set.js';
import type { Figure, FigureHooks, FigureOptions } from './figure.js';
import type { Cloud, Measured, Spread, TrainedData, TrainedNetwork, TrainedPart } from './trained-data.js';

/** One network of a figure. */
export interface NetworkSpec {
  id: string;
  title: string;
  loss: string;
  options: Readonly<Record<string, unknown>>;
  net: Omit<FeatureNet, 'subject'>;
  /** Which of the part's sets it is trained on; default the first. */
  set?: number;
}

/** What a figure keeps of each network beside its class vectors. */
export interface Kept {
  /** Features of the training and test images, to draw. */
  features?: boolean;
  /** Angles between pairs of training images. */
  angles?: boolean;
  /** How far the largest logit is above the second. */
  logitGap?: boolean;
}

/** A figure that trains networks. */
export interface TrainedSpec {
  name: string;
  title: string;
  source: string;
  keep: Kept;
  /** The sets to train on, digits or faces of the folder; usually one. */
  sets(subject: Subject, options: FigureOptions): Promise<FigureSet[]>;
  networks: readonly NetworkSpec[];
  /** Steps of each network; default the recipe's. */
  steps?: Partial<Record<Subject, number>>;
}

/** What a step costs, roughly, in steps on digits: for the time that is left. */
const COST: Record<Subject, number> = { digits: 1, faces: 5 };

/** Features kept of each class for drawing. */
const DRAWN = 250;

interface Plan {
  subject: Subject;
  sets: FigureSet[];
  recipe: FigureRecipe;
  steps: number;
}

/** The figure of a description. Its data are {@link TrainedData}. */
export function trainedFigure(spec: TrainedSpec): Figure<TrainedData> {
  const { name, title, source } = spec;
  return { name, title, source, trained: true, collect: (options, hooks) => collect(spec, options, hooks) };
}

async function collect(
  spec: TrainedSpec,
  options: FigureOptions,
  hooks: FigureHooks = {},
): Promise<TrainedData> {
  const plans: Plan[] = [];
  for (const subject of options.faces === undefined
    ? (['digits'] as const)
    : (['digits', 'faces'] as const)) {
    const recipe = subject === 'digits' ? DIGIT_RECIPE : FACE_RECIPE;
    const steps = wholeCalls(options.steps ?? spec.steps?.[subject] ?? recipe.steps, recipe);
    plans.push({ subject, sets: await spec.sets(subject, options), recipe, steps });
  }
  const count = spec.networks.length;
  const total = plans.reduce((sum, { steps }) => sum + steps * count, 0);
  const work = plans.reduce((sum, { steps, subject }) => sum + steps * count * COST[subject], 0);
  // One network after the other on all threads: ONNX Runtime's Node binding blocks the thread that calls it, so
  // two networks at a time in one process would only take turns.
  const device = await openDevice(options.device, { threads: options.threads });
  try {
    const parts: TrainedPart[] = [];
    const began = performance.now();
    let [done, worked] = [0, 0];
    for (const plan of plans) {
      const { subject, sets, steps } = plan;
      hooks.onNote?.(`${described(plan)}, ${steps} steps each network`);
      const networks: TrainedNetwork[] = [];
      for (const network of spec.networks) {
        const follow = ({ step, loss, accuracy }: FeatureStep) => {
          const spent = worked + step * COST[subject];
          hooks.onStep?.({
            text: `${subject}, ${network.title}: loss ${loss.toFixed(3)}  accuracy ${(100 * accuracy).toFixed(0)} %`,
            done: done + step,
            total,
            secondsLeft: ((performance.now() - began) / 1000 / spent) * (work - spent),
          });
        };
        networks.push(await trained(device, spec, network, plan, options.seed, follow));
        done += steps;
        worked += steps * COST[subject];
      }
      const first = sets[0]!;
      parts.push({
        subject,
        classes: first.names,
        trainingImages: first.train.labels.length,
        testImages: first.test.labels.length,
        settings: settings(spec, plan, device),
        networks,
      });
    }
    return { parts };
  } finally {
    await device.close();
  }
}

/** What the networks of a part see, for people. */
function described({ subject, sets }: Plan): string {
  const { names, train } = sets[0]!;
  const images = `${train.labels.length} images`;
  if (subject === 'digits') return `${images} of the digits ${names.join(' ')}`;
  const shown = names.length > 8 ? '' : ` (${names.join(', ')})`;
  return `${images} of ${names.length} people${shown}`;
}

async function trained(
  device: Device,
  { keep }: TrainedSpec,
  { id, title, loss, options, net, set: which = 0 }: NetworkSpec,
  { subject, sets, recipe, steps }: Plan,
  seed: number,
  onStep: (step: FeatureStep) => void,
): Promise<TrainedNetwork> {
  const set = sets[which]!;
  const batch = Math.min(recipe.batch, set.train.labels.length);
  const job = { net: { ...net, subject }, loss, options };
  const training = await trainFeatures(device, job, set.train, recipe, { steps, batch, seed, onStep });
  const margin = options.margin as number | undefined;
  return {
    id,
    title,
    loss,
    ...(margin !== undefined && { margin }),
    ...(net.relu !== undefined && { relu: net.relu }),
    end: endOf(training.curve),
    ...(training.diverged === undefined
      ? { measured: await measure(device, training, set, net.features, keep, seed) }
      : { diverged: training.diverged }),
    seconds: round(training.seconds),
  };
}

const round = (value: number): number => Number(value.toPrecision(4));

/** Means over the last twentieth of the run; zeros when it diverged at once. */
function endOf(curve: readonly FeatureStep[]): TrainedNetwork['end'] {
  const last = curve.slice(-Math.ceil(curve.length / 20));
  const mean = (pick: (step: FeatureStep) => number) =>
    round(last.reduce((sum, step) => sum + pick(step), 0) / Math.max(1, last.length));
  const lambda = last.at(-1)?.lambda;
  return {
    loss: mean(({ loss }) => loss),
    accuracy: mean(({ accuracy }) => accuracy),
    ...(lambda !== undefined && { lambda: round(lambda) }),
  };
}

async function measure(
  device: Device,
  { model, classVectors, biases }: FeatureTraining,
  { train, test }: FigureSet,
  length: number,
  keep: Kept,
  seed: number,
): Promise<Measured> {
  const training = await embedSet(device, model, train, length);
  const tested = test.labels.length > 0 ? await embedSet(device, model, test, length) : undefined;
  const { classes } = train;
  return {
    accuracy: {
      training: shareRight(training.predicted, train.labels),
      ...(tested && { test: shareRight(tested.predicted, test.labels) }),
    },
    classVectors: rowsOf(classVectors, length),
    ...(biases && { biases: [...biases].map(round) }),
    counts: classCounts(train),
    ...(keep.features &&
      tested && {
        features: {
          training: clouds(training, train.labels, classes),
          test: clouds(tested, test.labels, classes),
        },
        spread: { training: spread(training, train.labels), test: spread(tested, test.labels) },
      }),
    ...(keep.angles && { angles: angles(training, train.labels, seed) }),
    ...(keep.logitGap && { logitGap: logitGap(training, classes, biases) }),
  };
}

/** Rows of `length` numbers, to four digits. */
const rowsOf = (values: Float32Array, length: number): number[][] =>
  Array.from({ length: values.length / length }, (_, row) =>
    [...values.subarray(row * length, (row + 1) * length)].map(round),
  );

/** Features of the first images of each class; their order is random already. */
function clouds({ vectors }: Embedded, labels: Int32Array, classes: number): Cloud[] {
  const { length, original } = vectors;
  const found = Array.from({ length: classes }, (): Cloud => []);
  labels.forEach((label, i) => {
    const own = found[label]!;
    if (own.length < DRAWN) own.push(...rowsOf(original.subarray(i * length, (i + 1) * length), length));
  });
  return found;
}

/** The features that have a direction, with their labels, and the share of those that have none. */
function directed({ vectors }: Embedded, labels: Int32Array) {
  const { length, original } = vectors;
  const kept = [...labels.keys()].filter((i) =>
    original.subarray(i * length, (i + 1) * length).some((value) => value !== 0),
  );
  const some = new Float32Array(kept.length * length);
  kept.forEach((i, row) => {
    some.set(original.subarray(i * length, (i + 1) * length), row * length);
  });
  return {
    vectors: { length, original: some },
    labels: Int32Array.from(kept, (i) => labels[i]!),
    zero: 1 - kept.length / labels.length,
  };
}

function spread(embedded: Embedded, labels: Int32Array): Spread {
  const { vectors, labels: own, zero } = directed(embedded, labels);
  if (new Set(own).size < 2) return { within: 0, nearest: 0, zero };
  const { within, perClass } = classSeparation(vectors, own);
  const nearest = perClass.reduce((sum, one) => sum + one.nearest, 0) / perClass.length;
  return { within: round(within), nearest: round(nearest), zero: round(zero) };
}

function angles(embedded: Embedded, labels: Int32Array, seed: number): Measured['angles'] {
  const { vectors, labels: own } = directed(embedded, labels);
  const { same, different } = angleHistograms(vectors, own, { seed, maximumPairs: 400_000 });
  return {
    width: same.width,
    same: same.counts,
    different: different.counts,
    meanSame: round(same.mean),
    meanDifferent: round(different.mean),
  };
}

/** Mean difference between the largest and the second largest logit, biases taken off. */
function logitGap({ logits }: Embedded, classes: number, biases?: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < logits.length; at += classes) {
    let [first, second] = [-Infinity, -Infinity];
    for (let k = 0; k < classes; k++) {
      const z = logits[at + k]! - (biases?.[k] ?? 0);
      if (z > first) [first, second] = [z, first];
      else if (z > second) second = z;
    }
    sum += first - second;
  }
  return round((sum * classes) / logits.length);
}

function settings(
  { networks }: TrainedSpec,
  { sets, recipe, steps }: Plan,
  device: Device,
): TrainedPart['settings'] {
  const { train, test } = sets[0]!;
  const { annealing } = recipe;
  const percents = recipe.milestones.map((at) => `${at * 100} %`).join(' and ');
  return [
    ['network', recipe.network],
    ['training images', train.labels.length],
    ...(test.labels.length > 0 ? [['test images', test.labels.length] as [string, number]] : []),
    ['steps of each network', steps],
    ['images a step', Math.min(recipe.batch, train.labels.length)],
    [
      'learning rate',
      `${recipe.rate}, linear warm-up over ${recipe.warmUp} steps, a tenth after ${percents} of the run`,
    ],
    ['optimiser', `SGD, momentum ${recipe.momentum}, weight decay ${recipe.weightDecay}`],
    [
      'images moved by up to',
      `${recipe.shift} pixels each way${recipe.mirror ? ', half of them mirrored' : ''}`,
    ],
    ...(networks.some(({ loss }) => loss === 'a-softmax')
      ? [
          [
            'annealing (A-Softmax)',
            `λ from ${annealing.base} to ${annealing.minimum}, reached after ${recipe.annealed * 100} % of the run`,
          ] as [string, string],
        ]
      : []),
    ['device', `${device.name}, ${device.threads} threads`],
  ];
}
