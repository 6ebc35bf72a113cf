// MPI's collectives as promises. A call waits on a thread of its own, so the process serves events meanwhile; calls
// go to MPI one at a time and in the order in which they were made, which is what MPI asks of a process with several
// threads (MPI_THREAD_SERIALIZED) and what makes the calls of all ranks fit each other.
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { UserError } from '../common/errors.js';
import type { Communicator, Numbers, Reduction } from './communicator.js';
import type { Datatype, Handle, Library } from './library.js';
import { patience } from './peers.js';
import { stopWatching } from './survive.js';

/** MPI_THREAD_SERIALIZED, and the longest text of an error in either family. */
const SERIALIZED = 2;
const LONGEST_ERROR = 512;

/** Most numbers in one call: a gibibyte of doubles, far below what 32 bits count. */
const LARGEST_COUNT = 2 ** 27;

/** Milliseconds between two looks at whether others have come, and bytes that hold MPI_Status in either family. */
const LOOK = 2;
const STATUS_BYTES = 64;

/** Seconds that a timer of Node can wait. */
const LONGEST_TIMER = 2 ** 21;

type Call = (...values: (Numbers | Handle | null)[]) => Promise<number>;

function declare({ library, handle }: Library) {
  const plain = (name: string, types: string[]) => library.func(name, 'int', types);
  const waiting = (name: string, types: string[]) =>
    promisify(library.func(name, 'int', types).async) as Call;
  return {
    initialize: plain('MPI_Init_thread', ['void *', 'void *', 'int', 'void *']),
    rank: plain('MPI_Comm_rank', [handle, 'void *']),
    size: plain('MPI_Comm_size', [handle, 'void *']),
    setErrorHandler: plain('MPI_Comm_set_errhandler', [handle, handle]),
    errorString: plain('MPI_Error_string', ['int', 'void *', 'void *']),
    finalize: plain('MPI_Finalize', []),
    abort: plain('MPI_Abort', [handle, 'int']),
    allReduce: waiting('MPI_Allreduce', ['void *', 'void *', 'int', handle, handle, handle]),
    allGather: waiting('MPI_Allgather', ['void *', 'int', handle, 'void *', 'int', handle, handle]),
    allGatherV: waiting('MPI_Allgatherv', [
      ...['void *', 'int', handle],
      ...['void *', 'void *', 'void *', handle, handle],
    ]),
    broadcast: waiting('MPI_Bcast', ['void *', 'int', handle, 'int', handle]),
    barrier: waiting('MPI_Barrier', [handle]),
    startBarrier: plain('MPI_Ibarrier', [handle, 'void *']),
    test: plain('MPI_Test', ['void *', 'void *', 'void *']),
  };
}

function datatypeOf(values: Numbers): Datatype {
  if (values instanceof Float32Array) return 'float';
  if (values instanceof Float64Array) return 'double';
  if (values instanceof Int32Array) return 'int';
  return 'unsigned char';
}

