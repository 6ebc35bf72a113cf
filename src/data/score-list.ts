// Lists of scores that were made elsewhere, so that any system can be measured as ours are.

import { UserError } from '../common/errors.js';
import { readText } from '../common/files.js';
import {
  failing,
  foldOf,
  isHeading,
  type ListedPair,
  labelOf,
  type PairListOptions,
  pathOf,
  requireFolds,
  rowsOf,
  withoutRepeats,
} from './list-rows.js';

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
  return parseScores(await readText(file), file, options);
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
