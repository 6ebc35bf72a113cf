// Softmax cross-entropy on a fully connected layer: what face identification networks were trained with
// before margins, and the baseline of the SphereFace paper.
import { defineLoss } from './definition.js';
import { marginHead } from './head.js';
import { flag } from './options.js';

/** Options of `softmax`. */
export interface SoftmaxOptions {
  /** Whether the classification layer has a bias. */
  bias: boolean;
}

export const softmax = defineLoss<SoftmaxOptions>({
  name: 'softmax',
  title: 'Softmax',
  formula: 'z_j = W_j . x + b_j',
  paper: 'Liu et al., SphereFace, CVPR 2017, section 3.1',
  kind: 'classification',
  options: { bias: flag(true) },
  target: () => Math.cos,
  build: (context, { bias }) => marginHead(context, { weights: 'free', features: 'free', bias }),
});
