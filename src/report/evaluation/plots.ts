// Which plots an evaluation, or several beside each other, can give: one list, shared by the pages and the SVG files.
import type { Evaluation } from '../../evaluate/evaluation.js';
import { colours } from '../plot.js';
import { comparedIdentification, identificationPlots } from './identification-plots.js';
import { comparedOpenSet, openSetPlots } from './open-set-plots.js';
import { colourOf, type EvaluationPlot, type Named } from './plot-parts.js';
import { histogramPlots, verificationPlots } from './verification-plots.js';

/** All plots of one evaluation. */
export function plotsOf({ verification, identification, openSet }: Evaluation): EvaluationPlot[] {
  return [
    ...(verification
      ? verificationPlots([{ name: 'all pairs', colour: colours.accent, part: verification }])
      : []),
    ...(identification?.length ? identificationPlots(identification) : []),
    ...(openSet?.length ? openSetPlots(openSet) : []),
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
    ...(identification.length > 0 ? comparedIdentification(identification) : []),
    ...(openSet.length > 0 ? comparedOpenSet(openSet) : []),
  ];
}
