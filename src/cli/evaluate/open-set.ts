// hypersphere evaluate open-set: who is it, if anyone, with strangers among the searches.
import { basename, join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { UserError } from '../../common/errors.js';
import { PRIVATE, writeWhole } from '../../common/files.js';
import {
  drawLists,
  fuse,
  listsText,
  type OpenSetLists,
  openSet,
  rateName,
  readLists,
  standardFpirs,
  summariseOpenSet,
} from '../../evaluate/index.js';
import type { FaceSource } from '../../face/index.js';
import { listed, number, whole } from '../flags.js';
import { note, UsageError } from '../output.js';
import { led } from '../ranks.js';
import { checkReport, evaluatedModel, finish } from './finish.js';
import {
  featuresOf,
  openSource,
  SOURCES,
  type SourceFlags,
  sourceNotes,
  withSourceFlags,
} from './source-flags.js';

const HELP = `
The people with more than --enrol images are split by the seed: a share of them is enrolled with that many images each
and searched for with the others (mated); everybody else is a stranger (non-mated). A smaller gallery is the first
people of the largest; those left out are no strangers. With --report the lists are written to lists.json; --lists
FILE (or a .tsv: gallery, mated or non-mated, path, person) repeats exactly that experiment with another model.
  FPIR  share of searches for strangers that find anybody at or above the threshold
  FNIR  share of searches for enrolled people that miss them: not among the first --rank candidates at or above it
A threshold holds for its gallery size only.
${SOURCES.trim()}

Examples:
  hypersphere evaluate open-set --model runs/a/model.onnx --data lfw/aligned-112 --report open-a
  hypersphere evaluate open-set --embeddings lfw.safetensors --enrol 3 --gallery-size 10,100,all
  hypersphere evaluate open-set --model other.onnx --data lfw/aligned-112 --lists open-a/lists.json`;

interface Flags extends SourceFlags {
  lists?: string;
  enrol?: number;
  share?: number;
  gallerySize?: (number | 'all')[];
  fpir: number[];
  rank: number;
  seed: number;
  replicates: number;
}

export function openSetCommand(): Command {
  const command = new Command('open-set')
    .description('identification with strangers among the searches, at several gallery sizes')
    .option('--lists <file>', 'gallery, mated and non-mated images of an earlier experiment')
    .option('--enrol <k>', 'images enrolled of a person (default: 1)', whole(1))
    .option('--share <s>', 'share of the people with more images who are enrolled (default: 0.5)', share)
    .option(
      '--gallery-size <n,n>',
      "people enrolled, as in 10,100,all (default: 10, 100, .. and 'all')",
      sizes,
    )
    .addOption(listed('--fpir <p,p>', 'false positive identification rates', rates, standardFpirs))
    .option('--rank <r>', 'a mate counts among the first r candidates', whole(1), 1)
    .option('--seed <n>', 'of the lists and of the intervals', whole(0), 1)
    .option('--replicates <n>', 'draws of people for the intervals; 0 for none', whole(0), 1000);
  return withSourceFlags(command).addHelpText('after', HELP).action(led(run));
}

async function run(flags: Flags): Promise<void> {
  const started = performance.now();
  const { enrol = 1, share = 0.5, fpir, rank, seed, replicates } = flags;
  if (flags.lists !== undefined && (flags.enrol !== undefined || flags.share !== undefined))
    throw new UsageError('--lists FILE says who is enrolled: leave out --enrol and --share');
  checkReport(flags);
  const given = flags.lists === undefined ? undefined : await readLists(flags.lists);
  const source = await openSource(flags);
  try {
    const lists = given ?? drawLists(source.images, { enrol, share, seed });
    const images = [...lists.gallery, ...lists.mated, ...lists.nonMated];
    const rows = rowsOf(lists, source, flags.lists);
    const people = new Set(lists.gallery.map(({ person }) => person)).size;
    const asked = flags.gallerySize?.map((size) => (size === 'all' ? people : size));
    const drawn = `drawn with seed ${seed}: ${enrol} image${enrol === 1 ? '' : 's'} of each of ${rateName(share)} of the people with more`;
    if (flags.report !== undefined) {
      const about: Record<string, string | number> = given
        ? { from: basename(flags.lists!) }
        : { seed, enrol, share };
      await writeWhole(join(flags.report, 'lists.json'), listsText(lists, about), PRIVATE);
    }
    const features = await featuresOf(source, rows);
    const fusion = flags.flip ?? source.fusion;
    const templates = fuse(features, fusion);
    const result = openSet({
      lists,
      templates,
      sizes: asked && [...new Set(asked)].sort((a, b) => a - b),
      fpirs: fpir,
      rank,
      seed,
      replicates,
    });
    const { openSet: curves, identification, independence, mistakes, mistakesAt } = result;
    await finish(
      {
        protocol: 'open-set',
        title: `open-set identification, rank ${rank}`,
        summary: [
          ...summariseOpenSet(result),
          ...(replicates > 1
            ? [
                {
                  figure: 'intervals',
                  value: '95 %',
                  interval: '',
                  note: `bootstrap over mated and non-mated people apart, ${replicates} draws, seed ${seed}`,
                },
              ]
            : []),
        ],
        model: evaluatedModel(source, templates.length),
        settings: [
          ...source.facts,
          ['Lists', given ? flags.lists! : drawn],
          ['Enrolled', `${people} people, ${lists.gallery.length} images`],
          ['Mated probes', `${lists.mated.length} of ${result.matedPeople} people`],
          ['Non-mated probes', `${lists.nonMated.length} of ${result.nonMatedPeople} people`],
          ['Rank', String(rank)],
          ['Image and mirror', fusion],
          ...(mistakesAt === undefined
            ? []
            : [
                ['Mistakes', `in the largest gallery, at the threshold of FPIR ${rateName(mistakesAt)}`] as [
                  string,
                  string,
                ],
              ]),
        ],
        notes: [
          ...sourceNotes(source),
          `${people} people enrolled; ${lists.mated.length} mated probes of ${result.matedPeople}, ${lists.nonMated.length} non-mated of ${result.nonMatedPeople} others; every search counts the same`,
        ],
        identification,
        openSet: curves,
        mistakes,
        details: { independence, mistakesAt },
        seconds: (performance.now() - started) / 1000,
      },
      flags,
      source.folder,
    );
    if (!given && flags.report === undefined && !flags.json)
      note(
        `the lists of ${images.length} images are written with --report DIR; seed ${seed} draws them again`,
      );
  } finally {
    await source.close();
  }
}

/** Rows of the lists' images in the source. Throws a UserError that names the first that is not there. */
function rowsOf({ gallery, mated, nonMated }: OpenSetLists, source: FaceSource, file?: string): number[] {
  const places = new Map(source.images.map(({ path }, row) => [path, row]));
  const images = [...gallery, ...mated, ...nonMated];
  const missing = images.filter(({ path }) => !places.has(path));
  if (missing.length > 0)
    throw new UserError(
      `${missing[0]!.path}: not in ${source.folder || source.file}, asked for by ${file}${missing.length > 1 ? `, like ${missing.length - 1} other images` : ''}`,
    );
  return images.map(({ path }) => places.get(path)!);
}

function share(text: string): number {
  const value = number(0, true)(text);
  if (value <= 1) return value;
  throw new InvalidArgumentError('It must be a share above 0 and of at most 1.');
}

export function rates(text: string): number[] {
  return text.split(',').map((part) => {
    const value = number(0, true)(part);
    if (value < 1) return value;
    throw new InvalidArgumentError('It must be rates between 0 and 1, as in 0.003,0.01,0.1.');
  });
}

function sizes(text: string): (number | 'all')[] {
  return text.split(',').map((part) => (part.trim() === 'all' ? 'all' : whole(1)(part)));
}
