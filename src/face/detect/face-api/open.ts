// The detector that works out of the box: boxes by SSD, or by a smaller and less careful network, then 68 landmarks
// in each box, of which five are the mean eyes, the nose and the mouth. The weights are those of the npm package
// @vladmandic/face-api, the networks our own graphs, cached as ONNX.
import { cached } from '../../../common/cache.js';
import { UserError } from '../../../common/errors.js';
import type { Photograph } from '../../../data/index.js';
import type { InferenceModel } from '../../../runtime/index.js';
import { faceApiVersion } from '../../models/face-api-weights.js';
import { suppress } from '../boxes.js';
import type { Box, Detection, Detector, DetectorOptions, Point } from '../detection.js';
import { findLandmarks, fiveOf, type LandmarkNet, landmarkModel } from './landmarks68.js';
import { type Pixels, resample } from './resample.js';
import { type Candidates, decodeHead, SSD_HEADS, SSD_PIXELS, SSD_SIZE, ssdModel } from './ssd.js';
import { decodeCells, TINY_PIXELS, TINY_SIZE, tinyModel } from './tiny.js';

export interface FaceApiOptions extends DetectorOptions {
  /** What finds the boxes: 'ssd' (default), or 'tiny', which is many times faster and misses more. */
  readonly net?: 'ssd' | 'tiny';
  /** What finds the landmarks (default 'full'). */
  readonly landmarks?: LandmarkNet;
  /**
   * Length in pixels to which a photograph's longer side is resized, a multiple of 32. The networks' own are 512
   * (SSD) and 416 (tiny); a shorter one is faster and misses small faces.
   */
  readonly inputSize?: number;
}

/** A detection with all landmarks, in the numbering of iBUG 300-W. */
export interface FaceApiDetection extends Detection {
  readonly points: readonly Point[];
}

export interface FaceApiDetector extends Detector {
  detect(photographs: readonly Photograph[]): Promise<FaceApiDetection[][]>;
}

/** How a network's input is made and its output read. */
interface BoxNet {
  readonly size: number;
  readonly pixels: Pixels;
  /** Rows and columns of zeros behind each image. */
  readonly behind: 0 | 1;
  /** Whether the image need not be square, so that a photograph is padded to the next multiple of 32 only. */
  readonly oblong: boolean;
  /** Boxes that overlap by more are one face. */
  readonly overlap: number;
  model(size: number): Uint8Array;
  decode(
    outputs: Awaited<ReturnType<InferenceModel['run']>>,
    image: number,
    threshold: number,
    found: Candidates,
  ): void;
}

const nets: Readonly<Record<'ssd' | 'tiny', BoxNet>> = {
  ssd: {
    size: SSD_SIZE,
    pixels: SSD_PIXELS,
    behind: 1,
    oblong: true,
    overlap: 0.5,
    model: () => cached(cacheName('ssd'), () => ssdModel()),
    decode: (outputs, image, threshold, found) =>
      SSD_HEADS.forEach((_, i) => {
        decodeHead(
          i,
          outputs[`head${i}`] as { data: Float32Array; shape: number[] },
          image,
          threshold,
          found,
        );
      }),
  },
  tiny: {
    size: TINY_SIZE,
    pixels: TINY_PIXELS,
    behind: 0,
    oblong: false,
    overlap: 0.4,
    model: (size) => cached(cacheName(`tiny-${size}`), () => tinyModel(size)),
    decode: ({ cells }, image, threshold, found) =>
      decodeCells(cells as { data: Float32Array; shape: number[] }, image, threshold, found),
  },
};

/** Changes when a graph does. */
const GRAPHS = 1;
const cacheName = (net: string): string => `face-api-${faceApiVersion()}-${net}-${GRAPHS}.onnx`;

const THRESHOLD = 0.5;
/** Lengths of images are rounded up to a multiple of this. */
const MULTIPLE = 32;
/** Images in one run. */
const BATCH = 4;

