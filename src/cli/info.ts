// hypersphere info: what a network, or a model file, is and costs.
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { UserError } from '../common/errors.js';
import { readText } from '../common/files.js';
import {
  builtInDetectors,
  builtInModels,
  describeModel,
  MANIFEST_KEY,
  type ModelBytes,
  type ModelDescription,
  manifestFile,
  modelFile,
} from '../face/index.js';
import { describeNetwork, type NetworkDescription, networks } from '../nn/index.js';
import { size } from './flags.js';
import { result, usage } from './output.js';

const EXAMPLES = `
Examples:
  hypersphere info sphereface-20
  hypersphere info sphereface-4 --size 112x112 --json
  hypersphere info runs/first/model.onnx
  hypersphere info dlib-resnet-128`;

export function infoCommand(): Command {
  return new Command('info')
    .description('parameters, multiply-adds and layers of a network or an ONNX file')
    .argument('<network|model>', `${Object.keys(networks).join(', ')}, a model file, or a model's name`)
    .option('--size <HxW>', "a network's input height x width (default: what it was designed for)", size)
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(name: string, { size, json }: { size?: [number, number]; json?: boolean }): Promise<void> {
  if (Object.hasOwn(networks, name)) {
    const described = describeNetwork(name, { size });
    result(described, networkText(described), json);
    return;
  }
  usage(() => {
    if (size) throw new UserError('--size is for networks; a model has its own');
  });
  const model = await modelOf(name);
  const described = await describeModel(model);
  const manifest =
    manifestIn(described) ?? (typeof model === 'string' ? await manifestBesideOf(model) : undefined);
  result(
    { file: name, ...described, ...(manifest !== undefined && { manifest }) },
    modelText(name, described, manifest),
    json,
  );
}

/** A built-in model's bytes, or the path of a file or of a model in the store. */
async function modelOf(name: string): Promise<string | ModelBytes> {
  const bytes = Object.hasOwn(builtInModels, name) ? builtInModels[name] : undefined;
  if (bytes) return { name, bytes: bytes() };
  if (Object.hasOwn(builtInDetectors, name))
    throw new UserError(
      `'${name}' is a detector of several networks; info describes a single network or model`,
    );
  try {
    return await modelFile(name);
  } catch (error) {
    if (!(error instanceof UserError) || existsSync(name)) throw error;
    throw new UserError(`${error.message}; networks are ${Object.keys(networks).join(', ')}`, {
      cause: error,
    });
  }
}

/** The manifest that a model carries. */
function manifestIn({ metadata }: ModelDescription): unknown {
  try {
    return JSON.parse(metadata[MANIFEST_KEY] ?? '');
  } catch {
    return undefined;
  }
}

/** The manifest in a JSON file of the model's name beside it. */
async function manifestBesideOf(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readText(manifestFile(file)));
  } catch {
    return undefined;
  }
}

const millions = (count: number): string => `${(count / 1e6).toFixed(2)} M`;
const costs = (parameters: number, multiplyAdds: number | undefined): string =>
  `${millions(parameters)} parameters, ${multiplyAdds === undefined ? 'unknown' : `${(multiplyAdds / 1e9).toFixed(3)} G`} multiply-adds an image`;

function table(
  layers: readonly { name: string; output: number[]; parameters: number; multiplyAdds: number }[],
): string[] {
  const width = Math.max(5, ...layers.map(({ name }) => name.length));
  const row = (name: string, output: string, parameters: string, multiplyAdds: string) =>
    `${name.padEnd(width)}  ${output.padEnd(14)}${parameters.padStart(12)}${multiplyAdds.padStart(16)}`;
  return [
    row('layer', 'output', 'parameters', 'multiply-adds'),
    ...layers.map(({ name, output, parameters, multiplyAdds }) =>
      row(name, output.join('x'), parameters.toLocaleString('en'), multiplyAdds.toLocaleString('en')),
    ),
  ];
}

function networkText({
  name,
  input,
  embedding,
  parameters,
  multiplyAdds,
  layers,
}: NetworkDescription): string[] {
  return [
    `${name}: input ${input.join('x')}, embedding of ${embedding}`,
    costs(parameters, multiplyAdds),
    '',
    ...table(layers),
  ];
}

function modelText(file: string, model: ModelDescription, manifest: unknown): string[] {
  const values = (list: ModelDescription['inputs']) =>
    list.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join(', ')}]`).join('; ');
  return [
    `${file}: ONNX, operator set ${model.opset}, ${(model.bytes / 2 ** 20).toFixed(1)} MiB`,
    `inputs   ${values(model.inputs)}`,
    `outputs  ${values(model.outputs)}`,
    costs(model.parameters, model.multiplyAdds),
    ...(manifest === undefined
      ? [
          'no manifest: say how its faces are prepared with --order, --mean, --scale and --template, or a JSON file beside it',
        ]
      : `manifest ${JSON.stringify(manifest, null, 2)}`.split('\n')),
    '',
    ...table(model.layers),
  ];
}
