// Batch normalisation (Ioffe and Szegedy 2015) as a part of the convolution before it. While a network is
// trained it uses the batch's statistics and keeps running ones; a trained network has only their effect, a
// factor and a shift a channel, which fold into the convolution's weights.
import { UserError } from '../common/errors.js';
import { add, div, mean, mul, reshape, sizeOf, sqrt, square, sub, type Tensor } from '../graph/index.js';
import { constantInitializer } from './initializers.js';
import type { Scope } from './scope.js';

/**
 * How a network's normalisations are built:
 * - `batch`, to train: by the mean and variance of the batch, while running ones are kept;
 * - `running`: by the running statistics, with the same parameters under the same names;
 * - `folded`, to export: none; the convolution has a bias instead, and its values come from `foldNormalizations`.
 */
export type Normalization = 'batch' | 'running' | 'folded';

/** Added to a variance before its root is taken (PyTorch's default). */
const EPSILON = 1e-5;
/** Share of the batch's statistics in the running ones at every step (PyTorch's default). */
const MOMENTUM = 0.1;

/** The scope of a normalisation inside its convolution's, and the names of its tensors, each [C]. */
const NORM = 'norm';
const NAMES = { gamma: 'weight', beta: 'bias', mean: 'running_mean', variance: 'running_var' };

/**
 * x [N, C, H, W] with every channel brought to mean beta and variance gamma^2, in a convolution's scope.
 * Declares, in this order and with PyTorch's names, `norm.weight` (gamma, from 1), `norm.bias` (beta, from 0),
 * `norm.running_mean` (from 0) and `norm.running_var` (from 1; unbiased), each [C]. Gamma and beta have no
 * weight decay, the field's custom. Throws a `UserError` for a batch that has one value a channel.
 */
export function batchNormalization(scope: Scope, x: Tensor, by: Exclude<Normalization, 'folded'>): Tensor {
  const channels = x.shape[1]!;
  const own = scope.child(NORM);
  const wide = (t: Tensor) => reshape(t, [1, channels, 1, 1]);
  const factor = (variance: Tensor) => div(wide(gamma), sqrt(add(variance, EPSILON)));

  const gamma = own.parameter(NAMES.gamma, [channels], constantInitializer(1), { decay: 0 });
  const beta = own.parameter(NAMES.beta, [channels], constantInitializer(0), { decay: 0 });
  const keep = (name: string, start: number, rule: (now: Tensor) => Tensor) =>
    own.kept(name, [channels], constantInitializer(start), rule);
  if (by === 'running') {
    const [centre, variance] = [keep(NAMES.mean, 0, (now) => now), keep(NAMES.variance, 1, (now) => now)];
    return add(mul(sub(x, wide(centre)), factor(wide(variance))), wide(beta));
  }

  const ownMean = mean(x, [0, 2, 3], { keepDims: true });
  const aboutOwn = sub(x, ownMean);
  const {
    mean: batchMean,
    variance: batchVariance,
    count,
  } = own.moments({
    mean: ownMean,
    variance: mean(square(aboutOwn), [0, 2, 3], { keepDims: true }),
    count: sizeOf(x.shape) / channels,
  });
  if (count === 1) {
    throw new UserError(
      'batch normalisation needs several values a channel: use a batch of 2 images or more',
    );
  }
  const towards = (t: Tensor) => (now: Tensor) =>
    add(mul(now, 1 - MOMENTUM), mul(reshape(t, [channels]), MOMENTUM));
  keep(NAMES.mean, 0, towards(batchMean));
  keep(NAMES.variance, 1, towards(mul(batchVariance, count / (count - 1))));
  const centred = batchMean === ownMean ? aboutOwn : sub(x, batchMean);
  return add(mul(centred, factor(batchVariance)), wide(beta));
}

/**
 * The weights of the network built `folded` from those of the same network built to train: every convolution
 * that a normalisation follows gets weight' = weight gamma / sqrt(variance + epsilon) and
 * bias' = beta - mean gamma / sqrt(variance + epsilon), computed in double precision; all else stays as it is.
 * Throws a `UserError` that names a missing or misshaped tensor, or a variance below zero.
 */
export function foldNormalizations(weights: ReadonlyMap<string, Float32Array>): Map<string, Float32Array> {
  const folded = new Map(weights);
  const suffix = `.${NORM}.${NAMES.gamma}`;
  for (const name of weights.keys()) {
    if (!name.endsWith(suffix)) continue;
    const layer = name.slice(0, -suffix.length);
    const channels = weights.get(name)!.length;
    const [gamma, beta, centre, variance] = Object.values(NAMES).map((part) => {
      const values = weights.get(`${layer}.${NORM}.${part}`);
      if (values?.length !== channels) {
        throw new UserError(
          `'${layer}.${NORM}.${part}' should have ${channels} numbers and has ${values?.length ?? 'none'}`,
        );
      }
      folded.delete(`${layer}.${NORM}.${part}`);
      return values;
    }) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const kernels = weights.get(`${layer}.weight`);
    if (!kernels || kernels.length % channels !== 0) {
      throw new UserError(
        `'${layer}.weight' should have ${channels} kernels and has ${kernels?.length ?? 'no'} numbers`,
      );
    }
    if (variance.some((v) => v < 0))
      throw new UserError(`'${layer}.${NORM}.${NAMES.variance}' is below zero`);
    const factors = Float64Array.from(gamma, (g, c) => g / Math.sqrt(variance[c]! + EPSILON));
    const each = kernels.length / channels;
    folded.set(
      `${layer}.weight`,
      kernels.map((w, i) => w * factors[Math.floor(i / each)]!),
    );
    folded.set(
      `${layer}.bias`,
      beta.map((b, c) => b - centre[c]! * factors[c]!),
    );
  }
  return folded;
}
