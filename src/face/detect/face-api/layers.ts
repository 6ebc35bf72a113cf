// The layers of the package's networks as graph operations, each taking its weights from a weight file as it is
// built: kernels turned from TensorFlow's [height, width, in, out] to [out, in, height, width], and batch
// normalisation, whose statistics are constants by now, folded into the kernel before it.
import { add, conv2d, depthwiseConv2d, pad, parameter, type Tensor } from '../../../graph/index.js';
import type { FaceApiWeight } from '../../models/face-api-weights.js';

/** A network being built: its parameters' values by name, filled as layers are added. */
export class LayerBuilder {
  /** What `lowerInference` takes. */
  readonly values = new Map<string, Float32Array>();

  constructor(private readonly stored: ReadonlyMap<string, FaceApiWeight>) {}

  /** The stored weight called `name`. */
  take(name: string): FaceApiWeight {
    const found = this.stored.get(name);
    if (!found) throw new Error(`there is no weight '${name}' in the file`);
    return found;
  }

  /** A parameter of the graph with these values. */
  parameter(name: string, shape: readonly number[], values: Float32Array): Tensor {
    this.values.set(name, values);
    return parameter(name, shape);
  }

  /** Convolution with a bias. `padding` is symmetric; see `behind` for TensorFlow's. */
  convolve(
    x: Tensor,
    name: string,
    kernel: FaceApiWeight,
    bias: Float32Array,
    by: { stride?: number; padding?: number } = {},
  ): Tensor {
    const [height, width, from, to] = kernel.shape as [number, number, number, number];
    const w = this.parameter(`${name}.weight`, [to, from, height, width], turned(kernel));
    return add(conv2d(x, w, by), this.parameter(`${name}.bias`, [to, 1, 1], bias));
  }

  /** Depthwise convolution; without a bias when none is given. */
  convolveDepthwise(
    x: Tensor,
    name: string,
    kernel: FaceApiWeight,
    bias: Float32Array | undefined,
    by: { stride?: number; padding?: number } = {},
  ): Tensor {
    const [height, width, channels] = kernel.shape as [number, number, number];
    // One channel in, so the turn to [1, channels, height, width] is the one to [channels, 1, height, width].
    const values = turned({ shape: [height, width, 1, channels], data: kernel.data });
    const w = this.parameter(`${name}.weight`, [channels, 1, height, width], values);
    const y = depthwiseConv2d(x, w, by);
    return bias ? add(y, this.parameter(`${name}.bias`, [channels, 1, 1], bias)) : y;
  }

  /** 3x3 depthwise, then pointwise convolution with a bias, without a nonlinearity; padded as TensorFlow's 'same'. */
  separable(x: Tensor, name: string, stride: 1 | 2 = 1): Tensor {
    const depthwise = this.convolveDepthwise(
      stride === 2 ? behind(x) : x,
      `${name}/depthwise`,
      this.take(`${name}/depthwise_filter`),
      undefined,
      { stride, padding: stride === 2 ? 0 : 1 },
    );
    return this.convolve(
      depthwise,
      `${name}/pointwise`,
      this.take(`${name}/pointwise_filter`),
      this.take(`${name}/bias`).data,
    );
  }
}

/** [height, width, in, out] to [out, in, height, width]. */
function turned({ shape, data }: FaceApiWeight): Float32Array {
  const [height, width, from, to] = shape as [number, number, number, number];
  const result = new Float32Array(data.length);
  const places = height * width;
  for (let place = 0, i = 0; place < places; place++)
    for (let c = 0; c < from; c++)
      for (let k = 0; k < to; k++) result[(k * from + c) * places + place] = data[i++]!;
  return result;
}

/**
 * Zeros behind the last row and column, for a 3x3 window of stride 2: TensorFlow's 'same' for an even length n,
 * where windows begin at 0, 2, ..., n - 2. A second zero, which those windows never reach, lets the same graph
 * take an odd length, and keeps cell i over pixels 2i to 2i + 2 there too.
 */
export const behind = (x: Tensor): Tensor => pad(x, [0, 0, 0, 0], [0, 0, 2, 2]);

/** A depthwise kernel [height, width, channels, 1] with the batch normalisation after it folded in, and its bias. */
export function foldNormalisation(
  kernel: FaceApiWeight,
  statistics: {
    gamma: Float32Array;
    beta: Float32Array;
    mean: Float32Array;
    variance: Float32Array;
    epsilon: number;
  },
): { kernel: FaceApiWeight; bias: Float32Array } {
  const { gamma, beta, mean, variance, epsilon } = statistics;
  const gain = gamma.map((g, c) => g / Math.sqrt(variance[c]! + epsilon));
  return {
    kernel: { shape: kernel.shape, data: kernel.data.map((w, i) => w * gain[i % gain.length]!) },
    bias: beta.map((b, c) => b - mean[c]! * gain[c]!),
  };
}
