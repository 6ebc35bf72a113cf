// From all pairs of a labelled set to log-likelihood ratios with their quality: the line over all people, and what such
// a line costs on people who had no part in it.
import { UserError } from '../../common/errors.js';
import { random } from '../../common/random.js';
import type { Calibration } from '../../face/index.js';
import type { AllPairs, Pairs } from '../all-pairs.js';
import { cllr, minimumCllr } from './cllr.js';
import { fitLine, type ScoreLine, type WeightedScores } from './logistic.js';

const FOLDS = 5;

/**
 * The line of `pairs` at `prior`. People count the same, and so do pairs of people, however many images they have:
 * a pair of images weighs 1 over the number of pairs between those people. Throws a UserError for a falling line.
 */
export function calibrateProbability(
  pairs: AllPairs,
  prior: number,
  seed: number,
): Calibration['probability'] {
  const { sizes } = pairs;
  const everybody = sizes.map(() => 1);
  const line = fitLine(...weighted(pairs, everybody), prior);
  if (!(line.slope > 0))
    throw new UserError(
      'calibration: pairs of one person do not score higher than pairs of two; check the labels, the alignment and the model',
    );
  const several = sizes.filter((size) => size > 1).length;
  const couples = (sizes.length * (sizes.length - 1)) / 2;
  const quality = crossValidated(pairs, prior, seed, line);
  return {
    ...line,
    // Never a minus zero, which JSON does not keep.
    limits: [0 - Math.log(several), Math.log(couples)],
    prior,
    ...(quality && { cllr: quality }),
  };
}

/** Mean over folds of people of the Cllr there under the line of the other folds; undefined with too few people. */
function crossValidated(pairs: AllPairs, prior: number, seed: number, start: ScoreLine) {
  const { sizes } = pairs;
  const draw = random(seed, 'folds');
  const numbers = sizes.map((_, person) => person);
  const several = draw.shuffle(numbers.filter((person) => sizes[person]! > 1));
  const single = draw.shuffle(numbers.filter((person) => sizes[person] === 1));
  const folds = Math.min(FOLDS, several.length, Math.floor(sizes.length / 2));
  if (folds < 2) return undefined;
  const foldOf = new Array<number>(sizes.length);
  [...several, ...single].forEach((person, k) => {
    foldOf[person] = k % folds;
  });
  let [value, minimum] = [0, 0];
  for (let fold = 0; fold < folds; fold++) {
    const members = (inside: boolean) => foldOf.map((own) => ((own === fold) === inside ? 1 : 0));
    const { slope, intercept } = fitLine(...weighted(pairs, members(false)), prior, start);
    const held = weighted(pairs, members(true));
    value += cllr(...held, (score) => slope * score + intercept) / folds;
    minimum += minimumCllr(...held) / folds;
  }
  return { value, minimum, folds };
}

/** Genuine and impostor pairs of the people of whom `members` is 1. */
function weighted(
  { sizes, genuine, impostor }: AllPairs,
  members: readonly number[],
): [WeightedScores, WeightedScores] {
  const own = sizes.map((n, person) => (n > 1 ? (members[person]! * 2) / (n * (n - 1)) : 0));
  const factor = sizes.map((n, person) => members[person]! / n);
  const scores = ({ cosines, first, second }: Pairs, weight: (p: number, q: number) => number) => {
    const weights = new Float32Array(cosines.length);
    for (let k = 0; k < weights.length; k++) weights[k] = weight(first[k]!, second[k]!);
    return { scores: cosines, weights };
  };
  return [scores(genuine, (p) => own[p]!), scores(impostor, (p, q) => factor[p]! * factor[q]!)];
}
