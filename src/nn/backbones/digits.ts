// A small network for handwritten digits, to see what a loss does to features that are drawn as they are:
// two-dimensional, without projection (Liu et al. 2017, Fig. 12; Wen et al. 2016 began the habit).
import type { Tensor } from '../../graph/index.js';
import { convolution, fullyConnected, prelu } from '../layers.js';
import type { Scope } from '../scope.js';

/** Output channels of the three stride-2 convolutions: 28x28 becomes 14x14, 7x7, 4x4. */
const CHANNELS = [24, 48, 96];

/**
 * Features [N, features] of digit images x [N, 1, 28, 28]; other sizes go as well. Three 3x3 convolutions of
 * stride 2 with PReLU and one fully connected layer without activation, so that the features use the whole
 * plane; about 1.2 million multiply-adds an image.
 */
export function digitNet(scope: Scope, x: Tensor, { features = 2 }: { features?: number } = {}): Tensor {
  let y = x;
  CHANNELS.forEach((channels, i) => {
    y = convolution(scope, `conv${i + 1}`, y, { channels, stride: 2 });
    y = prelu(scope, `relu${i + 1}`, y);
  });
  return fullyConnected(scope, 'features', y, { length: features });
}
