// The last rank comes late to each of three collectives; the others count timers meanwhile.
import { setTimeout as sleep } from 'node:timers/promises';
import { openCommunicator } from '../../../src/mpi/index.js';

const world = await openCommunicator();
const late = world.rank === world.size - 1;
let ticks = 0;
const ticking = setInterval(() => ticks++, 5);
const order: string[] = [];
const values = Float32Array.of(1);
if (late) await sleep(600);
const first = world.allReduce(values, 'sum').then(() => order.push(`sum ${values[0]}`));
const second = world.allReduce(values, 'max').then(() => order.push(`max ${values[0]}`));
const third = world.allReduce(values, 'sum').then(() => order.push(`sum ${values[0]}`));
await Promise.all([third, second, first]);
clearInterval(ticking);
await Promise.all([world.close(), world.close()]);
console.log(JSON.stringify({ ticks, order }));
