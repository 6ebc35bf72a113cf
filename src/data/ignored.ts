// What a folder holds beside the images that are read: it is counted and named, so that nobody wonders where a
// photograph or a person is.
import { extname } from 'node:path';

export type IgnoredKind =
  /** HEIC or HEIF, which is not read. */
  | 'heic'
  /** Text, tables, lists and pages. */
  | 'text'
  /** Any other file that is no image by its ending. */
  | 'file'
  /** A folder that should hold a person's images and holds none. */
  | 'empty-person'
  /** A folder inside a person's folder. */
  | 'nested-folder'
  /** An image outside of the folders of people. */
  | 'loose-image';

/** A file or folder that was passed over. */
export interface Ignored {
  readonly path: string;
  readonly kind: IgnoredKind;
}

const HEIC = ['.heic', '.heif', '.hif'];
const TEXT = ['.txt', '.md', '.csv', '.tsv', '.json', '.jsonl', '.xml', '.html', '.htm', '.log'];
/** What operating systems leave in every folder; no more worth a word than a hidden file. */
const SYSTEM = ['thumbs.db', 'desktop.ini'];

/** What kind of ignored file a name is of; undefined for those that systems leave everywhere. */
export function ignoredFile(name: string): IgnoredKind | undefined {
  const lower = name.toLowerCase();
  if (lower.startsWith('.') || SYSTEM.includes(lower)) return undefined;
  const ending = extname(lower);
  return HEIC.includes(ending) ? 'heic' : TEXT.includes(ending) ? 'text' : 'file';
}

const many = (count: number, one: string, several = `${one}s`) => `${count} ${count === 1 ? one : several}`;

const words: Readonly<Record<IgnoredKind, (count: number) => string>> = {
  heic: (count) =>
    `${count} HEIC (not read; convert to JPEG: 'magick mogrify -format jpg *.heic', or 'sips -s format jpeg' on a Mac)`,
  'empty-person': (count) => many(count, 'empty person folder'),
  'nested-folder': (count) =>
    many(count, "folder inside a person's folder", "folders inside people's folders"),
  'loose-image': (count) =>
    many(count, 'image outside of person folders', 'images outside of person folders'),
  text: (count) => many(count, 'text file'),
  file: (count) => many(count, 'file that is no image', 'files that are no images'),
};

/** Names of a kind that are listed; the others are counted. */
const NAMED = 3;

/** All of it in one line, as in 'ignored: 2 text files: notes.txt, list.csv'; undefined when nothing was. */
export function ignoredLine(ignored: readonly Ignored[]): string | undefined {
  const parts = (Object.keys(words) as IgnoredKind[]).flatMap((kind) => {
    const paths = ignored.filter((each) => each.kind === kind).map(({ path }) => path);
    if (paths.length === 0) return [];
    const more = paths.length > NAMED ? ' ...' : '';
    return [`${words[kind](paths.length)}: ${paths.slice(0, NAMED).join(', ')}${more}`];
  });
  return parts.length === 0 ? undefined : `ignored: ${parts.join('; ')}`;
}
