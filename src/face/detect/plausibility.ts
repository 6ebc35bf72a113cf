// How far a detection can be believed. Detectors find faces on their side or upside down with high scores, and then
// place landmarks that are too near together for the box: score and spread of the landmarks tell them from upright faces.
import type { Detection } from './detection.js';

/**
 * Root mean square distance of an upright face's landmarks from their mean, in square roots of the box's area. Of
 * 152 labelled photographs of CelebA, half the faces of face-api, YuNet and MTCNN lie between .24 and .26.
 */
const SPREAD = 0.25;

/** The score of a detection, less where its landmarks are nearer together than those of an upright face; 0 to 1. */
export function plausibility({ box, score, landmarks }: Detection): number {
  const mean = (axis: 0 | 1) => landmarks.reduce((sum, point) => sum + point[axis], 0) / landmarks.length;
  const [x, y] = [mean(0), mean(1)];
  const squares = landmarks.reduce((sum, point) => sum + (point[0] - x) ** 2 + (point[1] - y) ** 2, 0);
  const spread = Math.sqrt(squares / landmarks.length / (box.width * box.height));
  return score * Math.min(1, spread / SPREAD) || 0;
}
