// What the processes of one run do together, as MPI names it. Everything is called by all ranks, in one order.

/** Numbers that travel between ranks. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;

/** How values of several ranks become one. */
export type Reduction = 'sum' | 'max' | 'min';

/**
 * The ranks of one run. Each method is a collective: every rank calls it, with as many numbers of the same type
 * unless said otherwise, and calls follow each other in the same order everywhere; the next may be made before the
 * last has settled, and waits for it. While a call waits for other ranks, the process goes on serving events.
 * Rejects with a `UserError` when another rank is gone.
 */
export interface Communicator {
  /** This process, from 0. */
  readonly rank: number;
  /** Number of processes. */
  readonly size: number;
  /** Element by element over all ranks, in place; every rank gets the same numbers, bit for bit. */
  allReduce(values: Numbers, reduction: Reduction): Promise<void>;
  /** The values of all ranks behind each other, by rank; their lengths may differ. */
  allGather<T extends Numbers>(values: T): Promise<T>;
  /** The values of rank `root`, into those of all others, in place. */
  broadcast(values: Numbers, root: number): Promise<void>;
  /** Resolves when every rank has called it. */
  barrier(): Promise<void>;
  /**
   * The same for long waits: collectives keep a processor busy while they wait, this one looks every few milliseconds.
   */
  rest(): Promise<void>;
  /** Says goodbye; every rank does, once, at its end. */
  close(): Promise<void>;
  /** Ends all ranks at once, for one that cannot go on. */
  abort(code: number): void;
}

/** The communicator of a run in one process: nothing to exchange. */
export const alone: Communicator = {
  rank: 0,
  size: 1,
  async allReduce() {},
  async allGather<T extends Numbers>(values: T): Promise<T> {
    return values.slice() as T;
  },
  async broadcast() {},
  async barrier() {},
  async rest() {},
  async close() {},
  abort: (code) => process.exit(code),
};
