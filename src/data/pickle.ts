// Python's pickles (protocols 0 to 5) read as data: a pickle is a program for a machine with a stack and a memo
// (Python's Lib/pickletools.py describes its opcodes). In Python that program may call anything; here a name stays
// a name and a call a record of it, so that a hostile file can do nothing but be refused.
import { UserError } from '../common/errors.js';
import { type Persistent, type Pickled, PickledGlobal, PickledObject } from './pickle-values.js';

/** Settings of `readPickle`. */
export interface PickleOptions {
  /** Where in the bytes the pickle begins. Default 0. */
  start?: number;
  /** What stands for a persistent identifier; without it, such a pickle is refused. */
  persistent?(id: Pickled): Persistent;
}

/** Longest integer that is believed, in bytes or digits: larger ones only cost time. */
const LONGEST_INTEGER = 1024;
/** Longest module or class name, in characters. */
const LONGEST_NAME = 1024;

/** The state of the machine while one pickle is read. Every opcode takes a byte, so its size is bounded by the file's. */
class Machine {
  stack: Pickled[] = [];
  /** The stacks below the open marks. */
  readonly below: Pickled[][] = [];
  readonly memo = new Map<number, Pickled>();
  readonly #view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    public at: number,
    readonly source: string,
    readonly persistent: PickleOptions['persistent'],
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(problem: string): never {
    throw new UserError(`${this.source}: ${problem}; the file is damaged or holds no pickle`);
  }

  /** The next `count` bytes. */
  take(count: number): Uint8Array {
    if (count > this.bytes.length - this.at) this.fail('its pickle is cut off');
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** The next `size` bytes as a number, little-endian. */
  unsigned(size: 1 | 2 | 4 | 8): number {
    this.take(size);
    const at = this.at - size;
    if (size === 1) return this.#view.getUint8(at);
    if (size === 2) return this.#view.getUint16(at, true);
    if (size === 4) return this.#view.getUint32(at, true);
    return Number(this.#view.getBigUint64(at, true));
  }

  signed(): number {
    return this.unsigned(4) | 0;
  }

  double(): number {
    this.take(8);
    return this.#view.getFloat64(this.at - 8);
  }

  /** The text up to the next line feed. */
  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) this.fail('its pickle is cut off');
    const text = latin(this.take(end - this.at));
    this.at++;
    return text;
  }

  push(value: Pickled): void {
    this.stack.push(value);
  }

  pop(): Pickled {
    return this.stack.length > 0 ? this.stack.pop()! : this.fail('its pickle takes what is not there');
  }

  top(): Pickled {
    return this.stack.length > 0 ? this.stack.at(-1)! : this.fail('its pickle takes what is not there');
  }

  mark(): void {
    this.below.push(this.stack);
    this.stack = [];
  }

  /** What was pushed since the last mark. */
  sinceMark(): Pickled[] {
    const items = this.stack;
    this.stack = this.below.pop() ?? this.fail('its pickle looks for a mark that is not there');
    return items;
  }

  tuple(count: number): Pickled[] {
    if (this.stack.length < count) this.fail('its pickle takes what is not there');
    return this.stack.splice(this.stack.length - count);
  }

  remember(index: number): void {
    this.memo.set(index, this.top());
  }

  recall(index: number): void {
    this.push(
      this.memo.has(index) ? this.memo.get(index)! : this.fail('its pickle recalls what it never had'),
    );
  }

  append(items: readonly Pickled[]): void {
    const list = this.top();
    const into = list instanceof PickledObject ? list.items : list;
    if (into instanceof Set) for (const item of items) into.add(item);
    else if (Array.isArray(into)) for (const item of items) into.push(item);
    else this.fail('its pickle appends to what is no list');
  }

  setItems(items: readonly Pickled[]): void {
    const dictionary = this.top();
    const into = dictionary instanceof PickledObject ? dictionary.entries : dictionary;
    if (!(into instanceof Map) || items.length % 2)
      this.fail('its pickle sets keys of what is no dictionary');
    for (let i = 0; i < items.length; i += 2) (into as Map<Pickled, Pickled>).set(items[i]!, items[i + 1]!);
  }

