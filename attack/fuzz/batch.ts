// What runner and child process say to each other.
import type { Failure } from './outcome.js';

/** What the process is started with. */
export interface Start {
  reader: string;
  seed: number;
  /** A folder of its own. */
  scratch: string;
  /** Bytes by which a case may let the process grow. */
  memory: number;
}

/** Cases from `from` to `to` - 1. */
export interface Batch {
  from: number;
  to: number;
}

/** What came of a batch. It ends early where the process has grown too much. */
export interface BatchResult extends Batch {
  values: number;
  refused: number;
  failures: Failure[];
  slowest: { number: number; seconds: number };
}

/** The file in the scratch folder with the number of the case at hand, and the folder of its files. */
export const [AT, FILES] = ['at', 'files'] as const;
