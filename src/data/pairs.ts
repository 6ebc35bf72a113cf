// The pair list of Labeled Faces in the Wild (pairs.txt, 'View 2'): the number of folds and of pairs, then in
// every fold the same-person pairs ('Name 1 2') and as many different ones ('Name 1 Other 3').
// Format: http://vis-www.cs.umass.edu/lfw/README.txt.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { readText } from '../common/files.js';
import { imageExtensions } from './images.js';

/** One face of a pair: the photograph `number` (from 1) of a person. */
export interface PairFace {
  name: string;
  number: number;
}

export interface NamedPair {
  first: PairFace;
  second: PairFace;
  same: boolean;
  /** 0-based. */
  fold: number;
  /** 1-based line in the list, for messages. */
  line: number;
}

export interface PairList {
  file: string;
  folds: number;
  /** Pairs of each kind in a fold (300 in LFW). */
  pairsPerKind: number;
  /** In file order: of each fold the same pairs, then the different ones. */
  pairs: NamedPair[];
}

/** Pairs as places in a list of images. */
export interface FoundPairs {
  /** Places of the images in the list that was searched, each once. */
  rows: number[];
  /** The person on each of them. */
  people: string[];
  /** `first` and `second` are places in `rows`. */
  pairs: { first: number; second: number; same: boolean; fold: number }[];
}

/** Pairs as places in a list of images, each image once. */
export interface ImagePairs {
  paths: string[];
  /** The person on each of them. */
  people: string[];
  pairs: { first: number; second: number; same: boolean; fold: number }[];
}

/** Reads a pair list of LFW's format. Throws a UserError that names the file and the line. */
export async function readPairs(file: string): Promise<PairList> {
  const list = parsePairs(await readText(file), file);
  requireOnce(list.pairs, file);
  return list;
}

/** See {@link readPairs}; `file` is for messages. A header of one number means a single fold. */
export function parsePairs(text: string, file = 'pairs'): PairList {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  while (lines.length > 0 && lines.at(-1)!.trim() === '') lines.pop();
  const fail = (line: number, message: string): never => {
    throw new UserError(`${file} line ${line}: ${message}`);
  };
  const fields = (line: number) => (lines[line - 1] ?? '').trim().split(/\s+/);
  const whole = (word: string, line: number, what: string): number =>
    /^[0-9]+$/.test(word) && Number(word) >= 1 ? Number(word) : fail(line, `'${word}' is not ${what}`);

  const header = fields(1);
  if (header.length > 2 || header[0] === '')
    fail(1, "the first line must say how many folds and how many pairs, as in '10 300'");
  const folds = header.length === 2 ? whole(header[0]!, 1, 'a number of folds') : 1;
  const pairsPerKind = whole(header.at(-1)!, 1, 'a number of pairs');
  const expected = folds * pairsPerKind * 2;
  if (lines.length - 1 !== expected)
    fail(
      Math.min(lines.length, expected + 1),
      `${lines.length - 1} pairs in the list, ${expected} announced (${folds} folds of 2 x ${pairsPerKind})`,
    );

  const number = (word: string, line: number) => whole(word, line, 'the number of a photograph');
  const pairs = Array.from({ length: expected }, (_, i): NamedPair => {
    const line = i + 2;
    const words = fields(line);
    const same = i % (2 * pairsPerKind) < pairsPerKind;
    const fold = Math.floor(i / (2 * pairsPerKind));
    if (words.length !== (same ? 3 : 4))
      fail(line, same ? "a same-person pair 'Name 1 2' is due here" : "a pair 'Name 1 Other 3' is due here");
    const first = { name: words[0]!, number: number(words[1]!, line) };
    const second = same
      ? { name: words[0]!, number: number(words[2]!, line) }
      : { name: words[2]!, number: number(words[3]!, line) };
    if (same && first.number === second.number) fail(line, 'a photograph is paired with itself');
    if (!same && first.name === second.name) fail(line, `${first.name} is paired as two different people`);
    return { first, second, same, fold, line };
  });
  return { file, folds, pairsPerKind, pairs };
}

/** Throws for a pair that comes twice, in either order: it would count twice, or in two folds. */
function requireOnce(pairs: readonly NamedPair[], file: string): void {
  const lines = new Map<string, number>();
  for (const { first, second, line } of pairs) {
    const faces = [first, second].map(({ name, number }) => `${name} ${number}`).sort();
    const before = lines.get(faces.join('\n'));
    if (before !== undefined)
      throw new UserError(
        `${file} lines ${before} and ${line}: the pair ${faces.join(' and ')} is listed twice; 'hypersphere evaluate pairs --allow-duplicates' counts it once`,
      );
    lines.set(faces.join('\n'), line);
  }
}

/**
 * Finds the images of a pair list among `images`, paths that end in `Name/Name_0001` and an image ending, whatever
 * its case. `where` is named in messages. Throws a UserError that names the first missing image and the line that
 * asks for it.
 */
export function findPairs(list: PairList, images: readonly string[], where: string): FoundPairs {
  const byStem = new Map<string, Map<string, number>>();
  images.forEach((path, row) => {
    const [, stem, ending] = /^(?:.*\/)?([^/]+\/[^/]+?)(\.[^./]*)$/.exec(path.toLowerCase()) ?? [];
    if (stem === undefined) return;
    if (!byStem.has(stem)) byStem.set(stem, new Map());
    byStem.get(stem)!.set(ending!, row);
  });
  const places = new Map<string, number>();
  const found: FoundPairs = { rows: [], people: [], pairs: [] };
  const place = ({ name, number }: PairFace, line: number): number => {
    const stem = `${name}/${name}_${String(number).padStart(4, '0')}`;
    const known = places.get(stem);
    if (known !== undefined) return known;
    const endings = byStem.get(stem.toLowerCase());
    const ending = imageExtensions.find((one) => endings?.has(one));
    if (ending === undefined)
      throw new UserError(
        `${join(where, stem)}: no such image (${imageExtensions.join(' ')}), asked for by ${list.file} line ${line}`,
        { code: 'not-found' },
      );
    const at = found.rows.push(endings!.get(ending)!) - 1;
    places.set(stem, at);
    found.people.push(name);
    return at;
  };
  for (const { first, second, same, fold, line } of list.pairs)
    found.pairs.push({ first: place(first, line), second: place(second, line), same, fold });
  return found;
}

/**
 * Finds the images of a pair list below `folder`, as `Name/Name_0001` with any image ending. Throws a UserError
 * when there is no such folder, and as `findPairs` does.
 */
export async function locatePairs(list: PairList, folder: string): Promise<ImagePairs> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory())
    throw new UserError(
      `${folder}: ${found ? 'is a file; a folder with one folder a person is needed' : 'no such folder'}`,
      { code: found ? 'bad-input' : 'not-found' },
    );
  const names = new Set(list.pairs.flatMap(({ first, second }) => [first.name, second.name]));
  const images: string[] = [];
  for (const name of names) {
    const files = await readdir(join(folder, name)).catch(() => [] as string[]);
    images.push(...files.map((file) => `${name}/${file}`));
  }
  const { rows, people, pairs } = findPairs(list, images, folder);
  return { paths: rows.map((row) => join(folder, images[row]!)), people, pairs };
}
