// The pair list of YouTube Faces (Wolf, Hassner and Maoz, CVPR 2011): splits.txt, and splits_corrected.txt with the
// labels that were found wrong put right. A line is 'split, pair in split, first video, second video, is same', to
// which the corrected list adds the label that counts; a video is Name/Number, a folder of frames
// (https://www.cs.tau.ac.il/~wolf/ytfaces/).
import { UserError } from '../common/errors.js';
import { readText } from '../common/files.js';
import { compareNames } from './people.js';

/** Two videos, 'Name/Number'. */
export interface VideoPair {
  first: string;
  second: string;
  same: boolean;
  /** The split, as the list numbers it (from 1). */
  fold: number;
  /** 1-based line in the list, for messages. */
  line: number;
}

export interface VideoList {
  file: string;
  /** Numbers of the splits, rising. */
  folds: number[];
  pairs: VideoPair[];
  /** Pairs whose label differs from the one that the list gives as the original. */
  corrected: number;
  /** Lines of pairs that are listed again, with the line where they are first. */
  repeated: [first: number, again: number][];
}

/** Reads a pair list of YouTube Faces. Throws a UserError that names the file and the line. */
export async function readVideoPairs(file: string): Promise<VideoList> {
  return parseVideoPairs(await readText(file), file);
}

/**
 * See {@link readVideoPairs}; `file` is for messages. The first field of a line is the split, the two fields of the
 * form Name/Number are the videos, and the last is the label, 0 or 1; a header line is passed over.
 */
export function parseVideoPairs(text: string, file = 'splits'): VideoList {
  const pairs: VideoPair[] = [];
  let corrected = 0;
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  lines.forEach((content, i) => {
    const fields = content.split(',').map((field) => field.trim());
    while (fields.at(-1) === '') fields.pop();
    if (fields.length === 0 || (pairs.length === 0 && /split/i.test(fields[0]!))) return;
    const fail = (message: string): never => {
      throw new UserError(`${file} line ${i + 1}: ${message}`);
    };
    if (!/^[1-9]\d*$/.test(fields[0]!))
      fail(`'${fields[0]}' is not the number of a split; a line is '1, 1, Name/0, Other/2, 0'`);
    const places = fields.flatMap((field, at) => (/^[^/\\]+[/\\]\d+$/.test(field) ? [at] : []));
    if (places.length !== 2)
      fail(`${places.length} videos of the form Name/Number; a line is '1, 1, Name/0, Other/2, 0'`);
    const [first, second] = places.map((at) => fields[at]!.replace('\\', '/')) as [string, string];
    const labels = fields.slice(places[1]! + 1);
    const label = labels.at(-1);
    if (label !== '0' && label !== '1')
      fail(`its last field says whether the videos show one person, 1 or 0, not '${label ?? ''}'`);
    if (first === second) fail(`${first} is paired with itself`);
    if (labels.length === 2 && /^[01]$/.test(labels[0]!) && labels[0] !== label) corrected++;
    pairs.push({ first, second, same: label === '1', fold: Number(fields[0]), line: i + 1 });
  });
  if (pairs.length === 0) throw new UserError(`${file}: there is no pair in it`);
  const seen = new Map<string, VideoPair>();
  const repeated: [number, number][] = [];
  for (const pair of pairs) {
    const { first, second, same, line } = pair;
    const key = [first, second].sort().join();
    const before = seen.get(key);
    if (before && before.same !== same)
      throw new UserError(
        `${file} line ${line}: ${first} and ${second} are ${same ? 'one person' : 'two people'}, and the contrary on line ${before.line}`,
      );
    if (before) repeated.push([before.line, line]);
    else seen.set(key, pair);
  }
  const folds = [...new Set(pairs.map(({ fold }) => fold))].sort((a, b) => a - b);
  return { file, folds, pairs, corrected, repeated };
}

/** The videos of a list, each once, and its pairs as places among them. */
export interface FoundVideos {
  /** Rows of the frames among the images, in the order of time. */
  videos: { name: string; person: string; rows: number[] }[];
  pairs: { first: number; second: number; same: boolean; fold: number }[];
}

/**
 * Finds the videos of `list` among images whose paths end in Name/Number/frame.jpg; frames are ordered by their
 * numbers. `where` is for messages. Throws a UserError that names the first video without a frame, and the line that
 * asks for it.
 */
export function findVideos(list: VideoList, paths: readonly string[], where: string): FoundVideos {
  const rowsOf = new Map<string, number[]>();
  paths.forEach((path, row) => {
    const parts = path.split('/');
    if (parts.length < 3) return;
    const name = parts.slice(-3, -1).join('/');
    const rows = rowsOf.get(name);
    if (rows) rows.push(row);
    else rowsOf.set(name, [row]);
  });
  if (rowsOf.size === 0)
    throw new UserError(
      `${where}: none of its ${paths.length} images lies in a folder of a video; the layout is Name/Number/frame.jpg`,
    );
  const places = new Map<string, number>();
  const videos: FoundVideos['videos'] = [];
  const place = (name: string, line: number): number => {
    const known = places.get(name);
    if (known !== undefined) return known;
    const rows = rowsOf.get(name);
    if (!rows)
      throw new UserError(
        `${where}: there is no frame of video ${name}, asked for by ${list.file} line ${line}`,
      );
    rows.sort((a, b) => compareNames(paths[a]!, paths[b]!));
    places.set(name, videos.length);
    return videos.push({ name, person: name.slice(0, name.indexOf('/')), rows }) - 1;
  };
  const pairs = list.pairs.map(({ first, second, same, fold, line }) => ({
    first: place(first, line),
    second: place(second, line),
    same,
    fold,
  }));
  return { videos, pairs };
}
