// Joins the run, or says in one line why not, as a command does.
import { openCommunicator } from '../../../src/mpi/index.js';

try {
  const world = await openCommunicator();
  await world.close();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
