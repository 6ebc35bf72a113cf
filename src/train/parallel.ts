// One training step on several ranks. Each has its rows of the batch and the whole network; a loss that is a mean
// over samples is taken on each rank's own rows, any other on the gathered embeddings of the whole batch; and the
// classes of a margin loss can be shared out between the ranks. In each case the step is, up to rounding, that of
// one rank with the whole batch.
import { allGather, allReduce, eachRank, input, mul, type RankOf, type Tensor } from '../graph/index.js';
import type { ClassShard } from '../losses/index.js';
import type { Scope } from '../nn/index.js';

/** What one rank has of a training step. */
export interface Parallel extends RankOf {
  /** Where the classes are shared out, or sampled: how many this rank has in a step, and all ranks together. */
  readonly shard?: { readonly classes: number; readonly total: number };
}

/** A step on one rank. */
export const ONE_RANK: Parallel = { rank: 0, ranks: 1 };

/** Names of what a shared-out head is fed beside the labels; see `ClassShard`. */
export const SHARD_NAMES = { places: 'places', here: 'here' } as const;

/** A mean of samples, from the means of as many on each rank. */
export const meanOverRanks = (x: Tensor, { ranks }: RankOf): Tensor =>
  ranks === 1 ? x : allReduce(mul(x, 1 / ranks), 'sum');

/**
 * The scope of what each rank computes of its own rows: gradients are summed over the ranks, and what is kept
 * (running statistics) is the mean of what the ranks make it.
 */
export const onOwnRows = (scope: Scope, ranks: RankOf): Scope =>
  ranks.ranks === 1
    ? scope
    : scope.using({ parameter: eachRank, kept: (next) => meanOverRanks(next, ranks) });

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
