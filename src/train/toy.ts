// Fig. 12 of SphereFace in miniature: a small network whose features have two numbers learns real digits with
// one loss or another. Everything but the loss is the same (starting weights, batches, rate), so that what
// differs in the pictures is the loss.
import { random } from '../common/random.js';
import { BatchSource, type DigitSplit, digitSize } from '../data/index.js';
import { gradients, input, nameOf, sizeOf, type Tensor } from '../graph/index.js';
import { type LossTerms, losses } from '../losses/index.js';
import { lowerInference } from '../lower/index.js';
import { digitNet, initialParameters, type Parameter, Scope } from '../nn/index.js';
import type { Device } from '../runtime/index.js';
import { milestoneSteps, rateAt } from './schedule.js';
import { sgdUpdates } from './sgd.js';
import { accuracy, NAMES } from './step.js';

/** A loss to compare. */
export interface ToyLoss {
  /** Such as 'a-softmax-4'. */
  id: string;
  title: string;
  loss: string;
  options: Record<string, unknown>;
}

/**
 * The settings of the comparison; chosen by the training digits' curves and pictures, never by the digits that
 * are held out.
 */
export const TOY = {
  steps: 4000,
  batch: 64,
  /**
   * Features of any length make large steps: at .05 A-Softmax m = 4 diverges as lambda nears its minimum; at .01
   * the digits are learned to 96 % in 3,000 steps, at .02 to 98 %. The warm-up is a precaution for the first,
   * largest gradients.
   */
  rate: 0.02,
  warmUp: 100,
  milestones: [0.6, 0.85],
  momentum: 0.9,
  weightDecay: 5e-4,
  /** Training images are moved by up to so many pixels each way. */
  shift: 2,
  /** Steps in one call of the runtime. */
  stepsPerCall: 20,
  /** The last two digits, decided before anything was trained. */
  heldOut: [8, 9],
  /**
   * lambda falls from the paper's 1000 and ends lower than the paper's 5, at which the margin has only a sixth
   * of the logit: at 1 it has half, and the pictures show it.
   */
  annealing: { base: 1000, power: 1, minimum: 1 },
  /** lambda is at its minimum after this share of the run. */
  annealed: 0.5,
} as const;

/** The losses of Fig. 12, in the order of the story. */
export const TOY_LOSSES: readonly ToyLoss[] = [
  { id: 'softmax', title: 'Softmax', loss: 'softmax', options: {} },
  { id: 'modified-softmax', title: 'Modified softmax', loss: 'modified-softmax', options: {} },
  ...[2, 3, 4].map((margin) => ({
    id: `a-softmax-${margin}`,
    title: `A-Softmax, m = ${margin}`,
    loss: 'a-softmax',
    options: { margin },
  })),
];

const stepsInOneCall = (steps: number): number => Math.min(TOY.stepsPerCall, steps);

/** At least `wanted` steps, in whole calls of the runtime. */
export const toySteps = (wanted: number): number =>
  Math.ceil(wanted / stepsInOneCall(wanted)) * stepsInOneCall(wanted);

/** gamma that brings lambda to its minimum after the annealed share of `steps`. */
export const toyGamma = (steps: number): number =>
  (TOY.annealing.base / TOY.annealing.minimum - 1) / (TOY.annealed * steps);

/** Rate of a step (counted from 1): a linear warm-up over the first steps, then a tenth after each milestone. */
export function toyRate(step: number, steps: number): number {
  const warmUp = Math.min(1, step / Math.min(TOY.warmUp, steps));
  return warmUp * rateAt(step, TOY.rate, milestoneSteps(TOY.milestones, steps));
}

/**
 * Moves every image [n, 28, 28] in place by up to `most` pixels each way; what enters is paper. Digits are small
 * data: without this the network knows its training images by heart and the pictures of new ones are blurred.
 */
export function shiftImages(images: Float32Array, most: number, seed: number, step: number): void {
  const stream = random(seed, 'shift', step);
  const pixels = digitSize * digitSize;
  const paper = -127.5 / 128;
  const moved = new Float32Array(pixels);
  for (let start = 0; start < images.length; start += pixels) {
    const down = stream.integer(2 * most + 1) - most;
    const right = stream.integer(2 * most + 1) - most;
    moved.fill(paper);
    for (let y = Math.max(0, down); y < Math.min(digitSize, digitSize + down); y++) {
      const from = start + (y - down) * digitSize;
      const [first, last] = [Math.max(0, -right), Math.min(digitSize, digitSize - right)];
      moved.set(images.subarray(from + first, from + last), y * digitSize + first + right);
    }
    images.set(moved, start);
  }
}

/** What the network and the loss declare on a batch of images. */
interface Built {
  images: Tensor;
  labels: Tensor;
  features: Tensor;
  terms: LossTerms;
  parameters: readonly Parameter[];
}

