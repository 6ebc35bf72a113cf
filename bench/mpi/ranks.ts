// One rank of bench/mpi: times sums over all ranks by their length. All ranks start a sum together, and the time that
// counts is that of the slowest. Rank 0 prints them as JSON: for each length the milliseconds of every sum.
import { performance } from 'node:perf_hooks';
import { openCommunicator } from '../../src/mpi/index.js';

/** The first sums of everyone are thrown away: connections are made and memory is fresh. */
const DISCARDED = 3;

const lengths = process.argv[2]!.split(',').map(Number);
const steps = Number(process.argv[3]);

const world = await openCommunicator();
const times: number[][] = lengths.map(() => []);
const values = lengths.map((length) => new Float32Array(length));
// In turns, so that a slow second of a shared machine touches every length.
for (let step = 0; step < steps + DISCARDED; step++)
  for (const [i, sums] of values.entries()) {
    sums.fill(1);
    await world.barrier();
    const start = performance.now();
    await world.allReduce(sums, 'sum');
    const slowest = Float64Array.of(performance.now() - start);
    if (sums.some((sum) => sum !== world.size)) throw new Error(`a sum of ${sums.length} numbers is wrong`);
    await world.allReduce(slowest, 'max');
    if (step >= DISCARDED) times[i]!.push(slowest[0]!);
  }
await world.close();
if (world.rank === 0) process.stdout.write(`${JSON.stringify({ size: world.size, times })}\n`);