  /** The record of a call of `callee` with `args`. */
  call(callee: Pickled, args: Pickled): void {
    if (!Array.isArray(args)) this.fail('its pickle calls with what is no tuple');
    if (callee instanceof PickledGlobal) this.push(new PickledObject(callee.name, args as Pickled[]));
    else if (callee instanceof PickledObject)
      this.push(new PickledObject(`${callee.global}()`, args as Pickled[]));
    else this.fail('its pickle calls what has no name');
  }

  build(state: Pickled): void {
    const object = this.top();
    if (!(object instanceof PickledObject)) this.fail('its pickle sets the state of what is no object');
    (object as PickledObject).state = state;
  }

  persistentId(id: Pickled): void {
    this.push(
      this.persistent ? this.persistent(id) : this.fail('its pickle refers to what lies outside of it'),
    );
  }

  /** A two's complement number of `count` bytes, little-endian. */
  long(count: number): void {
    if (count > LONGEST_INTEGER) this.fail(`its pickle holds an integer of ${count} bytes`);
    const hex = Buffer.from(this.take(count)).reverse().toString('hex');
    this.push(number(BigInt.asIntN(count * 8, BigInt(`0x${hex || '0'}`))));
  }

  /** A decimal integer, perhaps with Python 2's L at its end. */
  decimal(text: string): void {
    const digits = text.endsWith('L') ? text.slice(0, -1) : text;
    if (!/^[+-]?\d+$/.test(digits) || digits.length > LONGEST_INTEGER)
      this.fail('its pickle holds no integer');
    this.push(number(BigInt(digits)));
  }

