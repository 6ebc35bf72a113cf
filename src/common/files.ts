// Files in one piece: one that cannot be read is a sentence, and one that is written appears whole or not at all.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
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

/** Writes a file that appears whole or not at all, making folders as needed. */
export async function writeWhole(file: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.tmp`, content);
  await rename(`${file}.tmp`, file);
}
