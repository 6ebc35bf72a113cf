// The few layers that the networks are made of. Each declares its parameters in a scope of its own name:
// 'weight' and 'bias' for what multiplies, 'slope' for PReLU.
import {
  add,
  conv2d,
  matmul,
  prelu as preluNode,
  reshape,
  sizeOf,
  type Tensor,
  transpose,
} from '../graph/index.js';
import { constantInitializer, type Initializer, xavier } from './initializers.js';
import type { Scope } from './scope.js';

/** Caffe's custom for biases: twice the learning rate, no weight decay, starting at zero. */
const bias = (scope: Scope, length: number): Tensor =>
  scope.parameter('bias', [length], constantInitializer(0), { rate: 2, decay: 0 });

/** Settings of a convolution. */
export interface ConvolutionOptions {
  /** Output channels. */
  channels: number;
  /** Kernel height and width. Default 3. */
  kernel?: number;
  /** Default 1. */
  stride?: number;
  /** Zeros on every side. Default 1. */
  padding?: number;
  /** Default xavier. */
  weights?: Initializer;
  /** Whether a bias is learned. Default true. */
  bias?: boolean;
}

/** Convolution of x [N, C, H, W] with weights [channels, C, kernel, kernel]; parameters `name.weight`, `name.bias`. */
export function convolution(scope: Scope, name: string, x: Tensor, options: ConvolutionOptions): Tensor {
  const { channels, kernel = 3, stride = 1, padding = 1, weights = xavier } = options;
  const own = scope.child(name);
  const weight = own.parameter('weight', [channels, x.shape[1]!, kernel, kernel], weights);
  const y = conv2d(x, weight, { stride, padding });
  return options.bias === false ? y : add(y, reshape(bias(own, channels), [1, channels, 1, 1]));
}

/** PReLU with one slope a channel, starting at .25 (He et al. 2015); parameter `name.slope` [C]. */
export const prelu = (scope: Scope, name: string, x: Tensor): Tensor =>
  preluNode(x, scope.child(name).parameter('slope', [x.shape[1]!], constantInitializer(0.25)));

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
