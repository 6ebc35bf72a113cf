// The margin head of L-Softmax and A-Softmax: psi(theta) in the place of cos(theta) for the true class, annealed. Where
// lambda waits, it falls no faster than the angles close. The logit of the true class is |x| times
// g = (lambda cos(theta) + psi(theta)) / (1 + lambda), and psi is far below zero while angles are wide (-3 at 90
// degrees for m = 4). Where g is below zero on average, the steepest way to a lower loss is a shorter embedding, for all
// images alike: the network shrinks them to nothing and stops learning.
import {
  add,
  div,
  input,
  maximum,
  mean,
  minimum,
  mul,
  stopGradient,
  sub,
  type Tensor,
} from '../graph/index.js';
import { constantInitializer } from '../nn/index.js';
import { type Annealing, lambdaAt } from './annealing.js';
import { inputName, type LossContext, type LossTerms } from './definition.js';
import { type HeadSpec, marginHead, type TrueClass } from './head.js';
import { psiOf } from './psi.js';

/** Share of the mean cosine to the own class that the margin leaves where lambda waits. */
const COSINE_LEFT = 0.5;

/** Weight of a step's batch in the running means that a waiting lambda goes by: they reach back some ten steps. */
const RUNNING = 0.1;

/** A mean cosine below this counts as none. */
const NO_COSINE = 1e-6;

/** What an annealed margin is made of. */
export interface AnnealedMargin {
  /** m, above 1. */
  readonly margin: number;
  readonly annealing: Annealing;
  /** The margin's value, given another gradient; `share` is 1 / (1 + lambda). */
  readonly gradientOf?: (value: Tensor, truth: TrueClass, share: Tensor) => Tensor;
}

/** The head `spec` with an annealed margin: z_y = |W_y| |x| (lambda cos(theta_y) + psi(theta_y)) / (1 + lambda). */
export function annealedHead(
  context: LossContext,
  spec: HeadSpec,
  { margin, annealing, gradientOf = (value) => value }: AnnealedMargin,
): LossTerms {
  const scheduled = input(inputName(context, annealing.wait ? 'scheduledLambda' : 'lambda'), []);
  let lambda = scheduled;
  const change = (truth: TrueClass): Tensor => {
    const { cosine, length } = truth;
    const target = psiOf(cosine, margin);
    if (annealing.wait) lambda = maximum(scheduled, waitingLambda(context, cosine, target, annealing.base));
    const share = div(1, add(lambda, 1));
    // (lambda c + psi) / (1 + lambda) - c = (psi - c) / (1 + lambda)
    return gradientOf(mul(mul(length, share), sub(target, cosine)), truth, share);
  };
  const schedule = [{ input: scheduled, at: (step: number) => lambdaAt(annealing, step) }];
  const terms = marginHead(context, { ...spec, margin: change, schedule });
  return annealing.wait ? { ...terms, metrics: { ...terms.metrics, lambda } } : terms;
}

/**
 * The least lambda, at most `base`, that leaves the share s = `COSINE_LEFT` of the mean cosine c to the own class, where
 * psi is p on average: (lambda c + p) / (1 + lambda) >= s c. The means are over the steps so far, so lambda is the same
 * on all ranks, and is saved and resumed as any state is. Their common factor cancels out, at the first steps too.
 */
function waitingLambda({ scope }: LossContext, cosine: Tensor, target: Tensor, base: number): Tensor {
  const running = (name: string, values: Tensor): Tensor =>
    scope.kept(`annealing.${name}`, [], constantInitializer(0), (now) =>
      add(mul(now, 1 - RUNNING), mul(mean(stopGradient(values)), RUNNING)),
    );
  const c = maximum(running('cosine', cosine), NO_COSINE);
  const p = running('target', target);
  const least = div(sub(mul(c, COSINE_LEFT), p), mul(c, 1 - COSINE_LEFT));
  return minimum(least, base);
}
