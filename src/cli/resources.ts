// What a shell or a service manager may have limited below what the programs and libraries need to be loaded at all.
// Below that they end in the middle of loading, each in words of its own, or without a word.
import { readFileSync } from 'node:fs';
import { UserError } from '../common/errors.js';

/** Files that are open at once while the program is loaded; less ends that. */
const OPEN_FILES = 256;
/** Bytes of addresses: libraries reserve far more than they use. Finding the faces of one photograph takes 1.8e9. */
const ADDRESSES = 2 ** 31;

/** The limits of this process, as Linux lists them; infinite where there is none, or none that is known. */
export function limitsOf(listed: string): { openFiles: number; addresses: number } {
  const soft = (name: string): number =>
    Number(new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(listed)?.[1] ?? Number.POSITIVE_INFINITY);
  return { openFiles: soft('Max open files'), addresses: soft('Max address space') };
}

/** Throws a UserError when the limits of this process are too low to load what it needs. */
export function requireResources(): void {
  let listed: string;
  try {
    listed = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return;
  }
  const { openFiles, addresses } = limitsOf(listed);
  if (openFiles < OPEN_FILES)
    throw new UserError(
      `${openFiles} files may be open at once, and ${OPEN_FILES} are needed: raise the limit (ulimit -n ${OPEN_FILES})`,
      { code: 'no-resources' },
    );
  if (addresses < ADDRESSES)
    throw new UserError(
      `${Math.floor(addresses / 2 ** 20)} MiB of addresses may be used, and ${ADDRESSES / 2 ** 20} are needed: raise the limit (ulimit -v ${ADDRESSES / 2 ** 10}), or limit memory in another way`,
      { code: 'no-resources' },
    );
}
