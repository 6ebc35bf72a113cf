// What may be said of two faces: one person, two people, or that they do not allow an answer. A threshold is measured
// on faces that show enough; of tiny or blurred ones strangers reach it many times as often, and the same person
// seldom does.
import type { Detection, Detector } from './detect/detection.js';
import { plausibility } from './detect/plausibility.js';
import type { Quality } from './quality.js';

/** What a face must have for a decision by it. */
export interface FaceLimits {
  /** Least pixels of the original photograph between the eyes. */
  readonly eyes: number;
  /** Least sharpness; see `QualityMeasures`. */
  readonly sharpness: number;
  /** Least plausibility; see `Trust`. */
  readonly plausibility: number;
}

/**
 * Limits of the built-in recogniser, by 592 faces of 120 people of CelebA that were made smaller (docs/faces.md): at
 * 11 pixels between the eyes three to four times as many strangers reach the threshold, at 7.5 eighteen times; below a
 * sharpness of .025 seven times.
 */
const LEAST = { eyes: 12, sharpness: 0.025 };

/** The limits for faces of a detector; `eyes` where another number of pixels is wanted. */
export function faceLimits(detector: Pick<Detector, 'trust'>, { eyes = LEAST.eyes } = {}): FaceLimits {
  return { ...LEAST, eyes, plausibility: detector.trust?.face ?? 0 };
}

/** Limits that every face meets. */
export const NO_LIMITS: FaceLimits = { eyes: 0, sharpness: 0, plausibility: 0 };

/** Why a face does not allow a decision. */
export interface Doubt {
  readonly code: 'implausible' | 'small' | 'blurred' | 'pose' | 'exposure';
  readonly message: string;
}

/** A face as far as its fitness goes. */
export interface JudgedFace {
  readonly detection: Detection;
  readonly quality: Pick<Quality, 'parts' | 'measures'>;
}

/** Why nothing can be decided by a face; empty when it can. */
export function doubtsAbout({ detection, quality }: JudgedFace, limits: FaceLimits): Doubt[] {
  if (limits === NO_LIMITS) return [];
  const { parts, measures } = quality;
  const doubts: (Doubt | false)[] = [
    !(plausibility(detection) >= limits.plausibility) && {
      code: 'implausible',
      message: 'this may be no face, or not its eyes, nose and mouth',
    },
    !(measures.eyes >= limits.eyes) && {
      code: 'small',
      message: `only ${Math.floor(measures.eyes)} pixels between the eyes (at least ${limits.eyes} are needed)`,
    },
    // Too small and too blurred is one thing where a face is small.
    measures.eyes >= limits.eyes &&
      !(measures.sharpness >= limits.sharpness) && { code: 'blurred', message: 'too blurred' },
    parts.pose === 0 && { code: 'pose', message: 'the face is turned away' },
    parts.exposure === 0 && { code: 'exposure', message: 'too dark or too bright' },
  ];
  return doubts.filter((doubt) => doubt !== false);
}

/** The same person, two people, or no answer. */
export type Answer = 'same' | 'different' | 'unknown';

/** The answer for two faces of this similarity, about which there are `doubts`. */
export function answerFor(similarity: number, threshold: number, doubts: readonly Doubt[]): Answer {
  if (doubts.length > 0 || Number.isNaN(similarity)) return 'unknown';
  return similarity >= threshold ? 'same' : 'different';
}
