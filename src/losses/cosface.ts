// The additive cosine margin, under its two names: AM-Softmax and CosFace. The cosine to the true class must
// beat the others by m; both papers came out in early 2018 and differ in what they recommend.
import { sub, type Tensor } from '../graph/index.js';
import { defineLoss, type LossDefinition } from './definition.js';
import { marginHead, replaceCosine } from './head.js';
import { real } from './options.js';

/** Options of `am-softmax` and `cosface`. */
export interface CosineMarginOptions {
  /** s */
  scale: number;
  /** m, in cosine; 2 is the whole range of the cosine. */
  margin: number;
}

const cosineMargin = (
  about: { name: string; title: string; paper: string },
  defaults: CosineMarginOptions,
): LossDefinition =>
  defineLoss<CosineMarginOptions>({
    ...about,
    formula: 'z_y = s (cos(theta_y) - m), z_j = s cos(theta_j)',
    kind: 'classification',
    options: {
      scale: real(defaults.scale, { above: 0 }),
      margin: real(defaults.margin, { from: 0, to: 2 }),
    },
    target:
      ({ margin }) =>
      (theta) =>
        Math.cos(theta) - margin,
    build: (context, { scale, margin }) =>
      marginHead(context, {
        weights: 'unit',
        features: 'unit',
        scale,
        margin: replaceCosine((cosine: Tensor) => sub(cosine, margin)),
      }),
  });

export const amSoftmax = cosineMargin(
  {
    name: 'am-softmax',
    title: 'AM-Softmax',
    paper: 'Wang, Cheng, Liu and Liu, Additive Margin Softmax, IEEE Signal Processing Letters 2018',
  },
  { scale: 30, margin: 0.35 },
);

export const cosFace = cosineMargin(
  { name: 'cosface', title: 'CosFace', paper: 'Wang et al., CosFace, CVPR 2018, equation 4' },
  { scale: 64, margin: 0.35 },
);
