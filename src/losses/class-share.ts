// The classes that a loss meets in one graph: all of them, or those of one rank where several ranks have the
// classes between them and the matrix of class vectors fits none. Written once, a head serves both: what belongs
// to single classes stays where the class is, and only a few numbers a sample are summed over the ranks, so logits
// are never gathered (An et al., Partial FC, 2020, section 3).
import { allReduce, eachRank, mul, oneHot, sum, type Tensor } from '../graph/index.js';
import type { LossContext } from './definition.js';

/** What is fed to a graph that has some of the classes. */
export interface ClassShard {
  /** [N] int32: where each sample's class is among those here; 0 where it is not. */
  readonly places: Tensor;
  /** [N, 1]: 1 where a sample's class is here, 0 where another rank has it. */
  readonly here: Tensor;
  /** Number of classes here. */
  readonly classes: number;
  /** Number of classes on all ranks together. */
  readonly total: number;
  /** Number of ranks that have them. */
  readonly ranks: number;
}

/** K classes, here or on all ranks; N samples, known to all. */
export interface ClassShare {
  /** Number of classes here, the length of axis K below. */
  readonly classes: number;
  /** Number of classes on all ranks together. */
  readonly total: number;
  /** [N] int32, a sample's class among those here. */
  readonly places: Tensor;
  /** [N, K] of 0 and 1: a sample's class, where it is here. */
  readonly chosen: Tensor;
  /** What all ranks know, for use with the classes here. */
  toClasses(x: Tensor): Tensor;
  /** Sum over the ranks of what each has of its own. */
  sum(x: Tensor): Tensor;
  /** The largest over the ranks; a constant to the gradient. */
  max(x: Tensor): Tensor;
  /** From values by sample, [N, n], that only mean something where the class is, to those of every sample. */
  ofOwner(x: Tensor): Tensor;
  /** The entry of each sample's class in [N, K], as [N, 1]. */
  pick(rows: Tensor): Tensor;
  /** [N, K] with a sample's value, of [N, 1], at its class and 0 elsewhere. */
  put(values: Tensor): Tensor;
}

const pickFrom = (chosen: Tensor, rows: Tensor): Tensor => sum(mul(chosen, rows), [1], { keepDims: true });

const same = (x: Tensor): Tensor => x;

/** The classes of a loss's graph. */
export function classShare({
  labels,
  classes,
  shard,
}: Pick<LossContext, 'labels' | 'classes' | 'shard'>): ClassShare {
  if (!shard) {
    const chosen = oneHot(labels, classes);
    return {
      ...{ classes, total: classes, places: labels, chosen },
      ...{ toClasses: same, sum: same, max: same, ofOwner: same },
      pick: (rows) => pickFrom(chosen, rows),
      put: (values) => mul(chosen, values),
    };
  }
  const { places, here, ranks } = shard;
  const place = oneHot(places, shard.classes);
  const reduce =
    (reduction: 'sum' | 'max') =>
    (x: Tensor): Tensor =>
      ranks === 1 ? x : allReduce(x, reduction);
  const toClasses = ranks === 1 ? same : eachRank;
  const ofOwner = (x: Tensor): Tensor => reduce('sum')(mul(x, here));
  return {
    classes: shard.classes,
    total: shard.total,
    places,
    chosen: mul(place, here),
    toClasses,
    sum: reduce('sum'),
    max: reduce('max'),
    ofOwner,
    pick: (rows) => ofOwner(pickFrom(place, rows)),
    put: (values) => mul(place, mul(toClasses(values), here)),
  };
}
