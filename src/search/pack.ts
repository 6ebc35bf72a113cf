// Unit templates in fewer bytes: half precision (IEEE 754 binary16), or eight bits a number with one scale a row.
// The scale of a row makes it a unit vector again, so eight bits turn a template a little and do not shorten it.
import { halfToNumber } from '../data/element-types.js';
import type { StoredRows, TemplateType } from './source.js';

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The 16 bits of the half-precision number nearest to `value`, ties to even; too large ones become infinite. */
export function numberToHalf(value: number): number {
  float[0] = value;
  const sign = (bits[0]! >>> 16) & 0x8000;
  const size = bits[0]! & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00;
  if (size >= 0x477ff000) return sign | 0x7c00; // 65520, from where on the nearest is infinity.
  if (size >= 0x38800000) return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
  const units = Math.abs(float[0]) * 2 ** 24; // Below 2^-14 numbers lie 2^-24 apart.
  const low = Math.floor(units);
  const rest = units - low;
  return sign | (low + (rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? 1 : 0));
}

let halves: Float32Array | undefined;
/** All 65,536 half-precision numbers by their bits. */
function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 2 ** 16 }, (_, half) => halfToNumber(half));
  return halves;
}

/** Largest whole number of an int8 template; -128 is not used, so that the range is symmetrical. */
const LEVELS = 127;

/** Rows of unit vectors [N, length] as `type` stores them. float32 is handed back as it is. */
export function packRows(rows: Float32Array, length: number, type: TemplateType): StoredRows {
  if (type === 'float32') return { values: rows };
  if (type === 'float16') {
    const values = new Uint16Array(rows.length);
    for (let i = 0; i < rows.length; i++) values[i] = numberToHalf(rows[i]!);
    return { values };
  }
  const count = rows.length / length;
  const values = new Int8Array(rows.length);
  const scales = new Float32Array(count);
  for (let row = 0; row < count; row++) {
    const start = row * length;
    let largest = 0;
    for (let d = start; d < start + length; d++) largest = Math.max(largest, Math.abs(rows[d]!));
    let squares = 0;
    for (let d = start; d < start + length; d++) {
      const level = Math.round((rows[d]! / largest) * LEVELS);
      values[d] = level;
      squares += level * level;
    }
    scales[row] = 1 / Math.sqrt(squares);
  }
  return { values, scales };
}

/** Writes `count` stored rows to the start of `into` [count, length] as float32. */
export function unpackRows(
  { values, scales }: StoredRows,
  count: number,
  length: number,
  into: Float32Array,
): void {
  if (values instanceof Uint16Array) {
    const table = halfTable();
    for (let i = 0; i < count * length; i++) into[i] = table[values[i]!]!;
  } else if (values instanceof Int8Array) {
    for (let row = 0; row < count; row++) {
      const scale = scales![row]!;
      for (let d = row * length; d < (row + 1) * length; d++) into[d] = values[d]! * scale;
    }
  } else into.set(values.subarray(0, count * length));
}
