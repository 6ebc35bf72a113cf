// Which of several faces in a photograph is meant. The paper takes the one nearest to the centre, which suits LFW;
// a photograph of somebody among others more often means the largest.
import { UserError } from '../../common/errors.js';
import type { Photograph } from '../../data/index.js';
import { alignFace } from '../align/face.js';
import { templateNamed } from '../align/template.js';
import { faceQuality } from '../quality.js';
import { areaInside } from './boxes.js';
import type { Detection } from './detection.js';
import { plausibility } from './plausibility.js';

/**
 * The ways to choose: the largest (its area inside the photograph, less where it is blurred or may be no face), the one
 * nearest to the photograph's centre, the best score, or all.
 */
export const faceChoices = ['largest', 'central', 'best', 'all'] as const;
export type FaceChoice = (typeof faceChoices)[number];

/** What is chosen from: with its pixels blurred faces are known. */
type ChosenFrom = Pick<Photograph, 'width' | 'height'> & Partial<Pick<Photograph, 'pixels'>>;

/**
 * The faces that are meant among those of a photograph: one, or all of them in the order given. Among equals the
 * earlier is taken. Without a detection the answer is empty.
 */
export function chooseFaces(
  detections: readonly Detection[],
  photograph: ChosenFrom,
  choice: FaceChoice,
): Detection[] {
  if (choice === 'all' || detections.length < 2) return [...detections];
  const { width, height } = photograph;
  const worth = {
    largest: (face: Detection) =>
      areaInside(face.box, photograph) * plausibility(face) * sharpnessOf(face, photograph),
    central: ({ box }: Detection) =>
      -Math.hypot(box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2),
    best: ({ score }: Detection) => score,
  }[choice];
  const worths = detections.map(worth);
  return [detections[Math.max(0, worths.indexOf(Math.max(...worths)))]!];
}

const template = templateNamed('arcface-112', 0);
/** A blurred face counts for this share of its area, so that it is taken where all are blurred. */
const LEAST_SHARE = 0.01;

/** How sharp a face is, up to 1; 1 where there are no pixels to tell. */
function sharpnessOf(face: Detection, { width, height, pixels }: ChosenFrom): number {
  if (!pixels) return 1;
  try {
    const aligned = alignFace({ width, height, pixels }, face.landmarks, template);
    return Math.max(LEAST_SHARE, faceQuality(face, aligned, template).parts.sharpness);
  } catch (error) {
    if (error instanceof UserError) return LEAST_SHARE;
    throw error;
  }
}
