// Joins the run that a launcher started.
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../common/errors.js';
import { foreign } from '../common/foreign.js';
import { alone, type Communicator } from './communicator.js';
import { type Launch, launched, localRanks } from './launch.js';
import { loadLibrary } from './library.js';
import type { Peer } from './peers.js';
import { failTogether, setPeers } from './survive.js';
import { World } from './world.js';

/** How long other ranks of a machine leave the word to its first one when all fail alike, in milliseconds. */
const AFTER_YOU = 2000;

/** Options of `openCommunicator`. */
export interface OpenOptions {
  /** Most numbers in one call of MPI, which counts with 32 bits; what is longer goes in pieces. */
  largestCount?: number;
}

/**
 * The ranks of this run: under mpirun those that it started, else this process alone. To be called once.
 *
 * @throws UserError when mpirun started this process and its MPI library is not there, says what to install.
 */
export async function openCommunicator(options: OpenOptions = {}): Promise<Communicator> {
  const launch = launched();
  if (launch === undefined) return alone;
  try {
    return await join(launch, options);
  } catch (error) {
    // Launchers end a run whose first process has failed, so its line is the only one.
    if (localRanks().rank > 0) await sleep(AFTER_YOU);
    throw error;
  }
}

async function join(launch: Launch, options: OpenOptions): Promise<Communicator> {
  // A plain run never loads it.
  const { load } = await foreign();
  const library = loadLibrary(load, launch);
  const world = new World(library, options.largestCount);
  if (world.size !== launch.size)
    throw new UserError(
      `${library.file} is of ${library.family} and sees ${world.size} of the ${launch.size} ranks that ` +
        `${launch.launcher} started: use the mpirun that belongs to the library, or name the right one in HYPERSPHERE_MPI`,
    );
  setPeers(world.rank, await peersOf(world));
  // The others would wait for a rank that nobody's error ends.
  process.on('uncaughtException', (error) => {
    const line = error instanceof UserError ? error.message : error.stack;
    void failTogether(world, () => process.stderr.write(`rank ${world.rank}: ${line}\n`));
  });
  return world;
}

/** The processes of the other ranks on this machine. */
async function peersOf(world: World): Promise<Peer[]> {
  // Machines are told apart by a number of six bytes, which a double holds.
  const machine = createHash('sha256').update(hostname()).digest().readUIntBE(0, 6);
  const all = await world.allGather(Float64Array.of(machine, process.pid));
  return Array.from({ length: world.size }, (_, rank) => ({
    rank,
    machine: all[2 * rank],
    pid: all[2 * rank + 1]!,
  }))
    .filter((peer) => peer.rank !== world.rank && peer.machine === machine)
    .map(({ rank, pid }) => ({ rank, pid }));
}
