// How the learning rate and the annealing run over the steps of a run. The defaults are the SphereFace
// paper's, stretched or squeezed to the run at hand by one rule, so that a run on 10,000 images passes the
// same stages as the paper's on 490,000.

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
  /** gamma of lambda(t) = max(minimum, base (1 + gamma t)^-power), SphereFace appendix G. */
  gamma: 0.12,
} as const;

/** Epochs of a run that names neither steps nor epochs; the paper sees each image about 29 times. */
export const DEFAULT_EPOCHS = 20;

/** The default rate: the paper's .1 at 512 images a step, in proportion to the batch (.0125 at 64). */
export const defaultRate = (batch: number): number => (PAPER.rate * batch) / PAPER.batch;

/** The default milestones: the paper's fractions of the run, 4/7 and 6/7, in steps. */
export const defaultMilestones = (): number[] => PAPER.milestones.map((milestone) => milestone / PAPER.steps);

/** The default gamma: lambda reaches its minimum at the same fraction of the run as in the paper. */
export const defaultGamma = (steps: number): number => (PAPER.gamma * PAPER.steps) / steps;

/** Milestones at most 1 are fractions of the run, others are steps; returns steps, in rising order. */
export function milestoneSteps(milestones: readonly number[], steps: number): number[] {
  return milestones
    .map((milestone) => (milestone <= 1 ? Math.round(milestone * steps) : Math.round(milestone)))
    .sort((a, b) => a - b);
}

/** The learning rate of a step (counted from 1): a tenth after each milestone, as Caffe's `multistep`. */
export function rateAt(step: number, rate: number, milestones: readonly number[]): number {
  return milestones.reduce((current, milestone) => (step > milestone ? current / 10 : current), rate);
}
