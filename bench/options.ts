// How the benchmarks read numbers from the command line.
import { InvalidArgumentError } from 'commander';

/** A whole number from 1 on. */
export function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('give a whole number from 1 on');
  return value;
}

/** Whole numbers from 1 on, with commas between them. */
export const wholes = (text: string): number[] => text.split(',').map(whole);
