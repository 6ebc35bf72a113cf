// Names for files that are not whole yet. They lie in the folder of the file that they become, so that a rename puts
// them in its place at once, and they name the process that writes them, so that what a killed process left can be
// told from what another is writing and is removed by the next one.
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hostName, isRunning } from './process.js';

const host = createHash('sha256').update(hostName()).digest('hex').slice(0, 8);
const pattern = /^\.hypersphere-([0-9a-f]{8})-(\d+)-[0-9a-f]{16}\.tmp$/;

/** Names of this process that are in use. */
const own = new Set<string>();
/** Folders in which left-over files were looked for. */
const cleared = new Set<string>();

/** Whether a file name is that of a file which is not whole yet. */
export const isTemporary = (name: string): boolean => pattern.test(name);

/** A new name in the folder of `file`, which nobody can know beforehand. */
export function temporaryName(file: string): string {
  const folder = dirname(file);
  clearLeftOvers(folder);
  const name = `.hypersphere-${host}-${process.pid}-${randomBytes(8).toString('hex')}.tmp`;
  own.add(name);
  return join(folder, name);
}

/** Removes from a folder, once for each process, what processes of this machine left that no longer run. */
function clearLeftOvers(folder: string): void {
  if (cleared.has(folder)) return;
  cleared.add(folder);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    const [, theirHost, pid] = pattern.exec(name) ?? [];
    if (theirHost !== host || own.has(name)) continue;
    if (Number(pid) !== process.pid && isRunning(Number(pid))) continue;
    rmSync(join(folder, name), { force: true, recursive: true });
  }
}
