// hypersphere embed: a folder of aligned faces, or of photographs, in; a file of embeddings out.
import { Command } from 'commander';
import { requireWritableFile } from '../common/folders.js';
import { ignoredLine } from '../data/index.js';
import {
  alignmentOf,
  checkEmbeddingsFile,
  embedFolder,
  embedPhotographs,
  type FolderEmbeddings,
  openEmbedder,
  type Template,
  templateNamed,
  templates,
  writeEmbeddings,
} from '../face/index.js';
import { DETECTORS } from './detector-flags.js';
import { embedderOptions, FOREIGN_MODELS } from './embedder-flags.js';
import { duration, note, type Progress, progress, result, UsageError, usage } from './output.js';
import { led } from './ranks.js';
import { type ReaderFlags, readerOf, withReaderFlags } from './reader-flags.js';

const HELP = `
The data folder holds aligned faces, or with --photographs photographs whose faces are found and aligned on the way,
in one folder a person or loose. Faces on another template than the model's are carried over to it, where --aligned or
the folder says which it is. The output's ending chooses its format: .safetensors (the tensor 'embeddings',
[N, D] float32, and the tensor 'list' with the paths and people of the rows, JSON as bytes), .npy, or .jsonl, whose
list is written beside them, to FILE.json, with the SHA-256 of FILE. Under mpirun all ranks embed their shares, and
one writes.
${FOREIGN_MODELS}
${DETECTORS}

Examples:
  hypersphere embed --model runs/a/model.onnx --data faces --out faces.safetensors
  hypersphere embed --photographs --data photos --out photos.safetensors
  hypersphere embed --nested --model runs/a/model.onnx --data ytf/aligned --out ytf.safetensors
  hypersphere embed --model other.onnx --order rgb --mean 127.5 --scale 1/128 --data faces --out faces.npy
  mpirun -n 4 hypersphere embed --model runs/a/model.onnx --data faces --out faces.safetensors`;

interface Flags extends ReaderFlags {
  data: string;
  out: string;
  photographs?: boolean;
  nested?: boolean;
  aligned?: string;
  json?: boolean;
}

export function embedCommand(): Command {
  const command = new Command('embed')
    .description('embeddings of a folder of aligned faces or photographs')
    .requiredOption('--data <dir>', 'folder of aligned faces, or of photographs')
    .requiredOption('--out <file>', 'file to write: .safetensors, .npy or .jsonl')
    .option('--photographs', 'the folder holds photographs: find and align their faces first')
    .option(
      '--aligned <template>',
      "the faces' own template, such as arcface (default: what 'align' noted there)",
    );
  command.option(
    '--nested',
    'take the faces in folders inside of people’s folders too, as frames of videos lie',
  );
  return withReaderFlags(command, 'largest')
    .option('--json', 'print what was done as one JSON object')
    .addHelpText('after', HELP)
    .action(led(run));
}

async function run(flags: Flags, command: Command): Promise<void> {
  const { data, out, photographs, json } = flags;
  usage(() => checkEmbeddingsFile(out));
  if (photographs && flags.nested)
    throw new UsageError('--nested is for aligned faces: leave out --photographs');
  const aligned = photographs ? undefined : alignment(flags, command);
  requireWritableFile(out);
  const started = performance.now();
  let shown: Progress | undefined;
  const onProgress = (done: number, total: number) => {
    shown ??= progress(total, 'images');
    shown.update(done, '');
  };
  const { set, device } = await (photographs
    ? fromPhotographs(flags, onProgress)
    : fromAligned(flags, aligned, onProgress)
  ).finally(() => shown?.stop());
  const [file, list] = await writeEmbeddings(out, set);
  const { length, manifest, skipped, ignored = [] } = set;
  const passed = ignoredLine(ignored);
  if (passed !== undefined) note(passed);
  for (const { path, reason } of skipped) note(`skipped ${path}: ${reason}`);
  const seconds = (performance.now() - started) / 1000;
  const images = set.images.length;
  result(
    { out: file, list, data, images, length, flip: manifest.flip, skipped, ignored, device, seconds },
    `${images} embeddings of ${length} numbers (image and mirror: ${manifest.flip}) in ${file}${list === file ? '' : `, their paths in ${list}`}; ` +
      `${skipped.length > 0 ? `${skipped.length} skipped ${photographs ? 'for want of a usable face' : 'as unreadable'}; ` : ''}${duration(seconds)}`,
    json,
  );
}

interface Embedded {
  set: FolderEmbeddings;
  device: string;
}
type OnProgress = (done: number, total: number) => void;

async function fromAligned(
  flags: Flags,
  aligned: Template | undefined,
  onProgress: OnProgress,
): Promise<Embedded> {
  const embedder = await openEmbedder(flags.model, embedderOptions(flags));
  try {
    return {
      set: await embedFolder(embedder, flags.data, { aligned, nested: flags.nested, onProgress }),
      device: embedder.device.name,
    };
  } finally {
    await embedder.close();
  }
}

async function fromPhotographs(flags: Flags, onProgress: OnProgress): Promise<Embedded> {
  const reader = await readerOf(flags);
  try {
    const set = await embedPhotographs(reader, flags.data, { choice: flags.face, onProgress });
    return { set, device: reader.embedders[0]!.device.name };
  } finally {
    await reader.close();
  }
}

/**
 * The template of the aligned faces, as the flag or the folder says. Nothing for a model that is named without it:
 * its faces are taken as they are. The built-in model has a template of its own, which few folders follow.
 */
function alignment({ aligned, data }: Flags, command: Command): Template | undefined {
  const given = (name: string) => command.getOptionValueSource(name) === 'cli';
  if (['detector', 'minFace', 'score', 'upright', 'face'].some(given))
    throw new UsageError(
      '--detector, --min-face, --score, --upright and --face are for photographs: add --photographs',
    );
  const stated = aligned === undefined ? undefined : usage(() => templateNamed(aligned));
  if (!stated && !alignmentOf(data) && !given('model'))
    throw new UsageError(
      `say what ${data} holds: --photographs, or faces that are aligned, by --aligned ${templates.map(({ name }) => name).join('|')}`,
    );
  return stated;
}
