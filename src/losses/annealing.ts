// The annealing of L-Softmax and A-Softmax (SphereFace, appendix G): training starts near plain softmax and
// moves to the margin, because a large margin does not converge from a random start. Beside the published schedule
// there is one that waits for the angles, which short runs and many people need.
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
  /** Whether lambda waits for the angles, see `annealed-head.ts`. Absent: it follows the schedule alone, as published. */
  wait?: true;
}

/** The published SphereFace run: 892.857 at step 1, 76.923 at 100, 8.2645 at 1000, 5 from step 1659 on. */
export const SPHEREFACE_ANNEALING: Annealing = { base: 1000, gamma: 0.12, power: 1, minimum: 5 };

/** The published L-Softmax run: 35th power, down to the pure margin. */
export const L_SOFTMAX_ANNEALING: Annealing = { base: 1000, gamma: 2.5e-5, power: 35, minimum: 0 };

/** lambda(t) = max(minimum, base (1 + gamma t)^-power) at step t, counted from 1: the schedule alone. */
export const lambdaAt = ({ base, gamma, power, minimum }: Annealing, step: number): number =>
  Math.max(minimum, base * (1 + gamma * step) ** -power);

/** The `annealing` option of a loss: an object whose left-out parts are filled in from `defaults`. */
export function annealingOption(defaults: Annealing): Option<Annealing> {
  const numbers = Object.keys(defaults);
  const valid = `an object with ${numbers.join(', ')}, each at least 0, and wait, true or false`;
  return {
    default: defaults,
    valid,
    read(value, loss, name) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
      if (Object.keys(value).some((part) => part !== 'wait' && !numbers.includes(part))) return undefined;
      const { wait = false, ...annealing }: Record<string, unknown> = { ...defaults, ...value };
      for (const [part, number] of Object.entries(annealing)) {
        if (!(Number.isFinite(number) && (number as number) >= 0))
          refuse(loss, `${name}.${part}`, number, 'a number of at least 0');
      }
      if (typeof wait !== 'boolean') refuse(loss, `${name}.wait`, wait, 'true or false');
      return { ...(annealing as unknown as Annealing), ...(wait && { wait }) };
    },
  };
}
