// SSD (Liu et al., 2016) on MobileNet v1 (Howard et al., 2017), trained on WIDER FACE: the network as a graph, its
// prior boxes in closed form, and the decoding of what it says about each. It is fully convolutional; sizes other
// than the 512x512 of its training only move how large a face is in the eyes of the network.
import { input, maximum, minimum, type Tensor } from '../../../graph/index.js';
import { lowerInference } from '../../../lower/index.js';
import { type FaceApiWeight, readFaceApiWeights } from '../../models/face-api-weights.js';
import type { Box } from '../detection.js';
import { behind, foldNormalisation, LayerBuilder } from './layers.js';

/** Length of the square images it was trained on. */
export const SSD_SIZE = 512;
/** Pixels are fed as (p - mean) scale. */
export const SSD_PIXELS = { mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 } as const;

const EPSILON = 0.001;
/** Depthwise separable layers of MobileNet that halve the image, of 13. */
const HALVING = [2, 4, 6, 12];
/** Numbers a prior has: offsets of the centre (y, x), logarithms of the size (height, width), logit of 'face'. */
const NUMBERS = 5;

/**
 * Prior boxes of each head, [height, width] as shares of 512 pixels: for a head's scale s one of every aspect
 * ratio, and a square between s and the next head's. The first head, with the smallest, has fewer.
 */
const SCALES = [0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1];
const RATIOS = [1, 2, 0.5, 3, 0.3333];
const shaped = (scale: number, ratio: number): Prior => [scale / Math.sqrt(ratio), scale * Math.sqrt(ratio)];
type Prior = readonly [height: number, width: number];

/** What each head looks at: pixels between neighbouring cells, and the priors around every cell's middle. */
export const SSD_HEADS: readonly { stride: number; priors: readonly Prior[] }[] = SCALES.slice(0, -1).map(
  (scale, i) => {
    const stride = 16 * 2 ** i;
    if (i === 0) return { stride, priors: [shaped(scale / 2, 1), shaped(scale, 2), shaped(scale, 0.5)] };
    const [square, ...rest] = RATIOS.map((ratio) => shaped(scale, ratio)) as [Prior, ...Prior[]];
    return { stride, priors: [square, shaped(Math.sqrt(scale * SCALES[i + 1]!), 1), ...rest] };
  },
);

const relu6 = (x: Tensor): Tensor => minimum(maximum(x, 0), 6);

/**
 * The network as ONNX bytes: 'x' [N, 3, H + 1, W + 1] of images whose H and W are multiples of 16, with a row and a
 * column of zeros behind; 'head0' to 'head5' [N, 5 priors, ceil(H / stride), ceil(W / stride)].
 */
export function ssdModel(
  stored: ReadonlyMap<string, FaceApiWeight> = readFaceApiWeights('ssd_mobilenetv1_model'),
): Uint8Array {
  const net = new LayerBuilder(stored);
  /** A convolution whose normalisation was folded when the weights were published. */
  const convolve = (x: Tensor, name: string, by = {}) =>
    relu6(
      net.convolve(x, name, net.take(`${name}/weights`), net.take(`${name}/convolution_bn_offset`).data, by),
    );
  const images = input('x', [1, 3, SSD_SIZE + 1, SSD_SIZE + 1]);
  let x = convolve(images, 'MobilenetV1/Conv2d_0_pointwise', { stride: 2 });
  const features: Tensor[] = [];
  for (let i = 1; i <= 13; i++) {
    const halves = HALVING.includes(i);
    x = normalisedDepthwise(net, halves ? behind(x) : x, `MobilenetV1/Conv2d_${i}_depthwise`, {
      stride: halves ? 2 : 1,
      padding: halves ? 0 : 1,
    });
    x = convolve(x, `MobilenetV1/Conv2d_${i}_pointwise`);
    if (i === 11 || i === 13) features.push(x);
  }
  for (let i = 0; i < 8; i += 2) {
    x = convolve(x, `Prediction/Conv2d_${i}_pointwise`);
    x = convolve(behind(x), `Prediction/Conv2d_${i + 1}_pointwise`, { stride: 2 });
    features.push(x);
  }
  const outputs = Object.fromEntries(features.map((t, i) => [`head${i}`, head(net, t, i)]));
  return lowerInference({ inputs: [images], outputs, weights: net.values, freeSize: true });
}

