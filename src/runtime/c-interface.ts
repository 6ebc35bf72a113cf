// ONNX Runtime's C interface, called through koffi in the library that the Node binding ships and has loaded. The
// binding copies every output into fresh memory; through the C interface what a run leaves stays where it was
// computed, and is the next run's input. Functions lie in a table that only grows (onnxruntime_c_api.h); the ones
// used here have had their places since version 1.2.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { foreign } from '../common/foreign.js';

/** The address of one of the runtime's objects. */
export type Address = bigint;

type Argument = Address | number | string | null | ArrayBufferView | readonly string[];

/** The table's version that is asked for; later ones have the same beginning. */
const VERSION = 16;

/** Places in the table and types. Each returns null or the address of a status, which says what went wrong. */
const FUNCTIONS = {
  createEnvironment: [3, 'int', 'str', 'void *'],
  createSession: [8, 'void *', 'void *', 'size_t', 'void *', 'void *'],
  run: [9, 'void *', 'void *', 'const char **', 'void *', 'size_t', 'const char **', 'size_t', 'void *'],
  createOptions: [10, 'void *'],
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
  defaultAllocator: [78, 'void *'],
  addOption: [130, 'void *', 'str', 'str'],
} as const;

/** Places of the functions that free an object. */
const RELEASES = { status: 93, session: 95, value: 96, typeAndShape: 99, options: 100 } as const;

const MESSAGE_OF_STATUS = 2;

/** Severity of what is logged: only what ends the process. */
const FATAL = 4;

/** The C interface: functions throw an Error with the runtime's message when they fail. */
export interface CInterface {
  readonly call: Readonly<Record<keyof typeof FUNCTIONS, (...values: Argument[]) => void>>;
  readonly release: Readonly<Record<keyof typeof RELEASES, (object: Address) => void>>;
  /** What the process's sessions share. */
  readonly environment: Address;
  /** Where tensors are made. */
  readonly allocator: Address;
  /** The bytes at an address, for as long as they are there. */
  memory(address: Address, bytes: number): ArrayBuffer;
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

const LIBRARIES: Partial<Record<NodeJS.Platform, RegExp>> = {
  linux: /^libonnxruntime\.so/,
  darwin: /^libonnxruntime\..*dylib$/,
  win32: /^onnxruntime\.dll$/,
};

/** The library that the Node binding loads, which lies beside it. */
function libraryFile(): string {
  const root = path.join(createRequire(import.meta.url).resolve('onnxruntime-node'), '..', '..', 'bin');
  const version = readdirSync(root).find((name) => name.startsWith('napi-'))!;
  const folder = path.join(root, version, process.platform, process.arch);
  const file = readdirSync(folder).find((name) => LIBRARIES[process.platform]?.test(name));
  if (file === undefined) throw new Error('no library');
  return path.join(folder, file);
}

async function open(): Promise<CInterface> {
  const { call, decode, load, pointer, proto, view } = await foreign();
  const base = load(libraryFile()).func('OrtGetApiBase', 'void *', [])() as Address;
  const tableOf = proto('void *', ['uint32_t']);
  const table = call(decode(base, 0, pointer(tableOf)), tableOf, VERSION) as Address | null;
  if (!table) throw new Error('another version');
  const at = (place: number, result: string, types: readonly string[]) => {
    const type = proto(result, [...types]);
    return decode(decode(table, 8 * place, 'void *'), type) as (...values: Argument[]) => unknown;
  };
  const releases = Object.fromEntries(
    Object.entries(RELEASES).map(([name, place]) => [name, at(place, 'void', ['void *'])]),
  ) as unknown as CInterface['release'];
  const message = at(MESSAGE_OF_STATUS, 'str', ['void *']);
  const calls = Object.fromEntries(
    Object.entries(FUNCTIONS).map(([name, [place, ...types]]) => {
      const f = at(place, 'void *', types);
      const checked = (...values: Argument[]): void => {
        const status = f(...values) as Address | null;
        if (!status) return;
        const text = String(message(status));
        releases.status(status);
        throw new Error(text);
      };
      return [name, checked];
    }),
  ) as unknown as CInterface['call'];
  return {
    call: calls,
    release: releases,
    environment: written((result) => calls.createEnvironment(FATAL, 'hypersphere', result)),
    allocator: written((result) => calls.defaultAllocator(result)),
    memory: (address, bytes) => view(address, bytes),
  };
}
