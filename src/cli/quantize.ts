// hypersphere quantize: a float model in, one in 8-bit integers out.
import { Command, Option } from 'commander';
import { UserError } from '../common/errors.js';
import { requireWritableFile } from '../common/folders.js';
import { readExcludeFile } from '../data/index.js';
import { type QuantizedModel, quantizeModel, templateNamed, writeModel } from '../face/index.js';
import { type RangeRule, rangeRules } from '../lower/quantize/index.js';
import {
  type EmbedderFlags,
  embedderOptions,
  FOREIGN_MODELS,
  withPreparationFlags,
} from './embedder-flags.js';
import { whole } from './flags.js';
import { duration, note, result, timedProgress, usage } from './output.js';

const HELP = `
Convolutions, matrix products and sums of the model compute in 8-bit integers afterwards; what cannot stays in float,
and is told. The ranges of the integers are taken from the model's own values on faces of --faces, a folder of aligned
faces like those it will see, drawn by --seed; as many other faces of it are embedded by both models, and their cosines
told. Never calibrate on people that the model is measured on.

The new model needs ONNX Runtime (it has operators of its own domain) and stands beside the old one under another name:
their embeddings are alike but not to be mixed. Thresholds of the old one are left out: measure them anew.
Weights have 7 bits, because processors without VNNI overflow on 8; --bits 8 is for those with it.
${FOREIGN_MODELS}

Examples:
  hypersphere quantize --model runs/a/model.onnx --faces celeba --out runs/a/model-int8.onnx
  hypersphere quantize --model other.onnx --order rgb --mean 127.5 --scale 1/128 --faces faces --out other-int8.onnx
  hypersphere quantize --model runs/a/model.onnx --faces faces --keep conv1_1 fc5 --out mixed.onnx
  hypersphere evaluate lfw --model runs/a/model-int8.onnx --data lfw --pairs pairs.txt`;

interface Flags extends EmbedderFlags {
  model: string;
  faces: string;
  out: string;
  images: number;
  ranges: RangeRule;
  bits: '7' | '8';
  perChannel: boolean;
  mendBiases: boolean;
  keep?: string[];
  aligned?: string;
  exclude?: string;
  seed: number;
  json?: boolean;
}

export function quantizeCommand(): Command {
  const command = new Command('quantize')
    .description('a model in 8-bit integers, calibrated on faces')
    .requiredOption('--model <name|file>', 'float ONNX model, or a name of: hypersphere models')
    .requiredOption('--faces <dir>', 'folder of aligned faces to calibrate on')
    .requiredOption('--out <file>', 'model to write (.onnx); its manifest is written beside it')
    .option('--images <n>', 'faces to calibrate on, and as many others to compare on', whole(1), 256)
    .addOption(
      new Option('--ranges <rule>', 'how ranges are chosen')
        .choices(Object.keys(rangeRules))
        .default('least-squares'),
    )
    .addOption(new Option('--bits <n>', 'bits of weights').choices(['7', '8']).default('7'))
    .option('--no-per-channel', 'one scale for all weights of a layer instead of one a channel')
    .option('--no-mend-biases', 'leave biases as they are, which otherwise make up for rounded weights')
    .option('--keep <layers...>', 'layers that stay in float, by the names of: hypersphere info MODEL')
    .option(
      '--aligned <template>',
      "the faces' own template, such as arcface (default: what 'align' noted there)",
    )
    .option('--exclude <file>', 'people to leave out: what hypersphere overlap wrote, or one name a line')
    .option('--seed <n>', 'seed of the draw of faces', whole(0), 1)
    .option('--threads <n>', 'threads on the CPU (default: all)', whole(1));
  return withPreparationFlags(command)
    .option('--json', 'print what was done as one JSON object')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const { model, faces, out, images, ranges, perChannel, mendBiases, keep, seed, json } = flags;
  usage(() => {
    if (!/\.onnx$/i.test(out)) throw new UserError(`--out ${out}: the model's name ends with .onnx`);
  });
  const aligned = flags.aligned === undefined ? undefined : usage(() => templateNamed(flags.aligned!));
  requireWritableFile(out);
  const { threads, manifest } = embedderOptions(flags);
  const started = performance.now();
  const shown = timedProgress(2 * images, 'faces');
  let made: QuantizedModel;
  try {
    made = await quantizeModel(model, faces, {
      ...{ images, ranges, perChannel, mendBiases, seed, bits: flags.bits === '8' ? 8 : 7 },
      ...(threads && { threads }),
      ...(manifest && { manifest }),
      ...(keep && { keep }),
      ...(aligned && { aligned }),
      ...(flags.exclude !== undefined && { exclude: await readExcludeFile(flags.exclude) }),
      onProgress: (done, _, what) => shown.update(done, what),
    });
  } finally {
    shown.stop();
  }
  await writeModel(out, made.bytes, made.manifest);
  const { layers, agreement, bytes, bytesBefore } = made;
  if (made.thresholdsLeftOut)
    note('the thresholds of the float model are left out: they were measured with its embeddings');
  const seconds = (performance.now() - started) / 1000;
  result(
    { out, manifest: made.manifest, layers, agreement, bytes: bytes.length, bytesBefore, seconds },
    describe(made, out, seconds),
    json,
  );
}

function describe(
  { layers, agreement, bytes, bytesBefore }: QuantizedModel,
  out: string,
  seconds: number,
): string {
  const float = layers.filter((layer) => layer.float !== undefined);
  const size = (count: number) => `${(count / 2 ** 20).toFixed(1)} MiB`;
  return [
    `${out}: ${layers.length - float.length} of ${layers.length} layers in integers, ${size(bytes.length)} (${size(bytesBefore)} before); ${duration(seconds)}`,
    ...float.map((layer) => `in float: ${layer.name} (${layer.op}): ${layer.float}`),
    agreement
      ? `cosine to the float model's embeddings over ${agreement.images} other faces: mean ${agreement.mean.toFixed(4)}, least ${agreement.least.toFixed(4)}`
      : 'no faces were left to compare the embeddings on; give a larger folder',
  ].join('\n');
}
