// What the ranks of one run compute together. A graph with these is one rank's part of the run: every rank builds
// its own, all alike, and a value is either the same on all ranks or one rank's own. The loss must be the same on
// all ranks; each operation's gradient then follows from whether its input and its value are shared or own.
// The pair of `eachRank` and `allReduce` is that of Shoeybi et al., Megatron-LM, 2019, section 3 (f and g).
import { defineOp, shapeError, type Tensor } from '../tensor.js';
import { slice } from './shape.js';

const sameAsInput = (name: string) => (inputs: readonly Tensor[]) => {
  const x = inputs[0]!;
  if (x.dtype !== 'float32') shapeError(name, 'takes a float32 input', inputs);
  return { shape: x.shape, dtype: x.dtype };
};

const allReduceNode = defineOp({
  name: 'allReduce',
  result: sameAsInput('allReduce'),
  gradient: (node, g) => [node.attributes.reduction === 'sum' ? g : undefined],
});

/**
 * The sum (or the largest) over all ranks of what each has of its own; the value is shared. The sum hands its
 * gradient to each rank's part as it is; to the largest, the operation is a constant.
 */
export const allReduce = (x: Tensor, reduction: 'sum' | 'max'): Tensor => allReduceNode([x], { reduction });

const eachRankNode = defineOp({
  name: 'eachRank',
  result: sameAsInput('eachRank'),
  gradient: (_node, g) => [allReduce(g, 'sum')],
});

/** x, a shared value, on its way to what each rank computes of its own: the gradient is the sum over all ranks. */
export const eachRank = (x: Tensor): Tensor => eachRankNode([x]);

/** Which rank a graph is built for, of how many. */
export interface RankOf {
  readonly rank: number;
  readonly ranks: number;
}

const allGatherNode = defineOp({
  name: 'allGather',
  result(inputs, attributes) {
    const { shape, dtype } = sameAsInput('allGather')(inputs);
    if (shape.length === 0) shapeError('allGather', 'takes an input with an axis', inputs);
    return { shape: [shape[0]! * (attributes.ranks as number), ...shape.slice(1)], dtype };
  },
  gradient(node, g) {
    const { rank, ranks } = node.attributes as unknown as RankOf;
    const rows = node.shape[0]! / ranks;
    const rest = node.shape.slice(1);
    return [slice(g, [rank * rows, ...rest.map(() => 0)], [(rank + 1) * rows, ...rest])];
  },
});

/** The rows [n, ...] of every rank behind each other, [n ranks, ...], by rank; the value is shared. */
export const allGather = (x: Tensor, { rank, ranks }: RankOf): Tensor => allGatherNode([x], { rank, ranks });

/** Operations that a program cannot compute by itself: the ranks exchange values between two programs. */
export const isExchange = ({ op }: Tensor): boolean => op === 'allReduce' || op === 'allGather';
