// What is measured: a training step of one network by the number of classes, the number of ranks, and how the ranks
// share the work.
import type { ClassPlan, RankOptions } from '../../src/train/rank-program.js';

/** A step to time; `kind` tells it from an exchange. */
export interface StepCase {
  kind: 'step';
  /** A network by name, or 'head': all of the step but a network worth mentioning. */
  net: string;
  loss: string;
  /** Images a step, of all ranks together. */
  batch: number;
  classes: number;
  ranks: number;
  /** Of each rank. */
  threads: number;
  /** Whether the ranks share the classes out. */
  shared: boolean;
  /** Share of the classes in a step. */
  sampled: number;
  backwardParts: number;
}

/** A sum over ranks, alone. */
export interface ExchangeCase {
  kind: 'exchange';
  ranks: number;
  /** Numbers of 4 bytes. */
  count: number;
}

export type Case = StepCase | ExchangeCase;

/** Length of embeddings and class vectors. */
export const LENGTH = 512;

/** The 4-layer network on images of 8 x 8: a two-hundredth of what it costs on faces, and less than any head here. */
const HEAD_ALONE = { net: 'sphereface-4', size: [8, 8] as const };
const SIZE = [112, 96] as const;

export const planOf = ({ shared, sampled }: StepCase): ClassPlan => ({ shared, sampled });

/** As `hypersphere train` would set the step up. */
export function optionsOf(one: StepCase): RankOptions {
  const { net, loss, batch, classes, backwardParts } = one;
  return {
    ...(net === 'head' ? HEAD_ALONE : { net, size: SIZE }),
    ...{ embedding: LENGTH, reluAfterFc1: false, loss, lossOptions: {}, classes, batch },
    ...{
      momentum: 0.9,
      weightDecay: 5e-4,
      seed: 1,
      formulations: 'fast',
      classPlan: planOf(one),
      backwardParts,
    },
  };
}

/** How the work is shared, in words. */
export function modeOf({ shared, sampled, ranks }: StepCase): string {
  const sample = sampled < 1 ? `${100 * sampled} % of classes` : '';
  if (ranks === 1) return sample || 'all classes';
  return [shared ? 'class parallel' : 'data parallel', sample].filter(Boolean).join(', ');
}
