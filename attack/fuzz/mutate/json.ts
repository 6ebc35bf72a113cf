// Changes of JSON by its values: another type, an extreme number, a key too many or too few, a depth that no reader expects.
import type { Random } from '../../../src/common/random.js';
import { latin, type Mutator, pick, type Structure } from './mutator.js';
import { WORDS as TEXTS, utf8 } from './text.js';

const WORDS = TEXTS.map(utf8);

/** A container and the key of a value in it. */
interface Slot {
  holder: Record<string, unknown>;
  key: string;
}

function slotsIn(value: unknown, slots: Slot[] = []): Slot[] {
  if (typeof value !== 'object' || value === null) return slots;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    slots.push({ holder, key });
    slotsIn(holder[key], slots);
  }
  return slots;
}

const nested = (depth: number, value: unknown): unknown => {
  let inner = value;
  for (let i = 0; i < depth; i++) inner = i % 2 ? [inner] : { a: inner };
  return inner;
};

function oddValue(random: Random): unknown {
  const kind = random.integer(8);
  if (kind <= 2)
    return pick(
      [0, -1, 1, 0.5, 1e9, -1e308, 5e-324, 2 ** 31, 2 ** 32, 2 ** 53, 1e21, 65536, 100_000, -0],
      random,
    );
  if (kind === 3) return pick(WORDS, random);
  if (kind === 4) return pick([null, true, false], random);
  if (kind === 5) return pick([[], {}, [[]], [null], { length: 3 }, { format: 1 }], random);
  if (kind === 6) return nested(pick([3, 50], random), 1);
  return Array.from({ length: 1 + random.integer(9) }, (_, i) => i);
}

/** Text in which a value is written by hand, as no writer of JSON writes it. */
const RAW = [
  'NaN',
  'Infinity',
  '1e999',
  '-1e999',
  '01',
  '{"a":1,"a":2}',
  '"\\ud800"',
  '{"__proto__":{"x":1}}',
  '',
];
const HOLE = '@hole@';

const changed =
  (change: (slots: Slot[], random: Random) => void, finish = (text: string, _: Random) => text): Mutator =>
  (bytes, random) => {
    const value: unknown = JSON.parse(latin(bytes).replace(/^\ufeff/, ''));
    const whole = { value };
    change(slotsIn(whole), random);
    return Buffer.from(finish(JSON.stringify(whole.value) ?? '', random), 'latin1');
  };

const replace = changed((slots, random) => {
  const { holder, key } = pick(slots, random);
  holder[key] = oddValue(random);
});
const drop = changed((slots, random) => {
  const { holder, key } = pick(slots, random);
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
});
const swap = changed((slots, random) => {
  const [a, b] = [pick(slots, random), pick(slots, random)];
  const value = a.holder[a.key];
  const other = b.holder[b.key];
  // A value inside itself could not be written.
  if (slotsIn(value).some(({ holder }) => holder === b.holder)) return;
  if (slotsIn(other).some(({ holder }) => holder === a.holder)) return;
  a.holder[a.key] = other;
  b.holder[b.key] = value;
});
const grow = changed((slots, random) => {
  const { holder, key } = pick(slots, random);
  const value = holder[key];
  if (Array.isArray(value)) for (let i = pick([1, 2, 2000], random); i > 0; i--) value.push(value[0] ?? 0);
  else if (typeof value === 'object' && value !== null)
    (value as Record<string, unknown>)[pick(WORDS, random)] = oddValue(random);
  else if (typeof value === 'string') holder[key] = value + pick(WORDS, random);
  else if (typeof value === 'number') holder[key] = value * pick([-1, 0.5, 2, 1000, 1e300], random);
});
const byHand = changed(
  (slots, random) => {
    const { holder, key } = pick(slots, random);
    holder[key] = HOLE;
  },
  (text, random) => text.replace(`"${HOLE}"`, pick(RAW, random)),
);
/** More brackets than a recursive reader has stack for. */
const deep: Mutator = (_, random) => {
  const depth = pick([100, 10_000, 200_000], random);
  return Buffer.from(random.uniform() < 0.5 ? '['.repeat(depth) : '['.repeat(depth) + ']'.repeat(depth));
};

/** Levels of brackets up to which values are changed, as that goes down by calling itself. */
const DEEPEST = 500;

function depthOf(bytes: Uint8Array): number {
  let [depth, most] = [0, 0];
  for (const byte of bytes) {
    if (byte === 0x7b || byte === 0x5b) most = Math.max(most, ++depth);
    else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return most;
}

/** Whether the bytes begin as JSON and are JSON, of a size and depth that are changed by their values. */
export function isJson(bytes: Uint8Array): boolean {
  if ((bytes[0] !== 0x7b && bytes[0] !== 0x5b) || bytes.length >= 2 ** 18 || depthOf(bytes) > DEEPEST)
    return false;
  try {
    JSON.parse(latin(bytes));
    return true;
  } catch {
    return false;
  }
}

const values: readonly Mutator[] = [replace, replace, replace, drop, drop, swap, grow, byHand];

/** One JSON text. It is changed a byte a letter, so that damaged UTF-8 passes through. */
export const json: Structure = { fits: isJson, mutators: [...values, deep] };

/** The changes of a JSON text inside of another file. */
export const jsonValues = values;

/** A line of JSON each, the first of which is one. */
export const jsonLines: Structure = {
  fits: (bytes) => {
    const end = bytes.indexOf(10);
    return end > 0 && isJson(bytes.subarray(0, end));
  },
  mutators: [
    (bytes, random, pool) => {
      const lines = latin(bytes).split('\n');
      const at = random.integer(lines.length);
      const line = Buffer.from(lines[at]!, 'latin1');
      if (isJson(line)) lines[at] = latin(pick(values, random)(line, random, pool));
      return Buffer.from(lines.join('\n'), 'latin1');
    },
  ],
};
