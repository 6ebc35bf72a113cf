// The toy experiment as a whole: every loss trains the same network on the same digits, and what each has made
// of the plane is measured: on images of the trained digits that were not trained on, and on digits never seen.
import { UserError } from '../common/errors.js';
import { type DigitSplit, digits, splitDigits } from '../data/index.js';
import { type Device, type DeviceName, openDevice } from '../runtime/index.js';
import { angularFisherScore } from '../theory/index.js';
import { versions } from '../train/run-folder.js';
import {
  TOY,
  TOY_LOSSES,
  type ToyLoss,
  type ToyStep,
  type ToyTraining,
  toySteps,
  trainToy,
} from '../train/toy.js';
import { embedSet, shareRight } from './figures/embed-set.js';
import { angleHistograms } from './histogram.js';
import { classSeparation } from './separation.js';
import type { AngleCounts, FeaturePoints, ToyFigures, ToyResults, ToyRun } from './toy-results.js';
import { verifyPairs } from './verify-pairs.js';

export interface ToyOptions {
  /** Default 1. */
  seed?: number;
  /** Training steps of each loss. */
  steps?: number;
  /** Ids of the losses to compare, of `TOY_LOSSES`; default all. */
  losses?: readonly string[];
  device?: DeviceName;
  threads?: number;
  /** Images of each digit at most, for a quick look; default all. */
  perClass?: number;
}

/** How far the experiment is. */
export interface ToyProgress {
  loss: ToyLoss;
  latest: ToyStep;
  /** Steps of all losses. */
  done: number;
  total: number;
  secondsLeft: number;
}

export interface ToyHooks {
  /** Hears of the settings before the first step. */
  onStart?: (about: { total: number; losses: readonly ToyLoss[]; split: DigitSplit; seed: number }) => void;
  onStep?: (progress: ToyProgress) => void;
}

/** Images whose features go into the results to be drawn, of each digit. */
const DRAWN = 250;

/** The losses with these ids, in the order of `TOY_LOSSES`. Throws a UserError for an unknown or missing one. */
export function toyLosses(ids: readonly string[] = TOY_LOSSES.map(({ id }) => id)): ToyLoss[] {
  const known = TOY_LOSSES.map(({ id }) => id);
  const strange = ids.find((id) => !known.includes(id));
  if (strange !== undefined || ids.length === 0) {
    throw new UserError(`loss '${strange ?? ''}' is not part of the toy: use any of ${known.join(',')}`);
  }
  return TOY_LOSSES.filter(({ id }) => ids.includes(id));
}