/** All ranks of a run (MPI_COMM_WORLD). Starts MPI, which a process does once. */
export class World implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly #mpi: ReturnType<typeof declare>;
  /** Settles when every call so far has. */
  #last: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;
  #noticed = false;

  constructor(
    readonly library: Library,
    private readonly largestCount = LARGEST_COUNT,
  ) {
    this.#mpi = declare(library);
    const level = new Int32Array(1);
    this.#check(this.#mpi.initialize(null, null, SERIALIZED, level));
    if (level[0]! < SERIALIZED)
      throw new UserError(
        `${library.file} was built without threads (MPI_THREAD_SERIALIZED): use one that was built with them`,
      );
    this.#check(this.#mpi.setErrorHandler(library.world, library.errorsReturn));
    const number = new Int32Array(1);
    this.#check(this.#mpi.rank(library.world, number));
    this.rank = number[0]!;
    this.#check(this.#mpi.size(library.world, number));
    this.size = number[0]!;
  }

  allReduce(values: Numbers, reduction: Reduction): Promise<void> {
    const { datatype, reduction: reductions, inPlace, world } = this.library;
    const [type, operation] = [datatype[datatypeOf(values)], reductions[reduction]];
    return this.#next(async () => {
      for (const piece of this.#pieces(values))
        this.#check(await this.#mpi.allReduce(inPlace, piece, piece.length, type, operation, world));
    });
  }

  allGather<T extends Numbers>(values: T): Promise<T> {
    const { datatype, world } = this.library;
    const type = datatype[datatypeOf(values)];
    return this.#next(async () => {
      // Doubles hold any length.
      const lengths = new Float64Array(this.size);
      const own = Float64Array.of(values.length);
      this.#check(await this.#mpi.allGather(own, 1, datatype.double, lengths, 1, datatype.double, world));
      const starts = lengths.map((_, rank) =>
        lengths.subarray(0, rank).reduce((sum, length) => sum + length, 0),
      );
      const total = starts.at(-1)! + lengths.at(-1)!;
      const all = new (values.constructor as new (length: number) => T)(total);
      if (total <= this.largestCount) {
        const [counts, offsets] = [Int32Array.from(lengths), Int32Array.from(starts)];
        this.#check(
          await this.#mpi.allGatherV(values, values.length, type, all, counts, offsets, type, world),
        );
      } else {
        all.set(values, starts[this.rank]!);
        for (const [root, start] of starts.entries())
          await this.#broadcast(all.subarray(start, start + lengths[root]!), root);
      }
      return all;
    });
  }

  broadcast(values: Numbers, root: number): Promise<void> {
    return this.#next(() => this.#broadcast(values, root));
  }

  barrier(): Promise<void> {
    return this.#next(async () => this.#check(await this.#mpi.barrier(this.library.world)));
  }

  rest(): Promise<void> {
    return this.#next(async () => {
      // A request is a pointer in Open MPI and a number in MPICH.
      const request = new BigUint64Array(1);
      const [done, status] = [new Int32Array(1), new Uint8Array(STATUS_BYTES)];
      this.#check(this.#mpi.startBarrier(this.library.world, request));
      for (;;) {
        this.#check(this.#mpi.test(request, done, status));
        if (done[0] !== 0) return;
        await sleep(LOOK);
      }
    }, 'rest');
  }

  close(): Promise<void> {
    // Ranks wait for each other in MPI_Finalize too, but there they serve no events.
    this.#closed ??= this.barrier().then(() => {
      stopWatching();
      this.#check(this.#mpi.finalize());
    });
    return this.#closed;
  }

  abort(code: number): void {
    this.#mpi.abort(this.library.world, code);
  }

  async #broadcast(values: Numbers, root: number): Promise<void> {
    const type = this.library.datatype[datatypeOf(values)];
    for (const piece of this.#pieces(values))
      this.#check(await this.#mpi.broadcast(piece, piece.length, type, root, this.library.world));
  }

  /** Runs `call` after all those before it; after a failed one none runs any more. */
  #next<T>(call: () => Promise<T>, kind: 'work' | 'rest' = 'work'): Promise<T> {
    const result = this.#last.then(() => (kind === 'rest' ? call() : this.#noticing(call)));
    this.#last = result;
    // Whoever made the call hears of its failure; so does whoever makes the next one.
    result.catch(() => undefined);
    return result;
  }

  /** Runs `call` and warns, once, when the others keep it waiting for long: nobody else looks after other machines. */
  async #noticing<T>(call: () => Promise<T>): Promise<T> {
    const seconds = patience();
    if (this.#noticed || seconds > LONGEST_TIMER) return call();
    const timer = setTimeout(() => {
      this.#noticed = true;
      process.emitWarning(
        `rank ${this.rank} has waited ${seconds} s for other ranks: one of them may be stopped, or far slower`,
      );
    }, 1000 * seconds);
    try {
      return await call();
    } finally {
      clearTimeout(timer);
    }
  }

  *#pieces(values: Numbers): Generator<Numbers> {
    for (let start = 0; start < values.length; start += this.largestCount)
      yield values.subarray(start, start + this.largestCount);
  }

  #check(code: number): void {
    if (code === 0) return;
    const [text, length] = [Buffer.alloc(LONGEST_ERROR), new Int32Array(1)];
    this.#mpi.errorString(code, text, length);
    throw new UserError(`MPI: ${text.toString('utf8', 0, length[0])}`);
  }
}
