// hypersphere evaluate lfw: verification by the protocol of Labeled Faces in the Wild.
import { Command, Option } from 'commander';
import { findPairs, readPairs } from '../../data/index.js';
import { type LfwMode, lfw, requireSeveralFolds } from '../../evaluate/index.js';
import { led } from '../ranks.js';
import { checkReport, evaluatedModel, finish } from './finish.js';
import { modeFigures } from './mode-figures.js';
import {
  featuresOf,
  openSource,
  SOURCES,
  type SourceFlags,
  sourceNotes,
  withSourceFlags,
} from './source-flags.js';

const HELP = `
The data folder holds the aligned faces as Name/Name_0001.jpg; the pair list is in LFW's own format. Modes:
  sphereface    mean feature removed, cosine, image and mirror concatenated (the paper's code)
  insightface   squared distance of normalised sums of image and mirror
  exact         cosine, concatenated, the threshold from a sweep over all scores
${SOURCES.trim()}

Examples:
  hypersphere evaluate lfw --model runs/a/model.onnx --data lfw/aligned-112 --pairs lfw/pairs.txt --report lfw-a
  hypersphere evaluate lfw --embeddings lfw.safetensors --pairs lfw/pairs.txt --mode exact
  hypersphere evaluate lfw --model other.onnx --order rgb --mean 127.5 --scale 1/128 --data lfw --pairs pairs.txt`;

interface Flags extends SourceFlags {
  pairs: string;
  mode: LfwMode;
}

export function lfwCommand(): Command {
  const command = new Command('lfw')
    .description('verification by the protocol of Labeled Faces in the Wild')
    .requiredOption('--pairs <file>', 'pair list (pairs.txt)')
    .addOption(
      new Option('--mode <mode>', 'whose reading of the protocol')
        .choices(['sphereface', 'insightface', 'exact'])
        .default('sphereface'),
    );
  return withSourceFlags(command).addHelpText('after', HELP).action(led(run));
}

async function run(flags: Flags): Promise<void> {
  const started = performance.now();
  const { pairs: pairsFile, mode, flip } = flags;
  checkReport(flags);
  const list = await readPairs(pairsFile);
  requireSeveralFolds(pairsFile, list.folds);
  const source = await openSource(flags);
  try {
    const paths = source.images.map(({ path }) => path);
    const { rows, people, pairs } = findPairs(list, paths, source.folder || source.file);
    const files = rows.map((row) => paths[row]!);
    const features = await featuresOf(source, rows);
    const result = lfw({
      features,
      pairs,
      mode,
      people,
      files,
      ...(flip && { fusion: flip }),
    });
    const { length, settings, ...parts } = modeFigures(result, pairs, features.length, (row) => ({
      path: files[row]!,
      person: people[row]!,
    }));
    await finish(
      {
        protocol: 'lfw',
        title: `LFW verification, mode ${mode}`,
        model: evaluatedModel(source, length),
        settings: [
          ...source.facts,
          ['Pairs', `${pairsFile}: ${list.folds} folds of ${list.pairsPerKind} + ${list.pairsPerKind}`],
          ['Images', String(rows.length)],
          ...settings,
        ],
        notes: sourceNotes(source),
        ...parts,
        seconds: (performance.now() - started) / 1000,
      },
      flags,
      source.folder,
    );
  } finally {
    await source.close();
  }
}
