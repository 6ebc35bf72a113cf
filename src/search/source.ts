// Where templates come from: anything that can hand out rows of unit vectors, block by block, so that a search
// needs to hold a few blocks and never the whole gallery. Here are the interface, and a source in memory.
import { UserError } from '../common/errors.js';
import { noDirection, squaredNorm } from '../theory/vectors.js';

/** How the numbers of templates are stored. */
export type TemplateType = 'float32' | 'float16' | 'int8';

/** Rows of templates as they are stored: row i is `values` row i, for int8 times `scales[i]`. */
export interface StoredRows {
  /** [rows, length]; float16 as its 16 bits. */
  values: Float32Array | Uint16Array | Int8Array;
  /** [rows], int8 only. */
  scales?: Float32Array;
}

/** N unit templates of D numbers that are read in blocks. */
export interface TemplateSource {
  /** Rows, N. */
  readonly count: number;
  /** Numbers of a row, D. */
  readonly length: number;
  /** Writes rows first .. first + count - 1, [count, length], to the start of `into`. */
  read(first: number, count: number, into: Float32Array): void | Promise<void>;
  /** The same rows without a copy, where the source holds them; they are not written to. */
  view?(first: number, count: number): Float32Array;
  /** Rows as they are stored, where that is smaller than float32; the product converts them. */
  readonly packed?: {
    readonly type: Exclude<TemplateType, 'float32'>;
    /** Like `read`, with room for at least `count` rows in `into`. */
    read(first: number, count: number, into: StoredRows): void | Promise<void>;
  };
}

/** How far the length of a 'unit' vector may be from 1: more than int8 and float16 bring about, less than a mistake. */
export const UNIT_TOLERANCE = 1e-2;

/** How many rows of `length` are in `values`. Throws UserError when they do not fill whole rows. */
export function countRows(values: ArrayLike<number>, length: number, what: string): number {
  const count = values.length / length;
  if (!(length > 0) || !Number.isInteger(count))
    throw new UserError(`${what}: ${values.length} numbers do not make rows of ${length}`);
  return count;
}

/** Throws UserError unless every row of `values` [N, length] is a unit vector; `what` names a row in the message. */
export function requireUnit(values: Float32Array, length: number, what: string): void {
  const count = countRows(values, length, `${what}s`);
  for (let row = 0; row < count; row++) {
    const norm = Math.sqrt(squaredNorm(values, row * length, length));
    if (!(norm > 0 && norm < Infinity)) throw new UserError(`${what} ${row}: ${noDirection(norm)}`);
    if (Math.abs(norm - 1) > UNIT_TOLERANCE)
      throw new UserError(
        `${what} ${row}: its length is ${norm.toPrecision(4)}, not 1; scale it to unit length first`,
      );
  }
}

/**
 * Scales every row of `values` [N, length] to unit length, in place, and returns it. Throws UserError for a row
 * without a direction, named by its number (from `first` on) after `what`.
 */
export function toUnit(values: Float32Array, length: number, what: string, first = 0): Float32Array {
  const count = countRows(values, length, `${what}s`);
  for (let row = 0; row < count; row++) {
    const start = row * length;
    const norm = Math.sqrt(squaredNorm(values, start, length));
    if (!(norm > 0 && norm < Infinity)) throw new UserError(`${what} ${first + row}: ${noDirection(norm)}`);
    for (let d = start; d < start + length; d++) values[d]! /= norm;
  }
  return values;
}

/** Templates in memory: `values` [N, length], unit rows. Throws UserError for a row that is none. */
export function memoryTemplates(values: Float32Array, length: number): TemplateSource {
  requireUnit(values, length, 'template');
  const view = (first: number, count: number) => values.subarray(first * length, (first + count) * length);
  return {
    count: values.length / length,
    length,
    view,
    read: (first, count, into) => into.set(view(first, count)),
  };
}
