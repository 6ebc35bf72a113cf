// The networks whose features are drawn as they are, without projection: two or three numbers an image, from
// digits or from small faces. Wen et al. 2016 and the SphereFace paper (Figs. 2, 5, 8, 11, 12) draw such networks.
import { relu, type Tensor } from '../graph/index.js';
import { convolution, digitNet, fullyConnected, prelu, type Scope } from '../nn/index.js';

/** What a network looks at. */
export type Subject = 'digits' | 'faces';

/** One small network. */
export interface FeatureNet {
  subject: Subject;
  /** Numbers a feature has: 2 for the plane, 3 for the sphere, more where nothing is drawn of it. */
  features: number;
  /** A ReLU after the last layer: no feature is negative then (SphereFace, Fig. 8). Default false. */
  relu?: boolean;
}

/** What a network of each kind takes: [height, width], channels, and the value that means 'nothing here'. */
export const INPUTS = {
  digits: { size: [28, 28], channels: 1, background: -127.5 / 128 },
  /** Half of the paper's 112 x 96 each way. */
  faces: { size: [56, 48], channels: 3, background: 0 },
} as const;

/** Output channels of the face network's stride-2 convolutions: 56x48 becomes 28x24, 14x12, 7x6, 4x3. */
const FACE_CHANNELS = [24, 48, 96, 128];

/** The digits' network with one more convolution; about 6 million multiply-adds a face. */
function faceNet(scope: Scope, x: Tensor, features: number): Tensor {
  let y = x;
  FACE_CHANNELS.forEach((channels, i) => {
    y = convolution(scope, `conv${i + 1}`, y, { channels, stride: 2 });
    y = prelu(scope, `relu${i + 1}`, y);
  });
  return fullyConnected(scope, 'features', y, { length: features });
}

/** Features [N, features] of images x [N, C, H, W] as in `INPUTS`. */
export function featureNet(scope: Scope, x: Tensor, { subject, features, relu: last }: FeatureNet): Tensor {
  const y = subject === 'digits' ? digitNet(scope, x, { features }) : faceNet(scope, x, features);
  return last ? relu(y) : y;
}
