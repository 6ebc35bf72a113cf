// The few layers that the networks are made of. Each declares its parameters in a scope of its own name:
// 'weight' and 'bias' for what multiplies, 'slope' for PReLU, and 'norm' with parameters of its own for the
// normalisation of a convolution.
import {
  add,
  conv2d,
  depthwiseConv2d,
  matmul,
  prelu as preluNode,
  reshape,
  sizeOf,
  type Tensor,
  transpose,
} from '../graph/index.js';
import { constantInitializer, type Initializer, xavier } from './initializers.js';
import { batchNormalization, type Normalization } from './normalization.js';
import type { ParameterOptions, Scope } from './scope.js';

/** Caffe's custom for biases: twice the learning rate, no weight decay, starting at zero. */
const bias = (scope: Scope, length: number): Tensor =>
  scope.parameter('bias', [length], constantInitializer(0), { rate: 2, decay: 0 });

/** What every convolution has a choice of. */
interface EveryConvolution {
  /** Default 1. */
  stride?: number;
  /** Default xavier. */
  weights?: Initializer;
  /** Multiplier of the weights' decay. Default 1. */
  decay?: number;
  /** Batch normalisation behind it, and how it is built; the convolution then has no bias of its own. */
  norm?: Normalization;
  /** Whether a bias is learned where there is no normalisation. Default true. */
  bias?: boolean;
}

/** Settings of a convolution. */
export interface ConvolutionOptions extends EveryConvolution {
  /** Output channels. */
  channels: number;
  /** Kernel height and width. Default 3. */
  kernel?: number;
  /** Zeros on every side. Default 1. */
  padding?: number;
}

/** What follows a convolution's products y [N, C, H, W], in its scope: a normalisation, a bias, or nothing. */
function closed(own: Scope, y: Tensor, options: EveryConvolution): Tensor {
  const { norm, bias: biased = true } = options;
  if (norm && norm !== 'folded') return batchNormalization(own, y, norm);
  const channels = y.shape[1]!;
  return norm || biased ? add(y, reshape(bias(own, channels), [1, channels, 1, 1])) : y;
}

/**
 * Convolution of x [N, C, H, W] with weights [channels, C, kernel, kernel]; parameters `name.weight`, then
 * `name.bias` or those of `name.norm`.
 */
export function convolution(scope: Scope, name: string, x: Tensor, options: ConvolutionOptions): Tensor {
  const { channels, kernel = 3, stride = 1, padding = 1, weights = xavier, decay = 1 } = options;
  const own = scope.child(name);
  const weight = own.parameter('weight', [channels, x.shape[1]!, kernel, kernel], weights, { decay });
  return closed(own, conv2d(x, weight, { stride, padding }), options);
}

/** Settings of a depthwise convolution. */
export interface DepthwiseOptions extends EveryConvolution {
  /** Kernel [height, width]. Default [3, 3]. */
  kernel?: readonly [number, number];
  /** Zeros on every side. Default 1. */
  padding?: number;
}

/**
 * Each channel of x [N, C, H, W] convolved with a kernel of its own; parameters `name.weight` [C, 1, kh, kw],
 * PyTorch's shape, then `name.bias` or those of `name.norm`.
 */
export function depthwiseConvolution(
  scope: Scope,
  name: string,
  x: Tensor,
  options: DepthwiseOptions = {},
): Tensor {
  const { kernel = [3, 3], stride = 1, padding = 1, weights = xavier, decay = 1 } = options;
  const own = scope.child(name);
  const weight = own.parameter('weight', [x.shape[1]!, 1, ...kernel], weights, { decay });
  return closed(own, depthwiseConv2d(x, weight, { stride, padding }), options);
}

/**
 * PReLU with one slope a channel, starting at .25 (He et al. 2015); parameter `name.slope` [C]. `options` says how
 * the slopes are learned; He et al. do it without weight decay, the published SphereFace networks with it (default).
 */
export const prelu = (scope: Scope, name: string, x: Tensor, options?: ParameterOptions): Tensor =>
  preluNode(x, scope.child(name).parameter('slope', [x.shape[1]!], constantInitializer(0.25), options));

/** Settings of a fully connected layer. */
export interface FullyConnectedOptions {
  /** Output length. */
  length: number;
  /** Default xavier. */
  weights?: Initializer;
  /** Whether a bias is learned. Default true. */
  bias?: boolean;
}

/**
 * y = x W^T + b over everything but the batch axis of x [N, ...]: [N, length]. Parameters `name.weight`
 * [length, inputs], stored as Caffe and PyTorch do, and `name.bias` [length].
 */
export function fullyConnected(
  scope: Scope,
  name: string,
  x: Tensor,
  options: FullyConnectedOptions,
): Tensor {
  const { length, weights = xavier } = options;
  const [batch = 1, ...rest] = x.shape;
  const own = scope.child(name);
  const weight = own.parameter('weight', [length, sizeOf(rest)], weights);
  const y = matmul(reshape(x, [batch, sizeOf(rest)]), transpose(weight, [1, 0]));
  return options.bias === false ? y : add(y, bias(own, length));
}
