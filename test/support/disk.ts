// A small disk in memory, mounted where the tests may do so: it needs root on Linux.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A mounted disk. */
export interface Disk {
  readonly folder: string;
  unmount(): void;
}

/** Mounts a disk with these options, as in 'size=64k'; undefined where that is not possible. */
export function mountDisk(options: string): Disk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'hypersphere-disk-'));
  const remove = () => rmSync(folder, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    remove();
    return undefined;
  }
  return {
    folder,
    unmount() {
      execFileSync('umount', [folder]);
      remove();
    },
  };
}
