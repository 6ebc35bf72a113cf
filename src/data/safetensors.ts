// Named tensors in one file, in the safetensors format (Hugging Face, version 0.x): eight bytes with the
// length of a JSON header, the header padded with spaces to a multiple of eight, then the tensors' bytes
// without gaps, little-endian and row-major. Nothing in such a file can run, and a damaged one is noticed.
import { UserError } from '../common/errors.js';

const TYPES = {
  float64: { code: 'F64', array: Float64Array },
  float32: { code: 'F32', array: Float32Array },
  int64: { code: 'I64', array: BigInt64Array },
  int32: { code: 'I32', array: Int32Array },
  int16: { code: 'I16', array: Int16Array },
  int8: { code: 'I8', array: Int8Array },
  uint8: { code: 'U8', array: Uint8Array },
  bool: { code: 'BOOL', array: Uint8Array },
} as const;

/** Element types that are read and written; 'bool' is a byte of 0 or 1. */
export type StoredDType = keyof typeof TYPES;

/** The values of a stored tensor. */
export type StoredData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array;

/** One tensor of a file. */
export interface StoredTensor {
  dtype: StoredDType;
  /** Sizes of the axes; a scalar has none. */
  shape: number[];
  /** Row-major; a typed array of the dtype (int64 as BigInt64Array). */
  data: StoredData;
}

/** What a file holds. */
export interface Safetensors {
  tensors: Map<string, StoredTensor>;
  /** Free texts, such as a version or a licence. */
  metadata: Record<string, string>;
}

/** Longest header that is believed, the limit of the reference implementation. */
const LARGEST_HEADER = 100_000_000;
const METADATA = '__metadata__';
const PREFIX = 8;

const productOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/**
 * The bytes of a file with `tensors` in their order, and `metadata`. Throws when a tensor's numbers do not
 * fill its shape or are not of its dtype.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, { dtype: StoredDType; shape: readonly number[]; data: StoredData }>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header[METADATA] = metadata;
  let end = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    const { code, array } = TYPES[dtype];
    if (name === METADATA) throw new Error(`a tensor cannot be called '${METADATA}'`);
    if (!(data instanceof array) || data.length !== productOf(shape)) {
      throw new Error(
        `tensor '${name}': ${data.length} numbers do not make a ${dtype} tensor of shape [${shape}]`,
      );
    }
    header[name] = { dtype: code, shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = PREFIX + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(start + end).fill(0x20, PREFIX, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - PREFIX), true);
  bytes.set(text, PREFIX);
  let offset = start;
  for (const { data } of tensors.values()) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/**
 * Reads a file's bytes; the arrays are copies. Throws a `UserError` that starts with `source` (the file's
 * path) when the bytes are cut off, damaged, or hold a dtype that is not supported.
 */
export function readSafetensors(bytes: Uint8Array, source = 'safetensors file'): Safetensors {
  const damaged = (problem: string): never => {
    throw new UserError(`${source}: ${problem}; the file is damaged or no safetensors file`);
  };
  if (bytes.length < PREFIX) damaged(`only ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > LARGEST_HEADER) damaged(`a header of ${length} bytes is announced`);
  if (PREFIX + length > bytes.length) damaged('cut off inside the header');
  const entries = Object.entries(parseHeader(bytes.subarray(PREFIX, PREFIX + length), damaged));
  // Not subarray: a Buffer's would be a Buffer, whose slice shares memory instead of copying.
  const body = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(PREFIX + length);

  const tensors = new Map<string, StoredTensor>();
  const ranges: [from: number, to: number][] = [];
  let metadata: Record<string, string> = {};
  for (const [name, entry] of entries) {
    if (name === METADATA) {
      if (!isTexts(entry)) damaged('its metadata are not texts');
      metadata = entry as Record<string, string>;
      continue;
    }
    const { code, shape, from, to } =
      checkEntry(entry) ?? damaged(`tensor '${name}' is not described properly`);
    const dtype = (Object.keys(TYPES) as StoredDType[]).find((type) => TYPES[type].code === code);
    if (!dtype) {
      const known = Object.values(TYPES).map((type) => type.code);
      throw new UserError(`${source}: tensor '${name}' has type ${code}; only ${known.join(', ')} are read`);
    }
    const { array } = TYPES[dtype];
    if (to - from !== productOf(shape) * array.BYTES_PER_ELEMENT) {
      damaged(`tensor '${name}' has ${to - from} bytes, which is not ${code} of shape [${shape}]`);
    }
    if (to > body.length) damaged(`cut off inside tensor '${name}'`);
    tensors.set(name, { dtype, shape, data: new array(body.slice(from, to).buffer) });
    ranges.push([from, to]);
  }
  let end = 0;
  for (const [from, to] of ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (from !== end) damaged('its tensors overlap or leave gaps');
    end = to;
  }
  if (end !== body.length) damaged(`${body.length - end} bytes after the last tensor`);
  return { tensors, metadata };
}

function parseHeader(text: Uint8Array, damaged: (problem: string) => never): object {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch {
    damaged('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    return damaged('its header is not an object');
  }
  return header;
}

const isTexts = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((text) => typeof text === 'string');

const areSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);

/** The parts of a tensor's entry, or nothing when one is missing or of the wrong kind. */
function checkEntry(entry: unknown): { code: string; shape: number[]; from: number; to: number } | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>;
  if (typeof dtype !== 'string' || !areSizes(shape) || !areSizes(offsets) || offsets.length !== 2)
    return undefined;
  const [from, to] = offsets as [number, number];
  return from <= to ? { code: dtype, shape, from, to } : undefined;
}
