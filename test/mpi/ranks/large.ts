// A large sum whose order of additions matters, in pieces and whole. Prints a hash of the bits, and how far it is
// from the sum in double precision.
import { createHash } from 'node:crypto';
import { openCommunicator } from '../../../src/mpi/index.js';

const length = 150_001;
const valuesOf = (rank: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(i + 1000 * rank) * 10 ** (rank - 1));

const world = await openCommunicator({ largestCount: Number(process.argv[2]) });
const values = valuesOf(world.rank);
await world.allReduce(values, 'sum');
let error = 0;
const all = Array.from({ length: world.size }, (_, rank) => valuesOf(rank));
for (let i = 0; i < length; i++) {
  let [sum, magnitude] = [0, 0];
  for (const own of all) {
    sum += own[i]!;
    magnitude += Math.abs(own[i]!);
  }
  error = Math.max(error, Math.abs(values[i]! - sum) / magnitude);
}
const gathered = await world.allGather(values.subarray(0, 1000 * (world.rank + 1)));
await world.close();
const bits = createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex');
console.log(JSON.stringify({ bits, error, gathered: gathered.length, lastGathered: gathered.at(-1) }));
