// Stochastic gradient descent with momentum and weight decay as graph expressions, in the form Caffe
// gives it and SphereFace was trained with: the velocity carries the learning rate, so a change of rate
// does not rescale past steps, and each parameter has multipliers of its own for rate and decay.
import { add, mul, parameter, sub, type Tensor } from '../graph/index.js';
import type { Parameter } from '../nn/index.js';

/** Settings of the update rule. */
export interface SgdOptions {
  /** The learning rate of this step, a float32 scalar input of the step graph. */
  rate: Tensor;
  /** Share of the last velocity kept, in [0, 1). */
  momentum: number;
  /** L2 penalty: decay * parameter is added to the gradient. At least 0. */
  weightDecay: number;
}

/** The optimiser's part of a step graph. */
export interface SgdUpdates {
  /** Every weight and velocity with its next value; a parameter whose rate multiplier is 0 keeps to its own rule. */
  state: { parameter: Tensor; next?: Tensor }[];
  /** The velocities alone, named `<parameter>.velocity`; they start at zero. */
  velocities: Tensor[];
}

/** The name of the velocity that belongs to the parameter `name`. */
export const velocityName = (name: string): string => `${name}.velocity`;

/**
 * One update of every parameter:
 *
 *     v' = momentum v + rateMultiplier (rate g + rate decay decayMultiplier p),    p' = p - v'
 *
 * `gradients` holds rate * g, in the order of `parameters` and shaped like them: seed the backward pass
 * with the rate (`gradients(loss, wrt, rate)`), which costs one multiplication instead of one a parameter.
 * The gradient is added last and by a single `add`, so that the lowering can let the kernel that makes the
 * gradient add it (`docs/architecture.md`). A parameter's constraint, if it has one, is applied to p'.
 */
export function sgdUpdates(
  parameters: readonly Parameter[],
  gradients: readonly Tensor[],
  options: SgdOptions,
): SgdUpdates {
  if (gradients.length !== parameters.length) {
    throw new Error(`sgdUpdates: ${parameters.length} parameters but ${gradients.length} gradients`);
  }
  const { rate, momentum, weightDecay } = options;
  const state: SgdUpdates['state'] = [];
  const velocities: Tensor[] = [];
  parameters.forEach((weights, i) => {
    const gradient = gradients[i]!;
    if (weights.rate === 0) {
      state.push({ parameter: weights.tensor, ...(weights.next && { next: weights.next }) });
      return;
    }
    const velocity = parameter(velocityName(weights.name), weights.shape);
    const decay = weightDecay * weights.decay * weights.rate;
    const kept = mul(velocity, momentum);
    const carried = decay === 0 ? kept : add(kept, mul(weights.tensor, mul(rate, decay)));
    const scaled = weights.rate === 1 ? gradient : mul(gradient, weights.rate);
    const nextVelocity = add(scaled, carried);
    const updated = sub(weights.tensor, nextVelocity);
    state.push({ parameter: weights.tensor, next: weights.constraint?.(updated) ?? updated });
    state.push({ parameter: velocity, next: nextVelocity });
    velocities.push(velocity);
  });
  return { state, velocities };
}
