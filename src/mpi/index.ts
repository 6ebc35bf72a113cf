// Many processes as one run, on MPI.
export { firstUnlike } from './alike.js';
export { alone, type Communicator, type Numbers, type Reduction } from './communicator.js';
export { launched, localRanks, threadsOfRank } from './launch.js';
export { follow, Leader, type Part, type Work } from './lead.js';
export { type OpenOptions, openCommunicator } from './open.js';
export { failTogether, type Loss, onPeerLost } from './survive.js';
