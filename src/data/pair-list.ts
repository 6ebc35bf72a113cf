// Lists of pairs as people write them: a line a pair with two paths, whether they show one person, and perhaps a fold;
// or LFW's own list. And lists of scores that were made elsewhere. What would make figures wrong without a word (a
// pair twice, a contradiction, a list of another length than announced) is found before anything is computed.
import { UserError } from '../common/errors.js';
import { readWhole } from '../common/files.js';
import { imageExtensions } from './images.js';
import { parsePairs } from './pairs.js';

/** One trial of a list. */
export interface ListedPair {
  /** Paths as the list has them, with '/'; LFW's lists leave the endings out. */
  first: string;
  second: string;
  same: boolean;
  /** From the list's column of folds, else undefined. */
  fold: number | undefined;
  /** From 1, for messages. */
  line: number;
}

export interface ListedPairs {
  file: string;
  format: 'LFW' | 'paths';
  pairs: ListedPair[];
  /** Lines that repeated an earlier pair and were left out. */
  repeated: number;
}

export interface PairListOptions {
  /** Leave out pairs that an earlier line has, in either order, instead of refusing the list. */
  allowDuplicates?: boolean;
}

/** A line's fields and its number. */
interface Row {
  fields: string[];
  line: number;
}

const LABELS: Readonly<Record<string, boolean>> = {
  '1': true,
  '0': false,
  same: true,
  different: false,
  true: true,
  false: false,
};

const labelOf = (text: string | undefined): boolean | undefined =>
  text !== undefined && Object.hasOwn(LABELS, text.toLowerCase()) ? LABELS[text.toLowerCase()] : undefined;

