// The processes of a run on one machine, and which of them are gone.

/** The process of a rank. */
export interface Peer {
  rank: number;
  pid: number;
}

/** Who is gone: ranks of this machine, or the process that started this one. */
export interface Gone {
  ranks: number[];
  launcher: boolean;
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
});
