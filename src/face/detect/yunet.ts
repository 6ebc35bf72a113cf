// YuNet (Wu, Peng and Yu 2023, "YuNet: A Tiny Millisecond-level Face Detector"), from the ONNX files of its authors:
// an anchor-free network that says at every cell of three strides whether a face is centred there, and where its box
// and landmarks lie.
import type { Detection } from './detection.js';
import { fitInto, fitScaled } from './letterbox.js';
import { landmarksAt, requireCells, type SingleShot } from './single-shot.js';

const STRIDES = [8, 16, 32] as const;
/** Output name without its stride, and numbers a cell. */
const HEADS = { cls: 1, obj: 1, bbox: 4, kps: 10 } as const;
const names = STRIDES.flatMap((stride) => Object.keys(HEADS).map((head) => `${head}_${stride}`));

/** Photographs with a longer side than this are shrunk to it. */
const LONGER_SIDE = 640;
/** Faces of fewer pixels than this across are seldom found. */
const LEAST_FACE = 10;

/**
 * Input [1, 3, H, W], BGR, bytes as they are; H and W multiples of 32. Outputs cls, obj [1, cells, 1], bbox
 * [1, cells, 4] and kps [1, cells, 10] at strides 8, 16 and 32. The score is sqrt(cls obj).
 */
export const yunet: SingleShot = {
  name: 'yunet',
  // OpenCV's own default of 0.9 leaves out most faces of 10 to 30 pixels.
  threshold: 0.6,
  // Least and low of 152 labelled upright photographs, and what faces on their side or upside down seldom reach.
  trust: { upright: 0.89, face: 0.75 },
  overlap: 0.3,
  input: { order: 'bgr', mean: 0, scale: 1 },

  fits({ inputs, outputs }) {
    return (
      inputs.length === 1 &&
      inputs[0]!.shape.length === 4 &&
      inputs[0]!.shape[1] === 3 &&
      outputs.length === names.length &&
      names.every((name) => outputs.some((output) => output.name === name))
    );
  },

  /**
   * A photograph is never enlarged: YuNet was trained on faces of 10 to 300 pixels. On a model of a fixed size it is
   * shrunk to fit; on one of any size to a longer side of 640 pixels, or more where faces of `minFace` pixels would
   * become too small to be found.
   */
  fit(photograph, fixed, minFace = Number.POSITIVE_INFINITY) {
    if (fixed) return fitInto(fixed, photograph, 1);
    const shrunk = Math.max(
      LONGER_SIDE / Math.max(photograph.width, photograph.height),
      LEAST_FACE / minFace,
    );
    return fitScaled(Math.min(1, shrunk), STRIDES[2], photograph);
  },

  decode(outputs, canvas, threshold) {
    const found: Detection[] = [];
    for (const stride of STRIDES) {
      const [cls, obj, bbox, kps] = (['cls', 'obj', 'bbox', 'kps'] as const).map(
        (head) => outputs[`${head}_${stride}`]!.data,
      );
      const columns = Math.floor(canvas.width / stride);
      const cells = columns * Math.floor(canvas.height / stride);
      requireCells('YuNet', cls!.length, cells, stride);
      for (let i = 0; i < cells; i++) {
        const score = Math.sqrt(unit(cls![i]!) * unit(obj![i]!));
        if (score < threshold) continue;
        const [x, y] = [(i % columns) * stride, Math.floor(i / columns) * stride];
        const width = Math.exp(bbox![4 * i + 2]!) * stride;
        const height = Math.exp(bbox![4 * i + 3]!) * stride;
        found.push({
          box: {
            x: x + bbox![4 * i]! * stride - width / 2,
            y: y + bbox![4 * i + 1]! * stride - height / 2,
            width,
            height,
          },
          score,
          // The person's right eye comes first: the left one as seen.
          landmarks: landmarksAt(kps!, 10 * i, stride, x, y),
        });
      }
    }
    return found;
  },
};

const unit = (value: number) => Math.min(1, Math.max(0, value));
