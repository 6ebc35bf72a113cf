// What every detector gives, whatever its networks: boxes, scores and five landmarks, in pixels of the upright
// photograph that it was handed. Pixel centres lie at whole numbers, the first at 0.
import type { Photograph } from '../../data/index.js';
import type { Device } from '../../runtime/index.js';

/** A place in a photograph, in pixels. */
export type Point = readonly [x: number, y: number];

/**
 * Left eye, right eye, tip of the nose, left and right corner of the mouth, as seen in the photograph: the left
 * eye is the one nearer to its left edge in an upright face.
 */
export type Landmarks = readonly [Point, Point, Point, Point, Point];

/** A rectangle by its upper left corner, in pixels; it may reach beyond the photograph. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One face that was found. */
export interface Detection {
  readonly box: Box;
  /** How sure the detector is, 0 to 1; comparable within one detector only. */
  readonly score: number;
  readonly landmarks: Landmarks;
}

/** How a detector is opened; what is left out is the detector's own default. */
export interface DetectorOptions {
  /** Where its networks run. */
  readonly device: Device;
  /** The least width of a face that is looked for, in pixels. */
  readonly minFace?: number;
  /** Detections with a lower score are dropped. */
  readonly threshold?: number;
  /** Whether all photographs are upright, so that none is looked at in other orientations (default false). */
  readonly upright?: boolean;
}

/** How plausible a detector's faces must be to be believed; see `plausibility`. */
export interface Trust {
  /**
   * A face of at least this shows which way up its photograph is. A photograph without one is looked at in other
   * orientations too; 0 for never.
   */
  readonly upright: number;
  /** Below this a face may be none, or its landmarks may be wrong: nothing is decided by it. */
  readonly face: number;
}

/** A face detector. */
export interface Detector {
  readonly name: string;
  /** The score below which it drops detections. */
  readonly threshold: number;
  /** How plausible its faces must be; without it all are believed. */
  readonly trust?: Trust;
  /** The faces of every photograph, best score first. Photographs may differ in size. */
  detect(photographs: readonly Photograph[]): Promise<Detection[][]>;
  /** Frees its networks; the device stays open. */
  close(): Promise<void>;
}

/** The detection in pixels of an image `scale` times as large. */
export function scaled({ box, score, landmarks }: Detection, scale: number): Detection {
  if (scale === 1) return { box, score, landmarks };
  // Edges scale as they are; a pixel's centre lies half a pixel inside of them.
  const point = ([x, y]: Point): Point => [(x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5];
  return {
    box: { x: box.x * scale, y: box.y * scale, width: box.width * scale, height: box.height * scale },
    score,
    landmarks: landmarks.map(point) as unknown as Landmarks,
  };
}
