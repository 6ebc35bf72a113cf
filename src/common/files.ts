// Files in one piece: one that cannot be read is a sentence, and one that is written appears whole or not at all.
import { lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from './errors.js';

/** Why a file cannot be read, as the second half of a sentence. */
export function unreadable({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EISDIR') return 'is a folder, not a file';
  return `cannot be read (${code ?? message})`;
}

/** The bytes of a file. Throws a UserError that begins with its name. */
export async function readWhole(file: string): Promise<Buffer> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`${file}: ${unreadable(error)}`);
  });
}

/**
 * Writes a file that appears whole or not at all, making folders as needed. A device, a pipe or a link that stands in
 * its place is written to and not replaced.
 */
export async function writeWhole(file: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const there = await lstat(file).catch(() => undefined);
  const place = there && !there.isFile() ? file : `${file}.tmp`;
  try {
    await writeFile(place, content);
    if (place !== file) await rename(place, file);
  } catch (error) {
    if (place !== file) await rm(place, { force: true }).catch(() => undefined);
    // What fails in the middle of writing, as on a full disk, does not say where.
    throw Object.assign(error as NodeJS.ErrnoException, { path: file });
  }
}
