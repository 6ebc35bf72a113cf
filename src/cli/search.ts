// hypersphere search: who of any number of templates is most like each probe. The templates lie in a file that is
// read in blocks (src/search), which the same command builds from embeddings.
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { UserError } from '../common/errors.js';
import { requireWritableFile } from '../common/folders.js';
import { locked, lockFile } from '../common/lock.js';
import {
  type FolderImage,
  listBytes,
  type Manifest,
  manifestSchema,
  readEmbeddings,
  readList,
  requireSameModel,
  type StoredEmbeddings,
} from '../face/index.js';
import {
  openTemplates,
  type TemplatesFile,
  type TemplateType,
  topK,
  toUnit,
  writeTemplates,
} from '../search/index.js';
import { whole } from './flags.js';
import { duration, note, progress, result, UsageError } from './output.js';

const HELP = `
--build makes a file of templates from embeddings that 'hypersphere embed' wrote, in the order in which they are given:
each row scaled to unit length, as float32, float16 (half the size) or int8 (a quarter, with a scale a row). It is a
safetensors file; paths and people of its rows are in it too (the tensor 'list', JSON as bytes).

--templates searches such a file for each probe. The file is read in blocks, so it may be larger than memory. Every
score is computed: nothing is missed but what the rounding of float16 or int8 hides. With --rerank, a file of the same
rows as float32, candidates found with int8 are scored again exactly.

Examples:
  hypersphere search --build gallery.float32 --embeddings a.safetensors b.safetensors
  hypersphere search --build gallery.int8 --embeddings a.safetensors b.safetensors --type int8
  hypersphere search --templates gallery.float32 --probes probes.safetensors --top 10
  hypersphere search --templates gallery.int8 --rerank gallery.float32 --probes probes.safetensors --json`;

interface Flags {
  build?: string;
  embeddings?: string[];
  type: TemplateType;
  templates?: string;
  probes?: string;
  top: number;
  rerank?: string;
  threads?: number;
  json?: boolean;
}

export function searchCommand(): Command {
  return new Command('search')
    .description('the templates most like each probe, exactly, out of any number')
    .option('--build <file>', 'make a file of templates from --embeddings')
    .option('--embeddings <file...>', 'what to build it from: .safetensors, .npy or .jsonl')
    .addOption(
      new Option('--type <type>', 'numbers of the file')
        .choices(['float32', 'float16', 'int8'])
        .default('float32'),
    )
    .option('--templates <file>', 'search this file of templates')
    .option('--probes <file>', 'embeddings to search for: .safetensors, .npy or .jsonl')
    .option('--top <n>', 'candidates listed for each probe', whole(1), 10)
    .option('--rerank <file>', 'templates of the same rows, to score the candidates again')
    .option('--threads <n>', 'threads (default: as many as there are cores)', whole(1))
    .option('--json', 'print one JSON object')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const { build, embeddings, templates, probes } = flags;
  const asked = [build, templates].filter((file) => file !== undefined).length;
  if (asked !== 1) throw new UsageError('give either --build FILE or --templates FILE');
  if (build !== undefined) {
    if (!embeddings) throw new UsageError('--build needs --embeddings FILE: what to make the templates of');
    await buildTemplates(build, embeddings, flags);
  } else {
    if (probes === undefined) throw new UsageError('--templates needs --probes FILE: what to search for');
    await searchTemplates(templates!, probes, flags);
  }
}

