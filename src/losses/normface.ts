// NormFace: softmax over cosines with a learned scale. Cosines alone, between -1 and 1, leave a loss that cannot
// fall far enough; the scale mends that (see the bound in docs/theory.md).
import { defineLoss } from './definition.js';
import { LEARNED_SCALE_FLOOR, marginHead } from './head.js';
import { real } from './options.js';

/** Options of `normface`. */
export interface NormFaceOptions {
  /** Where the learned scale s starts. */
  scale: number;
}

export const normFace = defineLoss<NormFaceOptions>({
  name: 'normface',
  title: 'NormFace',
  formula: 'z_j = s cos(theta_j), s learned',
  paper: 'Wang, Xiang, Cheng and Yuille, NormFace, ACM Multimedia 2017',
  kind: 'classification',
  options: { scale: real(10, { above: 0 }) },
  target: () => Math.cos,
  build: (context, { scale }) =>
    marginHead(context, {
      weights: 'unit',
      features: 'unit',
      scale: { start: scale, floor: LEARNED_SCALE_FLOOR },
    }),
});