  text(size: 1 | 4 | 8): void {
    this.push(utf8.decode(this.take(this.unsigned(size))));
  }
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const latin = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const number = (value: bigint): number | bigint =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;

/** The escapes of protocol 0 in a quoted Python 2 string, or in text. */
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\\'"abfnrtv]))/g;
const letters: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function withoutEscapes(text: string, which: 'string' | 'text'): string {
  return text.replace(ESCAPE, (all, x?: string, u?: string, U?: string, letter?: string) => {
    if (which === 'string')
      return x ? String.fromCharCode(Number.parseInt(x, 16)) : letter ? (letters[letter] ?? letter) : all;
    const code = Number.parseInt(u ?? U ?? '', 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

/** What each opcode does, by its character. `N` is Python's None. */
const opcodes: Readonly<Record<string, (m: Machine) => void>> = {
  // Numbers and constants.
  N: (m) => m.push(null),
  '\x88': (m) => m.push(true),
  '\x89': (m) => m.push(false),
  J: (m) => m.push(m.signed()),
  K: (m) => m.push(m.unsigned(1)),
  M: (m) => m.push(m.unsigned(2)),
  G: (m) => m.push(m.double()),
  F: (m) => m.push(Number(m.line().replace(/inf/, 'Infinity'))),
  I: (m) => {
    const line = m.line();
    if (line === '00' || line === '01') m.push(line === '01');
    else m.decimal(line);
  },
  L: (m) => m.decimal(m.line()),
  '\x8a': (m) => m.long(m.unsigned(1)),
  '\x8b': (m) => m.long(m.unsigned(4)),
  // Strings.
  S: (m) =>
    m.push(
      withoutEscapes(
        /^(['"])(.*)\1\s*$/.exec(m.line())?.[2] ?? m.fail('its pickle holds a string without quotes'),
        'string',
      ),
    ),
  T: (m) => m.push(latin(m.take(m.unsigned(4)))),
  U: (m) => m.push(latin(m.take(m.unsigned(1)))),
  V: (m) => m.push(withoutEscapes(m.line(), 'text')),
  X: (m) => m.text(4),
  '\x8c': (m) => m.text(1),
  '\x8d': (m) => m.text(8),
  B: (m) => m.push(m.take(m.unsigned(4))),
  C: (m) => m.push(m.take(m.unsigned(1))),
  '\x8e': (m) => m.push(m.take(m.unsigned(8))),
  '\x96': (m) => m.push(m.take(m.unsigned(8))),
  // Lists, tuples, dictionaries, sets.
  '(': (m) => m.mark(),
  ']': (m) => m.push([]),
  l: (m) => m.push(m.sinceMark()),
  a: (m) => m.append([m.pop()]),
  e: (m) => m.append(m.sinceMark()),
  ')': (m) => m.push([]),
  t: (m) => m.push(m.sinceMark()),
  '\x85': (m) => m.push(m.tuple(1)),
  '\x86': (m) => m.push(m.tuple(2)),
  '\x87': (m) => m.push(m.tuple(3)),
  '}': (m) => m.push(new Map()),
  d: (m) => {
    const items = m.sinceMark();
    m.push(new Map());
    m.setItems(items);
  },
  s: (m) => m.setItems(m.tuple(2)),
  u: (m) => m.setItems(m.sinceMark()),
  '\x8f': (m) => m.push(new Set()),
  '\x90': (m) => m.append(m.sinceMark()),
  '\x91': (m) => m.push(new Set(m.sinceMark())),
  // The stack and the memo.
  '0': (m) => (m.stack.length > 0 ? m.pop() : m.sinceMark()),
  '1': (m) => m.sinceMark(),
  '2': (m) => m.push(m.top()),
  g: (m) => m.recall(Number(m.line())),
  h: (m) => m.recall(m.unsigned(1)),
  j: (m) => m.recall(m.unsigned(4)),
  p: (m) => m.remember(Number(m.line())),
  q: (m) => m.remember(m.unsigned(1)),
  r: (m) => m.remember(m.unsigned(4)),
  '\x94': (m) => m.remember(m.memo.size),
  // Names and what would be calls.
  c: (m) => m.push(new PickledGlobal(`${m.line()}.${m.line()}`)),
  '\x93': (m) => {
    const names = m.tuple(2);
    if (!names.every((name) => typeof name === 'string' && name.length <= LONGEST_NAME))
      m.fail('its pickle names a class by what is no name');
    m.push(new PickledGlobal(names.join('.')));
  },
  R: (m) => m.call(...(m.tuple(2) as [Pickled, Pickled])),
  '\x81': (m) => m.call(...(m.tuple(2) as [Pickled, Pickled])),
  '\x92': (m) => {
    const [type, args, named] = m.tuple(3) as [Pickled, Pickled, Pickled];
    m.call(type, [args, named]);
  },
  i: (m) => m.call(new PickledGlobal(`${m.line()}.${m.line()}`), m.sinceMark()),
  o: (m) => {
    const [type = null, ...args] = m.sinceMark();
    m.call(type, args);
  },
  b: (m) => m.build(m.pop()),
  P: (m) => m.persistentId(m.line()),
  Q: (m) => m.persistentId(m.pop()),
  // Frames only help those who read from a stream.
  '\x95': (m) => void m.unsigned(8),
};

/** The newest protocol there is. */
const NEWEST = 5;

/**
 * The value of the pickle at `start` of `bytes`, and where it ends (another may follow). Throws a `UserError` that
 * starts with `source` (the file's path) when it is cut off, damaged, or needs what lies outside of it.
 */
export function readPickle(
  bytes: Uint8Array,
  source: string,
  { start = 0, persistent }: PickleOptions = {},
): { value: Pickled; end: number } {
  const machine = new Machine(bytes, start, source, persistent);
  for (;;) {
    const code = String.fromCharCode(machine.unsigned(1));
    if (code === '.') return { value: machine.pop(), end: machine.at };
    if (code === '\x80') {
      const protocol = machine.unsigned(1);
      if (protocol > NEWEST) machine.fail(`its pickle is of protocol ${protocol}`);
      continue;
    }
    const opcode = Object.hasOwn(opcodes, code)
      ? opcodes[code]!
      : machine.fail(`its pickle has an unknown opcode (${code.charCodeAt(0)})`);
    opcode(machine);
  }
}
