// The 1:1 protocol's list of template pairs, 'template template label', as a stream: IJB-C's has 15.7 million lines, so
// it is read byte by byte into typed arrays and never held as text.
import { createReadStream } from 'node:fs';
import { UserError } from '../common/errors.js';
import { unreadableFile } from '../common/files.js';

/** Pairs as rows of templates, [P] each. */
export interface IjbPairs {
  first: Uint32Array;
  second: Uint32Array;
  /** 1 for one subject. */
  same: Uint8Array;
  /** Pairs that were listed before, in either order, and of a template with itself. They count like any other. */
  repeated: number;
  selves: number;
}

/** Templates up to which repeated pairs are looked for: a bit a pair, 128 MiB at the most. */
const WATCHED = 32_768;

/**
 * Reads `file`; `rowOf` gives the row of a template's number. Throws a UserError that names the line that is not
 * understood or whose template has no image, and for a list without pairs.
 */
export async function readIjbPairs(file: string, rowOf: ReadonlyMap<number, number>): Promise<IjbPairs> {
  let capacity = 1 << 16;
  let first = new Uint32Array(capacity);
  let second = new Uint32Array(capacity);
  let same = new Uint8Array(capacity);
  let pairs = 0;
  let repeated = 0;
  let selves = 0;
  const templates = rowOf.size;
  const seen = new Uint8Array(templates <= WATCHED ? Math.ceil((templates * templates) / 8) : 0);

  let line = 1;
  const fail = (message: string): never => {
    throw new UserError(`${file} line ${line}: ${message}`);
  };
  const rowAt = (template: number): number =>
    rowOf.get(template) ?? fail(`template ${template} has no image in the list of images`);
  /** The numbers of this line so far, the digits of the one that is being read, and whether there are any. */
  const fields = [0, 0, 0];
  let count = 0;
  let number = 0;
  let digits = 0;
  const endField = () => {
    if (digits === 0) return;
    if (count === 3 || digits > 10) fail("needed are two templates and 1 or 0, as in '1 11065 1'");
    fields[count++] = number;
    number = 0;
    digits = 0;
  };
  const endLine = () => {
    endField();
    if (count === 0) return;
    const [a, b, label] = fields as [number, number, number];
    if (count !== 3 || label > 1) fail("needed are two templates and 1 or 0, as in '1 11065 1'");
    count = 0;
    if (pairs === capacity) {
      capacity *= 2;
      first = grown(first, capacity);
      second = grown(second, capacity);
      same = grown(same, capacity);
    }
    const [one, other] = [rowAt(a), rowAt(b)];
    if (one === other) selves++;
    if (seen.length > 0) {
      const key = Math.min(one, other) * templates + Math.max(one, other);
      const bit = 1 << (key % 8);
      const byte = Math.floor(key / 8);
      if (seen[byte]! & bit) repeated++;
      seen[byte]! |= bit;
    }
    first[pairs] = one;
    second[pairs] = other;
    same[pairs++] = label;
  };

  const stream = createReadStream(file, { highWaterMark: 1 << 20 });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      for (let i = 0; i < chunk.length; i++) {
        const byte = chunk[i]!;
        if (byte >= 48 && byte <= 57) {
          number = number * 10 + (byte - 48);
          digits++;
        } else if (byte === 10) {
          endLine();
          line++;
        } else if (byte === 32 || byte === 9 || byte === 13) endField();
        else fail("needed are two templates and 1 or 0, as in '1 11065 1'");
      }
    }
  } catch (error) {
    throw unreadableFile(file, error);
  }
  endLine();
  if (pairs === 0) throw new UserError(`${file}: there is no pair in it`);
  return {
    first: first.slice(0, pairs),
    second: second.slice(0, pairs),
    same: same.slice(0, pairs),
    repeated,
    selves,
  };
}

function grown<T extends Uint32Array | Uint8Array>(array: T, length: number): T {
  const larger = new (array.constructor as new (n: number) => T)(length);
  larger.set(array);
  return larger;
}
