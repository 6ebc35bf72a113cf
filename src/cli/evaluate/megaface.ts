// hypersphere evaluate megaface: identification among up to a million distractors.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { UserError } from '../../common/errors.js';
import { writeWhole } from '../../common/files.js';
import {
  type Fusion,
  fuse,
  megaface,
  megafaceLists,
  megafaceNotes,
  summariseMegaface,
} from '../../evaluate/index.js';
import { type FaceSource, type FolderImage, requireSameModel, sourceOfEmbeddings } from '../../face/index.js';
import { numbers, whole } from '../flags.js';
import { timedProgress, UsageError } from '../output.js';
import { led } from '../ranks.js';
import { checkReport, evaluatedModel, finish } from './finish.js';
import { openSource, SOURCES, type SourceFlags, sourceNotes, withSourceFlags } from './source-flags.js';

const HELP = `
The gallery of a search holds the distractors and one other photograph of the probe's person; every ordered pair of
photographs of a person is a search, and a distractor that ties beats the mate. People with several photographs in the
data folder are the probes. People with a single one are the distractors, unless --distractors names a folder or a file
of embeddings of other people. --pad N adds synthetic distractors to N: they are no faces, and the figures with them
only show how a search bears that size. With --report the lists of probes and distractors are written there.
${SOURCES.trim()}

Examples:
  hypersphere evaluate megaface --model model.onnx --data lfw/aligned-112 --pad 1000000 --report out/megaface
  hypersphere evaluate megaface --embeddings facescrub.safetensors --distractors flickr.safetensors --max-images 50`;

interface Flags extends SourceFlags {
  distractors?: string;
  pad?: number;
  sizes?: number[];
  minImages: number;
  maxImages?: number;
  maxProbes?: number;
  seed: number;
  replicates: number;
}

export function megafaceCommand(): Command {
  const command = new Command('megaface')
    .description('identification among up to a million distractors, by the protocol of MegaFace')
    .option('--distractors <dir|file>', 'other people, as a folder of aligned faces or embeddings of one')
    .option('--pad <n>', 'add synthetic distractors until there are n', whole(1))
    .option('--sizes <n,n>', 'numbers of distractors (default: 10,100,1000.. and all)', numbers)
    .option('--min-images <n>', 'photographs a person must have to be a probe', whole(2), 2)
    .option(
      '--max-images <n>',
      'photographs of a person, drawn where there are more (default: all)',
      whole(2),
    )
    .option('--max-probes <n>', 'probe photographs in all; people are drawn whole (default: all)', whole(4))
    .option('--seed <n>', 'of what is drawn and of the order of the distractors', whole(0), 1)
    .option('--replicates <n>', 'draws of people for the intervals; 0 for none', whole(0), 1000);
  return withSourceFlags(command).addHelpText('after', HELP).action(led(run));
}

/** An image that takes part, and where its features come from. */
interface Row {
  source: FaceSource;
  at: number;
  image: FolderImage;
}

