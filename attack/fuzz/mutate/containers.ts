// Changes behind a header's back: the length that a header announces is put right after its text was changed, so that the
// reader sees the change and not a damaged file.
import type { Random } from '../../../src/common/random.js';
import { byteMutators } from './bytes.js';
import { isJson, jsonValues } from './json.js';
import { latin, type Mutator, pick, type Structure, splice, unlatin, viewOf } from './mutator.js';
import { text } from './text.js';

const begins = (bytes: Uint8Array, magic: string): boolean =>
  latin(bytes.subarray(0, magic.length)) === magic;

/** Where the JSON header of a safetensors file ends; undefined when there is none. */
function safetensorsEnd(bytes: Uint8Array): number | undefined {
  if (bytes.length < 10 || bytes[8] !== 0x7b) return undefined;
  const end = 8 + Number(viewOf(bytes).getBigUint64(0, true));
  return end <= bytes.length && isJson(bytes.subarray(8, end)) ? end : undefined;
}

const safetensorsHeader: Mutator = (bytes, random, pool) => {
  const end = safetensorsEnd(bytes)!;
  const header = pick(jsonValues, random)(bytes.subarray(8, end), random, pool);
  const length = new Uint8Array(8);
  viewOf(length).setBigUint64(0, BigInt(header.length), true);
  return Buffer.concat([length, header, bytes.subarray(end)]);
};

/** A JSON header with its length before it (safetensors). */
export const safetensors: Structure = {
  fits: (bytes) => safetensorsEnd(bytes) !== undefined,
  mutators: [safetensorsHeader],
};

const NUMPY = '\u0093NUMPY\u0001';
const numpyEnd = (bytes: Uint8Array): number => 10 + viewOf(bytes).getUint16(8, true);

/** Descriptions of arrays that are no matrix of floats, or hardly one. */
const LITERALS = [
  ["'<f4'", "'>f4'"],
  ["'<f4'", "'|O'"],
  ["'<f4'", "'<f16'"],
  ["'<f4'", "'<f8'"],
  ['False', 'True'],
  ['(', '(-'],
  ['(', '(0, '],
  [',', ''],
  ["'descr'", "'descr': '<f4', 'descr'"],
  [/\d+/, '4294967296'],
  [/\d+/, '0'],
  [/\d+/, '9007199254740993'],
] as const;

const numpyHeader: Mutator = (bytes, random, pool) => {
  const end = numpyEnd(bytes);
  const before = bytes.subarray(10, end);
  const [from, to] = pick(LITERALS, random);
  const after =
    random.uniform() < 0.6
      ? unlatin(latin(before).replace(from, to))
      : pick(text.mutators, random)(before, random, pool);
  const header = after.subarray(0, 0xffff);
  const head = bytes.slice(0, 10);
  viewOf(head).setUint16(8, header.length, true);
  return Buffer.concat([head, header, bytes.subarray(end)]);
};

/** A Python literal with its length before it (.npy). */
export const numpy: Structure = {
  fits: (bytes) => bytes.length > 12 && begins(bytes, NUMPY) && numpyEnd(bytes) <= bytes.length,
  mutators: [numpyHeader],
};

/** The opcodes of pickles, with bytes for the argument that some of them have. */
const OPCODES =
  '().012FNTIJKLMPQRSUVXabcdeghijlopqrstu}]\x80\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e';
const MORE = '\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98';

function pickleProgram(random: Random): Uint8Array {
  const parts = Array.from({ length: 1 + random.integer(12) }, () => {
    const opcode = pick([...OPCODES, ...MORE], random);
    const argument =
      random.uniform() < 0.5 ? '' : pick(['\x00', '\x01', '\x05', '\xff\xff\xff\xff', '1\n'], random);
    return opcode + argument;
  });
  return unlatin(parts.join(''));
}

