// The folder of what can be had again: models that were fetched, and graphs that were built from others' weights.
// Nothing of a user's own (photographs, templates) is ever put there.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

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
 * makes, which are then cached. A cache that cannot be read or written is done without.
 */
export function cached(name: string, build: () => Uint8Array): Uint8Array {
  const folder = join(cacheFolder(), 'built');
  const file = join(folder, name);
  try {
    return readFileSync(file);
  } catch {
    const bytes = build();
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${file}.${process.pid}.tmp`, bytes);
      renameSync(`${file}.${process.pid}.tmp`, file);
    } catch {
      // It is only slower.
    }
    return bytes;
  }
}
