// Which of several faces in a photograph is meant. The paper takes the one nearest to the centre, which suits LFW;
// a photograph of somebody among others more often means the largest.
import type { Detection } from './detection.js';

/** The ways to choose: the largest box, the one nearest to the photograph's centre, the best score, or all. */
export const faceChoices = ['largest', 'central', 'best', 'all'] as const;
export type FaceChoice = (typeof faceChoices)[number];

/**
 * The faces that are meant among those of a photograph of `size` pixels: one, or all of them in the order given.
 * Among equals the earlier is taken. Without a detection the answer is empty.
 */
export function chooseFaces(
  detections: readonly Detection[],
  size: { readonly width: number; readonly height: number },
  choice: FaceChoice,
): Detection[] {
  if (choice === 'all') return [...detections];
  const worth = {
    largest: ({ box }: Detection) => box.width * box.height,
    central: ({ box }: Detection) =>
      -Math.hypot(box.x + box.width / 2 - size.width / 2, box.y + box.height / 2 - size.height / 2),
    best: ({ score }: Detection) => score,
  }[choice];
  const [first, ...rest] = detections;
  if (!first) return [];
  return [rest.reduce((chosen, next) => (worth(next) > worth(chosen) ? next : chosen), first)];
}
