// Many processes as one run, on MPI.
export { alone, type Communicator, type Numbers, type Reduction } from './communicator.js';
