// The index of a record file (train.idx): a line a record, its key and the byte where it begins, with a tab between.
// Sets have tens of millions of records, so the lines become two arrays of numbers and nothing else.
import { UserError } from '../common/errors.js';
import { readWhole } from '../common/files.js';

/** Keys, rising, and the byte where each one's record begins. */
export interface RecordIndex {
  keys: Float64Array;
  offsets: Float64Array;
}

const [LINE_FEED, RETURN, TAB, SPACE, ZERO, NINE] = [10, 13, 9, 32, 48, 57] as const;

/** Reads an index. Throws a UserError that names the line, or the key or place that two lines have. */
export async function readRecordIndex(file: string): Promise<RecordIndex> {
  const bytes = await readWhole(file);
  const numbers: number[] = [];
  let line = 1;
  let inLine = 0;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at]!;
    if (byte >= ZERO && byte <= NINE) {
      let value = 0;
      for (; bytes[at]! >= ZERO && bytes[at]! <= NINE; at++) value = value * 10 + bytes[at]! - ZERO;
      numbers.push(value);
      inLine++;
      continue;
    }
    if (byte === LINE_FEED) {
      if (inLine === 1) break;
      inLine = 0;
      line++;
    } else if (byte !== RETURN && byte !== TAB && byte !== SPACE) inLine = Number.NaN;
    if (Number.isNaN(inLine) || inLine > 2) break;
    at++;
  }
  if (inLine !== 0 && inLine !== 2) throw new UserError(`${file} line ${line}: is not 'key TAB byte'`);
  const count = numbers.length / 2;
  const order = Uint32Array.from({ length: count }, (_, i) => i).sort(
    (a, b) => numbers[2 * a]! - numbers[2 * b]!,
  );
  const keys = Float64Array.from(order, (i) => numbers[2 * i]!);
  const offsets = Float64Array.from(order, (i) => numbers[2 * i + 1]!);
  const key = repeated(keys);
  if (key !== undefined) throw new UserError(`${file}: has two lines for record ${key}`);
  const place = repeated(Float64Array.from(offsets).sort());
  if (place !== undefined) throw new UserError(`${file}: two records begin at byte ${place}`);
  return { keys, offsets };
}

/** The first number that a rising list has twice. */
function repeated(rising: Float64Array): number | undefined {
  for (let i = 1; i < rising.length; i++) if (rising[i] === rising[i - 1]) return rising[i];
  return undefined;
}
