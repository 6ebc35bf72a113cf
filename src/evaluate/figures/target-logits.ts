// Target-logit curves: what each margin puts in the place of cos(theta) for the true class, over the whole range
// of angles (the comparison of ArcFace, Fig. 4b, for all margins of the survey).
import type { AngleFunction } from '../../losses/index.js';
import type { Figure } from './figure.js';
import { COSINE, MARGINS, type Margin, othersOf, targetOf } from './margins.js';
import { boundaryBetween } from './root.js';

/** Where a curve leaps: the angle in degrees, and its values just before and from there on. */
export interface Leap {
  theta: number;
  before: number;
  after: number;
}

/** One curve, at 0, step, 2 step ... 180 degrees. */
export interface TargetCurve {
  id: string;
  title: string;
  loss: string;
  options: Record<string, unknown>;
  family: Margin['family'] | 'none';
  lambda?: number;
  /** What stands for cos(theta), without the scale. */
  values: number[];
  leaps: Leap[];
}

export interface TargetLogitsData {
  /** Degrees between values. */
  step: number;
  cosine: TargetCurve;
  /** One for each margin, of the true class. */
  targets: TargetCurve[];
  /** Of the other classes, where they are changed. */
  others: TargetCurve[];
}

const STEP = 0.5;
const DEGREE = Math.PI / 180;

/**
 * Leaps between neighbouring values. No margin here falls faster than the m = 4 times the sine of A-Softmax, so
 * whatever changes by more within a step is no slope.
 */
function leapsOf(f: AngleFunction, values: readonly number[]): Leap[] {
  const steepest = 4 * STEP * DEGREE * 1.2;
  return values.slice(1).flatMap((value, i) => {
    const previous = values[i]!;
    if (Math.abs(value - previous) <= steepest) return [];
    const middle = (value + previous) / 2;
    const falls = value < previous ? 1 : -1;
    const theta = boundaryBetween(
      (degrees) => falls * (f(degrees * DEGREE) - middle),
      i * STEP,
      (i + 1) * STEP,
    );
    return [{ theta, before: f((theta - 1e-9) * DEGREE), after: f((theta + 1e-9) * DEGREE) }];
  });
}

function curve(margin: Omit<Margin, 'family'>, family: TargetCurve['family'], f: AngleFunction): TargetCurve {
  const { id, title, loss, options, lambda } = margin;
  const values = Array.from({ length: 180 / STEP + 1 }, (_, i) => f(i * STEP * DEGREE));
  const leaps = leapsOf(f, values);
  return { id, title, loss, options, family, ...(lambda !== undefined && { lambda }), values, leaps };
}

export const targetLogits: Figure<TargetLogitsData> = {
  name: 'target-logits',
  title: 'What each margin puts in the place of cos θ',
  source: 'All margin functions; after Deng et al., ArcFace, CVPR 2019, Fig. 4b',
  trained: false,
  async collect() {
    return {
      step: STEP,
      cosine: curve(COSINE, 'none', targetOf(COSINE)),
      targets: MARGINS.map((margin) => curve(margin, margin.family, targetOf(margin))),
      others: MARGINS.filter(({ family }) => family === 'others').map((margin) =>
        curve(margin, 'others', othersOf(margin)),
      ),
    };
  },
};
