// L-Softmax, the first angular margin and A-Softmax's parent: the same psi, but class vectors of any length.
import { annealedHead } from './annealed-head.js';
import { type Annealing, annealingOption, L_SOFTMAX_ANNEALING } from './annealing.js';
import { defineLoss } from './definition.js';
import { type HeadSpec, marginHead } from './head.js';
import { oneOf } from './options.js';
import { psi } from './psi.js';

/** Options of `l-softmax`. */
export interface LSoftmaxOptions {
  /** m, a whole number from 1 (softmax without bias) to 4. */
  margin: 1 | 2 | 3 | 4;
  annealing: Annealing;
}

export const lSoftmax = defineLoss<LSoftmaxOptions>({
  name: 'l-softmax',
  title: 'L-Softmax',
  formula: 'z_y = |W_y| |x| (lambda cos(theta_y) + psi(theta_y)) / (1 + lambda), z_j = W_j . x',
  paper: 'Liu, Wen, Yu and Yang, Large-Margin Softmax Loss, ICML 2016, equations 4 to 6',
  kind: 'classification',
  options: { margin: oneOf(4, [1, 2, 3, 4]), annealing: annealingOption(L_SOFTMAX_ANNEALING) },
  target:
    ({ margin }) =>
    (theta) =>
      psi(Math.cos(theta), margin),
  build(context, { margin, annealing }) {
    const plain: HeadSpec = { weights: 'free', features: 'free' };
    return margin === 1 ? marginHead(context, plain) : annealedHead(context, plain, { margin, annealing });
  },
});
