// hypersphere evaluate bin: verification sets in the field's own container (lfw.bin, cfp_fp.bin, agedb_30.bin).
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Command, Option } from 'commander';
import { UserError } from '../../common/errors.js';
import { PRIVATE, writeWhole } from '../../common/files.js';
import { distinctPairs, readVerificationBin } from '../../data/index.js';
import { contiguousFolds, type Evaluation, foldsOfOneKind, type LfwMode, lfw } from '../../evaluate/index.js';
import {
  alignmentInWords,
  bothOf,
  carryFrom,
  type Embedder,
  openEmbedder,
  type Template,
  templateNamed,
} from '../../face/index.js';
import { type EmbedderFlags, embedderOptions, FOREIGN_MODELS, withEmbedderFlags } from '../embedder-flags.js';
import { whole } from '../flags.js';
import { timedProgress, usage } from '../output.js';
import { led } from '../ranks.js';
import { checkReport, evaluatedModel, type FinishFlags, finish } from './finish.js';
import { modeFigures } from './mode-figures.js';
import { requireBothKinds } from './scores.js';

const HELP = `
A .bin file is a pickled pair of a list of image files, two a pair, and a list of booleans, as InsightFace publishes
lfw.bin, cfp_fp.bin and agedb_30.bin. It is read as data; nothing in it is executed. Folds are contiguous, as the
field's code cuts them. A .bin names no people, so the bootstrap for the intervals draws images. Modes: those of
'evaluate lfw'. Faces that lie on another template than the model's are carried over to it with --aligned (the
published sets: arcface); without it they are scaled and cropped to its input as they are. Of several files each has
its figures: with --json one object a line, with --report DIR a page in DIR/NAME.
${FOREIGN_MODELS}

Examples:
  hypersphere evaluate bin lfw.bin cfp_fp.bin --model other.onnx --order rgb --mean 127.5 --scale 1/128
  hypersphere evaluate bin lfw.bin --model runs/a/model.onnx --aligned arcface --mode exact --report lfw-bin`;

interface Flags extends EmbedderFlags, FinishFlags {
  model: string;
  mode: LfwMode;
  folds: number;
  aligned?: string;
}

export function binCommand(): Command {
  const command = new Command('bin')
    .description("verification sets in the field's container (lfw.bin, cfp_fp.bin)")
    .argument('<files...>', '.bin files')
    .requiredOption('--model <name|file>', 'ONNX model, or a name of: hypersphere models')
    .addOption(
      new Option('--mode <mode>', 'whose reading of the protocol')
        .choices(['sphereface', 'insightface', 'exact'])
        .default('insightface'),
    )
    .option('--folds <n>', 'contiguous folds of the pairs', whole(2), 10)
    .option('--aligned <template>', "the faces' own template, such as arcface (default: as they are)");
  return withEmbedderFlags(command)
    .option('--report <dir>', 'write a page, its plots and evaluation.json into this folder')
    .option('--json', 'print each evaluation as one JSON object')
    .addHelpText('after', HELP)
    .action(led(run));
}

async function run(files: string[], flags: Flags): Promise<void> {
  const names = files.map((file) => basename(file).replace(/\.bin$/i, ''));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (flags.report !== undefined && twice !== undefined)
    throw new UserError(
      `${twice}: two sets have this name, and their reports would have one folder; run them apart`,
    );
  checkReport(flags);
  const stated = flags.aligned === undefined ? undefined : usage(() => templateNamed(flags.aligned!));
  const embedder = await openEmbedder(flags.model, embedderOptions(flags));
  try {
    const from = stated && carryFrom(embedder.manifest, files[0]!, stated);
    for (const [i, file] of files.entries()) {
      const report =
        flags.report === undefined || files.length === 1 ? flags.report : join(flags.report, names[i]!);
      await evaluateSet(file, names[i]!, embedder, from, { ...flags, report });
    }
  } finally {
    await embedder.close();
  }
}

async function evaluateSet(
  file: string,
  name: string,
  embedder: Embedder,
  from: Template | undefined,
  flags: Flags,
): Promise<void> {
  const started = performance.now();
  const { mode, folds, flip, model } = flags;
  const set = await readVerificationBin(file);
  const { images, places, pairs: listed } = distinctPairs(set);
  requireBothKinds(file, listed);
  const foldOf = contiguousFolds(listed.length, folds, file);
  const pairs = listed.map((pair, i) => ({ ...pair, fold: foldOf[i]! }));
  const called = places.map((place) => `image ${place + 1}`);
  const encoded = images.map((bytes, row) => ({ name: `${file}: ${called[row]!}`, bytes }));
  const shown = timedProgress(images.length, 'images');
  const features = await bothOf(embedder, encoded, {
    ...(from && { from }),
    onProgress: (done) => shown.update(done, ''),
  }).finally(() => shown.stop());
  const result = lfw({ features, pairs, mode, files: called, ...(flip && { fusion: flip }) });
  const { manifest, device } = embedder;
  const { length, settings, details, ...parts } = modeFigures(result, pairs, features.length, (row) => ({
    path: `${places[row]! + 1}.jpg`,
    person: '',
  }));
  const oneKind = foldsOfOneKind(pairs);
  const alignment = alignmentInWords(manifest, from);
  const evaluation: Omit<Evaluation, 'format'> = {
    protocol: 'bin',
    title: `${name} verification, mode ${mode}`,
    model: evaluatedModel({ file: model, manifest }, length),
    settings: [
      ['Set', `${file}: ${pairs.length} pairs in ${folds} contiguous folds`],
      ['Images', `${set.images.length}, ${images.length} of them different`],
      ['Alignment', alignment],
      ['Computed on', device.name],
      ...settings,
    ],
    notes: [
      `faces ${alignment}`,
      'the set names no people: intervals come from drawing images',
      ...(oneKind ? [oneKind] : []),
    ],
    ...parts,
    details: { ...details, images: set.images.length, different: images.length },
    seconds: (performance.now() - started) / 1000,
  };
  if (flags.report === undefined) return finish(evaluation, flags);
  // The page takes its pictures from files: those of the mistakes, for as long as it is written.
  const folder = await mkdtemp(join(tmpdir(), 'hypersphere-'));
  try {
    const paths = new Set(evaluation.mistakes!.flatMap(({ a, b }) => [a.path, b.path]));
    for (const path of paths)
      await writeWhole(join(folder, path), set.images[Number.parseInt(path, 10) - 1]!, PRIVATE);
    await finish(evaluation, flags, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