function normalisedDepthwise(
  net: LayerBuilder,
  x: Tensor,
  name: string,
  by: { stride: number; padding: number },
): Tensor {
  const statistic = (part: string) => net.take(`${name}/BatchNorm/${part}`).data;
  const { kernel, bias } = foldNormalisation(net.take(`${name}/depthwise_weights`), {
    gamma: statistic('gamma'),
    beta: statistic('beta'),
    mean: statistic('moving_mean'),
    variance: statistic('moving_variance'),
    epsilon: EPSILON,
  });
  return relu6(net.convolveDepthwise(x, name, kernel, bias, by));
}

/**
 * Box and class predictors as one 1x1 convolution. Of the three logits of a prior (none, face, and one that was
 * never used) only that of 'face' is kept.
 */
function head(net: LayerBuilder, x: Tensor, i: number): Tensor {
  const name = `Prediction/BoxPredictor_${i}`;
  const [boxes, classes] = ['BoxEncodingPredictor', 'ClassPredictor'].map((part) => ({
    weights: net.take(`${name}/${part}/weights`),
    biases: net.take(`${name}/${part}/biases`),
  })) as [Record<'weights' | 'biases', FaceApiWeight>, Record<'weights' | 'biases', FaceApiWeight>];
  const priors = SSD_HEADS[i]!.priors.length;
  const from = x.shape[1]!;
  const joined = (part: 'weights' | 'biases', rows: number): Float32Array => {
    const result = new Float32Array(rows * priors * NUMBERS);
    for (let row = 0, to = 0; row < rows; row++)
      for (let p = 0; p < priors; p++) {
        for (let k = 0; k < 4; k++) result[to++] = boxes[part].data[(row * priors + p) * 4 + k]!;
        result[to++] = classes[part].data[(row * priors + p) * 3 + 1]!;
      }
    return result;
  };
  const kernel = { shape: [1, 1, from, priors * NUMBERS], data: joined('weights', from) };
  return net.convolve(x, name, kernel, joined('biases', 1));
}

/** Boxes in pixels of the network's input, with their scores. */
export interface Candidates {
  readonly boxes: Box[];
  readonly scores: number[];
}

/**
 * Decodes one head for image `image` of a batch: boxes whose score exceeds `threshold` are added to `found`. With
 * prior (cy, cx, h, w) and numbers t, the centre is c + size t / 10 and the size is size exp(t / 5).
 */
export function decodeHead(
  i: number,
  { data, shape }: { data: Float32Array; shape: readonly number[] },
  image: number,
  threshold: number,
  found: Candidates,
): void {
  const { stride, priors } = SSD_HEADS[i]!;
  const [, channels, rows, columns] = shape as [number, number, number, number];
  const cells = rows * columns;
  const logit = Math.log(threshold / (1 - threshold));
  priors.forEach((prior, p) => {
    const [priorHeight, priorWidth] = [prior[0] * SSD_SIZE, prior[1] * SSD_SIZE];
    const start = (image * channels + p * NUMBERS) * cells;
    for (let cell = 0; cell < cells; cell++) {
      const said = data[start + 4 * cells + cell]!;
      if (said <= logit) continue;
      const [ty, tx, th, tw] = [0, 1, 2, 3].map((k) => data[start + k * cells + cell]!) as [
        number,
        number,
        number,
        number,
      ];
      const [height, width] = [priorHeight * Math.exp(th / 5), priorWidth * Math.exp(tw / 5)];
      const cy = (Math.floor(cell / columns) + 0.5) * stride + (ty / 10) * priorHeight;
      const cx = ((cell % columns) + 0.5) * stride + (tx / 10) * priorWidth;
      found.boxes.push({ x: cx - width / 2, y: cy - height / 2, width, height });
      found.scores.push(1 / (1 + Math.exp(-said)));
    }
  });
}
