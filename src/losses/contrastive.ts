// Contrastive loss: pulls the two images of a same pair together and pushes those of a different pair apart, up
// to a margin.
import { add, l2Normalize, maximum, mul, NORM_FLOOR, sqrt, square, sub } from '../graph/index.js';
import { defineLoss } from './definition.js';
import { flag, real } from './options.js';
import { maskedMean, pairMasks, squaredDistances, squaredDistancesOfUnit } from './pairs.js';

/** Options of `contrastive`. */
export interface ContrastiveOptions {
  /** m: different pairs at this distance and beyond cost nothing. */
  margin: number;
  /** Bring embeddings to unit length first; distances are then between 0 and 2. */
  normalize: boolean;
}

/**
 * Over all pairs of the batch: the mean over the same pairs plus the mean over the different ones, which is twice
 * the mean over pairs drawn half and half, as DeepID2 draws them. A kind without pairs adds nothing.
 */
export const contrastive = defineLoss<ContrastiveOptions>({
  name: 'contrastive',
  title: 'Contrastive',
  formula: 'd^2 / 2 for a same pair, max(0, m - d)^2 / 2 for a different one, d = |x_i - x_j|',
  paper: 'Hadsell, Chopra and LeCun, CVPR 2006; on faces: Sun et al., DeepID2, 2014',
  kind: 'pair',
  needs: { imagesPerPerson: 2 },
  options: { margin: real(1, { above: 0 }), normalize: flag(false) },
  build({ embedding, labels }, { margin, normalize }) {
    const squared = normalize ? squaredDistancesOfUnit(l2Normalize(embedding)) : squaredDistances(embedding);
    const distance = sqrt(add(squared, NORM_FLOOR));
    const { same, different, above } = pairMasks(labels);
    const [alike, unlike] = [mul(same, above), mul(different, above)];
    const loss = add(
      maskedMean(mul(squared, 0.5), alike),
      maskedMean(mul(square(maximum(sub(margin, distance), 0)), 0.5), unlike),
    );
    return {
      loss,
      schedule: [],
      metrics: {
        sameDistance: maskedMean(distance, alike),
        differentDistance: maskedMean(distance, unlike),
      },
    };
  },
});
