// One training step on several ranks. Each has its rows of the batch and the whole network; a loss that is a mean
// over samples is taken on each rank's own rows, any other on the gathered embeddings of the whole batch; and the
// classes of a margin loss can be shared out between the ranks. In each case the step is, up to rounding, that of
// one rank with the whole batch.
import {
  add,
  allGather,
  allReduce,
  concat,
  eachRank,
  input,
  mean,
  mul,
  type RankOf,
  reshape,
  slice,
  square,
  sub,
  type Tensor,
} from '../graph/index.js';
import type { ClassShard } from '../losses/index.js';
import type { Moments, Scope } from '../nn/index.js';

/** What one rank has of a training step. */
export interface Parallel extends RankOf {
  /** Where the classes are shared out, or sampled: how many this rank has in a step, and all ranks together. */
  readonly shard?: { readonly classes: number; readonly total: number };
  /** Batch normalisation goes by the whole batch instead of each rank's own rows. */
  readonly syncBatchNorm?: boolean;
}

/** A step on one rank. */
export const ONE_RANK: Parallel = { rank: 0, ranks: 1 };

/** Names of what a shared-out head is fed beside the labels; see `ClassShard`. */
export const SHARD_NAMES = { places: 'places', here: 'here' } as const;

/** A mean of samples, from the means of as many on each rank. */
export const meanOverRanks = (x: Tensor, { ranks }: RankOf): Tensor =>
  ranks === 1 ? x : allReduce(mul(x, 1 / ranks), 'sum');

/**
 * The moments of the rows of all ranks from those of as many rows on each: variances are about each rank's own mean,
 * so that of the means is added (Chan, Golub and LeVeque 1979). One exchange a normalisation, and one for its gradient.
 */
function momentsOfAll({ mean: own, variance, count }: Moments, ranks: RankOf): Moments {
  const channels = own.shape[1]!;
  const row = (t: Tensor) => reshape(t, [1, channels]);
  const all = reshape(allGather(concat([row(own), row(variance)], 1), ranks), [ranks.ranks, 2, channels]);
  const part = (i: number) => slice(all, [0, i, 0], [ranks.ranks, i + 1, channels]);
  const centre = mean(part(0), [0], { keepDims: true });
  const spread = mean(add(part(1), square(sub(part(0), centre))), [0], { keepDims: true });
  const forAll = (t: Tensor) => eachRank(reshape(t, [1, channels, 1, 1]));
  return { mean: forAll(centre), variance: forAll(spread), count: count * ranks.ranks };
}

/**
 * The scope of what each rank computes of its own rows: gradients are summed over the ranks. What is kept (running
 * statistics) is the mean of what the ranks make it, or the same on all of them where batch normalisation goes by
 * the whole batch.
 */
export function onOwnRows(scope: Scope, { rank, ranks, syncBatchNorm = false }: Parallel): Scope {
  if (ranks === 1) return scope;
  return syncBatchNorm
    ? scope.using({ parameter: eachRank, moments: (own) => momentsOfAll(own, { rank, ranks }) })
    : scope.using({ parameter: eachRank, kept: (next) => meanOverRanks(next, { rank, ranks }) });
}

/** The embeddings [B, D] of the whole batch from those of this rank's rows, [B / ranks, D]. */
export const ofWholeBatch = (own: Tensor, { rank, ranks }: RankOf): Tensor =>
  ranks === 1 ? own : allGather(own, { rank, ranks });

/** The inputs of a shared-out head for a batch of so many samples. */
export function shardInputs(batch: number, { shard, ranks }: Parallel): ClassShard | undefined {
  if (!shard) return undefined;
  const places = input(SHARD_NAMES.places, [batch], 'int32');
  const here = input(SHARD_NAMES.here, [batch, 1]);
  return { ...shard, places, here, ranks };
}
