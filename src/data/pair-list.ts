// Lists of pairs as people write them: a line a pair with two paths, whether they show one person, and perhaps a fold;
// or LFW's own list. What would make figures wrong without a word (a pair twice, a contradiction, a list of another
// length than announced) is found before anything is computed.
import { UserError } from '../common/errors.js';
import { readText } from '../common/files.js';
import { imageExtensions } from './images.js';
import {
  failing,
  foldOf,
  isHeading,
  type ListedPair,
  labelOf,
  type PairListOptions,
  pathOf,
  type Row,
  requireFolds,
  rowsOf,
  withoutRepeats,
} from './list-rows.js';
import { parsePairs } from './pairs.js';

export interface ListedPairs {
  file: string;
  format: 'LFW' | 'paths';
  pairs: ListedPair[];
  /** Lines that repeated an earlier pair and were left out. */
  repeated: number;
}

/** Reads a list of pairs. Throws a UserError that names the file and the line, or both lines. */
export async function readPairList(file: string, options: PairListOptions = {}): Promise<ListedPairs> {
  return parsePairList(await readText(file), file, options);
}

/**
 * See {@link readPairList}; `file` is for messages. Fields lie between tabs, commas or spaces, whichever the first
 * line has in this order; lines that begin with '#' and a first line of column names are passed over. A first line of
 * one number announces the number of pairs, one of two numbers folds and pairs of each kind in a fold.
 */
export function parsePairList(
  text: string,
  file = 'pairs',
  { allowDuplicates = false }: PairListOptions = {},
): ListedPairs {
  const rows = rowsOf(text, file);
  const fail = failing(file);
  const announcement = rows[0]!.fields;
  const numbered = announcement.length <= 2 && announcement.every((field) => /^\d+$/.test(field));
  if (numbered && isLfw(rows[1])) {
    const list = parsePairs(text, file);
    const path = ({ name, number }: { name: string; number: number }) =>
      `${name}/${name}_${String(number).padStart(4, '0')}`;
    const pairs = list.pairs.map(({ first, second, ...rest }) => ({
      first: path(first),
      second: path(second),
      ...rest,
    }));
    return { file, format: 'LFW', ...withoutRepeats(pairs, file, allowDuplicates) };
  }
  const body = numbered ? rows.slice(1) : rows;
  if (body.length > 0 && isHeading(body[0]!.fields, 2)) body.shift();
  if (body.length === 0) throw new UserError(`${file}: holds no pair`);
  const announced = numbered
    ? announcement.length === 1
      ? Number(announcement[0])
      : 2 * Number(announcement[0]) * Number(announcement[1])
    : body.length;
  if (announced !== body.length)
    throw new UserError(
      `${file}: ${body.length} pairs in the list, ${announced} announced in line ${rows[0]!.line}`,
    );
  const pairs = body.map(({ fields, line }): ListedPair => {
    if (fields.length < 3 || fields.length > 4 || fields.some((field) => field === ''))
      fail(line, `'path path 0|1', perhaps with a fold, is due here, not ${fields.length} fields`);
    const same =
      labelOf(fields[2]) ?? fail(line, `'${fields[2]}' is neither 1 or 0, same or different, true or false`);
    const fold = foldOf(fields[3], line, fail);
    const [first, second] = [pathOf(fields[0]!), pathOf(fields[1]!)];
    return { first, second, same, fold, line };
  });
  requireFolds(pairs, fail);
  return { file, format: 'paths', ...withoutRepeats(pairs, file, allowDuplicates) };
}

/** Places of the images of a list, each once, and what is not there. */
export interface LocatedPairs {
  /** Places among the images that were searched, each once. */
  rows: number[];
  /** `first` and `second` are places in `rows`; pairs with a missing image are not among them. */
  pairs: (Omit<ListedPair, 'first' | 'second'> & { first: number; second: number; index: number })[];
  /** Paths that were not found, each once, in the order of the list. */
  missing: string[];
  /** Pairs that were left out for that. */
  without: number;
}

/**
 * Finds the images of a list among `images`, paths with '/': as written, else with letters of another case, else with
 * any image ending. `index` of a pair is its place in the list.
 */
export function locateListed(pairs: readonly ListedPair[], images: readonly string[]): LocatedPairs {
  const exact = new Map(images.map((path, row) => [path, row]));
  const lower = new Map(images.map((path, row) => [path.toLowerCase(), row]));
  const find = (path: string): number | undefined => {
    const small = path.toLowerCase();
    return (
      exact.get(path) ??
      lower.get(small) ??
      imageExtensions.map((ending) => lower.get(`${small}${ending}`)).find((row) => row !== undefined)
    );
  };
  const places = new Map<string, number | undefined>();
  const byRow = new Map<number, number>();
  const rows: number[] = [];
  const place = (path: string): number | undefined => {
    if (places.has(path)) return places.get(path);
    const row = find(path);
    if (row !== undefined && !byRow.has(row)) byRow.set(row, rows.push(row) - 1);
    const at = row === undefined ? undefined : byRow.get(row);
    places.set(path, at);
    return at;
  };
  const found: LocatedPairs['pairs'] = [];
  pairs.forEach(({ first, second, ...rest }, index) => {
    const [a, b] = [place(first), place(second)];
    if (a !== undefined && b !== undefined) found.push({ ...rest, first: a, second: b, index });
  });
  const missing = [...places].filter(([, at]) => at === undefined).map(([path]) => path);
  return { rows, pairs: found, missing, without: pairs.length - found.length };
}

/**
 * The person of each path, its folder's name, if that agrees with every pair: those of one person have one folder
 * name, those of two have two. Undefined when a path has no folder or a pair disagrees.
 */
export function peopleOfPaths(
  paths: readonly string[],
  pairs: readonly { first: number; second: number; same: boolean }[],
): string[] | undefined {
  const people = paths.map((path) => path.split('/').at(-2));
  const agree = pairs.every(({ first, second, same }) => (people[first] === people[second]) === same);
  return agree && people.every((person) => person) ? (people as string[]) : undefined;
}

/** 'Name 1 2' or 'Name 1 Other 3', not 'path path 1'. */
const isLfw = (row: Row | undefined): boolean =>
  row !== undefined &&
  (row.fields.length === 3 || row.fields.length === 4) &&
  row.fields.every((field, i) => i === 0 || (i === 2 && row.fields.length === 4) || /^\d+$/.test(field));
