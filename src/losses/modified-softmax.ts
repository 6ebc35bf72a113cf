// Modified softmax: class vectors of unit length and no bias, so that the decision depends on angles alone.
import { defineLoss } from './definition.js';
import { marginHead } from './head.js';

export const modifiedSoftmax = defineLoss({
  name: 'modified-softmax',
  title: 'Modified softmax',
  formula: 'z_j = |x| cos(theta_j), |W_j| = 1, no bias',
  paper: 'Liu et al., SphereFace, CVPR 2017, section 3.1',
  kind: 'classification',
  options: {},
  target: () => Math.cos,
  build: (context) => marginHead(context, { weights: 'unit', features: 'free' }),
});
