// What a Python pickle holds, as inert values: plain ones where JavaScript has them, and records that say which
// class or function was named, with what. Nothing here or in the reader of pickles can call anything.

/** A class or function by its name; naming it is all that happens. */
export class PickledGlobal {
  /** `name` is module and name joined by a dot, as in 'collections.OrderedDict'. */
  constructor(readonly name: string) {}
}

/** An object that Python would make by calling `global`: with which arguments, and what was put into it afterwards. */
export class PickledObject {
  /** What `BUILD` would set: mostly a map of attributes. */
  state?: Pickled;
  /** What would be appended, for lists and sets of an own class. */
  readonly items: Pickled[] = [];
  /** What would be set by key, for dictionaries of an own class. */
  readonly entries: Map<Pickled, Pickled> = new Map();

  constructor(
    readonly global: string,
    readonly args: readonly Pickled[],
  ) {}
}

/**
 * A value of a pickle. Lists and tuples are arrays, dictionaries maps, bytes a view of the file; integers beyond
 * 2^53 are bigint; strings that Python 2 wrote have one character a byte. `Persistent` is the caller's own.
 */
export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Pickled[]
  | Set<Pickled>
  | Map<Pickled, Pickled>
  | PickledGlobal
  | PickledObject
  | Persistent;

/** What a caller makes of a persistent identifier; derive a class from it. */
export abstract class Persistent {
  /** Keeps the type apart from others. */
  abstract readonly kind: string;
}

/** The bytes in a value, however they were pickled: as bytes, as Python 2's string, as text to be encoded; else undefined. */
export function pickledBytes(value: Pickled | undefined): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return Buffer.from(value, 'latin1');
  // Protocol 2 has no bytes: Python 3 writes a call that encodes them from text.
  if (value instanceof PickledObject && value.global === '_codecs.encode') {
    const [text, encoding] = value.args;
    if (typeof text === 'string' && encoding === 'latin1') return Buffer.from(text, 'latin1');
  }
  return undefined;
}

/** The dictionary in a value: a plain one or one of an own class (OrderedDict, defaultdict); else undefined. */
export function pickledMap(value: Pickled | undefined): ReadonlyMap<Pickled, Pickled> | undefined {
  if (value instanceof Map) return value;
  if (!(value instanceof PickledObject)) return undefined;
  if (value.entries.size > 0) return value.entries;
  if (value.global !== 'collections.OrderedDict') return undefined;
  // Python 2 hands the pairs to the class.
  const pairs = value.args[0];
  const map = new Map<Pickled, Pickled>();
  for (const pair of Array.isArray(pairs) ? pairs : []) {
    if (Array.isArray(pair) && pair.length === 2) map.set(pair[0]!, pair[1]!);
  }
  return map;
}

/** The whole numbers in a list or tuple, each 0 or more; undefined when it is none. */
export function pickledSizes(value: Pickled | undefined): number[] | undefined {
  const whole = (n: Pickled): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  return Array.isArray(value) && value.every(whole) ? (value as number[]) : undefined;
}

/** A key as text. Lists and objects are no names: written out, a small pickle of them could fill the memory. */
export const pickledName = (value: Pickled | undefined): string =>
  typeof value === 'object' && value !== null ? '(no name)' : String(value);

/** A number; NaN for anything else. */
export const pickledNumber = (value: Pickled | undefined): number =>
  typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN;
