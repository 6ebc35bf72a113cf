import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { readPickle } from '../../src/data/pickle.js';
import {
  Persistent,
  type Pickled,
  PickledGlobal,
  PickledObject,
  pickledBytes,
  pickledMap,
} from '../../src/data/pickle-values.js';

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/checkpoints/values.json', import.meta.url), 'utf8'),
) as { value: unknown; pickles: Record<string, string> };
const pickles = Object.entries(fixture.pickles).map(
  ([protocol, hex]) => [protocol, Buffer.from(hex, 'hex')] as const,
);

/** Maps as objects, to compare with JSON. */
const plain = (value: Pickled): unknown =>
  value instanceof Map
    ? Object.fromEntries(Array.from(value, ([key, inner]) => [String(key), plain(inner)]))
    : Array.isArray(value)
      ? value.map(plain)
      : value;
const read = (text: string | Uint8Array, options = {}) =>
  readPickle(typeof text === 'string' ? Buffer.from(text, 'latin1') : text, 'x.pkl', options);

describe('reading pickles', () => {
  test.each(pickles)('protocol %s holds what Python put in', (_, bytes) => {
    const { value, end } = read(bytes);
    expect(plain(value)).toEqual(fixture.value);
    expect(end).toBe(bytes.length);
    const shared = (value as Map<string, Pickled[]>).get('shared')!;
    expect(shared[0]).toBe(shared[1]);
  });

  test.each(pickles)('protocol %s cut off anywhere is an error that names the file', (_, bytes) => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => read(bytes.subarray(0, length))).toThrow(UserError);
    }
    expect(() => read(bytes.subarray(0, 30))).toThrow(/^x\.pkl: its pickle is cut off/);
  });

  test('strings of Python 2 have one character a byte, and their bytes come back', () => {
    const { value } = read(
      "(S'\\xe9\\n\"'\nU\x03\x00\xff\x80T\x02\x00\x00\x00ab\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00l.",
    );
    expect(value).toEqual(['\xe9\n"', '\x00\xff\x80', 'ab', 2n ** 64n - 1n]);
    expect(pickledBytes((value as string[])[1])).toEqual(Buffer.from([0, 255, 128]));
  });

  test('integers of any size keep their value', () => {
    expect(read('\x8a\x01\xff.').value).toBe(-1);
    expect(read('\x8a\x00.').value).toBe(0);
    expect(read('L-9007199254740993L\n.').value).toBe(-9007199254740993n);
    expect(read('J\xff\xff\xff\xff.').value).toBe(-1);
    expect(read('G\x3f\xe0\x00\x00\x00\x00\x00\x00.').value).toBe(0.5);
  });

  test('what Python would call is only named', () => {
    const { value } = read("cos\nsystem\n(S'touch /nowhere/at-all'\ntR.");
    expect(value).toBeInstanceOf(PickledObject);
    expect(value).toMatchObject({ global: 'os.system', args: ['touch /nowhere/at-all'] });
    expect(read('c__builtin__\neval\n.').value).toEqual(new PickledGlobal('__builtin__.eval'));
    const old = read("(ipkg.mod\nThing\n(dS'__proto__'\nI7\nsb.").value as PickledObject;
    expect(old.global).toBe('pkg.mod.Thing');
    expect(pickledMap(old.state)?.get('__proto__')).toBe(7);
  });

  test('dictionaries and lists of an own class are filled', () => {
    const { value } = read("ccollections\nOrderedDict\n)R(S'a'\nK\x01u.");
    expect(pickledMap(value)).toEqual(new Map([['a', 1]]));
    const pairs = read("ccollections\nOrderedDict\n((lp1\n(lp2\nS'a'\naI1\naatR.").value;
    expect(pickledMap(pairs)).toEqual(new Map([['a', 1]]));
    expect((read('cx\nL\n)RK\x01a.').value as PickledObject).items).toEqual([1]);
  });

  test('a persistent identifier is what its reader makes of it, and refused without one', () => {
    class Mine extends Persistent {
      readonly kind = 'mine';
      constructor(readonly id: Pickled) {
        super();
      }
    }
    expect(read('Pseven\n.', { persistent: (id: Pickled) => new Mine(id) }).value).toEqual(new Mine('seven'));
    expect(() => read('K\x07Q.')).toThrow(/refers to what lies outside/);
  });

  test('one of several pickles in a row is read from where it begins', () => {
    const first = read('K\x01.K\x02.');
    expect(read('K\x01.K\x02.', { start: first.end }).value).toBe(2);
  });

  test.each([
    ['nothing', ''],
    ['a length beyond the file', 'B\xff\xff\xff\xff.'],
    ['a length of 2^63', '\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.'],
    ['an integer of a megabyte', `\x8b\x00\x00\x10\x00${'\x01'.repeat(2 ** 20)}.`],
    ['an empty stack', '.'],
    ['a tuple of what is not there', '\x87.'],
    ['no mark', 'K\x01t.'],
    ['a value that was never put into the memo', 'h\x05.'],
    ['a key without value', '}(K\x01u.'],
    ['keys of a list', '](K\x01K\x02u.'],
    ['a call of a number', 'K\x01)R.'],
    ['the state of a number', 'K\x01}b.'],
    ['an unknown opcode', '\xff.'],
    ['a protocol to come', '\x80\x09.'],
    ['a registered extension', '\x82\x01.'],
    ['a class that is named by a number', 'K\x01K\x02\x93.'],
  ])('%s is refused', (_, text) => {
    expect(() => read(text)).toThrow(UserError);
  });

  test('a hundred thousand lists in each other are no trouble', () => {
    let value = read(`${'('.repeat(1e5)}${'l'.repeat(1e5)}.`).value;
    let depth = 0;
    for (; Array.isArray(value); value = value[0] ?? null) depth++;
    expect(depth).toBe(1e5);
  });

  test('damaged bytes give a value or a UserError, nothing else', () => {
    const damaged = fc.constantFrom(...pickles.map(([, bytes]) => bytes)).chain((bytes) =>
      fc
        .array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
        .map((changes) => {
          const copy = Uint8Array.from(bytes);
          for (const [at, byte] of changes) copy[at] = byte;
          return copy;
        }),
    );
    fc.assert(
      fc.property(damaged, (bytes) => {
        try {
          read(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
