// L2-Softmax: softmax on features that all have one length, alpha. Easy images can then no longer lower the loss
// by growing long, and hard ones weigh as much.
import { defineLoss } from './definition.js';
import { LEARNED_SCALE_FLOOR, marginHead } from './head.js';
import { flag, real } from './options.js';

/** Options of `l2-softmax`. */
export interface L2SoftmaxOptions {
  /** The length of all features, or where it starts. */
  alpha: number;
  /** Whether alpha is learned. */
  learned: boolean;
  /** Whether the classification layer has a bias. */
  bias: boolean;
}

export const l2Softmax = defineLoss<L2SoftmaxOptions>({
  name: 'l2-softmax',
  title: 'L2-Softmax',
  formula: 'z_j = W_j . (alpha x / |x|) + b_j',
  paper:
    'Ranjan, Castillo and Chellappa, L2-constrained Softmax Loss for Discriminative Face Verification, 2017',
  kind: 'classification',
  options: { alpha: real(32, { above: 0 }), learned: flag(false), bias: flag(true) },
  target: () => Math.cos,
  build: (context, { alpha, learned, bias }) =>
    marginHead(context, {
      weights: 'free',
      features: 'unit',
      bias,
      scale: learned ? { start: alpha, floor: LEARNED_SCALE_FLOOR } : alpha,
    }),
});
