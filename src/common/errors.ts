// The one error class for what goes wrong outside the program, with a code that programs can act on.

/**
 * What can go wrong, with the exit code that the command line gives it. Programs tell errors apart by these codes,
 * never by the words of a message.
 */
export const errorCodes = {
  internal: { exit: 1, meaning: 'a fault of the program, or of a library that it uses' },
  usage: { exit: 2, meaning: 'the command or a setting was not understood' },
  'bad-input': { exit: 3, meaning: 'an input cannot be used: damaged, of another kind, or not enough of it' },
  limit: { exit: 3, meaning: 'an input is larger, or takes longer, than a stated limit' },
  'not-found': { exit: 4, meaning: 'a file, folder or name does not exist' },
  'no-space': { exit: 5, meaning: 'no space is left on a disk, or a quota is used up' },
  'not-permitted': { exit: 6, meaning: 'a file or folder may not be read or written' },
  'in-use': { exit: 7, meaning: 'another process writes to the same output' },
  'no-resources': { exit: 8, meaning: 'memory, threads or open files have run out' },
  network: { exit: 9, meaning: 'a server cannot be reached, or does not give what was asked for' },
  diverged: {
    exit: 10,
    meaning: 'training does not converge: numbers are no longer finite, or embeddings collapsed',
  },
  interrupted: {
    exit: 130,
    meaning: 'stopped by a signal; what was done is saved where the command resumes',
  },
} as const;

/** One of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/** Codes of the operating system by what they mean here. */
const systemCodes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'not-found',
  ENOSPC: 'no-space',
  EDQUOT: 'no-space',
  EFBIG: 'no-space',
  EACCES: 'not-permitted',
  EPERM: 'not-permitted',
  EROFS: 'not-permitted',
  EMFILE: 'no-resources',
  ENFILE: 'no-resources',
  ENOMEM: 'no-resources',
};

/** The code of any error: its own, that of the system error behind it, else 'internal'. */
export function errorCode(error: unknown): ErrorCode {
  if (error instanceof UserError) return error.code;
  return systemCodes[(error as NodeJS.ErrnoException | undefined)?.code ?? ''] ?? 'internal';
}

/**
 * Whether an error is of the one input that was read, so that a folder's other files can be read without it; where
 * memory or open files have run out they cannot.
 */
export const isOfInput = (error: unknown): error is UserError =>
  error instanceof UserError && error.code !== 'no-resources';

/** Characters of a message that are shown from its start and from its end. */
const MOST = 900;

/** A message that holds what a damaged file says of itself may be of any length: its middle is left out. */
const shortened = (message: string): string =>
  message.length > 2 * MOST + 5 ? `${message.slice(0, MOST)} ... ${message.slice(-MOST)}` : message;

export interface UserErrorOptions {
  /** Default: the code of `cause` where that is an error with one, else 'bad-input'. */
  code?: ErrorCode;
  /** What happened, as values: what a program needs beside the code. */
  data?: Readonly<Record<string, unknown>>;
  /** The error behind this one. */
  cause?: unknown;
}

/**
 * A problem outside the program: a missing file, a wrong flag, an unusable data set. The message is one line that
 * names the thing and the remedy; the command line prints it without a stack trace.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly code: ErrorCode;
  readonly data?: Readonly<Record<string, unknown>>;

  constructor(message: string, { code, data, cause }: UserErrorOptions = {}) {
    super(shortened(message), cause === undefined ? undefined : { cause });
    const behind = errorCode(cause);
    this.code = code ?? (behind === 'internal' ? 'bad-input' : behind);
    if (data) this.data = data;
  }
}