/** Writes the templates and their list. The files of embeddings are held one at a time. */
async function buildTemplates(out: string, files: string[], { type, json }: Flags): Promise<void> {
  requireWritableFile(out, '--build');
  if (files.some((file) => resolve(file) === resolve(out)))
    throw new UserError(`${out}: is one of the --embeddings; name another file with --build`);
  const started = performance.now();
  const lists: StoredEmbeddings[] = [];
  let count = 0;
  // The header says how many rows there are, so each file is looked at before the first is written.
  for (const file of files) {
    const { embeddings, ...list } = await readEmbeddings(file);
    lists.push({ ...list, embeddings: new Float32Array(0) });
    count += embeddings.length / list.length;
    requireSame(lists[0]!, list);
  }
  const { length, manifest, folder } = lists[0]!;
  const oneFolder = lists.every((list) => list.folder === folder);
  const pieces = async function* () {
    for (const file of files) yield (await readEmbeddings(file)).embeddings;
  };
  const list = listBytes({
    folder: oneFolder ? folder : '',
    ...(manifest && { model: manifest }),
    length,
    images: lists.flatMap(({ images, folder: at }) =>
      oneFolder ? images : images.map(({ path, person }) => ({ path: join(at, path), person })),
    ),
  });
  await locked(lockFile(out), () => writeTemplates(out, { count, length, type, list }, pieces()));
  const seconds = (performance.now() - started) / 1000;
  result(
    { out, templates: count, length, type, seconds },
    `${count} templates of ${length} numbers as ${type} in ${out}, with their paths and people; ${duration(seconds)}`,
    json,
  );
}

async function searchTemplates(file: string, probesFile: string, flags: Flags): Promise<void> {
  const started = performance.now();
  const templates = await openTemplates(file);
  const exact = flags.rerank === undefined ? undefined : await openTemplates(flags.rerank);
  try {
    const gallery = await listOf(templates);
    const probes = await readEmbeddings(probesFile);
    requireSame(gallery, probes);
    if (exact) requireSameRows(gallery, await listOf(exact));
    const shown = progress(templates.count, 'templates');
    const { k, rows, scores } = await topK(toUnit(probes.embeddings, probes.length, 'probe'), templates, {
      k: flags.top,
      onProgress: (done) => shown.update(done, ''),
      ...(exact && { exact }),
      ...(flags.threads && { threads: flags.threads }),
    }).finally(() => shown.stop());
    const entries = probes.images.map((image, p) => ({
      ...image,
      candidates: Array.from(rows.subarray(p * k, (p + 1) * k), (row, i) => ({
        row,
        score: scores[p * k + i]!,
        ...gallery.images[row]!,
      })),
    }));
    const seconds = (performance.now() - started) / 1000;
    const { count, type } = templates;
    result(
      { templates: file, count, type, rerank: flags.rerank ?? null, probes: entries, seconds },
      entries.flatMap(text),
      flags.json,
    );
    note(
      `${entries.length} ${entries.length === 1 ? 'probe' : 'probes'} against ${count} templates; ${duration(seconds)}`,
    );
  } finally {
    await templates.close();
    await exact?.close();
  }
}

/** What a file's list says of it. */
interface Listed {
  file: string;
  length: number;
  manifest?: Manifest;
  images: readonly FolderImage[];
}

async function listOf({ file, count, length }: TemplatesFile): Promise<Listed> {
  const { images, model } = await readList(file);
  if (images.length !== count)
    throw new UserError(
      `${file}: ${count} templates, but its list names ${images.length} images; make it again with: hypersphere search --build`,
    );

  const manifest = manifestSchema.safeParse(model).data;
  return { file, length, images, ...(manifest && { manifest }) };
}

/** Throws a UserError unless both are of one model, as far as they say. */
function requireSame(a: Listed, b: Listed): void {
  requireSameModel(a, b);
  if (a.length !== b.length)
    throw new UserError(
      `${a.file} has rows of ${a.length} numbers and ${b.file} of ${b.length}; make both with one model: hypersphere embed`,
    );
}

function requireSameRows(a: Listed, b: Listed): void {
  requireSame(a, b);
  const at = a.images.findIndex(({ path }, row) => path !== b.images[row]?.path);
  if (at >= 0 || a.images.length !== b.images.length)
    throw new UserError(
      `${b.file}: not the rows of ${a.file}${at >= 0 ? ` (row ${at} is another image)` : ''}; build both from the same --embeddings`,
    );
}

interface Entry extends FolderImage {
  candidates: (FolderImage & { row: number; score: number })[];
}

const named = ({ path, person }: FolderImage): string => (person === null ? path : `${person}  ${path}`);

function text({ candidates, ...probe }: Entry): string[] {
  return [
    `${probe.path}:`,
    ...candidates.map(
      ({ score, ...image }, i) => `${String(i + 1).padStart(4)}  ${score.toFixed(4)}  ${named(image)}`,
    ),
  ];
}
