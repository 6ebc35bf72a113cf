// Verification by scores that were made elsewhere (hypersphere evaluate pairs --scores), and what they share with lists
// of pairs: whose folds they are, and what is said of lines that were left out.
import { UserError } from '../../common/errors.js';
import { peopleOfPaths, readScores, type ScoredPair } from '../../data/index.js';
import {
  contiguousFolds,
  foldsOfOneKind,
  hardestMistakes,
  requireSeveralFolds,
  summarise,
  type Units,
  verifyScores,
} from '../../evaluate/index.js';
import { UsageError } from '../output.js';
import { type FinishFlags, finish } from './finish.js';

export interface ScoresFlags extends FinishFlags {
  distance?: boolean;
  folds?: number;
  allowDuplicates?: boolean;
}

/** Evaluates a list of scores. */
export async function evaluateScores(file: string, flags: ScoresFlags): Promise<void> {
  const started = performance.now();
  const { distance = false, allowDuplicates = false } = flags;
  const { pairs, repeated } = await readScores(file, { allowDuplicates });
  requireBothKinds(file, pairs);
  const { foldOf, text: folds } = foldsOf(file, pairs, flags.folds);
  const { units, resampled } = unitsOf(pairs);
  const { trials, ...figures } = verifyScores({
    scores: pairs.map(({ score }) => score),
    same: pairs.map(({ same }) => same),
    foldOf,
    distance,
    ...(units && { units, resampled }),
  });
  const oneKind = foldsOfOneKind(pairs.map(({ same }, i) => ({ same, fold: foldOf[i]! })));
  const thresholds = new Map(figures.folds.map(({ fold, threshold }) => [fold, threshold]));
  const named = pairs[0]!.first !== undefined;
  const face = (path: string) => ({ path, person: resampled === 'people' ? path.split('/').at(-2)! : '' });
  await finish(
    {
      protocol: 'pairs',
      title: `Verification by the scores of ${fileName(file)}`,
      summary: summarise({ ...figures, trials }),
      model: { name: 'not stated', file, length: 0 },
      settings: [
        ['Scores', `${file}: ${pairs.length} in ${folds}`],
        [
          'Meaning',
          distance
            ? 'distances: a smaller one means more alike'
            : 'similarities: a larger one means more alike',
        ],
        [
          'Threshold',
          'exact: sweep over the scores of the other folds, middle one of equally good thresholds',
        ],
      ],
      notes: [
        'the scores were made elsewhere: nothing here knows of which faces, or how they were aligned',
        ...(distance ? ['thresholds and scores are those of the negated distances'] : []),
        ...repeatedNote(repeated),
        ...(units
          ? []
          : [
              'the list names no images: intervals come from drawing pairs, as if no two of them shared a face',
            ]),
        ...(oneKind ? [oneKind] : []),
      ],
      verification: figures,
      ...(named && {
        mistakes: hardestMistakes(trials, (trial) => ({
          a: face(pairs[trial]!.first!),
          b: face(pairs[trial]!.second!),
          threshold: thresholds.get(foldOf[trial]!)!,
        })),
      }),
      details: { distance, repeated },
      seconds: (performance.now() - started) / 1000,
    },
    flags,
  );
}

/** What the bootstrap draws: people where folders name them, else images, else nothing that has a name. */
function unitsOf(pairs: readonly ScoredPair[]): { units?: Units; resampled?: 'people' | 'images' } {
  if (pairs[0]!.first === undefined) return {};
  const rows = new Map<string, number>();
  const row = (path: string) => {
    if (!rows.has(path)) rows.set(path, rows.size);
    return rows.get(path)!;
  };
  const placed = pairs.map(({ first, second, same }) => ({ first: row(first!), second: row(second!), same }));
  const people = peopleOfPaths([...rows.keys()], placed);
  return people
    ? { units: placed.map(({ first, second }) => [people[first]!, people[second]!]), resampled: 'people' }
    : { units: placed.map(({ first, second }) => [first, second]), resampled: 'images' };
}

/** The fold of every pair: the list's own, else contiguous ones. */
export function foldsOf(
  file: string,
  pairs: readonly { fold: number | undefined }[],
  folds: number | undefined,
): { foldOf: number[]; text: string } {
  if (pairs[0]!.fold === undefined) {
    const foldOf = contiguousFolds(pairs.length, folds, file);
    return { foldOf, text: `${folds ?? 10} contiguous folds` };
  }
  if (folds !== undefined) throw new UsageError(`${file} names its folds: leave out --folds`);
  const foldOf = pairs.map(({ fold }) => fold!);
  const count = new Set(foldOf).size;
  requireSeveralFolds(file, count);
  return { foldOf, text: `${count} folds of the list` };
}

/** Refuses trials of one kind, before anything is computed. */
export function requireBothKinds(file: string, trials: readonly { same: boolean }[]): void {
  for (const [kind, words] of [
    [true, 'one person'],
    [false, 'different people'],
  ] as const)
    if (!trials.some(({ same }) => same === kind))
      throw new UserError(`${file}: holds no pair of ${words}; both kinds are needed`);
}

export const repeatedNote = (repeated: number): string[] =>
  repeated > 0
    ? [
        `${repeated} ${repeated === 1 ? 'line repeats' : 'lines repeat'} an earlier pair; such a pair counts once, by its first line`,
      ]
    : [];

export const fileName = (file: string): string => file.split(/[/\\]/).at(-1)!;
