// An evaluation as a folder: the figures as JSON, the page, and every plot of the page as an SVG file of its own.
// The JSON comes first, since the figures may have taken hours and the drawings take a second.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PRIVATE, writeWhole } from '../../common/files.js';
import type { Evaluation } from '../../evaluate/evaluation.js';
import { standalone } from '../standalone.js';
import { evaluationPage } from './evaluation-page.js';
import { shortened } from './places.js';
import { type EvaluationPlot, plotIds } from './plot-parts.js';
import { parseEvaluation } from './read.js';

export interface WriteOptions {
  /** The folder that the paths of mistakes are relative to; without it their faces are named, not shown. */
  images?: string;
}

/** What was written: the page, and all files, it among them. */
export interface WrittenEvaluation {
  page: string;
  files: string[];
}

/**
 * Writes evaluation.json, the plots as SVG files and index.html into `folder`, which is made as needed. Every file
 * appears whole or not at all, and plots of an older evaluation that this one does not have are removed. Folders of
 * this machine do not get into them: a path below `images` becomes relative to it, any other loses its folders.
 */
export async function writeEvaluation(
  folder: string,
  evaluation: Evaluation,
  { images }: WriteOptions = {},
): Promise<WrittenEvaluation> {
  const data = join(folder, 'evaluation.json');
  const text = JSON.stringify(evaluation, (_, value: unknown) =>
    typeof value === 'string' ? shortened(value, images) : value,
  );
  // A run that is killed in between must not leave an older page beside the new figures.
  for (const name of ['index.html', ...plotIds.map((id) => `${id}.svg`)])
    await rm(join(folder, name), { force: true });
  await writeWhole(data, `${text}\n`, PRIVATE);
  const { page, plots } = await evaluationPage(parseEvaluation(text, data), images ? { images } : {});
  return writePage(folder, page, plots, evaluation.title, [data]);
}

/** Writes a page and its plots; `before` are the files that are there already. */
export async function writePage(
  folder: string,
  page: string,
  plots: readonly EvaluationPlot[],
  title: string,
  before: readonly string[] = [],
): Promise<WrittenEvaluation> {
  const files = [...before];
  for (const id of plotIds) {
    const file = join(folder, `${id}.svg`);
    const plot = plots.find((each) => each.id === id);
    if (plot) {
      await writeWhole(file, standalone(plot.svg, `${title}: ${plot.title}`));
      files.push(file);
    } else await rm(file, { force: true });
  }
  const path = join(folder, 'index.html');
  await writeWhole(path, page, PRIVATE);
  return { page: path, files: [...files, path] };
}
