// Which process is meant: a number that the system gave it can be given to another one after its end.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import process from 'node:process';

/** The machine's name; containers have one each. */
export const hostName = (): string => hostname();

/** Whether a process of this machine runs. One that has ended and waits for its parent does not. */
export function isRunning(pid: number): boolean {
  if (state(pid)?.ended) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What tells a process from a later one of the same number; '' where the system does not say (only Linux does). */
export const startOf = (pid: number): string => state(pid)?.start ?? '';

/** From /proc/PID/stat: the state is field 3, the start in ticks since the machine's own is field 22. */
function state(pid: number): { ended: boolean; start: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Field 2 is the program's name in brackets, and may itself hold spaces and brackets.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return { ended: fields[0] === 'Z' || fields[0] === 'X', start: `${boot}:${fields[19]}` };
  } catch {
    return undefined;
  }
}
