// The figures of evaluations as numbers that can be compared: which way is better, and which of several is the best as
// far as their intervals allow saying so.

import type { Evaluation } from '../../evaluate/evaluation.js';
import { percent } from '../../evaluate/summary.js';
import { inPercent, share } from './axes.js';
import { galleriesApart, galleryName, padding } from './plot-parts.js';

/** One figure of one evaluation. */
export interface Figure {
  /** What it is, the same for all evaluations that have it: 'EER'. */
  name: string;
  better: 'higher' | 'lower';
  /** Null when its trials cannot tell it: see `reason`. */
  value: number | null;
  interval?: readonly [number, number] | undefined;
  reason?: string | undefined;
  print: (value: number) => string;
}

const plain = (value: number): string => value.toFixed(4);

/** The figures of an evaluation, those that matter most first. */
export function figuresOf(evaluation: Evaluation): Figure[] {
  const { verification, identification, openSet } = evaluation;
  const apart = galleriesApart(evaluation);
  return [
    ...(verification ? ofVerification(verification) : []),
    ...(identification ?? []).map(
      ({ gallery, rates, intervals, synthetic }, i): Figure => ({
        ...{
          name: `Rank-1, ${galleryName(gallery, i, apart)}${padding({ synthetic })}`,
          better: 'higher',
          value: rates[0] ?? null,
        },
        ...{ interval: intervals?.[0], print: percent },
      }),
    ),
    ...(openSet ?? []).flatMap(({ gallery, points }, i) =>
      points.map(
        ({ fpir, fnir, interval, reason }): Figure => ({
          name: `FNIR at FPIR ${inPercent(fpir)} %, ${galleryName(gallery, i, apart)}`,
          ...{ better: 'lower', value: fnir, interval, reason, print: percent },
        }),
      ),
    ),
  ];
}

function ofVerification(part: NonNullable<Evaluation['verification']>): Figure[] {
  const { accuracy, accuracyInterval, auc, aucInterval, eer, eerInterval, tarAtFar } = part;
  const figures: Figure[] = [
    {
      ...{ name: 'Accuracy', better: 'higher', value: accuracy ?? null },
      ...{ interval: accuracyInterval, print: percent },
    },
    { name: 'AUC', better: 'higher', value: auc ?? null, interval: aucInterval, print: plain },
    { name: 'EER', better: 'lower', value: eer ?? null, interval: eerInterval, print: percent },
  ];
  return [
    ...figures.filter(({ value }) => value !== null),
    ...tarAtFar.map(
      ({ far, tar, interval, reason }): Figure => ({
        ...{ name: `TAR at FAR ${share(far)}`, better: 'higher', value: tar },
        ...{ interval, reason, print: percent },
      }),
    ),
  ];
}

export const RULE =
  'A figure is marked as the best only where its 95 % interval does not overlap that of any other run and all runs have that figure and an interval. The rule is strict: runs on the same trials vary together, so a difference may be real although intervals overlap.';

/**
 * The index of the figure that is the best beyond doubt: its interval lies on the better side of all others. Undefined
 * with fewer than two figures, and when one is missing, unknown or without interval.
 */
export function clearlyBest(figures: readonly (Figure | undefined)[]): number | undefined {
  const known = figures.filter(
    (figure): figure is Figure & { interval: readonly [number, number] } =>
      figure !== undefined && figure.value !== null && figure.interval !== undefined,
  );
  if (known.length < 2 || known.length < figures.length) return undefined;
  const wins = (a: (typeof known)[number], b: (typeof known)[number]) =>
    a.better === 'higher' ? a.interval[0] > b.interval[1] : a.interval[1] < b.interval[0];
  const best = known.findIndex((a) => known.every((b) => a === b || wins(a, b)));
  return best < 0 ? undefined : best;
}
