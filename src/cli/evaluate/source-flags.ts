// The flags that every protocol shares: whose features are measured, on which faces, and where the report goes.
import type { Command } from 'commander';
import {
  type EmbedHooks,
  type FaceSource,
  joinSources,
  type SourceFeatures,
  sourceOfEmbeddings,
  sourceOfModel,
  templateNamed,
} from '../../face/index.js';
import { type EmbedderFlags, embedderOptions, FOREIGN_MODELS, withEmbedderFlags } from '../embedder-flags.js';
import { timedProgress, UsageError, usage } from '../output.js';

export interface SourceFlags extends EmbedderFlags {
  model?: string;
  embeddings?: string;
  data?: string;
  aligned?: string;
  keep?: string;
  json?: boolean;
  report?: string;
}

export const SOURCES = `
The features come from --model on the aligned faces of --data, or from --embeddings that 'hypersphere embed' wrote;
with these --data only says where the faces lie now, for the report's pictures. A figure depends on how the faces were
aligned, which no program can see: state it with the figure, and compare it with published ones only where the
alignment is the same. Faces that lie on another template than the model's are carried over to it with --aligned;
without it they are scaled to the model's input as they are. --keep FILE keeps the features as they are computed, so
that a run that was stopped goes on from there. --report DIR writes a page to look at, its plots as SVG, and
evaluation.json for 'hypersphere evaluate compare'. Under mpirun all ranks embed, with the same figures.
${FOREIGN_MODELS}`;

/** Adds --model, --embeddings, --data and what goes with them, and --json and --report. */
export function withSourceFlags(command: Command, data = 'folder with one folder of aligned faces a person') {
  command
    .option('--model <name|file>', 'ONNX model, or a name of: hypersphere models')
    .option(
      '--embeddings <file>',
      'embeddings of the faces instead (.safetensors, .npy or .jsonl); several with commas are an ensemble',
    )
    .option('--data <dir>', data)
    .option(
      '--aligned <template>',
      "the faces' own template, such as arcface (default: what 'align' noted there)",
    )
    .option('--keep <file>', 'keep the features in this file, and take from it what is there');
  return withEmbedderFlags(command)
    .option('--report <dir>', 'write a page, its plots and evaluation.json into this folder')
    .option('--json', 'print the evaluation as one JSON object');
}

/** Flags that say how embeddings are made. (--flip is none: it also says how stored halves are joined.) */
const MAKING = [
  'model',
  'aligned',
  'keep',
  'manifest',
  'order',
  'mean',
  'scale',
  'size',
  'template',
] as const;

/** Opens what the flags name; `nested` lists folders inside of people's folders too. */
export async function openSource(flags: SourceFlags, { nested = false } = {}): Promise<FaceSource> {
  const { model, embeddings, data, aligned, keep } = flags;
  if (embeddings !== undefined) {
    const extra = MAKING.find((flag) => flags[flag] !== undefined);
    if (extra)
      throw new UsageError(`--embeddings and --${extra} exclude each other: the embeddings are made already`);
    const files = embeddings.split(',').map((file) => file.trim());
    if (files.includes('')) throw new UsageError(`--embeddings '${embeddings}': a file is missing`);
    const sources: FaceSource[] = [];
    for (const file of files) sources.push(await sourceOfEmbeddings(file, data));
    return joinSources(sources);
  }
  if (model === undefined || data === undefined)
    throw new UsageError(
      `give --model FILE and --data DIR, or --embeddings FILE${model === undefined && data === undefined ? '' : `: --${model === undefined ? 'model' : 'data'} is missing`}`,
    );
  return sourceOfModel(model, data, {
    ...embedderOptions(flags),
    aligned: aligned === undefined ? undefined : usage(() => templateNamed(aligned)),
    nested,
    keep,
  });
}

/** What a reader must know of the source before comparing: how its faces are aligned. */
export const sourceNotes = ({ facts }: FaceSource): string[] =>
  facts.filter(([name]) => name === 'Alignment').map(([, alignment]) => `faces ${alignment}`);

/** Features of these rows of the source, with a progress bar for a model that computes them. */
export async function featuresOf(
  source: FaceSource,
  rows: readonly number[],
  hooks: Pick<EmbedHooks, 'onUnreadable'> = {},
): Promise<SourceFeatures> {
  const shown = timedProgress(rows.length, 'images');
  return source
    .features(rows, { ...hooks, onProgress: (done) => shown.update(done, '') })
    .finally(() => shown.stop());
}
