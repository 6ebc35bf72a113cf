// What the operating system reports about files, in plain words.
import { UserError } from './errors.js';

/** The second half of a message that begins with a file's name. */
const meanings: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EISDIR: 'is a folder, not a file',
  ENOTDIR: 'a part of this path is a file, not a folder',
  EEXIST: 'a file is in its way',
  ENOSPC: 'no space is left on its disk; make room and run again',
  EDQUOT: 'the quota of its disk is used up; make room and run again',
  EFBIG: 'it grew past the largest file that is allowed here',
  EACCES: 'permission was denied',
  EPERM: 'permission was denied',
  EROFS: 'its disk is read-only',
  EMFILE: 'too many files are open; raise the limit, as with: ulimit -n 1024',
  ENFILE: 'too many files are open on this machine',
  ENOMEM: 'not enough memory; close other programs, or raise the limit (ulimit -v)',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its links lead in a circle',
};

/** Why a file cannot be used, in words; undefined when the system did not say anything that is known. */
export function systemMeaning(error: unknown): string | undefined {
  return meanings[(error as NodeJS.ErrnoException | undefined)?.code ?? ''];
}

/** A UserError that begins with `path` and says what the system reported; one that is a UserError already stays. */
export function systemError(path: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new UserError(`${path}: ${systemMeaning(error) ?? `cannot be used (${code ?? message})`}`, {
    cause: error,
  });
}
