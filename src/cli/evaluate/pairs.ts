// hypersphere evaluate pairs: verification by a list of pairs, or of scores that were made elsewhere.
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { Command, Option } from 'commander';
import { UserError } from '../../common/errors.js';
import { type ListedPair, locateListed, peopleOfPaths, readPairList } from '../../data/index.js';
import { foldsOfOneKind, type LfwMode, lfw } from '../../evaluate/index.js';
import type { FaceSource } from '../../face/index.js';
import { whole } from '../flags.js';
import { UsageError } from '../output.js';
import { led } from '../ranks.js';
import { checkReport, evaluatedModel, finish } from './finish.js';
import { modeFigures } from './mode-figures.js';
import { evaluateScores, fileName, foldsOf, repeatedNote, requireBothKinds } from './scores.js';
import {
  featuresOf,
  openSource,
  SOURCES,
  type SourceFlags,
  sourceNotes,
  withSourceFlags,
} from './source-flags.js';

const HELP = `
A list of pairs is in LFW's format, or has a line a pair: 'path path 0|1', perhaps with a fold, separated by tabs, commas
or spaces; same/different and true/false are understood too. Lines that begin with '#' and a line of column names are
passed over; a first line of one number announces how many pairs follow. Paths are relative to --data. Folds are those
of the list, else contiguous ones in its order. A pair that comes twice is refused, or with --allow-duplicates counted
once, by its first line; a pair that is listed as one person and as two is always refused.
Intervals come from drawing people, where the images lie in folders of people that agree with every pair; else images.
--scores FILE evaluates scores instead, with no model: 'score 0|1' or 'path path score 0|1' a line, perhaps with a fold.
${SOURCES.trim()}

Examples:
  hypersphere evaluate pairs --pairs pairs.csv --model runs/a/model.onnx --data faces --report pairs-a
  hypersphere evaluate pairs --pairs pairs.tsv --embeddings faces.safetensors --mode sphereface
  hypersphere evaluate pairs --scores other-system.txt --distance`;

interface Flags extends SourceFlags {
  pairs?: string;
  scores?: string;
  distance?: boolean;
  folds?: number;
  mode?: LfwMode;
  allowDuplicates?: boolean;
  skipMissing?: boolean;
}

export function pairsCommand(): Command {
  const command = new Command('pairs')
    .description('verification by a list of pairs, or of scores made elsewhere')
    .option('--pairs <file>', 'list of pairs')
    .option('--scores <file>', 'list of scores instead of a model and faces')
    .option('--distance', 'of --scores: a smaller score means more alike')
    .addOption(
      new Option('--mode <mode>', 'how the threshold is found (default: exact)').choices([
        'sphereface',
        'insightface',
        'exact',
      ]),
    )
    .option('--folds <n>', 'contiguous folds, where the list names none (default: 10)', whole(2))
    .option('--allow-duplicates', 'count a pair that comes twice once')
    .option('--skip-missing', 'leave out pairs whose images are missing or cannot be read');
  return withSourceFlags(command, 'folder that the paths are relative to')
    .addHelpText('after', HELP)
    .action(led(run));
}

async function run(flags: Flags): Promise<void> {
  const { pairs, scores, distance, mode, skipMissing } = flags;
  if ((pairs === undefined) === (scores === undefined))
    throw new UsageError('give --pairs FILE or --scores FILE, one of the two');
  if (scores === undefined && distance) throw new UsageError('--distance belongs to --scores');
  checkReport(flags);
  if (pairs !== undefined) return ofPairs(pairs, flags);
  const extra = Object.entries({
    model: flags.model,
    embeddings: flags.embeddings,
    data: flags.data,
    aligned: flags.aligned,
    keep: flags.keep,
    mode,
    'skip-missing': skipMissing,
  }).find(([, value]) => value !== undefined);
  if (extra)
    throw new UsageError(`--scores and --${extra[0]} exclude each other: the scores are made already`);
  return evaluateScores(scores!, flags);
}

