// Marginal loss: one threshold on the distance between unit features for all pairs, with a margin on both sides.
import { add, l2Normalize, maximum, mul, sub } from '../graph/index.js';
import { defineLoss } from './definition.js';
import { real } from './options.js';
import { maskedMean, pairMasks, squaredDistancesOfUnit } from './pairs.js';

/** Options of `marginal`. */
export interface MarginalOptions {
  /** theta, on the squared distance of unit features: same pairs belong below, different ones above. */
  threshold: number;
  /** xi */
  margin: number;
}

/** Over ordered pairs, as the paper; a sum over i < j with the same factor, as surveys print it, is half of it. */
export const marginal = defineLoss<MarginalOptions>({
  name: 'marginal',
  title: 'Marginal',
  formula:
    '1/(N^2 - N) sum_{i != j} max(0, xi - y_ij (theta - |x_i - x_j|^2)), unit x, y = 1 same, -1 different',
  paper: 'Deng, Zhou and Zafeiriou, Marginal Loss for Deep Face Recognition, CVPR Workshops 2017',
  kind: 'pair',
  needs: { imagesPerPerson: 2 },
  options: { threshold: real(1.2, { from: 0, to: 4 }), margin: real(0.3, { from: 0, to: 4 }) },
  build({ embedding, labels }, { threshold, margin }) {
    const distance = squaredDistancesOfUnit(l2Normalize(embedding));
    const { same, different } = pairMasks(labels);
    // On the right side of the threshold by how much: threshold - d for a same pair, d - threshold for another.
    const spare = mul(sub(same, different), sub(threshold, distance));
    const cost = maximum(sub(margin, spare), 0);
    return {
      loss: maskedMean(cost, add(same, different)),
      schedule: [],
      metrics: {
        sameDistance: maskedMean(distance, same),
        differentDistance: maskedMean(distance, different),
      },
    };
  },
});