async function run(flags: Flags): Promise<void> {
  const started = performance.now();
  const { pad, sizes, seed, replicates, threads } = flags;
  checkReport(flags);
  if (flags.distractors !== undefined) checkDistractors(flags.distractors, flags);
  const open: FaceSource[] = [];
  try {
    const source = await openSource(flags);
    open.push(source);
    const other =
      flags.distractors === undefined ? undefined : await openDistractors(flags.distractors, flags);
    if (other) {
      open.push(other);
      requireSameModel(source, other);
    }
    const lists = megafaceLists(
      source.images.map(({ person }) => person),
      other?.images.map(({ person }) => person),
      flags,
    );
    const all = [source, ...(other ? [other] : [])].flatMap((from) =>
      from.images.map((image, at): Row => ({ source: from, at, image })),
    );
    const rows = [...lists.probes, ...lists.distractors].map((row) => all[row]!);
    const count = lists.probes.length;
    const { templates, unreadable, fusion } = await templatesOf(rows, count, flags.flip);
    const distractors = lists.distractors.map((_, i) => count + i).filter((row) => !unreadable.has(row));
    const notes = [...lists.notes];
    if (unreadable.size > 0)
      notes.push(`${unreadable.size} distractors left out, such as ${[...unreadable.values()][0]}`);
    const total = Math.max(distractors.length, pad ?? 0);
    const shown = timedProgress(total, 'distractors');
    const result = await megaface(
      {
        templates,
        people: rows.map(({ image }) => image.person),
        files: rows.map(({ image }) => image.path),
        probes: lists.probes.map((_, i) => i),
        distractors,
        seed,
        replicates,
        ...(pad !== undefined && { pad }),
        ...(sizes && { sizes }),
      },
      { threads, onProgress: (done) => shown.update(done, '') },
    ).finally(() => shown.stop());
    if (flags.report !== undefined) await writeLists(flags.report, rows, count, result.order);
    const face = (row: number) => {
      const { source: from, image } = rows[row]!;
      return {
        path: from === source ? image.path : join(from.folder, image.path),
        person: image.person ?? 'not known',
      };
    };
    const { identification, verification, synthetic, wrong } = result;
    await finish(
      {
        protocol: 'megaface',
        title: 'MegaFace identification',
        summary: summariseMegaface(result, count),
        model: evaluatedModel(source, templates.length),
        settings: [
          ...source.facts,
          ...(other?.facts ?? []).map(([name, value]): [string, string] => [`Distractors: ${name}`, value]),
          ['Template', `image and mirror: ${fusion}`],
          ['Probes', `${count} photographs of ${result.probePeople} people`],
          ['Real distractors', String(result.order.length)],
          ['Synthetic distractors', String(synthetic?.count ?? 0)],
          ['Seed', String(seed)],
          [
            'Scores',
            `ranks exact; thresholds at most ${result.resolution.toExponential(1)} above the best that a FAR allows`,
          ],
        ],
        notes: [...sourceNotes(source), ...notes, ...megafaceNotes(result)],
        identification,
        verification,
        mistakes: wrong.map(({ kind, a, b, score, threshold }) => ({
          kind,
          a: face(a),
          b: face(b),
          score,
          threshold,
        })),
        details: {
          synthetic,
          rankOneOverPeople: result.rankOneOverPeople,
          mostTrials: result.mostTrials,
          trials: result.trials,
          probePeople: result.probePeople,
          heldFars: result.heldFars,
        },
        seconds: (performance.now() - started) / 1000,
      },
      flags,
      source.folder,
    );
  } finally {
    for (const source of open) await source.close();
  }
}

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

function checkDistractors(path: string, { model }: Flags): void {
  if (!existsSync(path))
    throw new UserError(`--distractors ${path}: no such file or folder`, { code: 'not-found' });
  if (!isFolder(path) || model !== undefined) return;
  throw new UsageError(
    `--distractors ${path}: a folder needs --model; with --embeddings give embeddings of the distractors too: hypersphere embed`,
  );
}

/** Their images may lie in folders inside of folders, as MegaFace's do. */
function openDistractors(path: string, flags: Flags): Promise<FaceSource> {
  return isFolder(path)
    ? openSource({ ...flags, embeddings: undefined, data: path }, { nested: true })
    : sourceOfEmbeddings(path);
}

/** Images whose features are held at once beside the templates. */
const GROUP = 4096;

/** Templates of `rows`, of which the first `probes` must be readable; the others' places and reasons otherwise. */
async function templatesOf(rows: readonly Row[], probes: number, flip: Fusion | undefined) {
  const shown = timedProgress(rows.length, 'images');
  const unreadable = new Map<number, string>();
  let templates: { length: number; original: Float32Array } | undefined;
  let fusion: Fusion = 'none';
  try {
    for (let first = 0; first < rows.length; ) {
      const { source } = rows[first]!;
      let end = first + 1;
      while (end < rows.length && end - first < GROUP && rows[end]!.source === source) end++;
      const place = first;
      const features = await source.features(
        rows.slice(first, end).map(({ at }) => at),
        {
          onProgress: (done) => shown.update(place + done, ''),
          onUnreadable(i, reason) {
            if (place + i < probes) throw new UserError(reason);
            unreadable.set(place + i, reason);
          },
        },
      );
      fusion = flip ?? source.fusion;
      const fused = fuse(features, fusion);
      templates ??= { length: fused.length, original: new Float32Array(rows.length * fused.length) };
      if (fused.length !== templates.length)
        throw new UserError(
          `${source.file}: its templates have ${fused.length} numbers, the probes' ${templates.length}; use one model for both`,
        );
      templates.original.set(fused.original, first * templates.length);
      first = end;
    }
  } finally {
    shown.stop();
  }
  return { templates: templates!, unreadable, fusion };
}

/** Who searched, and who distracted in the order of the galleries: a path and a person a line. */
async function writeLists(
  folder: string,
  rows: readonly Row[],
  probes: number,
  order: readonly number[],
): Promise<void> {
  const lines = (of: readonly Row[]) =>
    of.map(({ image: { path, person } }) => `${path}\t${person ?? ''}\n`).join('');
  await writeWhole(join(folder, 'probes.txt'), lines(rows.slice(0, probes)));
  await writeWhole(join(folder, 'distractors.txt'), lines(order.map((row) => rows[row]!)));
}
