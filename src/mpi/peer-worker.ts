// Sees that a rank of this machine, or the launcher, has died, also while a long training step keeps the main thread
// busy: MPI itself tells nobody, and waits for the dead for ever. One that is stopped is waited for as long, so it is
// ended when it has been for a while.
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { type Gone, goneOf, patience, stateOf } from './peers.js';
import type { Watched } from './survive.js';

const { rank, peers, launcher, fallback } = workerData as Watched;

/** Milliseconds between two looks, and until what was seen is told, as one death seldom comes alone. */
const INTERVAL = 50;
const SETTLE = 50;
/** Milliseconds that the main thread has to answer; Open MPI kills the survivors 2 s after a death. */
const PATIENCE = 1500;

/** How many looks in a row have seen a rank stopped. Looks are counted, as this process may be stopped as well. */
const stoppedFor = new Map<number, number>();

function gone(): Gone {
  const seen = goneOf(peers, launcher);
  return { ...seen, stopped: seen.ranks.filter((rank) => (stoppedFor.get(rank) ?? 0) > 0) };
}

function endStopped(): void {
  for (const { rank, pid } of peers) {
    const state = stateOf(pid);
    // One that has ended keeps its count.
    if (state === 'running') stoppedFor.delete(rank);
    if (state !== 'stopped') continue;
    const looks = (stoppedFor.get(rank) ?? 0) + 1;
    stoppedFor.set(rank, looks);
    if (looks * INTERVAL < 1000 * patience()) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Another rank has done it.
    }
  }
}

const something = ({ ranks, launcher }: Gone): boolean => ranks.length > 0 || launcher;

const looking = setInterval(() => {
  endStopped();
  if (!something(gone())) return;
  clearInterval(looking);
  setTimeout(() => {
    const seen = gone();
    parentPort!.postMessage(seen);
    const lower = peers.filter((peer) => peer.rank < rank && !seen.ranks.includes(peer.rank));
    if (lower.length > 0) return;
    const speaking = setTimeout(() => writeSync(2, `${fallback}\n`), PATIENCE);
    parentPort!.once('message', () => clearTimeout(speaking));
  }, SETTLE);
}, INTERVAL);
