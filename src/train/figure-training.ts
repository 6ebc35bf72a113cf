// Trains one small network with one loss, for a picture of its features: what the toy experiment and all trained
// figures of the SphereFace paper have in common. The same seed gives the same starting weights and the same
// batches to every loss, so that what differs between two pictures is what was asked to differ.
import { random } from '../common/random.js';
import { BatchSource, type ImageSet } from '../data/index.js';
import { gradients, input, nameOf, type Tensor } from '../graph/index.js';
import { type LossTerms, losses } from '../losses/index.js';
import { lowerInference } from '../lower/index.js';
import { type Parameter, Scope } from '../nn/index.js';
import type { Device } from '../runtime/index.js';
import { type FeatureNet, featureNet, INPUTS } from './figure-net.js';
import { milestoneSteps, rateAt } from './schedule.js';
import { sgdUpdates } from './sgd.js';
import { freshState } from './start.js';
import { accuracy, NAMES } from './step.js';

/** How a network is trained, whatever the length of the run. */
export interface Recipe {
  rate: number;
  /** Steps over which the rate rises linearly. */
  warmUp: number;
  /** Shares of the run after which the rate falls to a tenth. */
  milestones: readonly number[];
  momentum: number;
  weightDecay: number;
  /** Training images are moved by up to so many pixels each way. */
  shift: number;
  /** Reverse training images from left to right half of the time. Default false. */
  mirror?: boolean;
  /** Steps in one call of the runtime. */
  stepsPerCall: number;
  /** For losses that anneal: lambda falls from `base` to `minimum`. */
  annealing: { base: number; power: number; minimum: number };
  /** lambda is at its minimum after this share of the run. */
  annealed: number;
}

/** A loss, its options, and the network under it. */
export interface FeatureJob {
  net: FeatureNet;
  loss: string;
  options: Readonly<Record<string, unknown>>;
}

/** Steps in one call: `most`, or a shorter run whole. */
const stepsInOneCall = (steps: number, most: number): number => Math.min(most, steps);

/** At least `wanted` steps, in whole calls of the runtime. */
export const wholeCalls = (wanted: number, { stepsPerCall }: Pick<Recipe, 'stepsPerCall'>): number => {
  const call = stepsInOneCall(wanted, stepsPerCall);
  return Math.ceil(wanted / call) * call;
};

/** gamma that brings lambda to its minimum after the annealed share of `steps` (power 1). */
export const gammaFor = ({ annealing, annealed }: Pick<Recipe, 'annealing' | 'annealed'>, steps: number) =>
  (annealing.base / annealing.minimum - 1) / (annealed * steps);

/** Rate of a step (counted from 1): a linear warm-up over the first steps, then a tenth after each milestone. */
export function recipeRate(
  { rate, warmUp, milestones }: Pick<Recipe, 'rate' | 'warmUp' | 'milestones'>,
  step: number,
  steps: number,
): number {
  return rateAt(step, rate, milestoneSteps(milestones, steps), Math.min(warmUp, steps));
}

/** The layout of planes [N, C, H, W], and what stands where there is no image. */
export interface Planes {
  size: readonly [number, number];
  channels: number;
  background: number;
}

/**
 * Moves every image in place by up to `most` pixels each way; what enters is background. Small data needs it:
 * without, the network knows its training images by heart and the pictures of new ones are blurred.
 */
