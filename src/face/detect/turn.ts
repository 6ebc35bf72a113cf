// Photographs on their side or upside down. Where no face shows that a photograph is upright, faces are looked for in
// the three other orientations as well, and the most plausible one is taken. What is found stays in the pixels of the
// photograph as it was given.
import type { Photograph } from '../../data/index.js';
import { areaInside } from './boxes.js';
import type { Box, Detection, Detector, Landmarks, Point } from './detection.js';
import { plausibility } from './plausibility.js';

/** Degrees by which the people in a photograph are turned clockwise. */
export type Turn = 0 | 90 | 180 | 270;

/** The faces of a photograph, in its own pixels, best score first, and how it is turned. */
export interface TurnedDetections {
  readonly turned: Turn;
  readonly found: Detection[];
}

type Pixels = Pick<Photograph, 'width' | 'height' | 'pixels'>;

/** A quarter turn clockwise of a picture `height` pixels high: its pixel (x, y) comes to (height - 1 - y, x). */
const quarter = {
  point: ([x, y]: Point, height: number): Point => [height - 1 - y, x],
  // Edges, not centres of pixels.
  box: ({ x, y, width, height: h }: Box, height: number): Box => ({
    x: height - y - h,
    y: x,
    width: h,
    height: width,
  }),
};

/** The picture turned clockwise by `turn` degrees. */
export function turnPixels<T extends Pixels>(picture: T, turn: Turn): T {
  if (turn === 0) return picture;
  const { width, height, pixels } = picture;
  const out = new Uint8Array(pixels.length);
  // Where the first pixel comes to, and how far a step right and a step down of the picture go in the result.
  const [origin, right, down] = {
    90: [height - 1, height, -1],
    180: [width * height - 1, -1, -width],
    270: [(width - 1) * height, -height, 1],
  }[turn] as [number, number, number];
  for (let y = 0, from = 0; y < height; y++)
    for (let x = 0, to = 3 * (origin + y * down); x < width; x++, from += 3, to += 3 * right) {
      out[to] = pixels[from]!;
      out[to + 1] = pixels[from + 1]!;
      out[to + 2] = pixels[from + 2]!;
    }
  return turn === 180
    ? { ...picture, pixels: out }
    : { ...picture, width: height, height: width, pixels: out };
}

/** A detection in a picture of this size, in pixels of the picture turned clockwise by `turn` degrees. */
export function turnDetection(
  detection: Detection,
  size: { readonly width: number; readonly height: number },
  turn: Turn,
): Detection {
  let { box, landmarks } = detection;
  let { width, height } = size;
  for (let done = 0; done < turn; done += 90) {
    box = quarter.box(box, height);
    landmarks = landmarks.map((point) => quarter.point(point, height)) as unknown as Landmarks;
    [width, height] = [height, width];
  }
  return { ...detection, box, landmarks };
}

/** What is left of a roll in degrees when the photograph is turned upright, from -180 (excluded) to 180. */
export function uprightRoll(roll: number, turned: Turn): number {
  const left = (roll - turned) % 360;
  return left <= -180 ? left + 360 : left > 180 ? left - 360 : left;
}

const best = (faces: readonly Detection[]) =>
  faces.reduce((most, face) => Math.max(most, plausibility(face)), 0);

/** Plausibility of the largest face, which a small false one beside it does not make up for; 0 for none. */
function ofLargest(faces: readonly Detection[], photograph: Pixels): number {
  const areas = faces.map(({ box }) => areaInside(box, photograph));
  const largest = faces[areas.indexOf(Math.max(...areas))];
  return largest ? plausibility(largest) : 0;
}

/**
 * The faces of every photograph. One whose largest face reaches the detector's `trust.upright` is looked at once; any
 * other in all four orientations, of which the one with the most plausible face counts (upright among equals).
 */
export async function detectTurned(
  detector: Detector,
  photographs: readonly Photograph[],
): Promise<TurnedDetections[]> {
  const upright = detector.trust?.upright ?? 0;
  const first = await detector.detect(photographs);
  const all: TurnedDetections[] = [];
  for (const [i, photograph] of photographs.entries()) {
    let chosen: TurnedDetections = { turned: 0, found: first[i]! };
    let most = best(chosen.found);
    if (ofLargest(chosen.found, photograph) < upright)
      // One at a time: a turned copy is as large as its photograph.
      for (const turned of [90, 180, 270] as const) {
        const copy = turnPixels(photograph, (360 - turned) as Turn);
        const [found] = (await detector.detect([copy])) as [Detection[]];
        if (best(found) <= most) continue;
        most = best(found);
        chosen = { turned, found: found.map((face) => turnDetection(face, copy, turned)) };
      }
    all.push(chosen);
  }
  return all;
}
