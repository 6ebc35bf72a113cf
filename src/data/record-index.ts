// The index of a record file (train.idx): a line a record, its key and the byte where it begins, with a tab between.
// Sets have tens of millions of records, so the file is read in pieces and becomes two arrays of numbers, nothing else.
import { createReadStream } from 'node:fs';
import { UserError } from '../common/errors.js';
import { unreadableFile } from '../common/files.js';

/** Keys, rising, and the byte where each one's record begins. */
export interface RecordIndex {
  keys: Float64Array;
  offsets: Float64Array;
}

const [LINE_FEED, RETURN, TAB, SPACE, ZERO, NINE] = [10, 13, 9, 32, 48, 57] as const;
/** Bytes read at a time. */
const CHUNK = 1 << 20;

/** Reads an index. Throws a UserError that names the line, or the key or place that two lines have. */
export async function readRecordIndex(file: string): Promise<RecordIndex> {
  const numbers = new Numbers();
  let line = 1;
  let inLine = 0;
  /** The number at hand, which may go on in the next piece. */
  let value: number | undefined;
  const fail = (): never => {
    throw new UserError(`${file} line ${line}: is not 'key TAB byte'`);
  };
  const finish = () => {
    if (value === undefined) return;
    if (++inLine > 2) fail();
    numbers.add(value);
    value = undefined;
  };
  for await (const piece of piecesOf(file)) {
    for (const byte of piece) {
      if (byte >= ZERO && byte <= NINE) {
        value = (value ?? 0) * 10 + byte - ZERO;
        continue;
      }
      finish();
      if (byte === LINE_FEED) {
        if (inLine === 1) fail();
        inLine = 0;
        line++;
      } else if (byte !== RETURN && byte !== TAB && byte !== SPACE) fail();
    }
  }
  finish();
  if (inLine === 1) fail();

  let keys = numbers.every(2, 0);
  let offsets = numbers.every(2, 1);
  // Most indexes have their keys in order already, and sorting millions takes a while.
  if (!isRising(keys)) {
    const [k, o] = [keys, offsets];
    const order = Uint32Array.from(k, (_, i) => i).sort((a, b) => k[a]! - k[b]!);
    keys = Float64Array.from(order, (i) => k[i]!);
    offsets = Float64Array.from(order, (i) => o[i]!);
  }
  const key = repeated(keys);
  if (key !== undefined) throw new UserError(`${file}: has two lines for record ${key}`);
  const place = repeated(isRising(offsets) ? offsets : offsets.slice().sort());
  if (place !== undefined) throw new UserError(`${file}: two records begin at byte ${place}`);
  return { keys, offsets };
}

/** A file's bytes, piece by piece. Throws a UserError that names it when it cannot be read. */
async function* piecesOf(file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of createReadStream(file, { highWaterMark: CHUNK })) yield piece as Buffer;
  } catch (error) {
    throw unreadableFile(file, error);
  }
}

/** A list of numbers that grows. */
class Numbers {
  #values = new Float64Array(1 << 12);
  #count = 0;

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const grown = new Float64Array(Math.ceil(1.5 * this.#count));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#count++] = value;
  }

  /** Every `step`-th number from `first` on. */
  every(step: number, first: number): Float64Array {
    return Float64Array.from({ length: this.#count / step }, (_, i) => this.#values[i * step + first]!);
  }
}

function isRising(values: Float64Array): boolean {
  for (let i = 1; i < values.length; i++) if (values[i]! < values[i - 1]!) return false;
  return true;
}

/** The first number that a rising list has twice. */
function repeated(rising: Float64Array): number | undefined {
  for (let i = 1; i < rising.length; i++) if (rising[i] === rising[i - 1]) return rising[i];
  return undefined;
}
