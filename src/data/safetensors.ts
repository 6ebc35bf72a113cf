// Named tensors in one file, in the safetensors format (Hugging Face, version 0.x): eight bytes with the
// length of a JSON header, the header padded with spaces to a multiple of eight, then the tensors' bytes
// without gaps, little-endian and row-major. Nothing in such a file can run, and a damaged one is noticed.
import { UserError } from '../common/errors.js';
import { productOf, readSafetensorsHeader, writeSafetensorsHeader } from './safetensors-header.js';

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

/**
 * The bytes of a file with `tensors` in their order, and `metadata`. Throws when a tensor's numbers do not
 * fill its shape or are not of its dtype.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, { dtype: StoredDType; shape: readonly number[]; data: StoredData }>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const described = new Map<string, { code: string; shape: readonly number[] }>();
  let size = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    const { code, array } = TYPES[dtype];
    if (!(data instanceof array) || data.length !== productOf(shape)) {
      throw new Error(
        `tensor '${name}': ${data.length} numbers do not make a ${dtype} tensor of shape [${shape}]`,
      );
    }
    described.set(name, { code, shape });
    size += data.byteLength;
  }
  const header = writeSafetensorsHeader(described, metadata);
  const bytes = new Uint8Array(header.length + size);
  bytes.set(header);
  let offset = header.length;
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
  const { tensors: places, metadata } = readSafetensorsHeader(bytes, bytes.length, source);
  // A Buffer's slice would share memory instead of copying.
  const whole = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { code, shape, from, to }] of places) {
    const dtype = (Object.keys(TYPES) as StoredDType[]).find((type) => TYPES[type].code === code);
    if (!dtype) {
      const known = Object.values(TYPES).map((type) => type.code);
      throw new UserError(`${source}: tensor '${name}' has type ${code}; only ${known.join(', ')} are read`);
    }
    tensors.set(name, { dtype, shape, data: new TYPES[dtype].array(whole.slice(from, to).buffer) });
  }
  return { tensors, metadata };
}
