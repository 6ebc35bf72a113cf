// The figures by name, in the order in which their page shows them.
import { UserError } from '../../common/errors.js';
import { versions } from '../../train/run-folder.js';
import { boundaries } from './boundaries.js';
import { fig2 } from './fig-2.js';
import { fig3 } from './fig-3.js';
import { fig5 } from './fig-5.js';
import { fig8 } from './fig-8.js';
import { fig9 } from './fig-9.js';
import { fig10 } from './fig-10.js';
import { fig11 } from './fig-11.js';
import { fig12 } from './fig-12.js';
import type { Figure, FigureFile, FigureHooks, FigureOptions } from './figure.js';
import { targetLogits } from './target-logits.js';

export type { Figure, FigureFile, FigureHooks, FigureOptions, FigureProgress } from './figure.js';

/** All figures: those of the SphereFace paper by number, then the survey's comparisons. */
export const figures: readonly Figure[] = [
  fig2,
  fig3,
  fig5,
  fig8,
  fig9,
  fig10,
  fig11,
  fig12,
  targetLogits,
  boundaries,
];

/** 'fig-5' for 5, fig5, fig.5, 'Fig. 5' and fig-5; other names in small letters. */
const fullName = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replace(/^(?:fig(?:ure)?)?[\s.-]*(\d+)$/, 'fig-$1');

/**
 * The figures that a list such as 'all' or '3,fig-5,boundaries' names, in the order of the page, each once.
 * Throws a UserError with the list of names for one that does not exist.
 */
export function figuresNamed(list: string): Figure[] {
  const names = list.split(',').map(fullName);
  const known = figures.map(({ name }) => name);
  const strange = names.find((name) => name !== 'all' && !known.includes(name));
  if (strange !== undefined) {
    throw new UserError(`there is no figure '${strange}'; use all, or any of ${known.join(', ')}`);
  }
  return figures.filter(({ name }) => names.includes('all') || names.includes(name));
}

/** Collects a figure's data, with what is to be known of their making. */
export async function collectFigure(
  figure: Figure,
  options: FigureOptions,
  hooks?: FigureHooks,
): Promise<FigureFile> {
  const started = performance.now();
  const data = await figure.collect(options, hooks);
  return {
    format: 'hypersphere-figure/1',
    name: figure.name,
    ...(figure.trained && { seed: options.seed }),
    made: new Date().toISOString(),
    seconds: (performance.now() - started) / 1000,
    versions: versions(),
    data,
  };
}
