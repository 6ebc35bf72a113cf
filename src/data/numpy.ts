// Matrices from NumPy's array format (NEP 1): magic and version, the length of a header, a Python literal with
// type, order and shape, then the numbers. Only what an embedding file holds is read: real numbers, row-major.
import { UserError } from '../common/errors.js';

const MAGIC = '\u0093NUMPY';

/** Readers of the element types, by NumPy's name. */
const types: Record<string, { bytes: number; read(view: DataView, offset: number): number }> = {
  '<f4': { bytes: 4, read: (view, offset) => view.getFloat32(offset, true) },
  '<f8': { bytes: 8, read: (view, offset) => view.getFloat64(offset, true) },
};

/**
 * The matrix in a .npy file's bytes, as float32. Throws a `UserError` that starts with `source` (the file's path)
 * when the bytes are damaged, or hold another type than float32 and float64, or no matrix in row-major order.
 */
export function readNumpy(
  bytes: Uint8Array,
  source: string,
): { shape: [number, number]; data: Float32Array } {
  const fail = (problem: string): never => {
    throw new UserError(`${source}: ${problem}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const latin = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString('latin1');
  if (bytes.length < 12 || latin(0, 6) !== MAGIC) fail('no .npy file: it does not begin as one');
  // Version 1 has two bytes of length, later ones four.
  const start = bytes[6] === 1 ? 10 : 12;
  const end = start + (bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > bytes.length) fail('cut off inside the header');
  const header = latin(start, end);
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? '?';
  const reader = types[type] ?? fail(`its numbers are of type ${type}; only ${Object.keys(types)} are read`);
  const shape = /'shape':\s*\((\d+),\s*(\d+)\)/.exec(header)?.slice(1).map(Number);
  if (!shape || !/'fortran_order':\s*False/.test(header))
    return fail('not a matrix in row-major order (numpy.save of an [N, D] array)');
  const count = shape[0]! * shape[1]!;
  if (bytes.length - end !== count * reader.bytes)
    fail(`${bytes.length - end} bytes do not make a matrix of ${shape.join(' x ')} of type ${type}`);
  const data = Float32Array.from({ length: count }, (_, i) => reader.read(view, end + i * reader.bytes));
  return { shape: shape as [number, number], data };
}
