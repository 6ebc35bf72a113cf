// How the learning rate and the annealing run over the steps of a run. The defaults are the SphereFace
// paper's, stretched or squeezed to the run at hand by one rule, so that a run on 10,000 images passes the
// same stages as the paper's on 490,000.
import { type Annealing, SPHEREFACE_ANNEALING } from '../losses/index.js';

/** The published training run: CASIA-WebFace, 256 images on each of two GPUs. */
export const PAPER = {
  /** Iterations in all. */
  steps: 28_000,
  /** Images a step. */
  batch: 512,
  rate: 0.1,
  /** The rate is divided by ten after these iterations. */
  milestones: [16_000, 24_000],
  momentum: 0.9,
  weightDecay: 5e-4,
} as const;

/** Epochs of a run that names neither steps nor epochs; the paper sees each image about 29 times. */
export const DEFAULT_EPOCHS = 20;

/**
 * The default rate: the paper's .1 at 512 images a step, with the square root of the batch (.035 at 64): the
 * noise of a step's gradient falls with that root. In proportion to the batch (.0125 at 64) small data sets
 * train too slowly for a margin to take hold.
 */
export const defaultRate = (batch: number): number =>
  Number((PAPER.rate * Math.sqrt(batch / PAPER.batch)).toPrecision(3));

/** The default milestones: the paper's fractions of the run, 4/7 and 6/7, in steps. */
export const defaultMilestones = (): number[] => PAPER.milestones.map((milestone) => milestone / PAPER.steps);

/** A lambda at which the margin has half of the logit: where an annealing that ends at 0 counts as arrived. */
const HALF_MARGIN = 1;

/**
 * The default gamma: the published one a step, because features need updates, not epochs, before a margin can
 * bite (annealed too soon, the network escapes the margin by shrinking all embeddings to nothing). Only a run
 * too short for it (for A-Softmax: of fewer than some 3,300 steps) anneals faster, so that lambda is at its
 * minimum, or at `HALF_MARGIN` where the minimum lies below, for the second half.
 */
export const defaultGamma = (
  steps: number,
  { base, gamma, power, minimum }: Annealing = SPHEREFACE_ANNEALING,
): number => {
  const fallen = (base / Math.max(minimum, HALF_MARGIN)) ** (1 / power) - 1;
  // With no power, or hardly any, lambda does not fall whatever gamma is.
  if (!Number.isFinite(fallen)) return gamma;
  return Math.max(gamma, Number(((2 * fallen) / steps).toPrecision(3)));
};

/** Milestones at most 1 are fractions of the run, others are steps; returns steps, in rising order. */
export function milestoneSteps(milestones: readonly number[], steps: number): number[] {
  return milestones
    .map((milestone) => (milestone <= 1 ? Math.round(milestone * steps) : Math.round(milestone)))
    .sort((a, b) => a - b);
}

/**
 * The learning rate of a step (counted from 1): a tenth after each milestone, as Caffe's `multistep`, and over the
 * first `warmUp` steps a rising share of it. Losses with a large scale begin with large gradients across the
 * embedding, which lengthen it without end unless the rate starts low.
 */
export function rateAt(step: number, rate: number, milestones: readonly number[], warmUp = 0): number {
  const share = warmUp > 0 ? Math.min(1, step / warmUp) : 1;
  return milestones.reduce((current, milestone) => (step > milestone ? current / 10 : current), rate * share);
}
