// A run in which something ends. Arguments: what happens, and to which rank; the file in which survivors note what they
// were told and would have saved.
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../../src/common/errors.js';
import { failTogether, onPeerLost, openCommunicator } from '../../../src/mpi/index.js';

const [event, victim, file] = [process.argv[2]!, Number(process.argv[3]), process.argv[4]!];
const world = await openCommunicator();
const say = (line: string): void => void process.stderr.write(`${line}\n`);

onPeerLost(async ({ reason, ranks, first }) => {
  appendFileSync(file, `${JSON.stringify({ rank: world.rank, reason, ranks, first })}\n`);
  if (first) say(`${reason}; saved`);
});
await world.barrier();
if (world.rank === 0) say('started');
try {
  if (world.rank === victim || victim < 0) {
    if (event === 'kill' || event === 'busy') process.kill(process.pid, 'SIGKILL');
    if (event === 'stop') process.kill(process.pid, 'SIGSTOP');
    if (event === 'interrupt') process.kill(process.ppid, 'SIGINT');
    if (event === 'error') throw new UserError(`rank ${world.rank} cannot read its file`);
    if (event === 'uncaught') setTimeout(() => Promise.reject(new Error('not foreseen')));
    // Two collectives that the others wait in.
    await sleep(event === 'slow' ? 3000 : 60_000);
    if (event === 'slow') {
      await world.allReduce(new Float32Array(4), 'sum');
      await sleep(3000);
    }
  }
  if (event === 'busy') {
    // A long step: nothing else runs on this thread.
    const end = performance.now() + 20_000;
    while (performance.now() < end);
  }
  if (event === 'slow' && world.rank !== victim) await world.allReduce(new Float32Array(4), 'sum');
  await world.allReduce(new Float32Array(4), 'sum');
  await world.close();
} catch (error) {
  await failTogether(world, () => say(`hypersphere: ${(error as Error).message}`), 3);
}
