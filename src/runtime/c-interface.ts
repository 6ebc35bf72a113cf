// ONNX Runtime's C interface, called through koffi in the library that the Node binding ships and has loaded. The
// binding copies every output into fresh memory; through the C interface what a run leaves stays where it was
// computed, and is the next run's input. Functions lie in a table that only grows (onnxruntime_c_api.h); the ones
// used here have had their places since version 1.12.
import { foreign } from '../common/foreign.js';
import { libraryFile } from './onnxruntime.js';

/** The address of one of the runtime's objects. */
export type Address = bigint;

type Argument = Address | number | string | null | ArrayBufferView | readonly string[];

/** The table's version that is asked for; later ones have the same beginning. */
const VERSION = 16;

/** Places in the table and types. Each returns null or the address of a status, which says what went wrong. */
const FUNCTIONS = {
  createEnvironment: [3, 'int', 'str', 'void *'],
  disableTelemetry: [6, 'void *'],
  createSession: [8, 'void *', 'void *', 'size_t', 'void *', 'void *'],
  run: [9, 'void *', 'void *', 'const char **', 'void *', 'size_t', 'const char **', 'size_t', 'void *'],
  createOptions: [10, 'void *'],
  disableMemoryPattern: [17, 'void *'],
  setLogSeverity: [22, 'void *', 'int'],
  setOptimization: [23, 'void *', 'int'],
  setThreads: [24, 'void *', 'int'],
  setConcurrentOperations: [25, 'void *', 'int'],
  createTensor: [48, 'void *', 'void *', 'size_t', 'int', 'void *'],
  tensorData: [51, 'void *', 'void *'],
  elementType: [60, 'void *', 'void *'],
  dimensionCount: [61, 'void *', 'void *'],
  dimensions: [62, 'void *', 'void *', 'size_t'],
  typeAndShape: [65, 'void *', 'void *'],
  createMemoryInfo: [68, 'str', 'int', 'int', 'int', 'void *'],
  free: [76, 'void *', 'void *'],
  defaultAllocator: [78, 'void *'],
  addOption: [130, 'void *', 'str', 'str'],
  runBound: [133, 'void *', 'void *', 'void *'],
  createBinding: [134, 'void *', 'void *'],
  bindInput: [136, 'void *', 'str', 'void *'],
  bindOutputTo: [138, 'void *', 'str', 'void *'],
  boundOutputs: [140, 'void *', 'void *', 'void *', 'void *'],
  addCuda: [204, 'void *', 'void *'],
  createCudaOptions: [205, 'void *'],
  setCudaOptions: [206, 'void *', 'const char **', 'const char **', 'size_t'],
  addProvider: [216, 'void *', 'str', 'const char **', 'const char **', 'size_t'],
} as const;

/** Places of the functions that free an object, or what a binding holds. */
const RELEASES = {
  status: 93,
  memoryInfo: 94,
  session: 95,
  value: 96,
  typeAndShape: 99,
  options: 100,
  binding: 135,
  boundInputs: 141,
  boundOutputs: 142,
  cudaOptions: 208,
} as const;

const MESSAGE_OF_STATUS = 2;

/** Severity of what is logged: only what ends the process. */
const FATAL = 4;

/** The C interface: functions throw an Error with the runtime's message when they fail. */
export interface CInterface {
  readonly call: Readonly<Record<keyof typeof FUNCTIONS, (...values: Argument[]) => void>>;
  /** The same on another thread: this one goes on with its events meanwhile. */
  readonly later: Readonly<Record<keyof typeof FUNCTIONS, (...values: Argument[]) => Promise<void>>>;
  readonly release: Readonly<Record<keyof typeof RELEASES, (object: Address) => void>>;
  /** What the process's sessions share. */
  readonly environment: Address;
  /** Where tensors are made. */
  readonly allocator: Address;
  /** The bytes at an address, for as long as they are there. */
  memory(address: Address, bytes: number): ArrayBuffer;
}

/** A function of the library. */
interface Foreign {
  (...values: Argument[]): unknown;
  /** Takes a callback of an error or null and the result behind the parameters. */
  async(...values: unknown[]): void;
}

/** What a function writes into its last parameter. */
export function written(call: (result: BigUint64Array) => void): Address {
  const result = new BigUint64Array(1);
  call(result);
  return result[0]!;
}

let opened: Promise<CInterface | undefined> | undefined;

/** The C interface of the runtime in use, or undefined where koffi or the library's file is missing. */
export function cInterface(): Promise<CInterface | undefined> {
  opened ??= open().catch(() => undefined);
  return opened;
}

async function open(): Promise<CInterface> {
  const { call, decode, load, pointer, proto, view } = await foreign();
  const base = load(libraryFile()).func('OrtGetApiBase', 'void *', [])() as Address;
  const tableOf = proto('void *', ['uint32_t']);
  const table = call(decode(base, 0, pointer(tableOf)), tableOf, VERSION) as Address | null;
  if (!table) throw new Error('another version');
  const at = (place: number, result: string, types: readonly string[]) => {
    const type = proto(result, [...types]);
    return decode(decode(table, 8 * place, 'void *'), type) as Foreign;
  };
  const releases = Object.fromEntries(
    Object.entries(RELEASES).map(([name, place]) => [name, at(place, 'void', ['void *'])]),
  ) as unknown as CInterface['release'];
  const message = at(MESSAGE_OF_STATUS, 'str', ['void *']);
  /** Throws what a status says. */
  const check = (status: unknown): void => {
    if (!status) return;
    const text = String(message(status as Address));
    releases.status(status as Address);
    throw new Error(text);
  };
  const functions = Object.entries(FUNCTIONS).map(
    ([name, [place, ...types]]) => [name, at(place, 'void *', types)] as const,
  );
  const calls = Object.fromEntries(
    functions.map(([name, f]) => [name, (...values: Argument[]) => check(f(...values))]),
  ) as unknown as CInterface['call'];
  const later = Object.fromEntries(
    functions.map(([name, f]) => {
      const started = (...values: Argument[]) =>
        new Promise<unknown>((resolve, reject) => {
          f.async(...values, (error: Error | null, status: unknown) =>
            error ? reject(error) : resolve(status),
          );
        });
      return [name, async (...values: Argument[]) => check(await started(...values))];
    }),
  ) as unknown as CInterface['later'];
  const environment = written((result) => calls.createEnvironment(FATAL, 'hypersphere', result));
  // Windows has no variable for it (see no-telemetry.ts); elsewhere this is for a process that had loaded the runtime.
  calls.disableTelemetry(environment);
  return {
    call: calls,
    later,
    release: releases,
    environment,
    allocator: written((result) => calls.defaultAllocator(result)),
    memory: (address, bytes) => view(address, bytes),
  };
}
