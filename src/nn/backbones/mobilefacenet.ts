// MobileFaceNet (Chen et al., 'MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile
// Devices', CCBR 2018, Table 1): the inverted residual bottlenecks of MobileNetV2, closed by a global depthwise
// convolution, which weighs the places of the last feature map where average pooling would not.
import { add, reshape, type Tensor } from '../../graph/index.js';
import { convolution, depthwiseConvolution, prelu } from '../layers.js';
import type { Normalization } from '../normalization.js';
import type { Scope } from '../scope.js';

/** The rows of bottlenecks in Table 1: expansion t, output channels c, repetitions n, stride s of the first. */
const BOTTLENECKS = [
  { t: 2, c: 64, n: 5, s: 2 },
  { t: 4, c: 128, n: 1, s: 2 },
  { t: 2, c: 128, n: 6, s: 1 },
  { t: 4, c: 128, n: 1, s: 2 },
  { t: 2, c: 128, n: 2, s: 1 },
];

/** Output channels of the first convolutions and of the last before the global one. */
const FIRST = 64;
const LAST = 512;

/** "4e-4 on the last layers after the global operator" beside 4e-5 elsewhere (section 4.1). */
const LAST_DECAY = 10;

/** Settings of MobileFaceNet. */
export interface MobileFaceNetOptions {
  /** Length of the embedding. Default 128. */
  embedding?: number;
  /** How the normalisations are built. Default `batch`, to train. */
  norm?: Normalization;
}

/**
 * The embedding [N, embedding] of images x [N, 3, H, W], scaled to (pixel - 127.5) / 128. The paper's size is
 * 112 x 112; any other goes, and the global kernel has the size of what remains: 7x7 of it, 7x6 of 112 x 96.
 *
 * Batch normalisation follows every convolution, and PReLU every one that the paper does not call linear; slopes, as
 * in He et al. 2015, have no weight decay, and the last convolution has ten times that of the others.
 *
 * Layers, in the order of their parameters: `conv1`, `depthwise1`, then for each bottleneck k of row r
 * `block<r>_<k>.expand`, `.depthwise`, `.project` (linear), then `conv2`, `global` and `embedding` (both linear).
 * Each has `weight`, `norm.weight`, `norm.bias`, `norm.running_mean`, `norm.running_var` and, unless it is linear,
 * `prelu.slope`, in this order: `block1_1.expand.norm.weight`. Built `folded`, it has `weight`, `bias`, `prelu.slope`.
 */
export function mobileFaceNet(scope: Scope, x: Tensor, options: MobileFaceNetOptions = {}): Tensor {
  const { embedding = 128, norm = 'batch' } = options;
  const active = (at: Scope, name: string, y: Tensor) => prelu(at.child(name), 'prelu', y, { decay: 0 });
  const point = (at: Scope, name: string, y: Tensor, channels: number, decay = 1) =>
    convolution(at, name, y, { channels, kernel: 1, padding: 0, decay, norm });
  const spread = (at: Scope, name: string, y: Tensor, stride = 1) =>
    active(at, name, depthwiseConvolution(at, name, y, { stride, norm }));

  const bottleneck = (at: Scope, input: Tensor, t: number, c: number, stride: number): Tensor => {
    const from = input.shape[1]!;
    const expanded = active(at, 'expand', point(at, 'expand', input, t * from));
    const projected = point(at, 'project', spread(at, 'depthwise', expanded, stride), c);
    return stride === 1 && from === c ? add(input, projected) : projected;
  };

  let y = active(scope, 'conv1', convolution(scope, 'conv1', x, { channels: FIRST, stride: 2, norm }));
  y = spread(scope, 'depthwise1', y);
  BOTTLENECKS.forEach(({ t, c, n, s }, row) => {
    for (let k = 1; k <= n; k++) {
      y = bottleneck(scope.child(`block${row + 1}_${k}`), y, t, c, k === 1 ? s : 1);
    }
  });
  y = active(scope, 'conv2', point(scope, 'conv2', y, LAST));
  const kernel = [y.shape[2]!, y.shape[3]!] as const;
  y = depthwiseConvolution(scope, 'global', y, { kernel, padding: 0, norm });
  return reshape(point(scope, 'embedding', y, embedding, LAST_DECAY), [x.shape[0]!, embedding]);
}
