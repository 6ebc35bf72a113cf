// The lines of a list that people write by hand or with a script: their fields, labels and folds, and what makes a list
// wrong without a word, such as a pair that comes twice.
import { UserError } from '../common/errors.js';

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

export interface PairListOptions {
  /** Leave out pairs that an earlier line has, in either order, instead of refusing the list. */
  allowDuplicates?: boolean;
}

/** A line's fields and its number. */
export interface Row {
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

export const labelOf = (text: string | undefined): boolean | undefined =>
  text !== undefined && Object.hasOwn(LABELS, text.toLowerCase()) ? LABELS[text.toLowerCase()] : undefined;

export type Fail = (line: number, message: string) => never;

export const failing =
  (file: string): Fail =>
  (line, message) => {
    throw new UserError(`${file} line ${line}: ${message}`);
  };

/** The lines that say something, in fields. */
export function rowsOf(text: string, file: string): Row[] {
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

/** Whether a line names columns: the one where a label is due, or all up to it where 'same' could be either. */
export const isHeading = (fields: readonly string[], label: number): boolean =>
  /^(label|is_?same|same_?person|match|target|actual|ground_?truth|gt|y)$/i.test(fields[label] ?? '') ||
  (/^same$/i.test(fields[label] ?? '') &&
    fields
      .slice(0, label)
      .every((field) =>
        /^(path|file|image|img|first|second|left|right|a|b|score|similarity|distance|cosine)[_ ]?\w?$/i.test(
          field,
        ),
      ));

export const pathOf = (text: string): string => text.replaceAll('\\', '/').replace(/^(\.\/)+/, '');

export function foldOf(text: string | undefined, line: number, fail: Fail): number | undefined {
  if (text === undefined) return undefined;
  return /^\d+$/.test(text) ? Number(text) : fail(line, `'${text}' is not the number of a fold`);
}

/** Folds of some lines only would be half a statement. */
export function requireFolds(pairs: readonly { fold: number | undefined; line: number }[], fail: Fail): void {
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
export function withoutRepeats<T extends ListedPair>(
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
