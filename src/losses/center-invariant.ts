// Center-invariant loss: keeps the centres of all classes at one distance from the origin, so that people with
// many images are not favoured over those with few.
import { matmul, mean, mul, oneHot, reshape, square, sub, sum } from '../graph/index.js';
import { type CentreOptions, centreRate } from './center.js';
import { movingCentres } from './centres.js';
import { defineLoss } from './definition.js';

/**
 * The centres are those after the batch has moved them, so that the loss reaches the embeddings. Some surveys
 * print it without the square; it would then sum to zero over balanced classes.
 */
export const centerInvariant = defineLoss<CentreOptions>({
  name: 'center-invariant',
  title: 'Center-invariant',
  formula: 'mean_i (|c_y|^2 - mean_k |c_k|^2)^2 / 4',
  paper: 'Wu, Liu, Li and Fu, Deep Face Recognition with Center Invariant Loss, 2017',
  kind: 'centre',
  weight: 1e-4,
  options: { rate: centreRate },
  build(context, { rate }) {
    const { labels, classes } = context;
    const centres = movingCentres(context, rate);
    const lengths = sum(square(centres.moved), [1]);
    const uneven = sub(lengths, mean(lengths));
    const own = matmul(oneHot(labels, classes), reshape(uneven, [classes, 1]));
    return {
      loss: mul(mean(square(own)), 0.25),
      centres,
      schedule: [],
      metrics: { centreLengthSquared: mean(lengths) },
    };
  },
});
