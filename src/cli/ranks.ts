// Commands that mpirun starts on several ranks: one of them speaks, and all end together.
import { followEmbedding } from '../face/index.js';
import {
  type Communicator,
  failTogether,
  Leader,
  launched,
  onPeerLost,
  openCommunicator,
} from '../mpi/index.js';
import { note, report } from './output.js';

/**
 * Does `work` with the ranks of this run, or alone in a plain one. When it fails on one rank, all end, and the reason is
 * said once.
 */
export async function onAllRanks<T>(work: (communicator: Communicator) => Promise<T>): Promise<T> {
  const communicator = await openCommunicator();
  try {
    return await work(communicator);
  } catch (error) {
    if (communicator.size === 1) throw error;
    return await failTogether(communicator, () => void report(error));
  }
}

let leading: Leader | undefined;

/** Who leads the other ranks of this run, in a command that is `led`; undefined elsewhere and in a plain run. */
export const leaderOfRun = (): Leader | undefined => leading;

/** Whether this is one of several ranks, and not the one that speaks. */
export const isSilentRank = (): boolean => (launched()?.rank ?? 0) > 0;

/**
 * The action `run` of a command that embeds: the first rank runs it, and the others compute for it what is asked of the
 * models that it opens. Output, files and errors are the first one's, so the others need nothing of the command.
 */
export function led<A extends unknown[]>(run: (...args: A) => Promise<void>): (...args: A) => Promise<void> {
  return async (...args) => {
    const communicator = await openCommunicator();
    if (communicator.size === 1) return run(...args);
    onPeerLost(({ reason, first }) => {
      if (first) note(`hypersphere: ${reason}; the same command goes on from what --keep has written`);
    });
    if (communicator.rank > 0) return followTo(communicator);
    leading = new Leader(communicator);
    // A failure of the command is the first rank's alone: the others are let go as after a success.
    const outcome = await run(...args).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    try {
      await leading.end();
      await communicator.close();
    } catch (error) {
      await failTogether(communicator, () => void report(outcome?.error ?? error));
    }
    if (outcome) throw outcome.error;
  };
}

async function followTo(communicator: Communicator): Promise<void> {
  try {
    await followEmbedding(communicator);
    await communicator.close();
  } catch (error) {
    await failTogether(communicator, () => void report(error));
  }
}
