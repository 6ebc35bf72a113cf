// The detector that works out of the box: boxes by SSD, or by a smaller and less careful network, then 68 landmarks
// in each box, of which five are the mean eyes, the nose and the mouth. The weights are those of the npm package
// @vladmandic/face-api, the networks our own graphs, cached as ONNX.
import { cached } from '../../../common/cache.js';
import { UserError } from '../../../common/errors.js';
import type { Photograph } from '../../../data/index.js';
import type { Detection, Detector, DetectorOptions, Point } from '../detection.js';
import { boxNets, findBoxes, graphName, MULTIPLE } from './box-nets.js';
import { findLandmarks, fiveOf, type LandmarkNet, landmarkModel } from './landmarks68.js';

export interface FaceApiOptions extends DetectorOptions {
  /** What finds the boxes: 'ssd' (default), or 'tiny', which is several times faster and misses more. */
  readonly net?: 'ssd' | 'tiny';
  /** What finds the landmarks (default 'full'). */
  readonly landmarks?: LandmarkNet;
  /**
   * The lengths in pixels, multiples of 32, to which a photograph's longer side is resized, one after another; what
   * is found at any of them counts. The default is a network's own size (512 for SSD, 416 for tiny) and about half
   * of it, since neither finds a face that is most of its image. Shorter ones are faster and miss small faces.
   */
  readonly inputSizes?: readonly number[];
}

/** A detection with all landmarks, in the numbering of iBUG 300-W. */
export interface FaceApiDetection extends Detection {
  readonly points: readonly Point[];
}

export interface FaceApiDetector extends Detector {
  detect(photographs: readonly Photograph[]): Promise<FaceApiDetection[][]>;
}

const THRESHOLD = 0.5;
/** Of SSD; the small network's scores are lower. */
const TRUST = { ssd: { upright: 0.85, face: 0.6 }, tiny: { upright: 0.6, face: 0.4 } } as const;

/** Opens the detector. Throws a UserError when the weights' package is missing or an option is out of range. */
export async function openFaceApi(options: FaceApiOptions): Promise<FaceApiDetector> {
  const { device, net = 'ssd', landmarks = 'full', threshold = THRESHOLD, minFace = 0 } = options;
  const boxNet = boxNets[net];
  const sizes = options.inputSizes ?? boxNet.sizes;
  if (sizes.length === 0) throw new UserError('inputSizes must have at least one length');
  for (const size of sizes)
    if (!Number.isInteger(size) || size < MULTIPLE || size % MULTIPLE !== 0)
      throw new UserError(`inputSizes must be multiples of ${MULTIPLE}, not ${size}`);
  if (!(threshold > 0 && threshold < 1))
    throw new UserError(`the threshold of this detector must lie between 0 and 1, not at ${threshold}`);
  const looks = await boxNet.open(device, sizes);
  const points = await device.load(
    cached(graphName(`landmarks-${landmarks}`), () => landmarkModel(landmarks)),
    'face-api landmarks',
  );
  return {
    name: net === 'ssd' ? 'face-api' : 'face-api-tiny',
    threshold,
    trust: TRUST[net],
    async detect(photographs) {
      const found = await findBoxes(boxNet, looks, threshold, photographs);
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
      for (const model of new Set(looks.map(({ model }) => model))) await model.dispose();
      await points.dispose();
    },
  };
}
