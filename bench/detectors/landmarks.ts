// What a detector's faces are worth against given landmarks: how many of the labelled faces it finds, and how far
// its five points lie from the given ones, in distances between the eyes.
import type { Detection, Landmarks, Point } from '../../src/face/index.js';
import { median, quantile } from '../statistics.js';

/** Figures of one detector on one set of labelled faces. */
export interface LandmarkFigures {
  labelled: number;
  found: number;
  recall: number;
  /** Mean distance of the five points over the given distance between the eyes: mean, median and 90th percentile. */
  mean: number;
  median: number;
  p90: number;
  /** Detections a photograph, labelled or not. */
  detections: number;
}

const centroid = (points: Landmarks): Point => [
  points.reduce((sum, [x]) => sum + x, 0) / 5,
  points.reduce((sum, [, y]) => sum + y, 0) / 5,
];
const distance = ([ax, ay]: Point, [bx, by]: Point): number => Math.hypot(ax - bx, ay - by);

/** Distance between the eyes. */
export const eyes = (points: Landmarks): number => distance(points[0], points[1]);

/** Mean distance of the points over the distance between the given eyes (but at least a third of the face's height). */
export const landmarkError = (points: Landmarks, given: Landmarks): number =>
  points.reduce((sum, point, i) => sum + distance(point, given[i]!), 0) / 5 / scaleOf(given);

/** In profile the eyes nearly meet: the way from the eyes' middle to the mouth's is about as long in a front view. */
function scaleOf(given: Landmarks): number {
  const between = (a: Point, b: Point): Point => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  return Math.max(eyes(given), distance(between(given[0], given[1]), between(given[3], given[4])) / 1.2);
}

/**
 * The detection of the labelled face: the one whose landmarks have the nearest centre, if that lies within .6 of the
 * given face's size.
 */
export function labelledFace(found: readonly Detection[], given: Landmarks): Detection | undefined {
  const at = centroid(given);
  const off = ({ landmarks }: Detection) => distance(centroid(landmarks), at);
  const [nearest] = [...found].sort((a, b) => off(a) - off(b));
  return nearest && off(nearest) < 0.6 * scaleOf(given) ? nearest : undefined;
}

/** Sums up: for every photograph the given landmarks and what was detected. */
export function figuresOf(
  photographs: readonly { given: Landmarks; found: readonly Detection[] }[],
): LandmarkFigures {
  const errors = photographs.flatMap(({ given, found }) => {
    const face = labelledFace(found, given);
    return face ? [landmarkError(face.landmarks, given)] : [];
  });
  return {
    labelled: photographs.length,
    found: errors.length,
    recall: errors.length / photographs.length,
    mean: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    median: median(errors),
    p90: quantile(errors, 0.9),
    detections: photographs.reduce((sum, { found }) => sum + found.length, 0) / photographs.length,
  };
}
