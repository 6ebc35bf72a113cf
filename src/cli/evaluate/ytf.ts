// hypersphere evaluate ytf: verification of videos by the protocol of YouTube Faces.
import { Command, Option } from 'commander';
import { UserError } from '../../common/errors.js';
import { type FoundVideos, findVideos, readVideoPairs } from '../../data/ytf.js';
import {
  type Aggregation,
  aggregationNames,
  aggregations,
  type Fusion,
  fuse,
  hardestMistakes,
  summarise,
  videoTemplate,
  ytf,
} from '../../evaluate/index.js';
import type { FaceSource } from '../../face/index.js';
import type { Vectors } from '../../theory/vectors.js';
import { whole } from '../flags.js';
import { timedProgress } from '../output.js';
import { led } from '../ranks.js';
import { checkReport, evaluatedModel, finish } from './finish.js';
import { openSource, SOURCES, type SourceFlags, sourceNotes, withSourceFlags } from './source-flags.js';

const HELP = `
The data folder holds a folder of frames for every video, Name/Number/frame.jpg, as aligned_images_DB and
frame_images_DB do; the list is splits_corrected.txt or splits.txt as published. Aggregations:
  mean-feature  cosine of the means of the frames' templates
  mean-score    mean of the cosines of all pairs of frames, of the first 100 frames of each video
  max-score     the largest of them
${SOURCES.trim()}

Examples:
  hypersphere evaluate ytf --model model.onnx --data ytf/aligned --splits splits_corrected.txt --keep ytf.features
  hypersphere evaluate ytf --embeddings ytf.safetensors --splits splits_corrected.txt --aggregation max-score`;

interface Flags extends SourceFlags {
  splits: string;
  aggregation: Aggregation;
  frames?: number;
  seed: number;
  replicates: number;
}

export function ytfCommand(): Command {
  const command = new Command('ytf')
    .description('verification of videos by the protocol of YouTube Faces')
    .requiredOption('--splits <file>', 'pair list (splits_corrected.txt or splits.txt)')
    .addOption(
      new Option('--aggregation <name>', 'how the frames of two videos become a score')
        .choices(aggregationNames)
        .default('mean-feature'),
    )
    .option(
      '--frames <n>',
      'frames of a video, its first ones (default: all for mean-feature, else 100)',
      whole(1),
    )
    .option('--seed <n>', 'of the intervals', whole(0), 1)
    .option('--replicates <n>', 'draws of people for the intervals; 0 for none', whole(0), 1000);
  return withSourceFlags(command, 'folder with one folder of frames a video, Name/Number/frame.jpg')
    .addHelpText('after', HELP)
    .action(led(run));
}

async function run(flags: Flags): Promise<void> {
  const started = performance.now();
  const { aggregation, seed, replicates } = flags;
  checkReport(flags);
  const list = await readVideoPairs(flags.splits);
  if (list.folds.length < 2)
    throw new UserError(
      `${flags.splits}: one split; two are needed, as a fold's threshold comes from the others`,
    );
  const source = await openSource(flags, { nested: true });
  try {
    const found = findVideos(
      list,
      source.images.map(({ path }) => path),
      source.folder || source.file,
    );
    const limit = flags.frames ?? aggregations[aggregation].frames;
    const videos = found.videos.map((video) => ({ ...video, rows: video.rows.slice(0, limit) }));
    const fusion = flags.flip ?? source.fusion;
    const { templates, unreadable } = await templatesOf(source, videos, aggregation, fusion);
    const { trials, ...figures } = ytf({
      videos: templates,
      pairs: found.pairs,
      aggregation,
      people: videos.map(({ person }) => person),
      seed,
      replicates,
    });
    const thresholds = new Map(figures.folds.map(({ fold, threshold }) => [fold, threshold]));
    const face = (video: number) => {
      const { rows, person } = videos[video]!;
      return { path: source.images[rows[0]!]!.path, person };
    };
    const frames = videos.reduce((sum, { rows }) => sum + rows.length, 0);
    const { description } = aggregations[aggregation];
    const notes = sourceNotes(source);
    if (list.corrected > 0) notes.push(`${list.corrected} pairs have a corrected label`);
    if (list.repeated.length > 0)
      notes.push(
        `${list.repeated.length} pairs are listed again and count again, such as line ${list.repeated[0]![0]} on line ${list.repeated[0]![1]}`,
      );
    if (unreadable.length > 0)
      notes.push(`${unreadable.length} frames left out that cannot be read, such as ${unreadable[0]}`);
    await finish(
      {
        protocol: 'ytf',
        title: `YTF verification, ${aggregation}`,
        summary: [
          ...summarise({ ...figures, trials }),
          { figure: 'aggregation', value: aggregation, interval: '', note: description },
        ],
        model: evaluatedModel(source, templates[0]!.length),
        settings: [
          ...source.facts,
          ['Pairs', `${flags.splits}: ${list.pairs.length} in ${list.folds.length} splits`],
          ['Videos', String(videos.length)],
          ['Frames', `${frames}, ${limit === undefined ? 'all' : `the first ${limit}`} of each video`],
          ['Aggregation', `${aggregation}: ${description}`],
          ['Template', `image and mirror: ${fusion}`],
          ['Seed', String(seed)],
        ],
        notes,
        verification: figures,
        mistakes: hardestMistakes(trials, (trial) => {
          const { first, second, fold } = found.pairs[trial]!;
          return { a: face(first), b: face(second), threshold: thresholds.get(fold)! };
        }),
        details: { aggregation, frames, videos: videos.length, corrected: list.corrected },
        seconds: (performance.now() - started) / 1000,
      },
      flags,
      source.folder,
    );
  } finally {
    await source.close();
  }
}

/** Frames whose features are held at once. */
const GROUP = 2048;

/** One template a video; frames that cannot be read are left out, and the reasons given. */
async function templatesOf(
  source: FaceSource,
  videos: FoundVideos['videos'],
  aggregation: Aggregation,
  fusion: Fusion,
): Promise<{ templates: Vectors[]; unreadable: string[] }> {
  const total = videos.reduce((sum, { rows }) => sum + rows.length, 0);
  const shown = timedProgress(total, 'frames');
  const templates: Vectors[] = [];
  const unreadable: string[] = [];
  let before = 0;
  try {
    while (templates.length < videos.length) {
      const group: FoundVideos['videos'] = [];
      const rows: number[] = [];
      do {
        const video = videos[templates.length + group.length]!;
        group.push(video);
        rows.push(...video.rows);
      } while (rows.length < GROUP && templates.length + group.length < videos.length);
      const bad = new Set<number>();
      const features = await source.features(rows, {
        onProgress: (done) => shown.update(before + done, ''),
        onUnreadable(i, reason) {
          bad.add(i);
          unreadable.push(reason);
        },
      });
      const { length, original } = fuse(features, fusion);
      let at = 0;
      for (const { name, rows: own } of group) {
        const readable = own.map((_, i) => at + i).filter((i) => !bad.has(i));
        if (readable.length === 0)
          throw new UserError(`${name}: none of its ${own.length} frames can be read (${unreadable.at(-1)})`);
        const frames = new Float64Array(readable.length * length);
        readable.forEach((i, to) => {
          frames.set(original.subarray(i * length, (i + 1) * length), to * length);
        });
        templates.push(videoTemplate({ length, original: frames }, aggregation, name));
        at += own.length;
      }
      before += rows.length;
    }
  } finally {
    shown.stop();
  }
  return { templates, unreadable };
}
