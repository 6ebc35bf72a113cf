// The package's small detector: YOLO v2 (Redmon and Farhadi, 2017) with six layers, separable but for the first,
// five anchors and one class. Its images are square; any multiple of 32 pixels does.
import { concat, constant, input, maxPool2d, prelu, slice, type Tensor } from '../../../graph/index.js';
import { lowerInference } from '../../../lower/index.js';
import { type FaceApiWeight, readFaceApiWeights } from '../../models/face-api-weights.js';
import { LayerBuilder } from './layers.js';
import type { Candidates } from './ssd.js';

/** Length of its square images unless another is asked for. */
export const TINY_SIZE = 416;
/** Pixels are fed as (p - mean) scale. */
export const TINY_PIXELS = { mean: [117.001, 114.697, 97.404], scale: 1 / 255 } as const;
/** Pixels between neighbouring cells. */
export const TINY_STRIDE = 32;

const SLOPE = 0.1;
const LAYERS = 6;
/** Widths and heights in cells. */
const ANCHORS = [
  [1.603231, 2.094468],
  [6.041143, 7.080126],
  [2.882459, 3.518061],
  [4.266906, 5.178857],
  [9.041765, 10.66308],
] as const;
/** Numbers of an anchor: centre (x, y), logarithms of the size, logit of 'face'. */
const NUMBERS = 5;

const leaky = (x: Tensor): Tensor => {
  const channels = x.shape[1]!;
  return prelu(x, constant(new Float32Array(channels).fill(SLOPE), [channels]));
};

/** 'x' [N, 3, size, size] to 'cells' [N, 25, size / 32, size / 32], as ONNX bytes. */
export function tinyModel(
  size: number,
  stored: ReadonlyMap<string, FaceApiWeight> = readFaceApiWeights('tiny_face_detector_model'),
): Uint8Array {
  const net = new LayerBuilder(stored);
  const images = input('x', [1, 3, size, size]);
  let x = leaky(net.convolve(images, 'conv0', net.take('conv0/filters'), net.take('conv0/bias').data));
  for (let layer = 1; layer < LAYERS; layer++) {
    x = maxPool2d(x, { kernel: 2, stride: 2, ceil: true });
    x = leaky(net.separable(x, `conv${layer}`));
  }
  x = maxPool2d(repeatEdge(repeatEdge(x, 2), 3), { kernel: 2, stride: 1 });
  const cells = net.convolve(x, 'conv8', net.take('conv8/filters'), net.take('conv8/bias').data);
  return lowerInference({ inputs: [images], outputs: { cells }, weights: net.values });
}

/** With the last row (axis 2) or column (axis 3) twice: to a maximum the same as nothing behind it. */
function repeatEdge(x: Tensor, axis: 2 | 3): Tensor {
  const starts = x.shape.map((n, i) => (i === axis ? n - 1 : 0));
  return concat([x, slice(x, starts, x.shape)], axis);
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Adds the boxes of image `image` whose score exceeds `threshold` to `found`, in pixels of the network's input. */
export function decodeCells(
  { data, shape }: { data: Float32Array; shape: readonly number[] },
  image: number,
  threshold: number,
  found: Candidates,
): void {
  const [, channels, rows, columns] = shape as [number, number, number, number];
  const cells = rows * columns;
  ANCHORS.forEach(([anchorWidth, anchorHeight], a) => {
    const start = (image * channels + a * NUMBERS) * cells;
    for (let cell = 0; cell < cells; cell++) {
      const [tx, ty, tw, th, said] = [0, 1, 2, 3, 4].map((k) => data[start + k * cells + cell]!) as [
        number,
        number,
        number,
        number,
        number,
      ];
      const score = sigmoid(said);
      if (score <= threshold) continue;
      const [width, height] = [
        Math.exp(tw) * anchorWidth * TINY_STRIDE,
        Math.exp(th) * anchorHeight * TINY_STRIDE,
      ];
      const cx = ((cell % columns) + sigmoid(tx)) * TINY_STRIDE;
      const cy = (Math.floor(cell / columns) + sigmoid(ty)) * TINY_STRIDE;
      found.boxes.push({ x: cx - width / 2, y: cy - height / 2, width, height });
      found.scores.push(score);
    }
  });
}
