// Center loss: pulls every feature to the centre of its class, beside a softmax that keeps the classes apart.
import { gather, mean, mul, square, sub, sum } from '../graph/index.js';
import { movingCentres } from './centres.js';
import { defineLoss } from './definition.js';
import { real } from './options.js';

/** Options of `center` and `center-invariant`. */
export interface CentreOptions {
  /** Share of the way that a centre goes to the mean of its features at a step. */
  rate: number;
}

/** The rate at which centres move, alpha of the paper. */
export const centreRate = real(0.5, { above: 0, to: 1 });

/**
 * The mean over the batch, as in the authors' code, so that its weight does not depend on the size of the batch;
 * the paper prints the sum.
 */
export const center = defineLoss<CentreOptions>({
  name: 'center',
  title: 'Center',
  formula: 'mean_i |x_i - c_y|^2 / 2',
  paper: 'Wen, Zhang, Li and Qiao, A Discriminative Feature Learning Approach, ECCV 2016, equation 2',
  kind: 'centre',
  weight: 0.003,
  options: { rate: centreRate },
  build(context, { rate }) {
    const { embedding, labels } = context;
    const centres = movingCentres(context, rate);
    const own = gather(centres.now, labels);
    const distance = sum(square(sub(embedding, own)), [1]);
    return {
      loss: mul(mean(distance), 0.5),
      centres,
      schedule: [],
      metrics: { centreDistance: mean(distance) },
    };
  },
});
