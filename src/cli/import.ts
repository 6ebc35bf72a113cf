// hypersphere import: trained weights of others (PyTorch, Caffe, safetensors, ONNX) as a model of ours.
import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { UserError } from '../common/errors.js';
import {
  exportImported,
  type ImportedWeights,
  importable,
  importedManifest,
  importWeights,
  type Manifest,
  manifestBeside,
  openWeights,
  type WeightFile,
  WeightMismatch,
  writeModel,
} from '../face/index.js';
import { perPlane } from './embedder-flags.js';
import { size, whole } from './flags.js';
import { note, result, usage } from './output.js';

const HELP = `
FILE is a PyTorch checkpoint (.pth, .pt, .ckpt: a state_dict, also within a dictionary of the training, a whole
module, or TorchScript), a .caffemodel, .safetensors or .onnx. Nothing in it is executed. Its tensors are matched
with the network's parameters by name (ours, Caffe's, the usual PyTorch ports'), else by order and shape; a
classifier of the training is left out, and nothing else is.

How images were prepared in the training is not in such a file. Assumed is what the papers say, the network seeing
(pixel - 127.5) / 128: BGR and the SphereFace template for SphereFace, RGB and the ArcFace template for
MobileFaceNet. Ports differ, most often in --order and --scale: say so, and measure (hypersphere evaluate lfw).

Examples:
  hypersphere import sphereface_model.caffemodel --net sphereface-20 --out sphereface.onnx
  hypersphere import sphere20a.pth --net sphereface-20 --out sphere20a.onnx --licence MIT
  hypersphere import mobilefacenet.ckpt --net mobilefacenet --size 112x96 --out mobilefacenet.onnx
  hypersphere import model.pth --net mobilefacenet --scale 1/127.5 --flip sum --out model.onnx
  hypersphere import model.pth --list`;

interface Flags {
  net?: string;
  out?: string;
  size?: [number, number];
  embedding?: number;
  map?: string;
  name?: string;
  template?: string;
  order?: 'rgb' | 'bgr';
  mean?: Manifest['input']['mean'];
  scale?: Manifest['input']['scale'];
  flip?: Manifest['flip'];
  licence?: string;
  trainedOn?: string;
  list?: boolean;
  json?: boolean;
}

export function importCommand(): Command {
  return new Command('import')
    .description('trained weights of others as a model: PyTorch, Caffe, safetensors, ONNX')
    .argument('<file>', 'file of weights')
    .addOption(new Option('--net <name>', 'network they are of').choices(importable))
    .option('--out <file>', 'model to write (.onnx); its manifest is written beside it')
    .option('--size <HxW>', "input height x width (default: the network's, or what fits the file)", size)
    .option('--embedding <n>', 'length of the embedding (default: what fits the file)', whole(1))
    .option('--map <file>', "JSON object from our names to the file's, where they cannot be guessed")
    .option('--name <text>', "the model's name (default: the network's)")
    .option('--template <name>', 'template of the aligned faces (default: the one of the size)')
    .addOption(new Option('--order <order>', 'order of the colour planes').choices(['rgb', 'bgr']))
    .option('--mean <m>', 'what is subtracted from a pixel of 0..255 (default: 127.5)', perPlane)
    .option('--scale <s>', 'what the difference is multiplied by (default: 1/128)', perPlane)
    .addOption(
      new Option('--flip <how>', 'how image and mirror image are joined (default: concatenate)').choices([
        'concatenate',
        'sum',
        'none',
      ]),
    )
    .option('--licence <text>', 'licence of the weights')
    .option('--trained-on <text>', 'what they were trained on')
    .option('--list', 'only list the tensors in the file')
    .option('--json', 'print one JSON object')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(file: string, flags: Flags): Promise<void> {
  if (flags.list) return list(await openWeights(file), flags.json);
  const { net, out } = usage(() => required(flags));
  const map = flags.map === undefined ? undefined : await readMap(flags.map);
  let imported: ImportedWeights;
  try {
    imported = await importWeights(file, { ...flags, net, map });
  } catch (error) {
    if (error instanceof WeightMismatch) note(...error.table.split('\n'));
    throw error;
  }
  const manifest = importedManifest(imported, flags);
  const bytes = exportImported(imported, manifest);
  const complete = manifestBeside(manifest, bytes);
  await writeModel(out, bytes, complete);
  const { rules, ignored } = imported;
  result({ out, manifest: complete, rules, ignored }, describe(imported, manifest, out), flags.json);
}

function required({ net, out }: Flags): { net: string; out: string } {
  if (net === undefined) throw new UserError(`--net NAME is missing: one of ${importable.join(', ')}`);
  if (out === undefined) throw new UserError('--out FILE.onnx is missing: where to write the model');
  if (!/\.onnx$/i.test(out)) throw new UserError(`--out ${out}: the model's name ends with .onnx`);
  return { net, out };
}

/** A JSON object of texts. */
async function readMap(file: string): Promise<Record<string, string>> {
  let map: unknown;
  try {
    map = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UserError(`${file}: no JSON file (${(error as Error).message})`);
  }
  const isMap =
    typeof map === 'object' &&
    map !== null &&
    !Array.isArray(map) &&
    Object.values(map).every((name) => typeof name === 'string');
  if (!isMap) throw new UserError(`${file}: not a JSON object from our names to the file's`);
  return map as Record<string, string>;
}

function list({ file, format, tensors, aside }: WeightFile, json: boolean | undefined): void {
  const entries = Array.from(tensors, ([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const width = Math.max(0, ...entries.map(({ name }) => name.length));
  const count = entries.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  result(
    { file, format, tensors: entries, aside },
    [
      ...entries.map(
        ({ name, dtype, shape }) => `${name.padEnd(width)}  ${dtype.padEnd(8)}  [${shape.join(', ')}]`,
      ),
      `${file} (${format}): ${entries.length} tensors, ${(count / 1e6).toFixed(2)} M numbers`,
      ...(aside.length > 0 ? [`beside them: ${aside.join(', ')}`] : []),
    ],
    json,
  );
}

function describe(
  { net, file, format, rules, ignored }: ImportedWeights,
  manifest: Manifest,
  out: string,
): string[] {
  const { input, template, flip, embedding } = manifest;
  const reasons = new Map<string, string[]>();
  for (const { name, reason } of ignored) reasons.set(reason, [...(reasons.get(reason) ?? []), name]);
  const few = (names: string[]) =>
    names.length > 3 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} more` : names.join(', ');
  return [
    `${file} (${format}) as ${net}: ${rules.map(({ rule, count }) => `${count} tensors by ${rule}`).join(', ')}`,
    ...Array.from(reasons, ([reason, names]) => `left out as ${reason}: ${few(names)}`),
    `input ${input.height}x${input.width} ${input.order}, (pixel - ${input.mean}) * ${input.scale}, template ${template}, flip ${flip}; embedding of ${embedding.length}`,
    `written: ${out}, licence: ${manifest.licence}, trained on: ${manifest.trainedOn}`,
  ];
}
