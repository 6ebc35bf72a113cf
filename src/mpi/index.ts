// Many processes as one run, on MPI.
export { alone, type Communicator, type Numbers, type Reduction } from './communicator.js';
export { localRanks } from './launch.js';
export { type OpenOptions, openCommunicator } from './open.js';
