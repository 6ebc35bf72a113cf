// The ranges in which a formula of this folder means something, checked in one place and said in one form.
import { UserError } from '../common/errors.js';

/** `value` if it is a whole number of at least `least`; throws UserError otherwise. */
export function whole(name: string, value: number, least: number): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new UserError(`${name} is ${value}; it must be a whole number from ${least} on`);
  }
  return value;
}

/** `value` if low < value < high; throws UserError otherwise. `words` name a bound that is not a plain number. */
export function inside(name: string, value: number, low: number, high: number, words?: string): number {
  if (!(value > low && value < high)) {
    const range = high === Infinity ? `above ${low} and finite` : `above ${low} and below ${words ?? high}`;
    throw new UserError(`${name} is ${value}; it must be ${range}`);
  }
  return value;
}

/** An angle between two different directions, (0, pi]; throws UserError otherwise. */
export function angleBetween(name: string, value: number): number {
  if (!(value > 0 && value <= Math.PI)) {
    throw new UserError(`${name} is ${value}; it must be an angle in radians above 0 and up to pi`);
  }
  return value;
}
