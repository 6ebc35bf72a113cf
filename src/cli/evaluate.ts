// hypersphere evaluate: a model on a benchmark, by its protocol.
import { Command, Option } from 'commander';
import { UserError } from '../common/errors.js';
import { locatePairs, readPairs } from '../data/index.js';
import { type LfwMode, lfw, summarise } from '../evaluate/index.js';
import { bothRealigned, carryFrom, openEmbedder, templateLabel, templateNamed } from '../face/index.js';
import { type EmbedderFlags, embedderOptions, FOREIGN_MODELS, withEmbedderFlags } from './embedder-flags.js';
import { duration, progress, result, usage } from './output.js';

const HELP = `
The data folder holds the aligned faces as Name/Name_0001.jpg; the pair list is in LFW's own format. Modes:
  sphereface    mean feature removed, cosine, image and mirror concatenated (the paper's code)
  insightface   squared distance of normalised sums of image and mirror
  exact         cosine, concatenated, the threshold from a sweep over all scores
A figure depends on how the faces were aligned, which no program can see: state it with the figure, and compare it
with published ones only where the alignment is the same. Faces that lie on another template than the model's are
carried over to it with --aligned; without it they are scaled to the model's input as they are.
${FOREIGN_MODELS}

Examples:
  hypersphere evaluate lfw --model runs/a/model.onnx --data lfw/aligned-112 --pairs lfw/pairs.txt
  hypersphere evaluate lfw --model other.onnx --order rgb --mean 127.5 --scale 1/128 --data lfw --pairs pairs.txt`;

interface Flags extends EmbedderFlags {
  model: string;
  data: string;
  pairs: string;
  mode: LfwMode;
  aligned?: string;
  json?: boolean;
}

export function evaluateCommand(): Command {
  const protocol = new Command('lfw')
    .description('verification by the protocol of Labeled Faces in the Wild')
    .requiredOption('--model <file>', 'ONNX model')
    .requiredOption('--data <dir>', 'folder with one folder of aligned faces a person')
    .requiredOption('--pairs <file>', 'pair list (pairs.txt)')
    .addOption(
      new Option('--mode <mode>', 'whose reading of the protocol')
        .choices(['sphereface', 'insightface', 'exact'])
        .default('sphereface'),
    )
    .option(
      '--aligned <template>',
      "the faces' own template, such as arcface (default: what 'align' noted there)",
    );
  return new Command('evaluate')
    .description('measure a model on a benchmark')
    .addCommand(
      withEmbedderFlags(protocol)
        .option('--json', 'print the figures as one JSON object')
        .addHelpText('after', HELP)
        .action(run),
    );
}

async function run({ model, data, pairs: pairsFile, mode, aligned, json, ...flags }: Flags): Promise<void> {
  const started = performance.now();
  const stated = aligned === undefined ? undefined : usage(() => templateNamed(aligned));
  const list = await readPairs(pairsFile);
  if (list.folds < 2) {
    throw new UserError(
      `${pairsFile}: one fold; two are needed, as a fold's threshold comes from the others`,
    );
  }
  const { paths, people, pairs } = await locatePairs(list, data);
  const embedder = await openEmbedder(model, embedderOptions(flags));
  try {
    const from = carryFrom(embedder.manifest, data, stated);
    const shown = progress(paths.length, 'images');
    const hooks = { onProgress: (done: number) => shown.update(done, '') };
    const features = await (from
      ? bothRealigned(embedder, paths, from, hooks)
      : embedder.both(paths, hooks)
    ).finally(() => shown.stop());
    const { flip, input } = embedder.manifest;
    const fusion = flags.flip ? { fusion: flip } : {};
    const { trials, ...figures } = lfw({ features, pairs, mode, people, files: paths, ...fusion });
    const seconds = (performance.now() - started) / 1000;
    const { name, template, trainedOn } = embedder.manifest;
    const about = {
      model,
      name,
      trainedOn,
      data,
      pairsFile,
      images: paths.length,
      input,
      template,
      ...(from && { aligned: templateLabel(from) }),
      device: embedder.device.name,
    };
    const rows = summarise({ ...figures, trials });
    const width = (column: 'figure' | 'value' | 'interval') =>
      Math.max(...rows.map((row) => row[column].length));
    const text = rows.map(({ figure, value, interval, note }) =>
      `${figure.padEnd(width('figure'))}  ${value.padEnd(width('value'))}  ${interval.padEnd(width('interval'))}  ${note}`.trimEnd(),
    );
    text.unshift(
      `${model} on ${data}, pairs of ${pairsFile} (${paths.length} images, ${duration(seconds)})`,
      from
        ? `faces carried from the template ${templateLabel(from)} to the model's: ${template}`
        : `faces taken as they are aligned there; the model's template: ${template}`,
    );
    result({ ...about, ...figures, seconds }, text.join('\n'), json);
  } finally {
    await embedder.close();
  }
}
