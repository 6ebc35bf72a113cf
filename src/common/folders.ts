// Whether results can be written somewhere, asked before the work and not after it; and folders made.
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UserError } from './errors.js';

/**
 * Checks that `folder`, which need not be there yet, can be made and written to; changes nothing. Throws a
 * `UserError` that names it, and `flag` as what names another, when a file is in its way or the place may not be
 * written to.
 */
export function requireWritable(folder: string, flag = '--out'): void {
  const place = placeOf(folder);
  const stat = statSync(place, { throwIfNoEntry: false });
  if (stat && !stat.isDirectory()) {
    const what = place === resolve(folder) ? 'a file' : `below the file ${place}`;
    throw new UserError(`${folder}: is ${what}, and a folder is needed; name another with ${flag}`);
  }
  try {
    accessSync(place, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`${folder}: may not be written to (${code}); name another with ${flag}`, {
      cause: error,
    });
  }
}

/** The folder itself, or the nearest above it that is there. */
function placeOf(folder: string): string {
  let place = resolve(folder);
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  return place;
}

/** Makes a folder and those above it; returns the first that it made. Throws the system's error. */
export async function makeFolder(folder: string, mode?: number): Promise<string | undefined> {
  try {
    return await mkdir(folder, { recursive: true, ...(mode !== undefined && { mode }) });
  } catch (error) {
    // Of a disk that is read-only Node says that the folder is not there.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') accessSync(placeOf(folder), constants.W_OK);
    throw error;
  }
}

/** Checks in the same way that `file` can be written, and that it is no folder. */
export function requireWritableFile(file: string, flag = '--out'): void {
  requireWritable(dirname(file), flag);
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
    throw new UserError(`${file}: is a folder; name a file with ${flag}`);
}
