// What programs are given, checked before anything runs: each mistake is said by name, with the shape that was due.
import { UserError } from '../common/errors.js';
import { showShape } from '../graph/index.js';
import type { Feeds, ValueInfo } from './session.js';

const listed = (what: string, values: readonly { name: string }[]) =>
  values.length > 0 && values.length <= 12 ? ` (${what}: ${values.map(({ name }) => name).join(', ')})` : '';

const sizeOf = (shape: readonly (number | string)[]): number =>
  (shape as readonly number[]).reduce((a, b) => a * b, 1);

/** Throws a `UserError` when a feed is missing, unknown, of the wrong size or out of its range; a number fills a scalar of every step. */
export function requireFeeds(inputs: readonly ValueInfo[], feeds: Feeds, stepsPerCall = 1): void {
  for (const name of Object.keys(feeds)) {
    if (!inputs.some((input) => input.name === name)) {
      throw new UserError(`feed '${name}' is not an input of this program${listed('inputs', inputs)}`);
    }
  }
  for (const { name, shape, dtype, below } of inputs) {
    const value = feeds[name];
    if (value === undefined) throw new UserError(`feed '${name}' ${showShape(shape)} ${dtype} is missing`);
    const perStep = stepsPerCall > 1 ? shape.slice(1) : shape;
    const count = sizeOf(shape);
    const given = typeof value === 'number' ? (perStep.length === 0 ? count : 1) : value.length;
    if (given !== count) {
      throw new UserError(
        `feed '${name}' has shape ${showShape(shape)} (${count} values), but ${given} were given`,
      );
    }
    if (below !== undefined) requireBelow(name, typeof value === 'number' ? [value] : value, below);
  }
}

/** Throws a `UserError` for a value that is no whole number in [0, below). */
export function requireBelow(name: string, values: ArrayLike<number>, below: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isInteger(value) && value >= 0 && value < below) continue;
    throw new UserError(
      `feed '${name}' has ${value} at place ${i}; it must be a whole number from 0 to ${below - 1}`,
    );
  }
}

/** The state called `name`, of `declared`. Throws a `UserError` for an unknown name or a wrong number of values. */
export function requireState<T extends { name: string; shape: readonly number[] }>(
  declared: readonly T[],
  name: string,
  data: Float32Array,
): T {
  const found = declared.find((state) => state.name === name);
  if (!found) throw new UserError(`state '${name}' is not part of this program${listed('state', declared)}`);
  const count = sizeOf(found.shape);
  if (data.length !== count) {
    throw new UserError(
      `state '${name}' has shape ${showShape(found.shape)} (${count} values), but ${data.length} were given`,
    );
  }
  return found;
}
