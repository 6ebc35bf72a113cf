// The processes of a run on one machine, and which of them are gone, or stopped by a signal.
import { readFileSync } from 'node:fs';

/** The process of a rank. */
export interface Peer {
  rank: number;
  pid: number;
}

/** Who is gone: ranks of this machine, or the process that started this one. */
export interface Gone {
  ranks: number[];
  launcher: boolean;
  /** Those of `ranks` that had been stopped (SIGSTOP) when they were last seen, and so were ended by others. */
  stopped: number[];
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Which of `peers` are gone, and whether the process `launcher` is, which started this one. */
export const goneOf = (peers: readonly Peer[], launcher: number): Gone => ({
  ranks: peers.filter(({ pid }) => !lives(pid)).map(({ rank }) => rank),
  launcher: process.ppid !== launcher,
  stopped: [],
});

/** How a process is, as Linux tells; elsewhere, and of one that has ended, nothing is known. */
export function stateOf(pid: number): 'stopped' | 'running' | undefined {
  try {
    // The state follows the command's name, which is in brackets and may hold others.
    const [, state] = /\) (\S) [^)]*$/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))!;
    if (state === 'T') return 'stopped';
    // What has ended stays for its parent to see.
    return state === 'Z' || state === 'X' ? undefined : 'running';
  } catch {
    return undefined;
  }
}

/** Seconds that other ranks wait for one that does nothing; HYPERSPHERE_RANK_SECONDS, default 60. */
export function patience(environment: NodeJS.ProcessEnv = process.env): number {
  const stated = Number(environment.HYPERSPHERE_RANK_SECONDS || 60);
  return stated > 0 ? stated : Number.POSITIVE_INFINITY;
}
