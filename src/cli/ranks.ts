// Commands that mpirun starts on several ranks: one of them speaks, and all end together.
import { type Communicator, failTogether, openCommunicator } from '../mpi/index.js';
import { tell } from './output.js';

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
    return await failTogether(communicator, () => void tell(error));
  }
}
