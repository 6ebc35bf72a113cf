// The annealing of L-Softmax and A-Softmax (SphereFace, appendix G): training starts near plain softmax and
// moves to the margin, because a large margin does not converge from a random start.
import { type Option, refuse } from './options.js';

/** The weight lambda of plain cos(theta) in (lambda cos(theta) + psi(theta)) / (1 + lambda), over time. */
export interface Annealing {
  /** Value that the schedule falls from. At least 0. */
  base: number;
  /** Speed of the fall a step. At least 0. */
  gamma: number;
  /** At least 0. */
  power: number;
  /** lambda stays at or above this. At least 0; 0 ends at the pure margin. */
  minimum: number;
}

/** The published SphereFace run: 892.857 at step 1, 76.923 at 100, 8.2645 at 1000, 5 from step 1659 on. */
export const SPHEREFACE_ANNEALING: Annealing = { base: 1000, gamma: 0.12, power: 1, minimum: 5 };

/** The published L-Softmax run: 35th power, down to the pure margin. */
export const L_SOFTMAX_ANNEALING: Annealing = { base: 1000, gamma: 2.5e-5, power: 35, minimum: 0 };

/** lambda(t) = max(minimum, base (1 + gamma t)^-power) at step t, counted from 1. */
export const lambdaAt = ({ base, gamma, power, minimum }: Annealing, step: number): number =>
  Math.max(minimum, base * (1 + gamma * step) ** -power);

/** The `annealing` option of a loss: an object whose left-out parts are filled in from `defaults`. */
export function annealingOption(defaults: Annealing): Option<Annealing> {
  const names = Object.keys(defaults);
  const valid = `an object with ${names.join(', ')}, each at least 0`;
  return {
    default: defaults,
    valid,
    read(value, loss, name) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
      if (Object.keys(value).some((part) => !names.includes(part))) return undefined;
      const annealing: Annealing = { ...defaults, ...value };
      for (const [part, number] of Object.entries(annealing)) {
        if (!(Number.isFinite(number) && number >= 0))
          refuse(loss, `${name}.${part}`, number, 'a number of at least 0');
      }
      return annealing;
    },
  };
}
