// The first sentence of an evaluation's page: its main figure in plain words, with its uncertainty and with the number
// of trials it rests on.
import type { Evaluation } from '../../evaluate/evaluation.js';
import { CARE } from '../../evaluate/roc.js';
import { html, type Markup } from '../html.js';
import { inPercent, whole } from './axes.js';

const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)}\u00a0%`;

const between = (interval: readonly [number, number] | undefined): string =>
  interval ? ` (95\u00a0% interval ${percent(interval[0])} to ${percent(interval[1])})` : '';

/** A model, at the beginning of a sentence. */
const called = (name: string): string => (name === 'not stated' ? 'A model that is not stated' : name);

/** The main figure of what the evaluation has; the first row of its summary when nothing else says more. */
export function leadOf(evaluation: Evaluation): Markup {
  // IJB's figures of searches are averages of two galleries, which its summary has.
  if (evaluation.protocol === 'ijb') return ofSummary(evaluation);
  return (
    ofSearches(evaluation) ??
    ofIdentification(evaluation) ??
    ofVerification(evaluation) ??
    ofSummary(evaluation)
  );
}

/** The largest gallery, at the lowest FPIR that is known. */
function ofSearches({ openSet, model }: Evaluation): Markup | undefined {
  const curve = [...(openSet ?? [])].sort((a, b) => b.gallery - a.gallery)[0];
  if (!curve) return undefined;
  const known = curve.points.filter(({ fnir }) => fnir !== null);
  const point = known.find(({ falsePositives }) => falsePositives >= CARE) ?? known[0];
  if (!point) return undefined;
  return html`${called(model.name)}: with ${whole(curve.gallery)} people enrolled and ${inPercent(point.fpir)}\u00a0% of the searches for strangers allowed to find someone, ${percent(point.fnir!)} of the searches for enrolled people miss them${between(point.interval)}. Measured with ${whole(curve.mated)} searches for enrolled people and ${whole(curve.nonMated)} for strangers.`;
}

/** The largest gallery of faces: what is padded with synthetic templates is no figure of a model. */
function ofIdentification({ identification, model }: Evaluation): Markup | undefined {
  const curve = (identification ?? [])
    .filter(({ synthetic }) => !synthetic)
    .sort((a, b) => b.gallery - a.gallery)[0];
  const rate = curve?.rates[0];
  if (!curve || rate === undefined) return undefined;
  return html`${called(model.name)}: in a gallery of ${whole(curve.gallery)}, the right person comes first in ${percent(rate)} of ${whole(curve.trials)} searches${between(curve.intervals?.[0])}.`;
}

function ofVerification({ verification, model }: Evaluation): Markup | undefined {
  if (verification?.accuracy === undefined) return undefined;
  const { accuracy, accuracyInterval, standardError, samePairs, differentPairs, folds } = verification;
  return html`${called(model.name)} judges ${percent(accuracy)} of ${whole(samePairs + differentPairs)} pairs rightly${standardError !== undefined && folds && html`, with a standard error of ${(100 * standardError).toFixed(2)} over ${folds.length} folds`}${between(accuracyInterval)}: ${whole(samePairs)} pairs of one person, ${whole(differentPairs)} of two.`;
}

function ofSummary({ summary, model, verification }: Evaluation): Markup {
  const main = summary.find(({ value }) => value !== 'not known') ?? summary[0];
  return html`${called(model.name)}${main && html`: ${main.figure} ${main.value}${main.interval && html` (95\u00a0% interval ${main.interval.replace('..', 'to')})`}`}${verification && html`, from ${whole(verification.samePairs)} pairs of one person and ${whole(verification.differentPairs)} of two`}.`;
}
