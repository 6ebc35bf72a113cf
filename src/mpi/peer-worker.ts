// Sees that a rank of this machine, or the launcher, has died, also while a long training step keeps the main thread
// busy: MPI itself tells nobody, and waits for the dead for ever.
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { type Gone, goneOf } from './peers.js';
import type { Watched } from './survive.js';

const { rank, peers, launcher, fallback } = workerData as Watched;

/** Milliseconds between two looks, and until what was seen is told, as one death seldom comes alone. */
const INTERVAL = 50;
const SETTLE = 50;
/** Milliseconds that the main thread has to answer; Open MPI kills the survivors 2 s after a death. */
const PATIENCE = 1500;

const gone = (): Gone => goneOf(peers, launcher);
const something = ({ ranks, launcher }: Gone): boolean => ranks.length > 0 || launcher;

const looking = setInterval(() => {
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
