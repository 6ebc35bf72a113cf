// The end of every protocol: the figures on standard output, and the report where one is asked for.
import { requireWritable } from '../../common/folders.js';
import { EVALUATION_FORMAT, type EvaluatedModel, type Evaluation } from '../../evaluate/index.js';
import type { FaceSource } from '../../face/index.js';
import { duration, note, result } from '../output.js';

export interface FinishFlags {
  json?: boolean;
  report?: string;
}

/** Refuses a report folder that cannot be written, before anything is computed. */
export function checkReport({ report }: FinishFlags): void {
  if (report !== undefined) requireWritable(report, '--report');
}

/** Whose embeddings a source has; `length` is that of a template as it is compared. */
export function evaluatedModel(
  { file, manifest }: Pick<FaceSource, 'file' | 'manifest'>,
  length: number,
): EvaluatedModel {
  if (!manifest) return { name: 'not stated', file, length };
  const { name, sha256, trainedOn, template } = manifest;
  return { name, file, ...(sha256 && { sha256 }), trainedOn, template, length };
}

/** Prints the evaluation and writes its report; `images` is the folder of the faces, for the page's pictures. */
export async function finish(
  evaluation: Omit<Evaluation, 'format'>,
  flags: FinishFlags,
  images?: string,
): Promise<void> {
  const whole: Evaluation = { format: EVALUATION_FORMAT, ...evaluation };
  result(whole, text(whole), flags.json);
  if (flags.report === undefined) return;
  const { writeEvaluation } = await import('../../report/evaluation/write.js');
  const { page } = await writeEvaluation(flags.report, whole, { images });
  note(`look at ${page}`);
}

function text({ title, model, summary, notes, seconds }: Evaluation): string {
  const width = (column: 'figure' | 'value' | 'interval') =>
    Math.max(...summary.map((row) => row[column].length));
  return [
    `${title}: ${model.name} (${model.file}), ${duration(seconds)}`,
    ...notes,
    ...summary.map(({ figure, value, interval, note: word }) =>
      `${figure.padEnd(width('figure'))}  ${value.padEnd(width('value'))}  ${interval.padEnd(width('interval'))}  ${word}`.trimEnd(),
    ),
  ].join('\n');
}
