// The options of a loss as data: a default, what is valid in words, and a reader that accepts just that. The
// words serve twice: in the error for a value that is out of range, and in the list of `hypersphere losses`.
import { UserError } from '../common/errors.js';

/** One option of a loss. */
export interface Option<T> {
  readonly default: T;
  /** What is valid, to follow 'must be': 'a number from 0 to 1'. */
  readonly valid: string;
  /** The value when it is valid; `undefined` otherwise. May throw `UserError` with a finer reason. */
  read(value: unknown, loss: string, name: string): T | undefined;
}

/** Bounds of a number; `from` and `to` are inside, `above` and `below` outside. */
interface Bounds {
  from?: number;
  above?: number;
  to?: number;
}

/** A finite number within bounds. */
export function real(standard: number, { from, above, to }: Bounds = {}): Option<number> {
  const lower = above === undefined ? from : above;
  const upper = to === Math.PI ? 'pi' : to === Math.PI / 2 ? 'pi / 2' : to;
  const words =
    lower !== undefined && to !== undefined
      ? `a number ${above === undefined ? `from ${from}` : `above ${above}`} to ${upper}`
      : lower !== undefined
        ? `a number ${above === undefined ? `of at least ${from}` : `above ${above}`}`
        : 'a number';
  return {
    default: standard,
    valid: words,
    read: (value) =>
      typeof value === 'number' &&
      Number.isFinite(value) &&
      (from === undefined || value >= from) &&
      (above === undefined || value > above) &&
      (to === undefined || value <= to)
        ? value
        : undefined,
  };
}

/** A whole number from `from` on. */
export const whole = (standard: number, from: number): Option<number> => ({
  default: standard,
  valid: `a whole number from ${from} on`,
  read: (value) => (Number.isSafeInteger(value) && (value as number) >= from ? (value as number) : undefined),
});

/** One of a few values. */
export const oneOf = <const T extends string | number>(standard: T, values: readonly T[]): Option<T> => ({
  default: standard,
  valid: listed(values.map((value) => (typeof value === 'string' ? `'${value}'` : String(value)))),
  read: (value) => values.find((known) => known === value),
});

/** Yes or no. */
export const flag = (standard: boolean): Option<boolean> => ({
  default: standard,
  valid: 'true or false',
  read: (value) => (typeof value === 'boolean' ? value : undefined),
});

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

/** Throws a `UserError` for an option's value, saying what is valid. */
export function refuse(loss: string, option: string, value: unknown, valid: string): never {
  // JSON has no infinity and no NaN.
  const shown = typeof value === 'number' ? value : JSON.stringify(value);
  throw new UserError(`${loss}: ${option} is ${shown}; it must be ${valid}`);
}
