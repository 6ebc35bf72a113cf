// The three networks of MTCNN (Zhang et al. 2016, Fig. 2, in the released form) as tables of layers, and the graphs
// that they describe. All take pixels 0..255 and scale them first; P-Net is fully convolutional and takes any size.
import {
  add,
  conv2d,
  input,
  matmul,
  maxPool2d,
  mul,
  parameter,
  perChannel,
  prelu,
  reshape,
  sub,
  type Tensor,
  transposeLast,
} from '../../../graph/index.js';
import { lowerInference } from '../../../lower/index.js';

/** A convolution without padding or a fully connected layer, each with a PReLU behind it; or a maximum pooling. */
type Layer =
  | { readonly conv: number; readonly kernel: number }
  | { readonly dense: number }
  | { readonly pool: number; readonly stride: number };

/** One network: what it sees, its layers, and its heads by the name of what they tell, with their outputs. */
export interface NetworkTable {
  readonly size: number;
  readonly freeSize?: boolean;
  readonly layers: readonly Layer[];
  readonly heads: Readonly<Record<string, number>>;
}

/** Windows are not padded, and poolings count a last window that hangs over the edge (Caffe's rule). */
export const networks = {
  det1: {
    size: 12,
    freeSize: true,
    layers: [
      { conv: 10, kernel: 3 },
      { pool: 2, stride: 2 },
      { conv: 16, kernel: 3 },
      { conv: 32, kernel: 3 },
    ],
    heads: { face: 2, box: 4 },
  },
  det2: {
    size: 24,
    layers: [
      { conv: 28, kernel: 3 },
      { pool: 3, stride: 2 },
      { conv: 48, kernel: 3 },
      { pool: 3, stride: 2 },
      { conv: 64, kernel: 2 },
      { dense: 128 },
    ],
    heads: { face: 2, box: 4 },
  },
  det3: {
    size: 48,
    layers: [
      { conv: 32, kernel: 3 },
      { pool: 3, stride: 2 },
      { conv: 64, kernel: 3 },
      { pool: 3, stride: 2 },
      { conv: 64, kernel: 3 },
      { pool: 2, stride: 2 },
      { conv: 128, kernel: 2 },
      { dense: 256 },
    ],
    heads: { face: 2, box: 4, landmarks: 10 },
  },
} as const satisfies Record<string, NetworkTable>;

/** The networks by the names of their files. */
export type NetworkName = keyof typeof networks;

/** One layer's weights in the published files: their layer's name, what they are, and the shape that we use. */
export interface WeightPlace {
  readonly layer: string;
  readonly kind: 'weight' | 'bias' | 'slope';
  /** A weight is [out, in, height, width], a fully connected one and a 1x1 head as well. */
  readonly shape: readonly number[];
}

/** A network's graph for one image, and its weights by the names of its parameters. */
export interface NetworkGraph {
  readonly x: Tensor;
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly weights: ReadonlyMap<string, WeightPlace>;
}

/**
 * The graph of a table: images x [1, 3, size, size] of pixels 0..255 in, one output a head: `face`, the logits of no
 * face and face, `box`, shifts of left, top, right and bottom in widths of the window, and `landmarks`, five x and
 * five y in such widths. Layers are named as in the published files: conv1, prelu1, ..., and conv5-1, conv5-2 for
 * the heads behind the fourth.
 */
export function networkGraph({ size, layers, heads }: NetworkTable): NetworkGraph {
  const weights = new Map<string, WeightPlace>();
  const held = (layer: string, kind: WeightPlace['kind'], shape: readonly number[]): Tensor => {
    const name = `${layer}.${kind}`;
    weights.set(name, { layer, kind, shape });
    return parameter(name, shape);
  };
  /** A linear layer of any reach: over all of what is left of the image when it is fully connected. */
  const linear = (y: Tensor, layer: string, out: number, kernel: number): Tensor => {
    const weight = held(layer, 'weight', [out, y.shape[1]!, kernel, kernel]);
    const bias = held(layer, 'bias', [out]);
    const z = conv2d(y, weight);
    return add(z, perChannel(bias, z));
  };
  const dense = (y: Tensor, layer: string, out: number): Tensor => {
    const [, channels, height = 1, width = 1] = y.shape as [number, number, number?, number?];
    const count = channels * height * width;
    const weight = reshape(held(layer, 'weight', [out, channels, height, width]), [out, count]);
    return add(matmul(reshape(y, [1, count]), transposeLast(weight)), held(layer, 'bias', [out]));
  };

  const x = input('x', [1, 3, size, size]);
  let y = mul(sub(x, 127.5), 1 / 128);
  let depth = 0;
  for (const layer of layers) {
    if ('pool' in layer) {
      y = maxPool2d(y, { kernel: layer.pool, stride: layer.stride, ceil: true });
      continue;
    }
    depth++;
    y =
      'dense' in layer
        ? dense(y, `conv${depth}`, layer.dense)
        : linear(y, `conv${depth}`, layer.conv, layer.kernel);
    y = prelu(y, held(`prelu${depth}`, 'slope', [y.shape[1]!]));
  }
  const outputs = Object.entries(heads).map(([name, out], i) => {
    const layer = `conv${depth + 1}-${i + 1}`;
    return [name, y.shape.length === 2 ? dense(y, layer, out) : linear(y, layer, out, 1)];
  });
  return { x, outputs: Object.fromEntries(outputs) as Record<string, Tensor>, weights };
}

/** A network with its weights, by the names of its parameters, as ONNX. */
export function networkModel(table: NetworkTable, weights: ReadonlyMap<string, Float32Array>): Uint8Array {
  const { x, outputs } = networkGraph(table);
  return lowerInference({ inputs: [x], outputs, weights, freeSize: table.freeSize ?? false });
}
