// Which plots an evaluation, or several beside each other, can give: one list, shared by the pages and the SVG files.
import type { Evaluation } from '../../evaluate/evaluation.js';
import { colours } from '../plot.js';
import { comparedIdentification, identificationPlots } from './identification-plots.js';
import { comparedOpenSet, openSetPlots } from './open-set-plots.js';
import { colourOf, type EvaluationPlot, galleriesApart, type Named } from './plot-parts.js';
import { histogramPlots, verificationPlots } from './verification-plots.js';

/** All plots of one evaluation. */
export function plotsOf(evaluation: Evaluation): EvaluationPlot[] {
  const { verification, identification, openSet } = evaluation;
  const apart = galleriesApart(evaluation);
  return [
    ...(verification
      ? verificationPlots([{ name: 'all pairs', colour: colours.accent, part: verification }])
      : []),
    ...(identification?.length ? identificationPlots(identification, apart) : []),
    ...(openSet?.length ? openSetPlots(openSet, apart) : []),
    ...(verification ? histogramPlots(verification) : []),
  ];
}

/** Curves of several evaluations on top of each other. */
export function comparedPlots(runs: readonly { short: string; evaluation: Evaluation }[]): EvaluationPlot[] {
  const having = <T>(pick: (evaluation: Evaluation) => T | undefined): Named<T>[] =>
    runs.flatMap(({ short: name, evaluation }, i) => {
      const part = pick(evaluation);
      return part === undefined ? [] : [{ name, colour: colourOf(i), part }];
    });
  const some = <T>(list: readonly T[] | undefined) => (list?.length ? list : undefined);
  const identification = having(({ identification: curves }) => some(curves));
  const openSet = having(({ openSet: curves }) => some(curves));
  return [
    ...verificationPlots(having(({ verification }) => verification)),
    ...(identification.length > 0
      ? comparedIdentification(
          identification,
          runs.some(({ evaluation }) => galleriesApart(evaluation)),
        )
      : []),
    ...(openSet.length > 0 ? comparedOpenSet(openSet) : []),
  ];
}