export function shiftPlanes(
  images: Float32Array,
  { size: [height, width], channels, background }: Planes,
  most: number,
  seed: number,
  step: number,
): void {
  const stream = random(seed, 'shift', step);
  const pixels = height * width;
  const moved = new Float32Array(pixels);
  for (let image = 0; image < images.length; image += channels * pixels) {
    const down = stream.integer(2 * most + 1) - most;
    const right = stream.integer(2 * most + 1) - most;
    const [first, last] = [Math.max(0, -right), Math.min(width, width - right)];
    for (let start = image; start < image + channels * pixels; start += pixels) {
      moved.fill(background);
      for (let y = Math.max(0, down); y < Math.min(height, height + down); y++) {
        const from = start + (y - down) * width;
        moved.set(images.subarray(from + first, from + last), y * width + first + right);
      }
      images.set(moved, start);
    }
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

function build(
  { net, loss, options }: FeatureJob,
  batch: number,
  classes: number,
  recipe: Recipe,
  steps: number,
): Built {
  const scope = new Scope();
  const { channels, size } = INPUTS[net.subject];
  const images = input(NAMES.images, [batch, channels, ...size]);
  const labels = input(NAMES.labels, [batch], 'int32');
  const features = featureNet(scope.child('network'), images, net);
  const definition = losses[loss]!;
  const annealing = { ...recipe.annealing, gamma: gammaFor(recipe, steps) };
  const terms = definition.build(
    { scope: scope.child('head'), embedding: features, labels, classes },
    'annealing' in definition.defaults ? { annealing, ...options } : options,
  );
  return { images, labels, features, terms, parameters: scope.parameters };
}

/** One point of the training curve. */
export interface FeatureStep {
  /** Counted from 1. */
  step: number;
  /** Of the batch, before the update. */
  loss: number;
  accuracy: number;
  lambda?: number;
}

/** A trained network and how it came about. */
export interface FeatureTraining {
  curve: FeatureStep[];
  /** The step at which the loss was no longer a finite number; training ended there. */
  diverged?: number;
  seconds: number;
  imagesPerSecond: number;
  /** The network as ONNX, images [N, C, H, W] to `features` [N, D] and `logits` [N, K] without margin. */
  model: Uint8Array;
  /** [K, D], the class vectors as learned. */
  classVectors: Float32Array;
  /** [K], where the classification layer has biases. */
  biases?: Float32Array;
}

/** The length of a run, and who watches it. */
export interface FeatureTrainingOptions {
  /** Whole calls of the runtime (`wholeCalls`). */
  steps: number;
  batch: number;
  seed: number;
  /** Hears of the latest step after every call of the runtime. */
  onStep?: (step: FeatureStep) => void;
}

/** Trains one network on `set`. The seed gives the same weights and batches to every job. */
export async function trainFeatures(
  device: Device,
  job: FeatureJob,
  set: ImageSet,
  recipe: Recipe,
  { steps, batch, seed, onStep }: FeatureTrainingOptions,
): Promise<FeatureTraining> {
  const { images, labels, terms, parameters } = build(job, batch, set.classes, recipe, steps);
  const rate = input(NAMES.rate, []);
  const tensors = parameters.map(({ tensor }) => tensor);
  const { momentum, weightDecay } = recipe;
  const updates = sgdUpdates(parameters, gradients(terms.loss, tensors, rate), {
    rate,
    momentum,
    weightDecay,
  });
  const stepsPerCall = stepsInOneCall(steps, recipe.stepsPerCall);
  const program = await device.compile(
    {
      inputs: [images, labels, rate, ...terms.schedule.map((scheduled) => scheduled.input)],
      state: updates.state,
      outputs: { [NAMES.loss]: terms.loss, [NAMES.accuracy]: accuracy(terms.logits!, labels) },
    },
    { stepsPerCall },
  );
  program.setState(freshState({ parameters, velocities: updates.velocities }, seed));

  const source = new BatchSource(set, { batch, seed, ...(recipe.mirror && { mirror: true }) });
  const curve: FeatureStep[] = [];
  let diverged: number | undefined;
  const started = performance.now();
  for (let done = 0; done < steps && diverged === undefined; done += stepsPerCall) {
    const numbers = Array.from({ length: stepsPerCall }, (_, i) => done + i + 1);
    const schedules = terms.schedule.map(({ input: scheduled, at }) => ({
      name: nameOf(scheduled),
      values: Float32Array.from(numbers, at),
    }));
    const stacked = await source.stack(done, stepsPerCall);
    shiftPlanes(stacked.images, INPUTS[job.net.subject], recipe.shift, seed, done);
    const outputs = await program.run({
      ...stacked,
      [NAMES.rate]: Float32Array.from(numbers, (step) => recipeRate(recipe, step, steps)),
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
  const biases = weights.get('head.fc6.bias');
  return {
    curve,
    ...(diverged !== undefined && { diverged }),
    seconds,
    imagesPerSecond: (curve.length * batch) / seconds,
    model: exported(job, set.classes, recipe, weights),
    classVectors: weights.get('head.fc6.weight')!,
    ...(biases && { biases }),
  };
}

/** The trained network with its logits, as a model for any number of images. */
function exported(
  job: FeatureJob,
  classes: number,
  recipe: Recipe,
  weights: Map<string, Float32Array>,
): Uint8Array {
  const { images, features, terms } = build(job, 1, classes, recipe, 1);
  return lowerInference({ inputs: [images], outputs: { features, logits: terms.logits! }, weights });
}
