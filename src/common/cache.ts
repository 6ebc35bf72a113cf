// The folder of what can be had again: models that were fetched, and graphs that were built from others' weights.
// Nothing of a user's own (photographs, templates) is ever put there.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { writeWholeSync } from './files.js';

/** HYPERSPHERE_CACHE, else 'hypersphere' in the system's folder for caches. It may not exist yet. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.HYPERSPHERE_CACHE) return env.HYPERSPHERE_CACHE;
  if (process.platform === 'win32')
    return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'hypersphere', 'cache');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'hypersphere');
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hypersphere');
}

/**
 * The bytes cached under `name` (a file name that tells versions and contents apart), else those that `build`
 * makes, which are then cached, with their SHA-256 in a file beside them. What is damaged is built again; a cache
 * that cannot be read or written is done without.
 */
export function cached(name: string, build: () => Uint8Array): Uint8Array {
  const folder = join(cacheFolder(), 'built');
  const file = join(folder, name);
  const kept = intact(file);
  if (kept) return kept;
  const bytes = build();
  try {
    writeWholeSync(file, bytes);
    writeWholeSync(hashOf(file), sha256(bytes));
  } catch {
    // It is only slower.
  }
  return bytes;
}

const hashOf = (file: string): string => `${file}.sha256`;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The bytes of a cached file; undefined when it is not there or not as it was written. */
function intact(file: string): Uint8Array | undefined {
  try {
    const bytes = readFileSync(file);
    return readFileSync(hashOf(file), 'utf8') === sha256(bytes) ? bytes : undefined;
  } catch {
    return undefined;
  }
}