const opcodes: Mutator = (bytes, random) => {
  const program = pickleProgram(random);
  const at = random.integer(bytes.length);
  return splice(bytes, at, random.uniform() < 0.5 ? 0 : Math.min(program.length, bytes.length - at), program);
};
/** Tuples in tuples, each twice in the next: small as a pickle, endless for whoever writes it out. */
const doubling: Mutator = (bytes, random) => {
  const levels = pick([20, 60, 5000], random);
  const head = bytes.subarray(0, bytes[0] === 0x80 ? 2 : 0);
  return Buffer.concat([head, unlatin(`]${'q\x012\x86'.repeat(levels)}`), bytes.subarray(head.length)]);
};

/** Python's pickles, and files that begin with one. */
export const pickle: Structure = {
  fits: (bytes) => bytes[0] === 0x80 && bytes[1]! <= 5,
  mutators: [opcodes, opcodes, doubling],
};

/** A varint, undefined where it does not end. */
function varint(bytes: Uint8Array, at: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let i = 0; i < 10 && at + i < bytes.length; i++) {
    value += (bytes[at + i]! & 0x7f) * 2 ** (7 * i);
    if (bytes[at + i]! < 0x80) return { value, end: at + i + 1 };
  }
  return undefined;
}

function encoded(value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 0x80n) return Uint8Array.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

/** A field of a Protocol Buffers message: its key and, of a field with a length, the content. */
interface Field {
  key: number;
  from: number;
  to: number;
}

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** The fields of a message; undefined when the bytes are none. */
function fieldsOf(bytes: Uint8Array): Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const key = varint(bytes, at);
    if (!key || key.value < 8 || key.value > 2 ** 20) return undefined;
    const wire = key.value % 8;
    const length = wire === WIRE.bytes ? varint(bytes, key.end) : undefined;
    const from = length?.end ?? key.end;
    const to =
      wire === WIRE.varint
        ? varint(bytes, from)?.end
        : wire === WIRE.fixed64
          ? from + 8
          : wire === WIRE.fixed32
            ? from + 4
            : length && from + length.value;
    if (to === undefined || to > bytes.length) return undefined;
    fields.push({ key: key.value, from, to });
    at = to;
  }
  return fields.length > 0 ? fields : undefined;
}

function written(key: number, content: Uint8Array): Uint8Array {
  const parts = [encoded(BigInt(key)), content];
  if (key % 8 === WIRE.bytes) parts.splice(1, 0, encoded(BigInt(content.length)));
  return Buffer.concat(parts);
}

const WHOLE_NUMBERS = [
  0n,
  1n,
  -1n,
  2n,
  3n,
  7n,
  8n,
  255n,
  65536n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 40n,
  2n ** 62n,
];

/** One field, at any depth, changed; the lengths around it follow. */
const changeField: Mutator = (bytes, random, pool) => {
  const fields = fieldsOf(bytes);
  if (!fields) return pick(byteMutators, random)(bytes, random, pool);
  const { key, from, to } = pick(fields, random);
  const content = bytes.subarray(from, to);
  const keyAt = from - written(key, content).length + content.length;
  const put = (...fields: Uint8Array[]) => splice(bytes, keyAt, to - keyAt, Buffer.concat(fields));
  const kind = random.integer(10);
  if (kind === 0) return put();
  if (kind === 1) return put(written(key, content), written(key, content));
  if (kind === 2) return put(written(8 * (1 + random.integer(20)) + (key % 8), content));
  if (key % 8 === WIRE.varint) return put(written(key, encoded(pick(WHOLE_NUMBERS, random))));
  if (key % 8 !== WIRE.bytes)
    return put(written(key, pick(byteMutators, random)(content, random, pool).subarray(0, to - from)));
  const inner =
    content.length < 2 ** 20 && fieldsOf(content)
      ? changeField
      : pick([...byteMutators, ...text.mutators], random);
  return put(written(key, inner(content, random, pool)));
};

/** Protocol Buffers messages: ONNX and Caffe models. */
export const protobuf: Structure = {
  fits: (bytes) => bytes.length < 2 ** 22 && fieldsOf(bytes) !== undefined,
  mutators: [changeField, changeField, changeField, changeField],
};
