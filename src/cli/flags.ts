// How flags' values are read: each function takes the text after a flag and returns its value, or lets
// Commander say what the flag takes (exit code 2).
import { InvalidArgumentError, Option } from 'commander';

/** A number of at least `least`, or above it. */
export function number(least: number, above = false): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isFinite(value) && (above ? value > least : value >= least)) return value;
    throw new InvalidArgumentError(`It must be a number ${above ? 'above' : 'of at least'} ${least}.`);
  };
}

/** A whole number from `least` on. */
export function whole(least: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(
      `It must be a whole number${least > Number.MIN_SAFE_INTEGER ? ` from ${least} on` : ''}.`,
    );
  };
}

/** Positive numbers with commas between them. */
export function numbers(text: string): number[] {
  return text.split(',').map(number(0, true));
}

/** A flag of several numbers, whose defaults the help shows as they are written: with commas. */
export function listed<T>(
  flags: string,
  description: string,
  parse: (text: string) => T[],
  defaults: readonly T[],
): Option {
  return new Option(flags, description).argParser(parse).default([...defaults], defaults.join(','));
}

/** HxW, as in 112x96: [height, width] in pixels. */
export function size(text: string): [number, number] {
  const found = /^(\d+)x(\d+)$/.exec(text);
  const [height, width] = [Number(found?.[1]), Number(found?.[2])];
  if (height > 0 && width > 0) return [height, width];
  throw new InvalidArgumentError('It must be height x width in pixels, as in 112x96.');
}
