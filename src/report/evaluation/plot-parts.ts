// What a plot of an evaluation is, and what the lists of plots share: names, colours, and words of their captions.
import type { Evaluation } from '../../evaluate/evaluation.js';
import type { Markup } from '../html.js';
import { classColours } from '../plot.js';
import { inPercent, whole } from './axes.js';

/** Every plot there can be. */
export const plotIds = [
  'roc',
  'det',
  'cmc',
  'rank-1',
  'open-set-det',
  'open-set-fnir',
  'open-set-thresholds',
  'scores',
  'angles',
] as const;
export type PlotId = (typeof plotIds)[number];

/** A plot of a page, which is an SVG file of its own too: `id`.svg. */
export interface EvaluationPlot {
  id: PlotId;
  title: string;
  svg: Markup;
  caption: Markup;
}

export const colourOf = (i: number): string => classColours[i % classColours.length]!;

/** One evaluation of a plot: its name among the others, and its colour. */
export interface Named<T> {
  name: string;
  colour: string;
  part: T;
}

export const DASHED = 'Dashed: fewer than ten errors are behind it, so read it with care.';
export const POINTER =
  'Rings stand at 1, 10 and 100; rest the pointer on the curve for the counts behind it.';

export type Print = (value: number) => string;

export const intervalText = (
  interval: readonly [number, number] | undefined,
  print: Print = (value) => `${inPercent(value)} %`,
): string => (interval ? `, 95 % interval ${print(interval[0])} .. ${print(interval[1])}` : '');

/** The largest gallery that is in every list. */
export function largestShared(lists: readonly (readonly { gallery: number }[])[]): number | undefined {
  const [first, ...others] = lists.map((list) => new Set(list.map(({ gallery }) => gallery)));
  const shared = [...(first ?? [])].filter((gallery) => others.every((sizes) => sizes.has(gallery)));
  return shared.length > 0 ? Math.max(...shared) : undefined;
}

/**
 * What the gallery of a curve is called. Galleries of IJB are two halves of a whole (`apart`), which are numbered; others
 * grow, and are known by their size.
 */
export const galleryName = (gallery: number, i: number, apart: boolean): string =>
  apart ? `gallery ${i + 1}` : `gallery ${whole(gallery)}`;

/** Whether the galleries of an evaluation are halves and not one that grows. */
export const galleriesApart = ({ protocol }: Pick<Evaluation, 'protocol'>): boolean => protocol === 'ijb';

/** What to say of a gallery's templates that are no faces. */
export const padding = ({ synthetic }: { synthetic?: number | undefined }): string =>
  synthetic ? ` (${whole(synthetic)} synthetic)` : '';
