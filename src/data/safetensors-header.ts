// The header of a safetensors file: eight bytes with the length of a JSON text, and the text, padded with spaces to a
// multiple of eight, which says where each tensor lies. It is enough to read or write a file piece by piece.
import { UserError } from '../common/errors.js';

/** Bytes of an element by the format's name of its type. */
const BYTES: Readonly<Record<string, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** Longest header that is believed, the limit of the reference implementation. */
const LARGEST_HEADER = 100_000_000;
const METADATA = '__metadata__';
const PREFIX = 8;

/** Numbers in a tensor of `shape`. */
export const productOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/**
 * The first bytes of a file with tensors of these types (the format's names) and shapes in their order, and
 * `metadata`; the tensors' bytes follow. For a file that is written piece by piece.
 */
export function writeSafetensorsHeader(
  tensors: ReadonlyMap<string, { code: string; shape: readonly number[] }>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header[METADATA] = metadata;
  let end = 0;
  for (const [name, { code, shape }] of tensors) {
    if (name === METADATA) throw new Error(`a tensor cannot be called '${METADATA}'`);
    const bytes = productOf(shape) * (BYTES[code] ?? Number.NaN);
    header[name] = { dtype: code, shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = PREFIX + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(start).fill(0x20, PREFIX);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - PREFIX), true);
  bytes.set(text, PREFIX);
  return bytes;
}

/** Where a tensor lies in a file. */
export interface TensorPlace {
  /** The format's name of its element type, such as F32. */
  code: string;
  /** Sizes of the axes. */
  shape: number[];
  /** Its bytes, counted from the start of the file: from .. to - 1. */
  from: number;
  to: number;
}

/** What a file says of itself. */
export interface SafetensorsHeader {
  tensors: Map<string, TensorPlace>;
  metadata: Record<string, string>;
}

/**
 * The length of a file's header with the eight bytes before it, from (at least) these eight. Throws a `UserError`
 * that starts with `source` when they are not there or announce an impossible length.
 */
export function safetensorsHeaderLength(bytes: Uint8Array, source: string): number {
  if (bytes.length < PREFIX) damaged(source, `only ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > LARGEST_HEADER) damaged(source, `a header of ${length} bytes is announced`);
  return PREFIX + length;
}

/**
 * Reads the header of a file of `size` bytes from its first bytes, `safetensorsHeaderLength` of them at least:
 * enough to read parts of a file that is too large to be read whole. Throws a `UserError` that starts with
 * `source` when the header is damaged or the file is cut off.
 */
export function readSafetensorsHeader(bytes: Uint8Array, size: number, source: string): SafetensorsHeader {
  const start = safetensorsHeaderLength(bytes, source);
  if (start > bytes.length) damaged(source, 'cut off inside the header');
  const tensors = new Map<string, TensorPlace>();
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(parseHeader(bytes.subarray(PREFIX, start), source))) {
    if (name === METADATA) {
      if (!isTexts(entry)) damaged(source, 'its metadata are not texts');
      metadata = entry as Record<string, string>;
      continue;
    }
    const { code, shape, from, to } =
      checkEntry(entry) ?? damaged(source, `tensor '${name}' is not described properly`);
    const bytesEach = BYTES[code];
    if (bytesEach !== undefined && to - from !== productOf(shape) * bytesEach) {
      damaged(source, `tensor '${name}' has ${to - from} bytes, which is not ${code} of shape [${shape}]`);
    }
    if (start + to > size) damaged(source, `cut off inside tensor '${name}'`);
    tensors.set(name, { code, shape, from: start + from, to: start + to });
  }
  let end = start;
  for (const { from, to } of [...tensors.values()].sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end) damaged(source, 'its tensors overlap or leave gaps');
    end = to;
  }
  if (end !== size) damaged(source, `${size - end} bytes after the last tensor`);
  return { tensors, metadata };
}

function damaged(source: string, problem: string): never {
  throw new UserError(`${source}: ${problem}; the file is damaged or no safetensors file`);
}

function parseHeader(text: Uint8Array, source: string): object {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch {
    damaged(source, 'its header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    return damaged(source, 'its header is not an object');
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
