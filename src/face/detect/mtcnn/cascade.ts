// MTCNN (Zhang, Zhang, Li and Qiao, 'Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
// Networks', SPL 2016), the paper's own detector: P-Net proposes windows over an image pyramid, R-Net rejects and
// moves them, O-Net decides and places five landmarks. Steps and constants are those of the released Matlab code.
import { type AreaSums, areaSums, type Photograph, resample } from '../../../data/index.js';
import type { InferenceModel } from '../../../runtime/index.js';
import { suppress } from '../boxes.js';
import type { Box, Detection, Landmarks, Point } from '../detection.js';
import {
  type Candidate,
  faceProbability,
  pickWindows,
  pyramidScales,
  shifted,
  shiftsAt,
  squared,
  wholePixels,
} from './candidates.js';
import { networks } from './networks.js';
import { rowsOf, strips } from './strips.js';

/** What decides which windows are faces. */
export interface Settings {
  readonly minFace: number;
  readonly factor: number;
  readonly thresholds: readonly [number, number, number];
}

/** Windows that R-Net and O-Net see in one run, pixels that P-Net does, and pixels of photographs worked on together. */
const ROWS = 256;
const STRIP = 128e3;
const PIXELS = 4e6;

/** The three stages, each over several photographs. */
export class Cascade {
  constructor(
    private readonly pnet: InferenceModel,
    private readonly rnet: InferenceModel,
    private readonly onet: InferenceModel,
    private readonly settings: Settings,
  ) {}

  /** The faces of every photograph, best score first; a few photographs share the runs of R- and O-Net. */
  async detect(photographs: readonly Photograph[]): Promise<Detection[][]> {
    const found: Detection[][] = [];
    for (const group of groups(photographs)) {
      const images = group.map(areaSums);
      const proposed: Box[][] = [];
      for (const image of images) proposed.push(await this.propose(image));
      const refined = await this.refine(images, proposed);
      found.push(...(await this.decide(images, refined)));
    }
    return found;
  }

  /** P-Net over the pyramid of one photograph. */
  private async propose(image: AreaSums): Promise<Box[]> {
    const { minFace, factor, thresholds } = this.settings;
    const whole = { x: 0, y: 0, width: image.width, height: image.height };
    const kept: Candidate[] = [];
    for (const scale of pyramidScales(image.height, image.width, minFace, factor)) {
      const size = { width: Math.ceil(image.width * scale), height: Math.ceil(image.height * scale) };
      const planes = resample(image, whole, size);
      const windows: Candidate[] = [];
      for (const strip of strips(size.height, size.width, STRIP)) {
        const data = rowsOf(planes, size, strip);
        const { face, box } = await this.pnet.run({ x: { data, shape: [1, 3, strip.height, size.width] } });
        const map = { face: face!.data as Float32Array, box: box!.data as Float32Array };
        windows.push(
          ...pickWindows({ ...map, columns: face!.shape[3]!, top: strip.top }, scale, thresholds[0]),
        );
      }
      kept.push(...withoutOverlap(windows, 0.5));
    }
    return withoutOverlap(kept, 0.7).map(({ box, shifts }) => squared(shifted(box, shifts, 1)));
  }

  /** R-Net over the proposals of all photographs. */
  private async refine(images: readonly AreaSums[], proposed: readonly Box[][]): Promise<Box[][]> {
    const threshold = this.settings.thresholds[1];
    const seen = await look(this.rnet, networks.det2.size, images, proposed);
    return seen.map((windows) =>
      withoutOverlap(
        windows
          .map(({ box, face, shifts }) => ({
            box,
            score: faceProbability(face[0]!, face[1]!),
            shifts: shiftsAt(shifts, 0),
          }))
          .filter(({ score }) => score > threshold),
        0.7,
      ).map(({ box, shifts }) => squared(shifted(box, shifts))),
    );
  }

  /** O-Net over what R-Net left of all photographs. */
  private async decide(images: readonly AreaSums[], refined: readonly Box[][]): Promise<Detection[][]> {
    const threshold = this.settings.thresholds[2];
    const seen = await look(this.onet, networks.det3.size, images, refined);
    return seen.map((windows) => {
      const faces = windows
        .map(({ box, face, shifts, landmarks }) => ({
          box: shifted(box, shiftsAt(shifts, 0)),
          score: faceProbability(face[0]!, face[1]!),
          landmarks: placed(box, landmarks!),
        }))
        .filter(({ score }) => score > threshold);
      return withoutOverlap(faces, 0.7, 'min');
    });
  }
}

/** The photographs in order, as many at a time as hold `PIXELS` together, one at least. */
function* groups(photographs: readonly Photograph[]): Generator<Photograph[]> {
  let group: Photograph[] = [];
  let pixels = 0;
  for (const photograph of photographs) {
    pixels += photograph.width * photograph.height;
    if (group.length > 0 && pixels > PIXELS) {
      yield group;
      group = [];
      pixels = photograph.width * photograph.height;
    }
    group.push(photograph);
  }
  if (group.length > 0) yield group;
}

/** Those that non-maximum suppression leaves, best score first. */
function withoutOverlap<T extends { readonly box: Box; readonly score: number }>(
  candidates: readonly T[],
  threshold: number,
  over: 'union' | 'min' = 'union',
): T[] {
  const boxes = candidates.map(({ box }) => box);
  const scores = candidates.map(({ score }) => score);
  return suppress(boxes, scores, threshold, over).map((i) => candidates[i]!);
}

/** What a network said of one window: the values of its heads. */
interface Seen {
  readonly box: Box;
  readonly face: Float32Array;
  readonly shifts: Float32Array;
  readonly landmarks?: Float32Array;
}

/** Runs R- or O-Net on windows of several photographs, many in one run; they are cut to whole pixels first. */
async function look(
  model: InferenceModel,
  size: number,
  images: readonly AreaSums[],
  boxes: readonly Box[][],
): Promise<Seen[][]> {
  const seen: Seen[][] = images.map(() => []);
  const windows = boxes
    .flatMap((own, i) => own.map((box) => ({ i, box: wholePixels(box) })))
    .filter(({ box }) => box.width > 0 && box.height > 0);
  const length = 3 * size * size;
  for (let from = 0; from < windows.length; from += ROWS) {
    const rows = windows.slice(from, from + ROWS);
    const data = new Float32Array(rows.length * length);
    rows.forEach(({ i, box }, row) => {
      resample(images[i]!, box, { width: size, height: size }, data, row * length);
    });
    const results = await model.run({ x: { data, shape: [rows.length, 3, size, size] } });
    const row = (name: string, at: number): Float32Array | undefined => {
      const { data, shape } = results[name] ?? {};
      return (data as Float32Array | undefined)?.subarray(at * shape![1]!, (at + 1) * shape![1]!);
    };
    rows.forEach(({ i, box }, at) => {
      const landmarks = row('landmarks', at);
      seen[i]!.push({
        box,
        face: row('face', at)!,
        shifts: row('box', at)!,
        ...(landmarks && { landmarks }),
      });
    });
  }
  return seen;
}

/** Five x and five y in widths and heights of the window, as places in the photograph. */
const placed = (box: Box, landmarks: Float32Array): Landmarks =>
  Array.from(
    { length: 5 },
    (_, k): Point => [box.x + landmarks[k]! * box.width, box.y + landmarks[k + 5]! * box.height],
  ) as unknown as Landmarks;