/** Reads a list of pairs. Throws a UserError that names the file and the line, or both lines. */
export async function readPairList(file: string, options: PairListOptions = {}): Promise<ListedPairs> {
  return parsePairList((await readWhole(file)).toString('utf8'), file, options);
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

/** One scored trial; `first` and `second` are there when the list names images. */
export interface ScoredPair {
  first?: string;
  second?: string;
  score: number;
  same: boolean;
  fold: number | undefined;
  line: number;
}

export interface ScoreList {
  file: string;
  pairs: ScoredPair[];
  repeated: number;
}

/** Reads a list of scores. Throws a UserError that names the file and the line, or both lines. */
export async function readScores(file: string, options: PairListOptions = {}): Promise<ScoreList> {
  return parseScores((await readWhole(file)).toString('utf8'), file, options);
}

/**
 * See {@link readScores}: 'score 0|1' or 'path path score 0|1' a line, perhaps with a fold, separated, commented and
 * headed as lists of pairs are.
 */
export function parseScores(
  text: string,
  file = 'scores',
  { allowDuplicates = false }: PairListOptions = {},
): ScoreList {
  const rows = rowsOf(text, file);
  const fail = failing(file);
  const paths = rows[0]!.fields.length > 3;
  const at = paths ? 2 : 0;
  if (isHeading(rows[0]!.fields, at + 1)) rows.shift();
  if (rows.length === 0) throw new UserError(`${file}: holds no score`);
  const pairs = rows.map(({ fields, line }): ScoredPair => {
    if (fields.length < at + 2 || fields.length > at + 3 || fields.some((field) => field === ''))
      fail(
        line,
        `'${paths ? 'path path ' : ''}score 0|1', perhaps with a fold, is due here, not ${fields.length} fields`,
      );
    const written = fields[at]!;
    const score = /^[+-]?nan$/i.test(written) ? Number.NaN : Number(written);
    if (/^[+-]?nan$/i.test(written)) fail(line, 'its score is NaN, not a number');
    if (!Number.isFinite(score)) fail(line, `its score '${written}' is not a finite number`);
    const same =
      labelOf(fields[at + 1]) ??
      fail(line, `'${fields[at + 1]}' is neither 1 or 0, same or different, true or false`);
    const images = paths ? { first: pathOf(fields[0]!), second: pathOf(fields[1]!) } : {};
    return { ...images, score, same, fold: foldOf(fields[at + 2], line, fail), line };
  });
  requireFolds(pairs, fail);
  if (!paths) return { file, pairs, repeated: 0 };
  return { file, ...withoutRepeats(pairs as (ScoredPair & ListedPair)[], file, allowDuplicates) };
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

type Fail = (line: number, message: string) => never;

const failing =
  (file: string): Fail =>
  (line, message) => {
    throw new UserError(`${file} line ${line}: ${message}`);
  };

/** The lines that say something, in fields. */
function rowsOf(text: string, file: string): Row[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const rows: { text: string; line: number }[] = [];
  lines.forEach((line, i) => {
    if (line.trim() !== '' && !line.trim().startsWith('#')) rows.push({ text: line.trim(), line: i + 1 });
  });
  if (rows.length === 0) throw new UserError(`${file}: is empty`);
  // The first line may be a number that has no separator.
  const [first, second] = rows;
  const shown = `${first!.text}\n${second?.text ?? ''}`;
  const separator = shown.includes('\t') ? /\t/ : shown.includes(',') ? /,/ : /\s+/;
  const unquoted = (field: string) => field.trim().replace(/^"(.*)"$/, '$1');
  return rows.map(({ text: row, line }) => ({ fields: row.split(separator).map(unquoted), line }));
}

/** 'Name 1 2' or 'Name 1 Other 3', not 'path path 1'. */
const isLfw = (row: Row | undefined): boolean =>
  row !== undefined &&
  (row.fields.length === 3 || row.fields.length === 4) &&
  row.fields.every((field, i) => i === 0 || (i === 2 && row.fields.length === 4) || /^\d+$/.test(field));

/** Whether a line names columns: the one where a label is due, or all up to it where 'same' could be either. */
const isHeading = (fields: readonly string[], label: number): boolean =>
  /^(label|is_?same|same_?person|match|target|actual|ground_?truth|gt|y)$/i.test(fields[label] ?? '') ||
  (/^same$/i.test(fields[label] ?? '') &&
    fields
      .slice(0, label)
      .every((field) =>
        /^(path|file|image|img|first|second|left|right|a|b|score|similarity|distance|cosine)[_ ]?\w?$/i.test(
          field,
        ),
      ));

const pathOf = (text: string): string => text.replaceAll('\\', '/').replace(/^(\.\/)+/, '');

function foldOf(text: string | undefined, line: number, fail: Fail): number | undefined {
  if (text === undefined) return undefined;
  return /^\d+$/.test(text) ? Number(text) : fail(line, `'${text}' is not the number of a fold`);
}

/** Folds of some lines only would be half a statement. */
function requireFolds(pairs: readonly { fold: number | undefined; line: number }[], fail: Fail): void {
  const odd = pairs.find(({ fold }) => (fold === undefined) !== (pairs[0]!.fold === undefined));
  if (odd)
    fail(
      odd.line,
      odd.fold === undefined
        ? 'has no fold, and the lines before it have one'
        : 'has a fold, and the lines before it have none',
    );
}

/** Finds pairs that come twice, in either order, and images paired with themselves. */
function withoutRepeats<T extends ListedPair>(
  pairs: readonly T[],
  file: string,
  allow: boolean,
): { pairs: T[]; repeated: number } {
  const seen = new Map<string, T>();
  for (const pair of pairs) {
    const { first, second, same, line } = pair;
    if (first === second) throw new UserError(`${file} line ${line}: ${first} is paired with itself`);
    const key = first < second ? `${first}\n${second}` : `${second}\n${first}`;
    const known = seen.get(key);
    if (!known) {
      seen.set(key, pair);
      continue;
    }
    const both = `${file} lines ${known.line} and ${line}: ${first} and ${second}`;
    if (known.same !== same) throw new UserError(`${both} are listed as one person and as two`);
    if (!allow)
      throw new UserError(
        `${both} are listed twice; --allow-duplicates counts such a pair once, by its first line`,
      );
  }
  return { pairs: [...seen.values()], repeated: pairs.length - seen.size };
}
