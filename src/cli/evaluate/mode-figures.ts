// What every protocol that runs in one of LFW's modes puts into its evaluation, from the result of `lfw`.
import {
  type Evaluation,
  hardestMistakes,
  type LfwResult,
  summarise,
  type VerificationPair,
} from '../../evaluate/index.js';

/** The parts that are the same whatever list the pairs come from. */
export interface ModeFigures
  extends Required<Pick<Evaluation, 'summary' | 'verification' | 'mistakes' | 'details'>> {
  /** Numbers of one template, from features of `length` numbers an image. */
  length: number;
  settings: Evaluation['settings'];
}

/** `face` names the image in a row of the features, which have `length` numbers. */
export function modeFigures(
  { trials, ...figures }: LfwResult,
  pairs: readonly VerificationPair[],
  length: number,
  face: (row: number) => { path: string; person: string },
): ModeFigures {
  const { mode, fusion, protocol, thresholdOf, folds, foldTar } = figures;
  const thresholds = new Map(folds.map(({ fold, threshold }) => [fold, threshold]));
  return {
    summary: summarise({ ...figures, trials }),
    length: length * (fusion === 'concatenate' ? 2 : 1),
    settings: [
      ['Mode', `${mode}: ${protocol}`],
      ['Image and mirror', fusion],
    ],
    verification: figures,
    mistakes: hardestMistakes(trials, (trial) => {
      const { first, second, fold } = pairs[trial]!;
      const threshold = thresholds.get(fold)!;
      return {
        a: face(first),
        b: face(second),
        threshold: thresholdOf === 'cosine' ? threshold : 1 - threshold / 2,
      };
    }),
    details: { mode, fusion, foldTar },
  };
}
