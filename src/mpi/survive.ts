// What is left to do when another rank dies. MPI has no word for it: a collective waits for the dead for ever, and the
// launcher kills the survivors a moment later (docs/distributed.md says when). So a thread watches the processes of
// this machine, and the launcher's SIGTERM is heard.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { startWorker } from '../common/worker.js';
import type { Communicator } from './communicator.js';
import { launched } from './launch.js';
import { leave } from './leave.js';
import { type Gone, goneOf, type Peer } from './peers.js';

/** What the watching thread is told. */
export interface Watched {
  rank: number;
  /** The other ranks of this machine. */
  peers: Peer[];
  /** The process that started this one. */
  launcher: number;
  /** What to say when the main thread does not. */
  fallback: string;
}

/** The end of a run that this rank has not asked for. */
export interface Loss {
  /** What happened, for people: 'rank 1 ended'. */
  reason: string;
  /** The ranks of this machine that died; none when mpirun ends the run for another reason, as after Ctrl-C. */
  ranks: number[];
  /** This is the first living rank of its machine: the one to speak for all, and to save what all have. */
  first: boolean;
}

type Callback = (loss: Loss) => void | Promise<void>;

/** Milliseconds after SIGTERM or an error of MPI in which the thread says whether a rank has died. */
const NOTICE = 200;
/** Milliseconds that a rank stays after its work is done, so that those who look later do not take it for dead. */
const LINGER = 2000;
/** Milliseconds by which others leave the word to rank 0 when all fail alike. */
const AFTER_YOU = 2000;

const callbacks = new Set<Callback>();
let self = 0;
let peers: Peer[] = [];
const launcher = process.ppid;
let worker: Worker | undefined;
let seen: Gone | undefined;
let ending: Promise<void> | undefined;
let failing = false;

/** The processes of this machine's ranks, told by `openCommunicator`. */
export function setPeers(rank: number, others: Peer[]): void {
  self = rank;
  peers = others;
}

/**
 * Calls back once when the run ends without this rank's wish: a rank of this machine died, or mpirun sent SIGTERM, as
 * it does when a rank died anywhere and after Ctrl-C. There is about a second to act; no collective may be called.
 * When all callbacks have settled the process ends with exit code 1. In a plain run nothing is ever called.
 * Returns a function that takes the callback back.
 */
export function onPeerLost(callback: Callback): () => void {
  callbacks.add(callback);
  if (launched() !== undefined && callbacks.size === 1) watch();
  return () => {
    callbacks.delete(callback);
    if (callbacks.size === 0) stopWatching();
  };
}

/** Lets other ranks end from now on: this one is about to, too. */
export function stopWatching(): void {
  process.off('SIGTERM', terminated);
  void worker?.terminate();
  worker = undefined;
}

function watch(): void {
  process.on('SIGTERM', terminated);
  if (peers.length === 0) return;
  const workerData: Watched = {
    rank: self,
    peers,
    launcher,
    fallback:
      'hypersphere: another rank ended; this one is in the middle of a step, and what it last saved stands',
  };
  worker = startWorker('peer-worker', import.meta.url, { workerData });
  worker.unref();
  worker.on('message', (gone: Gone) => {
    worker?.postMessage('heard');
    seen = gone;
    void end();
  });
}

const terminated = (): void => void sleep(NOTICE).then(end);

const look = (): Gone => goneOf(peers, launcher);

/** Whether a rank is found to have died within a moment. */
async function lossFound(): Promise<boolean> {
  if (worker !== undefined && seen === undefined) await sleep(NOTICE);
  return ending !== undefined;
}

function lossOf(gone: Gone): Loss {
  const names = [...gone.ranks].sort((a, b) => a - b).join(' and ');
  const stopped = gone.ranks.length > 0 && gone.ranks.every((rank) => gone.stopped.includes(rank));
  const several = gone.ranks.length > 1;
  const reason =
    gone.ranks.length > 0
      ? stopped
        ? `rank${several ? 's' : ''} ${names} ${several ? 'were' : 'was'} stopped and ${several ? 'have' : 'has'} been ended`
        : `rank${several ? 's' : ''} ${names} ended`
      : gone.launcher
        ? 'mpirun ended'
        : 'mpirun ends the run';
  const first = peers.every(({ rank }) => rank > self || gone.ranks.includes(rank));
  return { reason, ranks: gone.ranks, first };
}

function end(): Promise<void> {
  ending ??= (async () => {
    // One that fails too has left the word to the rank whose error this is.
    if (failing) return leave(1);
    const loss = lossOf(seen ?? look());
    await Promise.allSettled([...callbacks].map(async (callback) => callback(loss)));
    await sleep(LINGER);
    await leave(1);
  })();
  return ending;
}

/**
 * Ends all ranks for a rank that cannot go on. `say` tells why; where all ranks fail alike, one does. Resolves never.
 */
export async function failTogether(communicator: Communicator, say: () => void, code = 1): Promise<never> {
  // Where another rank died, MPI's errors are no news.
  if (!(await lossFound())) {
    failing = true;
    // The launcher wakes processes that it is about to end.
    process.on('SIGCONT', end).on('SIGTERM', end);
    if (communicator.rank > 0) await sleep(AFTER_YOU);
    if (ending === undefined) {
      process.off('SIGCONT', end).off('SIGTERM', end).off('SIGTERM', terminated);
      say();
      communicator.abort(code);
    }
  }
  return new Promise(() => undefined);
}
