// How fit a face is for enrolment: size, sharpness, pose, exposure and the detector's score, each from 0 to 1, as one
// number with its reasons. The knees of sharpness and exposure are from 152 faces of CelebA (never LFW), made worse
// step by step until a MobileFaceNet no longer matched them at a false match rate of 0.001; those of size, pose and
// the detector's score are judgement, as no set at hand could tell.

import { apply, compose, similarity } from './align/similarity.js';
import type { Template } from './align/template.js';
import { templateNamed, templatePoints } from './align/template.js';
import { warp } from './align/warp.js';
import type { Detection } from './detect/detection.js';
import { type Turn, uprightRoll } from './detect/turn.js';
import { type Pose, pose } from './pose.js';

/** What was measured of a face. */
export interface QualityMeasures extends Pose {
  /** Pixels of the original photograph between the centres of the eyes. */
  readonly eyes: number;
  /**
   * Variance of the Laplacian over the variance of the grey values, which the light does not change, in the middle
   * of the face at 35 pixels between the eyes. Typically .2 to .7; below .02 a face is visibly blurred.
   */
  readonly sharpness: number;
  /** Mean grey value in the middle of the face, 0 to 255. */
  readonly brightness: number;
  /** Shares of its pixels that are all but black (to 10) or white (from 245). */
  readonly black: number;
  readonly white: number;
  /** The detector's score. */
  readonly detection: number;
}

/** The quality of a face. */
export interface Quality {
  /** The product of the parts, 0 to 1: every flaw lowers it, and one that is bad enough suffices. */
  readonly score: number;
  readonly parts: Readonly<Record<'size' | 'sharpness' | 'pose' | 'exposure' | 'detection', number>>;
  /** What is wrong, in words, the worst first; empty for a good face. */
  readonly reasons: readonly string[];
  readonly measures: QualityMeasures;
}

/** A judgement of one measure: 0 at `bad` and beyond, 1 at `good` and beyond, evenly (or in ratios) in between. */
interface Judgement {
  readonly part: keyof Quality['parts'];
  readonly measure: (measures: QualityMeasures) => number;
  readonly bad: number;
  readonly good: number;
  readonly ratio?: true;
  readonly reason: (measures: QualityMeasures) => string;
}

const judgements: readonly Judgement[] = [
  {
    part: 'size',
    measure: ({ eyes }) => eyes,
    bad: 6,
    good: 30,
    reason: ({ eyes }) => `only ${Math.round(eyes)} pixels between the eyes`,
  },
  {
    part: 'sharpness',
    measure: ({ sharpness }) => sharpness,
    bad: 0.003,
    good: 0.05,
    ratio: true,
    reason: () => 'blurred',
  },
  {
    part: 'pose',
    measure: ({ yaw }) => Math.abs(yaw),
    bad: 65,
    good: 20,
    reason: () => 'turned to the side',
  },
  {
    part: 'pose',
    measure: ({ pitch }) => Math.abs(pitch),
    bad: 50,
    good: 20,
    reason: ({ pitch }) => (pitch > 0 ? 'looking down' : 'looking up'),
  },
  { part: 'pose', measure: ({ roll }) => Math.abs(roll), bad: 100, good: 40, reason: () => 'tilted' },
  {
    part: 'exposure',
    measure: ({ brightness }) => brightness,
    bad: 15,
    good: 70,
    ratio: true,
    reason: () => 'too dark',
  },
  {
    part: 'exposure',
    measure: ({ black }) => black,
    bad: 0.9,
    good: 0.1,
    reason: () => 'large parts are black',
  },
  { part: 'exposure', measure: ({ white }) => white, bad: 0.95, good: 0.2, reason: () => 'too bright' },
  {
    part: 'detection',
    measure: ({ detection }) => detection,
    bad: 0.1,
    good: 0.8,
    reason: ({ detection }) => `the detector is unsure (score ${detection.toFixed(2)})`,
  },
];

/** A part below this is a reason. */
const WORTH_SAYING = 0.5;

/**
 * The quality of a face. `detection` is in pixels of the original photograph, since an enlarged face is no better;
 * `aligned` are its RGB bytes on `template`. In a photograph that is `turned`, the roll is counted from there.
 */