/** Trains and measures every loss. A loss that diverges has no figures; the others go on. */
export async function runToy(options: ToyOptions = {}, hooks: ToyHooks = {}): Promise<ToyResults> {
  const { seed = 1, device: deviceName = 'cpu', threads, perClass } = options;
  const chosen = toyLosses(options.losses);
  const steps = toySteps(options.steps ?? TOY.steps);
  const started = performance.now();
  const split = splitDigits(digits(), { seed, heldOut: TOY.heldOut, ...(perClass && { perClass }) });
  const batch = Math.min(TOY.batch, split.train.labels.length);
  // One network after the other on all threads: ONNX Runtime's Node binding blocks the thread that calls it, so
  // two networks at a time in one process would only take turns.
  const device = await openDevice(deviceName, { threads });
  try {
    const total = steps * chosen.length;
    hooks.onStart?.({ total, losses: chosen, split, seed });
    const begun = performance.now();
    const runs: ToyRun[] = [];
    for (const [i, loss] of chosen.entries()) {
      const training = await trainToy(device, loss, split, {
        steps,
        batch,
        seed,
        onStep(latest) {
          const done = i * steps + latest.step;
          const secondsLeft = ((performance.now() - begun) / 1000 / done) * (total - done);
          hooks.onStep?.({ loss, latest, done, total, secondsLeft });
        },
      });
      const figures =
        training.diverged === undefined ? await measure(device, training, split, seed) : undefined;
      runs.push(runOf(loss, training, figures));
    }
    return {
      format: 'hypersphere-toy/1',
      seed,
      digits: {
        trained: split.classes,
        heldOut: split.heldOutClasses,
        trainingImages: split.train.labels.length,
        testImages: split.test.labels.length,
        heldOutImages: split.heldOut.labels.length,
      },
      settings: settings(steps, batch, `${device.name}, ${device.threads} threads`),
      versions: versions(),
      runs,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await device.close();
  }
}

/** The figures of one trained network. */
async function measure(
  device: Device,
  { model, classVectors }: ToyTraining,
  split: DigitSplit,
  seed: number,
): Promise<ToyFigures> {
  const train = await embedSet(device, model, split.train, 2);
  const test = await embedSet(device, model, split.test, 2);
  const heldOut = await embedSet(device, model, split.heldOut, 2);
  const trained = split.test.labels;
  const separation = classSeparation(test.vectors, trained);
  const nearest = separation.perClass.map((one) => one.nearest);
  const { accuracy, standardError, eer, pairs } = verifyPairs(heldOut.vectors, split.heldOut.labels, {
    seed,
    replicates: 0,
  });
  return {
    trainingAccuracy: shareRight(train.predicted, split.train.labels),
    testAccuracy: shareRight(test.predicted, trained),
    fisherScore: {
      training: angularFisherScore(train.vectors, split.train.labels),
      test: angularFisherScore(test.vectors, trained),
    },
    separation: {
      within: separation.within,
      nearest: nearest.reduce((sum, angle) => sum + angle, 0) / nearest.length,
      smallest: separation.minimum,
    },
    openSet: { accuracy, standardError, eer, pairs },
    angles: {
      trained: angleCounts(test.vectors, trained, seed),
      heldOut: angleCounts(heldOut.vectors, split.heldOut.labels, seed),
    },
    features: {
      trained: drawn(test.vectors.original, trained, split.classes),
      heldOut: drawn(heldOut.vectors.original, split.heldOut.labels, split.heldOutClasses),
    },
    directions: split.classes.map((digit, i) => {
      const [x, y] = [classVectors[2 * i]!, classVectors[2 * i + 1]!];
      const length = Math.hypot(x, y) || 1;
      return { digit, x: x / length, y: y / length };
    }),
  };
}

function angleCounts(
  vectors: { length: number; original: Float32Array },
  labels: Int32Array,
  seed: number,
): AngleCounts {
  const { same, different } = angleHistograms(vectors, labels, { seed, maximumPairs: 400_000 });
  return {
    width: same.width,
    same: same.counts,
    different: different.counts,
    meanSame: same.mean,
    meanDifferent: different.mean,
  };
}

/** Features of the first images of each digit (their order is random already), to four digits. */
function drawn(features: Float32Array, labels: Int32Array, names: readonly number[]): FeaturePoints[] {
  const sets = names.map((digit): FeaturePoints => ({ digit, x: [], y: [] }));
  labels.forEach((label, i) => {
    const set = sets[label]!;
    if (set.x.length >= DRAWN) return;
    set.x.push(Number(features[2 * i]!.toPrecision(4)));
    set.y.push(Number(features[2 * i + 1]!.toPrecision(4)));
  });
  return sets;
}

/** Points of a run's curve in the results. */
const CURVE = 120;

function runOf(loss: ToyLoss, training: ToyTraining, figures: ToyFigures | undefined): ToyRun {
  const { curve, diverged, seconds, imagesPerSecond } = training;
  const points = Math.min(CURVE, curve.length);
  const mean = (part: readonly ToyStep[], pick: (step: ToyStep) => number) =>
    Number((part.reduce((sum, step) => sum + pick(step), 0) / part.length).toPrecision(5));
  const margin = loss.options.margin as number | undefined;
  return {
    id: loss.id,
    loss: loss.loss,
    title: loss.title,
    ...(margin !== undefined && { margin }),
    curve: Array.from({ length: points }, (_, i) => {
      const part = curve.slice(
        Math.floor((i * curve.length) / points),
        Math.floor(((i + 1) * curve.length) / points),
      );
      const { step, lambda } = part[part.length - 1]!;
      return {
        step,
        loss: mean(part, (one) => one.loss),
        accuracy: mean(part, (one) => one.accuracy),
        ...(lambda !== undefined && { lambda }),
      };
    }),
    ...(diverged !== undefined && { diverged }),
    ...(figures && { figures }),
    seconds,
    imagesPerSecond,
  };
}

function settings(steps: number, batch: number, device: string): ToyResults['settings'] {
  const { annealing } = TOY;
  return {
    network: 'three 3x3 convolutions of stride 2 with PReLU, one fully connected layer to 2 features',
    'steps of each loss': steps,
    'images a step': batch,
    'learning rate': `${TOY.rate}, linear warm-up over ${TOY.warmUp} steps, a tenth after ${TOY.milestones.map((at) => `${at * 100} %`).join(' and ')} of the run`,
    optimiser: `SGD, momentum ${TOY.momentum}, weight decay ${TOY.weightDecay}`,
    annealing: `λ from ${annealing.base} to ${annealing.minimum}, reached after ${TOY.annealed * 100} % of the run`,
    device,
  };
}
