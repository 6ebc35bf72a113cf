// Detectors of one network that looks once: a photograph is laid on the network's canvas, faces are decoded at
// several strides, of overlapping ones the best stays, and what is left goes back to the photograph's pixels.
import { UserError } from '../../common/errors.js';
import type { Photograph } from '../../data/index.js';
import type { InferenceModel, Result } from '../../runtime/index.js';
import { suppress } from './boxes.js';
import type { Detection, Detector, DetectorOptions, Landmarks, Point, Trust } from './detection.js';
import { type Fit, letterbox, type PlaneFormat, type Size } from './letterbox.js';

/** What tells one kind of single-shot network from another. */
export interface SingleShot {
  readonly name: string;
  /** Its default score below which detections are dropped. */
  readonly threshold: number;
  readonly trust?: Trust;
  /** Of faces that overlap by more than this (intersection over union) only the best stays. */
  readonly overlap: number;
  readonly input: PlaneFormat;
  /** Whether a model has the inputs and outputs of this kind. */
  fits(model: Pick<InferenceModel, 'inputs' | 'outputs'>): boolean;
  /** Where a photograph goes; `fixed` is the size of the model's input where it has one. */
  fit(photograph: Size, fixed: Size | undefined, minFace: number | undefined): Fit;
  /** The faces in the outputs for one canvas whose score reaches `threshold`, in pixels of the canvas. */
  decode(outputs: Readonly<Record<string, Result>>, canvas: Size, threshold: number): Detection[];
}

/** The input's height and width, where the file fixes them. */
export function inputSize({ inputs }: Pick<InferenceModel, 'inputs'>): Size | undefined {
  const [height, width] = inputs[0]!.shape.slice(2);
  const known = (axis: number | string | undefined): axis is number => typeof axis === 'number' && axis > 0;
  return known(height) && known(width) ? { width, height } : undefined;
}

/** A detector from an open model of a kind, which it owns from then on. */
export function singleShotDetector(
  kind: SingleShot,
  model: InferenceModel,
  { minFace, threshold = kind.threshold }: DetectorOptions,
): Detector {
  const input = model.inputs[0]!.name;
  const fixed = inputSize(model);
  const look = async (photograph: Photograph): Promise<Detection[]> => {
    const fit = kind.fit(photograph, fixed, minFace);
    const { width, height } = fit.canvas;
    const data = letterbox(photograph, fit, kind.input);
    const outputs = await model.run({ [input]: { data, shape: [1, 3, height, width] } });
    const found = kind.decode(outputs, fit.canvas, threshold);
    const kept = suppress(
      found.map(({ box }) => box),
      found.map(({ score }) => score),
      kind.overlap,
    );
    return kept
      .map((i) => onPhotograph(found[i]!, fit, photograph))
      .filter(({ box }) => minFace === undefined || box.width >= minFace);
  };
  return {
    name: kind.name,
    threshold,
    ...(kind.trust && { trust: kind.trust }),
    async detect(photographs) {
      const all: Detection[][] = [];
      // One at a time: on one thread a batch of photographs of one size takes as long as they do singly.
      for (const photograph of photographs) all.push(await look(photograph));
      return all;
    },
    close: () => model.dispose(),
  };
}

/** From pixels of the canvas to those of the photograph: edges scale as they are, pixel centres half a pixel inside. */
function onPhotograph(
  { box, score, landmarks }: Detection,
  { content }: Fit,
  { width, height }: Size,
): Detection {
  const [across, down] = [width / content.width, height / content.height];
  const point = ([x, y]: Point): Point => [(x + 0.5) * across - 0.5, (y + 0.5) * down - 0.5];
  return {
    box: { x: box.x * across, y: box.y * down, width: box.width * across, height: box.height * down },
    score,
    landmarks: landmarks.map(point) as unknown as Landmarks,
  };
}

/** Five points, x and y in turn from `at` on, times `stride` from a cell's (x, y). */
export function landmarksAt(
  values: ArrayLike<number>,
  at: number,
  stride: number,
  x: number,
  y: number,
): Landmarks {
  return Array.from({ length: 5 }, (_, i) => [
    x + values[at + 2 * i]! * stride,
    y + values[at + 2 * i + 1]! * stride,
  ]) as unknown as Landmarks;
}

/** Refuses a network whose outputs have another number of cells than its strides imply. */
export function requireCells(kind: string, found: number, expected: number, stride: number): void {
  if (found !== expected)
    throw new UserError(
      `${kind}: ${found} cells at stride ${stride} where the input has ${expected}; not a ${kind} model`,
    );
}
