// NumPy arrays as pickles describe them: an empty array made by `_reconstruct`, whose state is (version, shape,
// dtype, Fortran order, bytes), or one made by `_frombuffer` (protocol 5). Names of modules differ between versions.
import { countOf, denseNumbers, type ElementName, elementTypes, rowMajor } from './element-types.js';
import { type Pickled, PickledObject, pickledBytes, pickledName, pickledSizes } from './pickle-values.js';

/** Numbers with the sizes of their axes, row-major. */
export interface NumberArray {
  shape: number[];
  data: Float32Array;
}

/** What an array's record says, before its elements are looked at. */
interface Described {
  shape: number[];
  dtype: Pickled;
  fortran: boolean;
  /** Bytes, or a list of objects. */
  elements: Pickled;
}

const kinds: Readonly<Record<string, string>> = { f: 'float', i: 'int', u: 'uint', b: 'bool' };

/** NumPy's short name of a type without byte order, as in 'f4', in words; undefined for what holds no numbers. */
export function elementOf(short: string): ElementName | undefined {
  const [, kind, bytes] = /^([fiub])(\d+)$/.exec(short) ?? [];
  const name = kind === 'b' ? 'bool' : `${kinds[kind ?? '']}${8 * Number(bytes)}`;
  return Object.hasOwn(elementTypes, name) ? (name as ElementName) : undefined;
}

function describe(value: Pickled): Described | undefined {
  if (!(value instanceof PickledObject)) return undefined;
  let parts: readonly (Pickled | undefined)[];
  if (/^numpy\.(core|_core)\.multiarray\._reconstruct$/.test(value.global)) {
    if (!Array.isArray(value.state)) return undefined;
    parts = value.state.slice(-4);
  } else if (/^numpy\.(core|_core)\.numeric\._frombuffer$/.test(value.global)) {
    const [elements, dtype, shape, order] = value.args;
    parts = [shape, dtype, order === 'F', elements];
  } else return undefined;
  const [shape, dtype = null, fortran, elements = null] = parts;
  const sizes = pickledSizes(shape);
  return sizes && { shape: sizes, dtype, fortran: fortran === true, elements };
}

/** The one object in a pickled object array without axes, which is how a dictionary is saved; else undefined. */
export function soleObject(value: Pickled): Pickled | undefined {
  const array = describe(value);
  if (!array || !Array.isArray(array.elements) || array.elements.length !== 1) return undefined;
  return array.elements[0];
}

/** The numbers of a pickled array in row-major order, or the reason why there are none. */
export function pickledArray(value: Pickled): NumberArray | string {
  const array = describe(value);
  if (!array) return 'is no array';
  const { shape, dtype, fortran, elements } = array;
  const bytes = pickledBytes(elements);
  if (!(dtype instanceof PickledObject) || dtype.global !== 'numpy.dtype' || !bytes)
    return 'is an array of objects';
  const short = pickledName(dtype.args[0]);
  const type = elementOf(short);
  if (!type) return `holds values of type '${short}'`;
  const order = Array.isArray(dtype.state) ? dtype.state[1] : '<';
  const strides = fortran ? rowMajor([...shape].reverse()).reverse() : rowMajor(shape);
  const block = { bytes, type, littleEndian: order !== '>', offset: 0, shape, strides };
  if (countOf(block) === undefined) return `has ${bytes.length} bytes, too few for shape [${shape}]`;
  return { shape, data: denseNumbers(block) };
}
