// The SphereFace networks (Liu et al., 'SphereFace: Deep Hypersphere Embedding for Face Recognition', CVPR
// 2017, Table 2), with the details of the published definition: names, initialisers, multipliers.
import { add, relu, type Tensor } from '../../graph/index.js';
import { gaussian, xavier } from '../initializers.js';
import { convolution, fullyConnected, prelu } from '../layers.js';
import type { Scope } from '../scope.js';

/** Output channels of the four stages. */
const STAGE_CHANNELS = [64, 128, 256, 512];

/** Residual units in each stage, by number of layers. */
const RESIDUAL_UNITS = {
  4: [0, 0, 0, 0],
  10: [0, 1, 2, 0],
  20: [1, 2, 4, 1],
  36: [2, 4, 8, 2],
  64: [3, 8, 16, 3],
};

/** Number of convolutions; FC1 is not counted. */
export type SphereFaceDepth = keyof typeof RESIDUAL_UNITS;

/** The depths of Table 2. */
export const SPHEREFACE_DEPTHS: readonly SphereFaceDepth[] = [4, 10, 20, 36, 64];

/** Settings of a SphereFace network. */
export interface SphereFaceOptions {
  depth: SphereFaceDepth;
  /** Length of the embedding. Default 512. */
  embedding?: number;
  /** A ReLU after FC1, which the paper leaves out and tries in its ablation (section 4.2). Default false. */
  reluAfterFc1?: boolean;
}

/**
 * The embedding [N, embedding] of images x [N, 3, H, W], scaled to (pixel - 127.5) / 128. The paper's size is
 * 112 x 96 (H x W); any other size goes, each stage halving it, rounded up.
 *
 * A stage opens with a 3x3 convolution of stride 2 (Xavier, with bias), followed by residual units of two 3x3
 * convolutions (Gaussian .01). PReLU stands after every convolution and the sum after the second PReLU; there
 * is no batch normalisation. The published definition gives the residual convolutions a bias that is fixed at
 * zero (rate and decay multipliers 0); it is left out here. FC1 ('fc5') has no activation.
 */
export function sphereface(scope: Scope, x: Tensor, options: SphereFaceOptions): Tensor {
  const { depth, embedding = 512, reluAfterFc1 = false } = options;
  const layer = (name: string, input: Tensor, channels: number, opens: boolean): Tensor =>
    prelu(
      scope,
      `relu${name}`,
      convolution(scope, `conv${name}`, input, {
        channels,
        stride: opens ? 2 : 1,
        weights: opens ? xavier : gaussian(0.01),
        bias: opens,
      }),
    );
  let y = x;
  STAGE_CHANNELS.forEach((channels, stage) => {
    let count = 1;
    const next = (input: Tensor) => layer(`${stage + 1}_${count}`, input, channels, count++ === 1);
    y = next(y);
    for (let unit = 0; unit < RESIDUAL_UNITS[depth][stage]!; unit++) y = add(y, next(next(y)));
  });
  const features = fullyConnected(scope, 'fc5', y, { length: embedding });
  return reluAfterFc1 ? relu(features) : features;
}
