// One rank under mpirun: takes the steps of the cases in the JSON file that it is given; rank 0 prints the outcomes.
import { readFileSync } from 'node:fs';
import { openCommunicator } from '../../../src/mpi/index.js';
import { type Case, outcomesOf } from './cases.js';

const cases = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Case[];
const communicator = await openCommunicator();
const outcomes = await outcomesOf(cases, communicator);
console.log(communicator.rank === 0 ? JSON.stringify(outcomes) : '[]');
await communicator.close();
