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

/** Cosines in one cell of this width count as their mean: a millionth of what the line and its cost would be else. */
const CELL = 2 ** -16;

/** Genuine and impostor pairs of the people of whom `members` is 1. */
function weighted(
  { sizes, genuine, impostor }: AllPairs,
  members: readonly number[],
): [WeightedScores, WeightedScores] {
  const own = sizes.map((n, person) => (n > 1 ? (members[person]! * 2) / (n * (n - 1)) : 0));
  const factor = sizes.map((n, person) => members[person]! / n);
  return [gathered(genuine, (p) => own[p]!), gathered(impostor, (p, q) => factor[p]! * factor[q]!)];
}

/** Pairs that weigh anything, those of one cell together. */
function gathered(
  { cosines, first, second }: Pairs,
  weightOf: (p: number, q: number) => number,
): WeightedScores {
  const scores: number[] = [];
  const weights: number[] = [];
  let [cell, sum, total, count] = [Number.NaN, 0, 0, 0];
  const close = () => {
    if (total === 0) return;
    scores.push(sum / total);
    weights.push(total);
  };
  for (let k = 0; k < cosines.length; k++) {
    const weight = weightOf(first[k]!, second[k]!);
    if (weight === 0) continue;
    const cosine = cosines[k]!;
    const here = Math.round(cosine / CELL);
    if (here !== cell) {
      close();
      [cell, sum, total] = [here, 0, 0];
    }
    sum += weight * cosine;
    total += weight;
    count++;
  }
  close();
  return { scores, weights, count };
}
