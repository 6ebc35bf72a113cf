// The rows of a source in blocks, one read ahead while the last one is worked on, each filled up with zero rows to
// whole multiples of ROWS. Two blocks are held, whatever the source's size.
import { ROWS } from './product.js';
import type { StoredRows, TemplateSource } from './source.js';

/** A block of templates. */
export interface TemplateBlock {
  /** Its first row's number, and how many rows are templates. */
  first: number;
  count: number;
  /** Rows with those of zeros at the end, a multiple of ROWS. */
  rows: number;
  stored: StoredRows;
}

/** `rows` rounded up to whole multiples of ROWS. */
export const wholeRows = (rows: number): number => Math.ceil(rows / ROWS) * ROWS;

/** Room for `rows` rows as `source` stores them. */
function room({ length, packed }: TemplateSource, rows: number): StoredRows {
  if (packed?.type === 'float16') return { values: new Uint16Array(rows * length) };
  if (packed?.type === 'int8')
    return { values: new Int8Array(rows * length), scales: new Float32Array(rows) };
  return { values: new Float32Array(rows * length) };
}

/**
 * All rows of `source`, `rows` at a time (a multiple of ROWS). A block is valid until the next is asked for; `held`
 * is where the room for two blocks is kept.
 */
export async function* blocksOf(
  source: TemplateSource,
  rows: number,
  held: StoredRows[] = [],
): AsyncGenerator<TemplateBlock, void, undefined> {
  const { count, length } = source;
  const read = async (first: number, turn: number): Promise<TemplateBlock> => {
    const n = Math.min(rows, count - first);
    const full = wholeRows(n);
    if (source.view && n === full)
      return { first, count: n, rows: n, stored: { values: source.view(first, n) } };
    if (!(held[turn] && held[turn].values.length >= full * length))
      held[turn] = room(source, Math.min(rows, wholeRows(count)));
    const stored = held[turn];
    await (source.packed
      ? source.packed.read(first, n, stored)
      : source.read(first, n, stored.values as Float32Array));
    stored.values.fill(0, n * length, full * length);
    stored.scales?.fill(0, n, full);
    return { first, count: n, rows: full, stored };
  };
  let ahead = count > 0 ? read(0, 0) : undefined;
  try {
    for (let first = 0, turn = 1; ahead; turn = 1 - turn) {
      const block = await ahead;
      first += block.count;
      ahead = first < count ? read(first, turn) : undefined;
      ahead?.catch(() => {}); // It is awaited in its turn.
      yield block;
    }
  } finally {
    await ahead?.catch(() => {}); // Nothing may be read into the room after the end.
  }
}