/** Opens the detector. Throws a UserError when the weights' package is missing or an option is out of range. */
export async function openFaceApi(options: FaceApiOptions): Promise<FaceApiDetector> {
  const { device, net = 'ssd', landmarks = 'full', threshold = THRESHOLD, minFace = 0 } = options;
  const boxNet = nets[net];
  const size = options.inputSize ?? boxNet.size;
  if (!Number.isInteger(size) || size < MULTIPLE || size % MULTIPLE !== 0)
    throw new UserError(`inputSize must be a multiple of ${MULTIPLE}, not ${size}`);
  if (!(threshold > 0 && threshold < 1))
    throw new UserError(`the threshold must lie between 0 and 1, not at ${threshold}`);
  const boxes = await device.load(boxNet.model(size), `face-api ${net}`);
  const points = await device.load(
    cached(cacheName(`landmarks-${landmarks}`), () => landmarkModel(landmarks)),
    'face-api landmarks',
  );
  return {
    name: net === 'ssd' ? 'face-api' : 'face-api-tiny',
    threshold,
    async detect(photographs) {
      const found = await findBoxes(boxes, boxNet, size, threshold, photographs);
      const faces = found.flatMap((inOne, i) =>
        inOne
          .filter(({ box }) => box.width >= minFace)
          .map((face) => ({ ...face, i, photograph: photographs[i]! })),
      );
      const landmarks = await findLandmarks(points, faces);
      const detections = photographs.map((): FaceApiDetection[] => []);
      faces.forEach(({ i, box, score }, k) => {
        detections[i]!.push({ box, score, landmarks: fiveOf(landmarks[k]!), points: landmarks[k]! });
      });
      return detections;
    },
    async close() {
      await boxes.dispose();
      await points.dispose();
    },
  };
}

type Found = Pick<Detection, 'box' | 'score'>;

/** The boxes of every photograph, best score first; those of like shape go through the network together. */
async function findBoxes(
  model: InferenceModel,
  net: BoxNet,
  size: number,
  threshold: number,
  photographs: readonly Photograph[],
): Promise<Found[][]> {
  const shapes = new Map<string, { width: number; height: number; members: number[] }>();
  photographs.forEach((photograph, i) => {
    const [width, height] = inputShape(photograph, net, size);
    const key = `${width}x${height}`;
    const shape = shapes.get(key) ?? { width, height, members: [] };
    shapes.set(key, shape);
    shape.members.push(i);
  });
  const found: Found[][] = new Array(photographs.length);
  for (const { width, height, members } of shapes.values()) {
    for (let start = 0; start < members.length; start += BATCH) {
      const batch = members.slice(start, start + BATCH);
      const [rowStride, rows] = [width + net.behind, height + net.behind];
      const planeStride = rowStride * rows;
      const data = new Float32Array(batch.length * 3 * planeStride);
      batch.forEach((i, k) => {
        const photograph = photographs[i]!;
        const side = Math.max(photograph.width, photograph.height);
        const region = { x: 0, y: 0, width: photograph.width, height: photograph.height };
        const offset = k * 3 * planeStride;
        const planes = { data, offset, width, height, rowStride, planeStride };
        resample(photograph, region, { x: 0, y: 0, step: side / size, side }, net.pixels, planes);
      });
      const outputs = await model.run({ x: { data, shape: [batch.length, 3, rows, rowStride] } });
      batch.forEach((i, k) => {
        const candidates: Candidates = { boxes: [], scores: [] };
        net.decode(outputs, k, threshold, candidates);
        found[i] = kept(candidates, net.overlap, photographs[i]!, size);
      });
    }
  }
  return found;
}

/** Width and height of the network's input: the longer side is `size`, the other as long as it needs to be. */
function inputShape({ width, height }: Photograph, net: BoxNet, size: number): [number, number] {
  if (!net.oblong) return [size, size];
  const side = Math.max(width, height);
  const rounded = (length: number): number =>
    Math.max(1, Math.ceil((length / side) * (size / MULTIPLE))) * MULTIPLE;
  return [rounded(width), rounded(height)];
}

/** One box a face, in pixels of the photograph and clipped at its edges, best score first. */
function kept(
  { boxes, scores }: Candidates,
  overlap: number,
  { width, height }: Photograph,
  size: number,
): Found[] {
  const scale = Math.max(width, height) / size;
  return suppress(boxes, scores, overlap).flatMap((i) => {
    const box = clipped(boxes[i]!, scale, width, height);
    return box.width > 0 && box.height > 0 ? [{ box, score: scores[i]! }] : [];
  });
}

function clipped(box: Box, scale: number, width: number, height: number): Box {
  const [x, y] = [Math.max(0, box.x * scale), Math.max(0, box.y * scale)];
  const right = Math.min(width, (box.x + box.width) * scale);
  const bottom = Math.min(height, (box.y + box.height) * scale);
  return { x, y, width: right - x, height: bottom - y };
}
