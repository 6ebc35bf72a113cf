// A fault of the surroundings, and what a command must do when it meets one.
import { errorCodes } from '../../src/common/errors.js';
import type { Ended } from '../kill/command.js';
import type { Kit } from '../kill/kit.js';

/** One command in one fault. */
export interface Trial {
  /** As in 'embed'. */
  what: string;
  problems: string[];
}

export interface Fault {
  readonly name: string;
  /** Why it cannot be tried here, in one line; undefined where it can. */
  missing?(): string | undefined;
  run(kit: Kit): AsyncGenerator<Trial> | Generator<Trial>;
}

const known = new Set(Object.values(errorCodes).map(({ exit }) => exit));
/** What a terminal obeys, or hides; a line feed ends a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

export interface Wanted {
  /** Exit codes that are right. */
  codes: readonly number[];
  /** What standard error must name, whether as an error or as an input that was left out. */
  names?: string;
}

/** What is wrong with how a command ended. */
export function problemsOf({ code, signal, stdout, stderr }: Ended, { codes, names }: Wanted): string[] {
  const problems: string[] = [];
  const errors = stderr.split('\n').filter((line) => line.startsWith('hypersphere: '));
  if (signal !== null || code === null) problems.push(`ended by ${signal}`);
  else if (!known.has(code as never) && code !== 0)
    problems.push(`ends with ${code}, which is no code of ours`);
  else if (!codes.includes(code))
    problems.push(`ends with ${code}, not ${codes.join(' or ')}: ${errors[0] ?? '(no line)'}`);
  if (code !== 0 && (errors.length > 1 || stderr.trim() === ''))
    problems.push(`${errors.length} lines of error: ${stderr.slice(-200)}`);
  if (names !== undefined && code !== null && !stderr.includes(names))
    problems.push(`its error does not name ${names}: ${errors[0] ?? ''}`);
  if (/^\s+at .+:\d+/m.test(stderr)) problems.push('a stack trace');
  if (UNSAFE.test(stdout)) problems.push('unsafe characters on standard output');
  if (UNSAFE.test(stderr)) problems.push('unsafe characters on standard error');
  return problems;
}

/** The exit code of an error's code. */
export const exitOf = (code: keyof typeof errorCodes): number => errorCodes[code].exit;
