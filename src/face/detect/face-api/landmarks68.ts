// 68 landmarks of a face in a box, in the numbering of iBUG 300-W: blocks of separable convolutions, each block's
// sums densely connected, and one linear layer. From them come the five points that alignment needs.
import type { Photograph } from '../../../data/index.js';
import { add, input, matmul, mean, relu, type Tensor } from '../../../graph/index.js';
import { lowerInference } from '../../../lower/index.js';
import type { InferenceModel } from '../../../runtime/index.js';
import { type FaceApiWeight, readFaceApiWeights } from '../../models/face-api-weights.js';
import type { Box, Landmarks, Point } from '../detection.js';
import { LayerBuilder } from './layers.js';
import { resample } from './resample.js';

/** Length of its square images. */
export const LANDMARK_SIZE = 112;
const PADDED = LANDMARK_SIZE + 1;
const POINTS = 68;
const PIXELS = { mean: [122.782, 117.001, 104.298], scale: 1 / 255 };
/** Faces in one run. */
const BATCH = 32;

/** The two networks: blocks, and separable layers after the first of each. */
export const landmarkNets = {
  full: { file: 'face_landmark_68_model', blocks: 4, layers: 3 },
  tiny: { file: 'face_landmark_68_tiny_model', blocks: 3, layers: 2 },
} as const;
export type LandmarkNet = keyof typeof landmarkNets;

/**
 * A network as ONNX bytes: 'x' [N, 3, 113, 113], with a row and a column of zeros behind the 112x112 image, to
 * 'points' [N, 136], x and y by turns as shares of the image.
 */
export function landmarkModel(
  net: LandmarkNet,
  stored: ReadonlyMap<string, FaceApiWeight> = readFaceApiWeights(landmarkNets[net].file),
): Uint8Array {
  const { blocks, layers } = landmarkNets[net];
  const builder = new LayerBuilder(stored);
  const images = input('x', [1, 3, PADDED, PADDED]);
  let x: Tensor = images;
  for (let block = 0; block < blocks; block++) {
    const name = `dense${block}/conv`;
    const first =
      block === 0
        ? builder.convolve(
            x,
            `${name}0`,
            builder.take(`${name}0/filters`),
            builder.take(`${name}0/bias`).data,
            { stride: 2 },
          )
        : builder.separable(x, `${name}0`, 2);
    x = relu(first);
    let sum = x;
    for (let layer = 1; layer <= layers; layer++) {
      sum = add(sum, builder.separable(x, `${name}${layer}`));
      x = relu(sum);
    }
  }
  const { shape, data } = builder.take('fc/weights');
  const linear = matmul(mean(x, [2, 3]), builder.parameter('fc.weight', shape, data));
  const points = add(linear, builder.parameter('fc.bias', [shape[1]!], builder.take('fc/bias').data));
  return lowerInference({ inputs: [images], outputs: { points }, weights: builder.values });
}

/** A face whose landmarks are wanted. */
export interface BoxedFace {
  readonly photograph: Pick<Photograph, 'width' | 'height' | 'pixels'>;
  readonly box: Box;
}

/** The part of a box inside the photograph, its numbers cut off to whole pixels; it has at least one. */
function inside({ photograph: { width, height }, box }: BoxedFace): Box {
  const limited = (from: number, length: number, size: number): [number, number] => {
    const start = Math.min(Math.max(from, 0), size - 1);
    return [Math.floor(start), Math.max(1, Math.floor(Math.min(from + length, size) - start))];
  };
  const [x, w] = limited(box.x, box.width, width);
  const [y, h] = limited(box.y, box.height, height);
  return { x, y, width: w, height: h };
}

/** The 68 points of every face, in pixels of its photograph. */
export async function findLandmarks(model: InferenceModel, faces: readonly BoxedFace[]): Promise<Point[][]> {
  const found: Point[][] = [];
  for (let start = 0; start < faces.length; start += BATCH) {
    const batch = faces.slice(start, start + BATCH);
    const image = 3 * PADDED * PADDED;
    const data = new Float32Array(batch.length * image);
    const windows = batch.map((face, i) => {
      const region = inside(face);
      // The shorter side is padded to a square, one more pixel behind than before if need be.
      const side = Math.max(region.width, region.height);
      const window = {
        x: region.x - Math.floor((side - region.width) / 2),
        y: region.y - Math.floor((side - region.height) / 2),
        step: side / LANDMARK_SIZE,
        side,
      };
      resample(face.photograph, region, window, PIXELS, {
        data,
        offset: i * image,
        width: LANDMARK_SIZE,
        height: LANDMARK_SIZE,
        rowStride: PADDED,
        planeStride: PADDED * PADDED,
      });
      return window;
    });
    const { points } = await model.run({ x: { data, shape: [batch.length, 3, PADDED, PADDED] } });
    windows.forEach(({ x, y, side }, i) => {
      found.push(
        Array.from({ length: POINTS }, (_, k) => {
          const at = (i * POINTS + k) * 2;
          return [x + side * points!.data[at]!, y + side * points!.data[at + 1]!] as const;
        }),
      );
    });
  }
  return found;
}

/** Eyes, tip of the nose and corners of the mouth out of 68 points: an eye is the mean of its outline's six. */
export function fiveOf(points: readonly Point[]): Landmarks {
  const middle = (from: number, to: number): Point => {
    const outline = points.slice(from, to);
    const mean = (axis: 0 | 1) => outline.reduce((sum, point) => sum + point[axis], 0) / outline.length;
    return [mean(0), mean(1)];
  };
  return [middle(36, 42), middle(42, 48), points[30]!, points[48]!, points[54]!];
}
