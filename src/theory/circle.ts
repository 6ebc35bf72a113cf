// Classes on the circle, for any margin function: the arc that each class may fill, found by following the
// circle away from its class vector until its demand fails. Whatever closed forms say about two classes or
// about many (SphereFace, appendix) can be checked against this, and any margin can be drawn from it.
import { UserError } from '../common/errors.js';
import { angleBetween } from './checks.js';

/** theta in [0, pi] to the number that stands for the cosine to the true class; non-increasing. */
export type Target = (theta: number) => number;

/** The arc of one class, from its direction, in radians. NaN where even the class vector fails its demand. */
export interface Arc {
  /** How far it reaches clockwise (towards smaller angles). */
  readonly before: number;
  /** How far it reaches counter-clockwise. */
  readonly after: number;
}

/** The arcs of all classes and the two distances that a margin is meant to order. */
export interface CircleArrangement {
  /** One arc for each direction given, in that order. */
  readonly arcs: Arc[];
  /** The largest angle between two samples of one class. */
  readonly intra: number;
  /** The smallest angle between samples of two classes; below 0 where arcs overlap. */
  readonly inter: number;
}

const TURN = 2 * Math.PI;

/** Points tried on half the circle before the first failure is bisected. */
const STEPS = 1024;

/**
 * The arcs of classes at `directions` (radians, all different) when class i may fill every place around its
 * direction with target(theta_i) >= cos theta_j for all j != i. Throws UserError for fewer than two classes.
 */
export function arrangeOnCircle(target: Target, directions: readonly number[]): CircleArrangement {
  if (directions.length < 2) throw new UserError('classes on the circle: give at least two directions');
  const arcs = directions.map((own, i): Arc => {
    const others = directions.filter((_, j) => j !== i).map((other) => other - own);
    return { before: reach(target, others, -1), after: reach(target, others, 1) };
  });
  const order = directions.map((_, i) => i).sort((a, b) => wrap(directions[a]!) - wrap(directions[b]!));
  const gaps = order.map((i, place) => {
    const next = order[(place + 1) % order.length]!;
    const apart = wrap(directions[next]! - directions[i]!);
    if (apart === 0) throw new UserError('classes on the circle: two directions are the same');
    return apart - arcs[i]!.after - arcs[next]!.before;
  });
  return {
    arcs,
    intra: Math.max(...arcs.map(({ before, after }) => Math.min(Math.PI, before + after))),
    inter: Math.min(...gaps),
  };
}

/**
 * The boundaries of class 1 when two class vectors are theta_12 apart on the circle: `inner`, the angle from W_1
 * to the boundary on the side of W_2, and `outer`, on the other side. NaN where even W_1 fails the demand.
 */
export function boundariesOnCircle(target: Target, theta12: number): { inner: number; outer: number } {
  const other = [angleBetween('theta_12', theta12)];
  return { inner: reach(target, other, 1), outer: reach(target, other, -1) };
}

/** The angle between the boundaries of two classes on the circle, theta_12 - 2 inner. */
export function angularMarginOnCircle(target: Target, theta12: number): number {
  return theta12 - 2 * boundariesOnCircle(target, theta12).inner;
}

/** How far from 0, in the direction of `side`, the demand against the `others` (angles) holds; up to pi. */
function reach(target: Target, others: readonly number[], side: 1 | -1): number {
  const slack = (theta: number): number =>
    target(theta) - Math.max(...others.map((other) => Math.cos(side * theta - other)));
  if (!(slack(0) >= 0)) return Number.NaN;
  let step = 1;
  while (step <= STEPS && slack((Math.PI * step) / STEPS) >= 0) step++;
  if (step > STEPS) return Math.PI;
  let [holds, fails] = [(Math.PI * (step - 1)) / STEPS, (Math.PI * step) / STEPS];
  for (let i = 0; i < 60; i++) {
    const middle = (holds + fails) / 2;
    if (slack(middle) >= 0) holds = middle;
    else fails = middle;
  }
  return holds;
}

/** An angle in [0, 2 pi). */
const wrap = (angle: number): number => ((angle % TURN) + TURN) % TURN;
