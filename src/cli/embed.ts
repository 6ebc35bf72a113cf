// hypersphere embed: a folder of aligned faces in, a file of embeddings out.
import { Command } from 'commander';
import {
  checkEmbeddingsFile,
  checkEmbeddingsPlace,
  embedFolder,
  openEmbedder,
  writeEmbeddings,
} from '../face/index.js';
import { type EmbedderFlags, embedderOptions, FOREIGN_MODELS, withEmbedderFlags } from './embedder-flags.js';
import { duration, note, progress, result, usage } from './output.js';

const HELP = `
The data folder holds aligned faces, in one folder a person or loose. The output's ending chooses its format:
.safetensors (the tensor 'embeddings', [N, D] float32), .npy, or .jsonl. The paths and people of the rows are
written beside it, to FILE.json.
${FOREIGN_MODELS}

Examples:
  hypersphere embed --model runs/a/model.onnx --data faces --out faces.safetensors
  hypersphere embed --model other.onnx --order rgb --mean 127.5 --scale 1/128 --data faces --out faces.npy`;

interface Flags extends EmbedderFlags {
  model: string;
  data: string;
  out: string;
  json?: boolean;
}

export function embedCommand(): Command {
  const command = new Command('embed')
    .description('write the embeddings of a folder of aligned faces')
    .requiredOption('--model <file>', 'ONNX model')
    .requiredOption('--data <dir>', 'folder of aligned faces')
    .requiredOption('--out <file>', 'file to write: .safetensors, .npy or .jsonl');
  return withEmbedderFlags(command)
    .option('--json', 'print what was done as one JSON object')
    .addHelpText('after', HELP)
    .action(run);
}

async function run({ model, data, out, json, ...flags }: Flags): Promise<void> {
  usage(() => checkEmbeddingsFile(out));
  checkEmbeddingsPlace(out);
  const started = performance.now();
  const embedder = await openEmbedder(model, embedderOptions(flags));
  try {
    let shown: ReturnType<typeof progress> | undefined;
    const set = await embedFolder(embedder, data, (done, total) => {
      shown ??= progress(total, 'images');
      shown.update(done, '');
    }).finally(() => shown?.stop());
    const [file, list] = await writeEmbeddings(out, set);
    for (const { path, reason } of set.skipped) note(`skipped ${path}: ${reason}`);
    const seconds = (performance.now() - started) / 1000;
    const { length, manifest, skipped } = set;
    const images = set.images.length;
    result(
      {
        out: file,
        list,
        images,
        length,
        flip: manifest.flip,
        skipped,
        device: embedder.device.name,
        seconds,
      },
      `${images} embeddings of ${length} numbers (image and mirror: ${manifest.flip}) in ${file}, their paths in ${list}; ` +
        `${skipped.length > 0 ? `${skipped.length} unreadable images skipped; ` : ''}${duration(seconds)}`,
      json,
    );
  } finally {
    await embedder.close();
  }
}