async function ofPairs(file: string, flags: Flags): Promise<void> {
  const started = performance.now();
  const { mode = 'exact', flip, skipMissing = false, allowDuplicates = false } = flags;
  const list = await readPairList(file, { allowDuplicates });
  requireBothKinds(file, list.pairs);
  const { foldOf, text: folds } = foldsOf(file, list.pairs, flags.folds);
  const source = await openSource(flags, { nested: true });
  try {
    const paths = source.images.map(({ path }) => path);
    const located = locateListed(
      list.pairs.map((pair) => below(flags.data ?? source.folder, pair)),
      paths,
    );
    const notes = [...sourceNotes(source), ...repeatedNote(list.repeated)];
    requireImages(file, located, source, skipMissing, notes);
    const unreadable = new Set<number>();
    const features = await featuresOf(source, located.rows, {
      ...(skipMissing && { onUnreadable: (row: number) => unreadable.add(row) }),
    });
    const pairs = located.pairs
      .filter(({ first, second }) => !unreadable.has(first) && !unreadable.has(second))
      .map(({ first, second, same, index }) => ({ first, second, same, fold: foldOf[index]! }));
    const files = located.rows.map((row) => paths[row]!);
    if (unreadable.size > 0)
      notes.push(
        `${unreadable.size} images cannot be read, such as ${files[[...unreadable][0]!]}: ${located.pairs.length - pairs.length} pairs were left out`,
      );
    const people = peopleOfPaths(files, pairs);
    if (!people)
      notes.push(
        'the folders do not say who is who in agreement with the list: intervals come from drawing images',
      );
    const oneKind = foldsOfOneKind(pairs);
    if (oneKind) notes.push(oneKind);
    const result = lfw({
      features,
      pairs,
      mode,
      files,
      ...(people && { people }),
      ...(flip && { fusion: flip }),
    });
    const { length, settings, details, ...parts } = modeFigures(result, pairs, features.length, (row) => ({
      path: files[row]!,
      person: people?.[row] ?? '',
    }));
    await finish(
      {
        protocol: 'pairs',
        title: `Verification of ${fileName(file)}, mode ${mode}`,
        model: evaluatedModel(source, length),
        settings: [
          ...source.facts,
          [
            'Pairs',
            `${file} (${list.format === 'LFW' ? "LFW's format" : 'paths'}): ${pairs.length} in ${folds}`,
          ],
          ['Images', String(files.length - unreadable.size)],
          ...settings,
        ],
        notes,
        ...parts,
        details: {
          ...details,
          repeated: list.repeated,
          missing: located.missing,
          unreadable: [...unreadable].map((row) => files[row]!),
          pairsLeftOut: list.pairs.length - pairs.length,
        },
        seconds: (performance.now() - started) / 1000,
      },
      flags,
      source.folder,
    );
  } finally {
    await source.close();
  }
}

/** The pair with absolute paths made relative to the folder, where they lie in it. */
function below(folder: string, pair: ListedPair): ListedPair {
  const inside = (path: string) => {
    if (!isAbsolute(path)) return path;
    const found = relative(resolve(folder), path);
    return found.startsWith('..') || isAbsolute(found) ? path : found.split(sep).join('/');
  };
  return { ...pair, first: inside(pair.first), second: inside(pair.second) };
}

/** Refuses a list with missing images, or notes what is left out. */
function requireImages(
  file: string,
  { missing, pairs, without }: ReturnType<typeof locateListed>,
  source: FaceSource,
  skipMissing: boolean,
  notes: string[],
): void {
  if (missing.length === 0) return;
  const what = `${missing.length} of the images that it names are not in ${source.folder || source.file}, such as ${missing.slice(0, 3).join(', ')}`;
  if (!skipMissing) throw new UserError(`${file}: ${what}; --skip-missing leaves their ${without} pairs out`);
  if (pairs.length === 0) throw new UserError(`${file}: ${what}, and no pair is left`);
  notes.push(`${what}: ${without} pairs were left out`);
}