function build({ loss, options }: ToyLoss, batch: number, classes: number, steps: number): Built {
  const scope = new Scope();
  const images = input(NAMES.images, [batch, 1, digitSize, digitSize]);
  const labels = input(NAMES.labels, [batch], 'int32');
  const features = digitNet(scope.child('network'), images, { features: 2 });
  const definition = losses[loss]!;
  const annealed = 'annealing' in definition.defaults;
  const terms = definition.build(
    { scope: scope.child('head'), embedding: features, labels, classes },
    annealed ? { ...options, annealing: { ...TOY.annealing, gamma: toyGamma(steps) } } : options,
  );
  return { images, labels, features, terms, parameters: scope.parameters };
}

/** One point of the training curve. */
export interface ToyStep {
  /** Counted from 1. */
  step: number;
  /** Of the batch, before the update. */
  loss: number;
  accuracy: number;
  lambda?: number;
}

export interface ToyTraining {
  curve: ToyStep[];
  /** The step at which the loss was no longer a finite number; training ended there. */
  diverged?: number;
  seconds: number;
  imagesPerSecond: number;
  /** The network as ONNX, images [N, 1, 28, 28] to `features` [N, 2] and `logits` [N, K] without margin. */
  model: Uint8Array;
  /** [K, 2], the class vectors as learned. */
  classVectors: Float32Array;
}

export interface ToyTrainingOptions {
  /** A multiple of the steps in one call (`toySteps`). */
  steps: number;
  batch: number;
  seed: number;
  /** Hears of the latest step after every call of the runtime. */
  onStep?: (step: ToyStep) => void;
}

/** Trains one network on `split.train` with one loss. The seed gives the same weights and batches to every loss. */
export async function trainToy(
  device: Device,
  loss: ToyLoss,
  split: DigitSplit,
  { steps, batch, seed, onStep }: ToyTrainingOptions,
): Promise<ToyTraining> {
  const classes = split.classes.length;
  const built = build(loss, batch, classes, steps);
  const { images, labels, terms, parameters } = built;
  const rate = input(NAMES.rate, []);
  const tensors = parameters.map(({ tensor }) => tensor);
  const { momentum, weightDecay } = TOY;
  const updates = sgdUpdates(parameters, gradients(terms.loss, tensors, rate), {
    rate,
    momentum,
    weightDecay,
  });
  const stepsPerCall = stepsInOneCall(steps);
  const program = await device.compile(
    {
      inputs: [images, labels, rate, ...terms.schedule.map((scheduled) => scheduled.input)],
      state: updates.state,
      outputs: { [NAMES.loss]: terms.loss, [NAMES.accuracy]: accuracy(terms.logits!, labels) },
    },
    { stepsPerCall },
  );
  program.setState(initialParameters(parameters, seed));
  program.setState(
    new Map(
      updates.velocities.map((velocity) => [nameOf(velocity), new Float32Array(sizeOf(velocity.shape))]),
    ),
  );

  const source = new BatchSource(split.train, { batch, seed });
  const curve: ToyStep[] = [];
  let diverged: number | undefined;
  const started = performance.now();
  for (let done = 0; done < steps && diverged === undefined; done += stepsPerCall) {
    const numbers = Array.from({ length: stepsPerCall }, (_, i) => done + i + 1);
    const schedules = terms.schedule.map(({ input: scheduled, at }) => ({
      name: nameOf(scheduled),
      values: Float32Array.from(numbers, at),
    }));
    const stacked = await source.stack(done, stepsPerCall);
    shiftImages(stacked.images, TOY.shift, seed, done);
    const outputs = await program.run({
      ...stacked,
      [NAMES.rate]: Float32Array.from(numbers, (step) => toyRate(step, steps)),
      ...Object.fromEntries(schedules.map(({ name, values }) => [name, values])),
    });
    for (const [i, step] of numbers.entries()) {
      const value = outputs[NAMES.loss]!.data[i]!;
      if (!Number.isFinite(value)) {
        diverged = step;
        break;
      }
      const lambda = schedules.find(({ name }) => name === 'lambda')?.values[i];
      curve.push({ step, loss: value, accuracy: outputs[NAMES.accuracy]!.data[i]!, lambda });
    }
    const last = curve[curve.length - 1];
    if (last) onStep?.(last);
  }
  const seconds = (performance.now() - started) / 1000;
  const weights = await program.getState();
  await program.dispose();
  return {
    curve,
    ...(diverged !== undefined && { diverged }),
    seconds,
    imagesPerSecond: (curve.length * batch) / seconds,
    model: exported(loss, classes, weights),
    classVectors: weights.get('head.fc6.weight')!,
  };
}

/** The trained network with its logits, as a model for any number of images. */
function exported(loss: ToyLoss, classes: number, weights: Map<string, Float32Array>): Uint8Array {
  const { images, features, terms } = build(loss, 1, classes, 1);
  return lowerInference({ inputs: [images], outputs: { features, logits: terms.logits! }, weights });
}
