// Every collective once, with numbers that tell ranks and places apart. Argument: the most numbers in one call.
import { openCommunicator } from '../../../src/mpi/index.js';

const largestCount = process.argv[2] === undefined ? undefined : Number(process.argv[2]);
const world = await openCommunicator({ largestCount });
const { rank, size } = world;

const sum = Float32Array.from({ length: 10 }, (_, i) => 10 * rank + i);
const sumOfDoubles = Float64Array.of(rank + 1e-12);
const max = Int32Array.of(rank, -rank, 7);
const min = Float64Array.of(rank, -rank, 7);
const bytes = Uint8Array.of(rank + 1, 100);
// A piece of a longer array: only it may change.
const whole = new Float32Array(6).fill(rank + 1);
const fromLast = new Float32Array(7).fill(rank);
const fromFirst = Uint8Array.of(rank, rank + 200);

// All are called before any has settled: the queue keeps their order.
const [, , , , , , gathered, single, nothing] = await Promise.all([
  world.allReduce(sum, 'sum'),
  world.allReduce(sumOfDoubles, 'sum'),
  world.allReduce(max, 'max'),
  world.allReduce(min, 'min'),
  world.allReduce(bytes, 'sum'),
  world.allReduce(whole.subarray(2, 4), 'sum'),
  // Rank 0 has none.
  world.allGather(new Int32Array(3 * rank).fill(rank)),
  world.allGather(Float64Array.of(rank / 3)),
  world.allGather(new Float32Array(0)),
  world.broadcast(fromLast, size - 1),
  world.broadcast(fromFirst, 0),
  world.allReduce(new Float32Array(0), 'sum'),
]);
await world.barrier();
await world.close();

const plain = { sum, sumOfDoubles, max, min, bytes, whole, gathered, single, nothing, fromLast, fromFirst };
console.log(
  JSON.stringify({
    rank,
    size,
    ...Object.fromEntries(Object.entries(plain).map(([name, values]) => [name, [...values]])),
    type: gathered.constructor.name,
  }),
);
