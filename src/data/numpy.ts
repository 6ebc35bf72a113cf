// Matrices from NumPy's array format (NEP 1): magic and version, the length of a header, a Python literal with
// type, order and shape, then the numbers. Read is what an embedding file holds (real numbers, row-major), and a
// dictionary of arrays, pickled as older TensorFlow ports keep their weights.
import { UserError } from '../common/errors.js';
import { denseNumbers, type ElementName, elementTypes, rowMajor } from './element-types.js';
import { type NumberArray, pickledArray, soleObject } from './numpy-array.js';
import { readPickle } from './pickle.js';
import { pickledMap, pickledName } from './pickle-values.js';

const MAGIC = '\u0093NUMPY';

/** The element types that are read, by NumPy's name. */
const types: Readonly<Record<string, ElementName>> = { '<f4': 'float32', '<f8': 'float64' };

/** A file's header and where the numbers begin, or the pickle. */
function readHeader(bytes: Uint8Array, fail: (problem: string) => never): { header: string; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const latin = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString('latin1');
  if (bytes.length < 12 || latin(0, 6) !== MAGIC) fail('no .npy file: it does not begin as one');
  // Version 1 has two bytes of length, later ones four.
  const start = bytes[6] === 1 ? 10 : 12;
  const end = start + (bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > bytes.length) fail('cut off inside the header');
  return { header: latin(start, end), end };
}

const typeIn = (header: string): string => /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? '?';

/**
 * The arrays in a .npy file that holds one dictionary {layer: {name: array}} (`numpy.save` of a dictionary), as
 * float32 and row-major, whatever their type and order were. Nothing in the file is executed. Throws a `UserError`
 * that starts with `source` (the file's path) when the bytes are damaged or hold something else.
 */
export function readNumpyDictionary(
  bytes: Uint8Array,
  source: string,
): Map<string, Map<string, NumberArray>> {
  const fail = (problem: string): never => {
    throw new UserError(`${source}: ${problem}`);
  };
  const { header, end } = readHeader(bytes, fail);
  if (typeIn(header) !== '|O') fail('holds numbers, not a dictionary of arrays');
  const { value } = readPickle(bytes, source, { start: end });
  const layers =
    pickledMap(soleObject(value)) ?? fail('holds no dictionary; expected {layer: {name: array}}');
  const result = new Map<string, Map<string, NumberArray>>();
  for (const [key, held] of layers) {
    const layer = pickledName(key);
    const arrays =
      pickledMap(held) ?? fail(`'${layer}' is no dictionary of arrays; expected {layer: {name: array}}`);
    const read = new Map<string, NumberArray>();
    for (const [key, value] of arrays) {
      const name = pickledName(key);
      const array = pickledArray(value);
      read.set(name, typeof array === 'string' ? fail(`'${layer}.${name}' ${array}`) : array);
    }
    result.set(layer, read);
  }
  return result;
}

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
  const { header, end } = readHeader(bytes, fail);
  const named = typeIn(header);
  const type = Object.hasOwn(types, named) ? types[named] : undefined;
  if (!type) return fail(`its numbers are of type ${named}; only ${Object.keys(types)} are read`);
  const shape = /'shape':\s*\((\d+),\s*(\d+)\)/.exec(header)?.slice(1).map(Number);
  if (!shape || !/'fortran_order':\s*False/.test(header))
    return fail('not a matrix in row-major order (numpy.save of an [N, D] array)');
  const count = shape[0]! * shape[1]!;
  if (bytes.length - end !== count * elementTypes[type].bytes)
    fail(`${bytes.length - end} bytes do not make a matrix of ${shape.join(' x ')} of type ${named}`);
  const block = {
    bytes: bytes.subarray(end),
    type,
    littleEndian: true,
    offset: 0,
    shape,
    strides: rowMajor(shape),
  };
  return { shape: shape as [number, number], data: denseNumbers(block) };
}
