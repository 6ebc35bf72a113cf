// The number types that weights are stored in, and how a strided block of them becomes a row-major list: both
// NumPy and PyTorch describe a tensor as bytes, an offset, a shape and a step for each axis.

/** How one number is read. */
export interface ElementType {
  /** Of one number. */
  readonly bytes: number;
  read(view: DataView, at: number, littleEndian: boolean): number;
}

/** Half precision (IEEE 754 binary16) from its 16 bits. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const word = new DataView(new ArrayBuffer(4));

/** bfloat16 from its 16 bits: the upper half of a float32. */
export function bfloatToNumber(bits: number): number {
  word.setUint32(0, bits * 0x10000);
  return word.getFloat32(0);
}

/** The types by their usual names. 64-bit integers beyond 2^53 are rounded. */
export const elementTypes = {
  float16: { bytes: 2, read: (view, at, little) => halfToNumber(view.getUint16(at, little)) },
  bfloat16: { bytes: 2, read: (view, at, little) => bfloatToNumber(view.getUint16(at, little)) },
  float32: { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) },
  float64: { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) },
  int8: { bytes: 1, read: (view, at) => view.getInt8(at) },
  int16: { bytes: 2, read: (view, at, little) => view.getInt16(at, little) },
  int32: { bytes: 4, read: (view, at, little) => view.getInt32(at, little) },
  int64: { bytes: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  uint8: { bytes: 1, read: (view, at) => view.getUint8(at) },
  uint16: { bytes: 2, read: (view, at, little) => view.getUint16(at, little) },
  uint32: { bytes: 4, read: (view, at, little) => view.getUint32(at, little) },
  uint64: { bytes: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
  bool: { bytes: 1, read: (view, at) => view.getUint8(at) },
} satisfies Record<string, ElementType>;

/** A number type's name. */
export type ElementName = keyof typeof elementTypes;

/** A block of numbers as it lies in a file. */
export interface StridedNumbers {
  bytes: Uint8Array;
  type: ElementName;
  littleEndian: boolean;
  /** Of the first number, in numbers. */
  offset: number;
  shape: readonly number[];
  /** From one index to the next along each axis, in numbers. */
  strides: readonly number[];
}

/** The steps of a row-major block of `shape`, in numbers. */
export function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * n, 1));
}

/** How many numbers `block` has, or undefined when it reaches out of its bytes or more numbers are announced than bytes. */
export function countOf({ bytes, type, offset, shape, strides }: StridedNumbers): number | undefined {
  const count = shape.reduce((product, n) => product * n, 1);
  const held = Math.floor(bytes.length / elementTypes[type].bytes);
  if (count === 0) return 0;
  const last = shape.reduce((sum, n, axis) => sum + (n - 1) * strides[axis]!, offset);
  // A stride of 0 repeats numbers (a broadcast): believed only up to the size of the storage.
  return last < held && count <= held ? count : undefined;
}

/** The numbers of `block` row-major as float32; check it with `countOf` first. */
export function denseNumbers(block: StridedNumbers): Float32Array {
  const { bytes, type, littleEndian, offset, shape, strides } = block;
  const { bytes: size, read } = elementTypes[type];
  const count = countOf(block) ?? 0;
  const plain = String(strides) === String(rowMajor(shape));
  if (type === 'float32' && littleEndian && plain) {
    const start = bytes.byteOffset + offset * size;
    return new Float32Array(bytes.buffer.slice(start, start + count * size) as ArrayBuffer);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(count);
  const index = shape.map(() => 0);
  let from = offset;
  for (let i = 0; i < out.length; i++) {
    out[i] = read(view, from * size, littleEndian);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
