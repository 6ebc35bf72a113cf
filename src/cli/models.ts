// hypersphere models: what is built in, what can be installed, what is on this machine, and the ways in and out.
// The network is used by `install` alone.
import { Command, InvalidArgumentError } from 'commander';
import { LARGEST_FETCHED } from '../common/fetch-file.js';
import {
  addModel,
  builtIn,
  installModel,
  modelsFolder,
  registry,
  removeModel,
  type StoredModel,
  storedModels,
} from '../face/index.js';
import { whole } from './flags.js';
import { interruptible } from './interrupt.js';
import { duration, note, type Progress, progress, result } from './output.js';

const HELP = `
A name of this list can stand wherever a command takes a model or a detector. The models lie in the cache folder
(HYPERSPHERE_CACHE chooses another one). Nothing is fetched but by 'install'.

Examples:
  hypersphere models
  hypersphere models install yunet
  hypersphere models install yunet --url https://mirror.example/yunet_n_dynamic.onnx
  hypersphere models install mine --url https://example.com/mine.onnx --sha256 HEX
  hypersphere models add arcface.onnx --manifest arcface.json
  hypersphere detect party.jpg --detector yunet`;

export function modelsCommand(): Command {
  const models = new Command('models')
    .description('list, install, add and remove models')
    .addHelpText('after', HELP);
  models
    .command('list', { isDefault: true })
    .description('what is built in, what can be installed, what is here')
    .option('--json', 'print one JSON object')
    .action(list);
  models
    .command('install')
    .description('fetch a model, check it and keep it')
    .argument('<name>', `${registry.map(({ name }) => name).join(', ')}, or a new name with --url`)
    .option('--url <url>', 'fetch the file from here (the folder, where a model has several files)')
    .option('--sha256 <hex>', 'what the SHA-256 of the file must be', hash)
    .option('--allow-http', 'accept plain http, which can be changed on its way, without --sha256')
    .option(
      '--max-size <MB>',
      `megabytes that a file may have, where its size is not known (default: ${LARGEST_FETCHED / 1e6})`,
      whole(1),
    )
    .option('--json', 'print one JSON object')
    .action(install);
  models
    .command('add')
    .description('keep a copy of a model file, or of a folder of weights, under a name')
    .argument('<file>', "an ONNX file, or the folder of MTCNN's weights")
    .option('--name <name>', 'the name (default: that of the file)')
    .option('--manifest <file>', 'JSON file that says how faces are prepared (default: the one beside it)')
    .option('--json', 'print one JSON object')
    .action(add);
  models
    .command('remove')
    .description('delete a model that was installed or added')
    .argument('<name>', 'its name')
    .option('--json', 'print one JSON object')
    .action(remove);
  return models;
}

async function list({ json }: { json?: boolean }): Promise<void> {
  const stored = await storedModels();
  const here = new Set(stored.map(({ name }) => name));
  const available = registry
    .filter(({ name }) => !here.has(name))
    .map((model) => ({ ...model, bytes: bytesOf(model) }));
  const installed = stored.map((model) => ({ ...model, bytes: bytesOf(model) }));
  const folder = modelsFolder();
  const text = [
    'built in',
    ...table(builtIn.map(({ name, kind, what, licence }) => [name, kind, '', licence, what])),
    '',
    `on this machine, in ${folder}`,
    ...table(
      installed.map(({ name, kind, bytes, licence, path }) => [name, kind, size(bytes), licence, path]),
    ),
    '',
    "fetched by 'hypersphere models install NAME'",
    ...table(
      available.map(({ name, kind, bytes, licence, what, source }) => [
        name,
        kind,
        size(bytes),
        licence,
        `${what}, from ${source}`,
      ]),
    ),
  ];
  result({ folder, builtIn, installed, available }, text, json);
}

interface InstallFlags {
  url?: string;
  sha256?: string;
  allowHttp?: boolean;
  maxSize?: number;
  json?: boolean;
}

async function install(name: string, { url, sha256, allowHttp, maxSize, json }: InstallFlags): Promise<void> {
  const { signal, end } = interruptible();
  const shown = transferred();
  let model: StoredModel;
  try {
    model = await installModel(name, {
      signal,
      onProgress: shown.update,
      ...(url !== undefined && { url }),
      ...(sha256 !== undefined && { sha256 }),
      ...(allowHttp !== undefined && { allowHttp }),
      ...(maxSize !== undefined && { limit: maxSize * 1e6 }),
    });
  } finally {
    shown.stop();
    end();
  }
  if (!shown.begun()) note(`${name} was here already`);
  else if (url !== undefined && sha256 === undefined && registry.every((known) => known.name !== name))
    note(`not checked: give --sha256 to be sure that it is the file you mean`);
  tell(model, json);
}

async function add(
  file: string,
  { name, manifest, json }: { name?: string; manifest?: string; json?: boolean },
): Promise<void> {
  const model = await addModel(file, {
    ...(name !== undefined && { name }),
    ...(manifest !== undefined && { manifest }),
  });
  tell(model, json);
}

async function remove(name: string, { json }: { json?: boolean }): Promise<void> {
  const folder = await removeModel(name);
  result({ name, removed: folder }, `removed ${folder}`, json);
}

function tell(model: StoredModel, json: boolean | undefined): void {
  const hashes = model.files.map(({ name, bytes, sha256 }) => `  ${name}, ${size(bytes)}, SHA-256 ${sha256}`);
  const text = [`${model.name} (${model.kind}; licence: ${model.licence}): ${model.path}`, ...hashes];
  result({ model: { ...model, bytes: bytesOf(model) } }, text, json);
}

/** Progress in kilobytes with the time left, shown from the first byte on. */
function transferred() {
  let shown: Progress | undefined;
  let start = { at: 0, done: 0 };
  return {
    update(done: number, total: number | undefined): void {
      if (!shown) {
        shown = progress(total === undefined ? 0 : Math.ceil(total / 1000), 'kB');
        start = { at: performance.now(), done };
      }
      const seconds = (performance.now() - start.at) / 1000;
      const left = total === undefined ? Number.NaN : (seconds * (total - done)) / (done - start.done);
      shown.update(Math.ceil(done / 1000), total === done ? '' : `${duration(left)} left`);
    },
    begun: () => shown !== undefined,
    stop: () => shown?.stop(),
  };
}

function hash(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('It must be 64 hexadecimal digits.');
}

const bytesOf = ({ files }: { files: readonly { bytes: number }[] }): number =>
  files.reduce((sum, { bytes }) => sum + bytes, 0);

const size = (bytes: number): string =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

/** Rows in columns, indented; '(none)' where there is none. */
function table(rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return ['  (none)'];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    `  ${row.map((cell, column) => (column < row.length - 1 ? cell.padEnd(widths[column]!) : cell)).join('  ')}`.trimEnd(),
  );
}
