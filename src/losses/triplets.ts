// The triplets of a batch and their mining, in the graph. A triplet is an anchor, another image of the same
// person (positive) and an image of someone else (negative); its gap is how much farther the positive is than
// the negative: d(a, p) - d(a, n). Mining says which triplets count; it is a constant to the gradient.
import {
  add,
  cast,
  greater,
  greaterEqual,
  less,
  lessEqual,
  mul,
  reshape,
  sub,
  sum,
  type Tensor,
  where,
} from '../graph/index.js';
import { farthest, maskedMean, nearest, pairMasks } from './pairs.js';

/**
 * Which triplets count. With a margin m, by their gap g: 'easy' g <= -m (they cost nothing), 'semi-hard'
 * -m < g < 0 (FaceNet), 'hard' g >= 0, 'all' of them. 'hardest': for each anchor its farthest positive with its
 * nearest negative (Hermans et al. 2017).
 */
export const MINING = ['all', 'easy', 'semi-hard', 'hard', 'hardest'] as const;
export type Mining = (typeof MINING)[number];

const holds = (condition: Tensor): Tensor => cast(condition, 'float32');

/**
 * The mean cost of the chosen triplets (0 when there are none) and how many there are of each kind.
 *
 * @param distance [N, N] between embeddings, in the units of the margin; may be negative (a similarity, turned)
 * @param labels [N] int32
 * @param margin in units of the distance; 0 for losses without one, for which 'semi-hard' is empty
 * @param cost from gaps to what they cost, elementwise
 */
export function minedTriplets(
  distance: Tensor,
  labels: Tensor,
  { mining, margin }: { mining: Mining; margin: number },
  cost: (gap: Tensor) => Tensor,
): { loss: Tensor; counts: Record<'easy' | 'semiHard' | 'hard', Tensor> } {
  const n = labels.shape[0]!;
  const { same, different } = pairMasks(labels);
  const perPositive = (pairs: Tensor) => reshape(pairs, [n, n, 1]);
  const perNegative = (pairs: Tensor) => reshape(pairs, [n, 1, n]);
  const gap = sub(perPositive(distance), perNegative(distance));
  const valid = mul(perPositive(same), perNegative(different));
  const easyGap = margin === 0 ? less(gap, 0) : lessEqual(gap, -margin);
  const easy = mul(valid, holds(easyGap));
  const hard = mul(valid, holds(greaterEqual(gap, 0)));
  const masks = { all: valid, easy, hard, 'semi-hard': sub(valid, add(easy, hard)) };
  const counts = { easy: sum(easy), semiHard: sum(masks['semi-hard']), hard: sum(hard) };
  if (mining !== 'hardest') return { loss: maskedMean(cost(gap), masks[mining]), counts };

  const some = (mask: Tensor) => holds(greater(sum(mask, [1]), 0.5));
  const anchors = mul(some(same), some(different));
  const widest = sub(farthest(distance, same, [1]), nearest(distance, different, [1]));
  // Of an anchor that lacks one of them, the distances are made up: its gap is set to nothing before it costs.
  const hardest = where(greater(anchors, 0.5), widest, 0);
  return { loss: maskedMean(cost(hardest), anchors), counts };
}
