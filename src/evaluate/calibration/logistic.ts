// Scores as log-likelihood ratios: logistic regression with each class weighted to a prior (Brümmer and du Preez,
// 2006, 'Application-independent evaluation of speaker detection', section 6), which makes the log-odds of a pair a
// straight line over its cosine. Targets are Platt's (1999), so that separable scores have a finite line.
import { UserError } from '../../common/errors.js';

/** Scores of pairs of one kind, each with what it weighs; only shares of the sum matter. */
export interface WeightedScores {
  readonly scores: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
  /** Pairs that weigh anything, where a score stands for several. */
  readonly count?: number;
}

/** Log-likelihood ratio = slope x score + intercept, in natural logarithms. */
export interface ScoreLine {
  slope: number;
  intercept: number;
}

/** Newton steps; far more than a convex function of two numbers needs. */
const STEPS = 100;

/**
 * The line of least expected cost -log P(the right kind) at `prior` (of the same person, 0..1). Instead of 1 and 0 it
 * aims at (N + 1) / (N + 2) and 1 / (N + 2), N being the pairs of the kind that weigh anything. Newton's method with
 * halved steps in float64, from `start` where that is better than a flat line.
 * Throws a UserError when a kind is missing or a score is not a number. The slope is negative when scores fall.
 */
export function fitLine(
  genuine: WeightedScores,
  impostor: WeightedScores,
  prior = 0.5,
  start: ScoreLine = { slope: 0, intercept: 0 },
): ScoreLine {
  const kinds = [kindOf(genuine, prior, true), kindOf(impostor, 1 - prior, false)];
  const logOdds = Math.log(prior / (1 - prior));
  // Scores are centred and scaled, so that slope and intercept are of one size.
  const centre = (meanOf(genuine) + meanOf(impostor)) / 2;
  const scale = Math.max(1e-12, spreadOf(genuine, centre) + spreadOf(impostor, centre)) / 2;
  let [a, b] = [0, 0];
  let now = costAt(kinds, a, b, centre, scale);
  const [a0, b0] = [start.slope * scale, start.intercept + start.slope * centre + logOdds];
  const given = costAt(kinds, a0, b0, centre, scale);
  if (given.cost < now.cost) [a, b, now] = [a0, b0, given];
  for (let step = 0; step < STEPS; step++) {
    const [da, db] = newton(now);
    // What the parabola promises; below the rounding of a long sum nothing is gained.
    if (!(now.a * da + now.b * db > 1e-15)) break;
    let next = now;
    let share = 1;
    for (; share > 1e-3; share /= 2) {
      next = costAt(kinds, a - share * da, b - share * db, centre, scale);
      if (next.cost <= now.cost) break;
    }
    if (share <= 1e-3) break;
    a -= share * da;
    b -= share * db;
    now = next;
  }
  const slope = a / scale;
  return { slope, intercept: b - logOdds - slope * centre };
}

interface Kind {
  scores: ArrayLike<number>;
  weights: ArrayLike<number>;
  /** What a weight of 1 counts. */
  unit: number;
  target: number;
}

function kindOf({ scores, weights, count: pairs }: WeightedScores, share: number, same: boolean): Kind {
  let sum = 0;
  let found = 0;
  for (let k = 0; k < scores.length; k++) {
    if (!Number.isFinite(scores[k]!))
      throw new UserError(`calibration: the score of pair ${k + 1} is not a number; check the embeddings`);
    sum += weights[k]!;
    if (weights[k]! > 0) found++;
  }
  if (!(sum > 0))
    throw new UserError(`calibration: no pair of ${same ? 'the same person' : 'different people'}`);
  const count = pairs ?? found;
  return { scores, weights, unit: share / sum, target: same ? (count + 1) / (count + 2) : 1 / (count + 2) };
}

function meanOf({ scores, weights }: WeightedScores): number {
  let [sum, total] = [0, 0];
  for (let k = 0; k < scores.length; k++) {
    sum += weights[k]! * scores[k]!;
    total += weights[k]!;
  }
  return sum / total;
}

function spreadOf({ scores, weights }: WeightedScores, centre: number): number {
  let [sum, total] = [0, 0];
  for (let k = 0; k < scores.length; k++) {
    sum += weights[k]! * (scores[k]! - centre) ** 2;
    total += weights[k]!;
  }
  return Math.sqrt(sum / total);
}

interface Cost {
  cost: number;
  /** First and second derivatives by a and b. */
  a: number;
  b: number;
  aa: number;
  ab: number;
  bb: number;
}

/** Cross-entropy against the targets of log-odds a x + b, x being the scaled score. */
function costAt(kinds: readonly Kind[], a: number, b: number, centre: number, scale: number): Cost {
  const out: Cost = { cost: 0, a: 0, b: 0, aa: 0, ab: 0, bb: 0 };
  for (const { scores, weights, unit, target } of kinds) {
    let [cost, da, db, aa, ab, bb] = [0, 0, 0, 0, 0, 0];
    for (let k = 0; k < scores.length; k++) {
      const weight = weights[k]!;
      if (weight === 0) continue;
      const x = (scores[k]! - centre) / scale;
      const z = a * x + b;
      // log(1 + e^z) - target z, and the logistic function, without overflow.
      const e = Math.exp(-Math.abs(z));
      const p = z >= 0 ? 1 / (1 + e) : e / (1 + e);
      cost += weight * (Math.max(z, 0) + Math.log1p(e) - target * z);
      const slope = weight * (p - target);
      const bend = weight * p * (1 - p);
      da += slope * x;
      db += slope;
      aa += bend * x * x;
      ab += bend * x;
      bb += bend;
    }
    out.cost += unit * cost;
    out.a += unit * da;
    out.b += unit * db;
    out.aa += unit * aa;
    out.ab += unit * ab;
    out.bb += unit * bb;
  }
  return out;
}

/** The step to the minimum of the parabola; straight down where it is flat. */
function newton({ a, b, aa, ab, bb }: Cost): [number, number] {
  const det = aa * bb - ab * ab;
  return det > 1e-14 * aa * bb ? [(bb * a - ab * b) / det, (aa * b - ab * a) / det] : [a, b];
}
