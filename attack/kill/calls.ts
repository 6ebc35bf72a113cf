// Where a command writes: the system calls that change files below a folder, as strace lists them, so that a kill can be
// put before any of them. Without strace kills are spread over time alone.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';

/** Calls that change what a folder holds. */
const CALLS = [
  ...['openat', 'rename', 'renameat', 'renameat2', 'unlink', 'unlinkat', 'rmdir', 'mkdir', 'mkdirat'],
  ...['write', 'pwrite64', 'fsync', 'fdatasync', 'ftruncate', 'copy_file_range'],
];

/** The nth call of this name that a thread makes. */
export interface Call {
  name: string;
  nth: number;
}

let known: boolean | undefined;
export function hasStrace(): boolean {
  known ??= spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status === 0;
  return known;
}

/** What runs a command so that its calls are listed in `log`. */
export const listing = (log: string): string[] => [
  ...['strace', '-f', '-y', '-qq', '-s', '0', '--seccomp-bpf', '-o', log, '-e', `trace=${CALLS.join(',')}`],
];

/** What runs a command that is killed before a call. */
export const killing = ({ name, nth }: Call): string[] => [
  ...['strace', '-f', '-qq', '--seccomp-bpf', '-o', '/dev/null', '-e', `trace=${name}`],
  ...['-e', `inject=${name}:signal=KILL:when=${nth}`],
];

/** The calls in a log that name a path below `folder` and may change it. */
export function callsIn(log: string, folder: string): Call[] {
  const lines = readFileSync(log, 'latin1').split('\n');
  rmSync(log);
  const counts = new Map<string, number>();
  const found: Call[] = [];
  for (const line of lines) {
    const [, thread, name] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (!thread || !name) continue;
    const key = `${thread} ${name}`;
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    const writes = name !== 'openat' || /O_(WRONLY|RDWR|CREAT)/.test(line);
    if (line.includes(folder) && writes) found.push({ name, nth });
  }
  return found;
}