export function faceQuality(
  detection: Detection,
  aligned: Uint8Array,
  template: Template,
  turned: Turn = 0,
): Quality {
  return judge(measureFace(detection, aligned, template, turned));
}

/** From measures to parts, reasons and one number. What could not be measured (NaN) counts as bad. */
export function judge(measures: QualityMeasures): Quality {
  const judged = judgements.map((judgement) => {
    const { part, measure, bad, good, ratio, reason } = judgement;
    const scale = ratio ? Math.log : (value: number) => value;
    const share = (scale(measure(measures)) - scale(bad)) / (scale(good) - scale(bad));
    return { part, value: Math.min(Math.max(share, 0), 1) || 0, reason };
  });
  const parts = { size: 1, sharpness: 1, pose: 1, exposure: 1, detection: 1 };
  for (const { part, value } of judged) parts[part] *= value;
  const reasons = judged
    .filter(({ value }) => value < WORTH_SAYING)
    .sort((a, b) => a.value - b.value)
    .map(({ reason }) => reason(measures));
  const score = Object.values(parts).reduce((product, part) => product * part, 1);
  return { score, parts, reasons, measures };
}

/** Measures a face; see {@link faceQuality}. */
export function measureFace(
  { landmarks, score }: Detection,
  aligned: Uint8Array,
  template: Template,
  turned: Turn = 0,
): QualityMeasures {
  const [left, right] = landmarks;
  const { yaw, pitch, roll } = pose(landmarks);
  return {
    eyes: Math.hypot(right[0] - left[0], right[1] - left[1]),
    yaw,
    pitch,
    roll: uprightRoll(roll, turned),
    ...greyMeasures(middle(aligned, template)),
    detection: score,
  };
}

/** On the ArcFace template, what lies within the face: brows to chin, cheek to cheek. */
const MIDDLE = { left: 28, top: 36, right: 84, bottom: 108 };
const middleTemplate = templateNamed('arcface-112', 0);

/** A grey image. */
interface Grey {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** The middle of the face in grey (Rec. 601), brought to the size of the ArcFace template; a patch may lack a part. */
function middle(pixels: Uint8Array, template: Template): Grey {
  const { width, height } = template;
  const toArcFace = similarity(templatePoints(template), templatePoints(middleTemplate));
  const [x0, y0] = apply(toArcFace, [0, 0]);
  const [x1, y1] = apply(toArcFace, [width - 1, height - 1]);
  const left = Math.max(MIDDLE.left, Math.ceil(x0 - 1e-6));
  const top = Math.max(MIDDLE.top, Math.ceil(y0 - 1e-6));
  const size = {
    width: Math.max(0, Math.min(MIDDLE.right, Math.floor(x1 + 1e-6) + 1) - left),
    height: Math.max(0, Math.min(MIDDLE.bottom, Math.floor(y1 + 1e-6) + 1) - top),
  };
  const window = compose(toArcFace, [1, 0, -left, 0, 1, -top]);
  const colours = warp({ width, height, pixels }, window, { ...size, border: 'replicate' });
  const values = Float32Array.from(
    { length: colours.length / 3 },
    (_, i) => 0.299 * colours[3 * i]! + 0.587 * colours[3 * i + 1]! + 0.114 * colours[3 * i + 2]!,
  );
  return { ...size, values };
}

function greyMeasures({ width, height, values }: Grey) {
  const { mean, variance } = moments(values);
  const laplacians = new Float32Array(Math.max(0, width - 2) * Math.max(0, height - 2));
  for (let y = 1, to = 0; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      laplacians[to++] =
        values[i - 1]! + values[i + 1]! + values[i - width]! + values[i + width]! - 4 * values[i]!;
    }
  }
  const share = (is: (value: number) => boolean) => {
    let count = 0;
    for (const value of values) if (is(value)) count++;
    return count / values.length;
  };
  return {
    // Of an even grey nothing can be told: it has no edges that could be sharp.
    sharpness: variance > 0 ? moments(laplacians).variance / variance : 0,
    brightness: mean,
    black: share((value) => value <= 10),
    white: share((value) => value >= 245),
  };
}

function moments(values: Float32Array): { mean: number; variance: number } {
  let [sum, squares] = [0, 0];
  for (const value of values) sum += value;
  const mean = sum / values.length;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, variance: squares / values.length };
}
