// hypersphere overlap: the people of a training set who are in a test set too, for `train --exclude`.
import { join } from 'node:path';
import { Command } from 'commander';
import { UserError } from '../common/errors.js';
import { PRIVATE, writeWhole } from '../common/files.js';
import { requireWritable, requireWritableFile } from '../common/folders.js';
import { OVERLAP_FORMAT } from '../data/index.js';
import {
  findOverlap,
  type OverlapPair,
  type OverlapResult,
  type OverlapSide,
  overlapByName,
  personTemplates,
  withImages,
} from '../evaluate/index.js';
import type { Vectors } from '../theory/vectors.js';
import { FOREIGN_MODELS, withEmbedderFlags } from './embedder-flags.js';
import { number, whole } from './flags.js';
import { duration, note, result, timedProgress, UsageError } from './output.js';
import { PhotographSearch } from './overlap-photographs.js';
import { openSides, type Side, type SideFlags } from './overlap-sides.js';
import { overlapText } from './overlap-text.js';

const HELP = `
--train and --test are folders of aligned faces, one folder a person, or files of embeddings that 'hypersphere embed'
wrote. People are found by their names, where both sets have names and not numbers, and by the embeddings of --model:
each person's mean template is compared with each of the other set. From which similarity on two people count as one
follows from how alike the strangers among them are: where no more than --expected-false false finds are expected in
all comparisons. Without --model folders are compared by names alone.

A photograph that is in both sets counts by itself, as a mean of many images can hide it: the two training people
most like each test image are looked at by an image of theirs, and two images are one photograph, or two of one
moment, if the detail of their pixels, laid on each other, correlates .95 or more. Where the images are not at hand,
it is their embeddings that have to be ten times nearer to each other than strangers are. Every person of either
kind, and every namesake, is in "exclude" of the list. It is a suggestion: look at the pairs with --report, and change
it as you see fit. --keep-train and --keep-test keep the features, so that a run that was stopped goes on from there.
${FOREIGN_MODELS}

Examples:
  hypersphere overlap --train faces --test lfw --model dlib-resnet-128 --aligned arcface --report overlap
  hypersphere overlap --train faces.safetensors --test lfw.safetensors --test-pairs pairs.txt
  hypersphere train --data faces --exclude exclude.json --net sphereface-4 --loss a-softmax`;

interface Flags extends SideFlags {
  expectedFalse?: number;
  minSimilarity?: number;
  candidates: number;
  seed: number;
  out: string;
  report?: string;
  json?: boolean;
}

export function overlapCommand(): Command {
  const command = new Command('overlap')
    .description('people who are in a training set and in a test set too')
    .requiredOption('--train <dir|file>', 'training faces, one folder a person, or their embeddings')
    .requiredOption('--test <dir|file>', 'test faces, or their embeddings')
    .option('--model <name|file>', 'ONNX model, or a name of: hypersphere models')
    .option(
      '--aligned <template>',
      "the faces' own template, such as arcface (default: what 'align' noted there)",
    )
    .option('--aligned-train <template>', 'the same of the training faces only')
    .option('--aligned-test <template>', 'the same of the test faces only')
    .option(
      '--keep-train <file>',
      "keep the training faces' features in this file, and take from it what is there",
    )
    .option('--keep-test <file>', 'the same of the test faces')
    .option('--test-pairs <file>', "only the people of this pair list (LFW's pairs.txt)")
    .option(
      '--expected-false <n>',
      'false finds that may be expected in all comparisons (default: 1)',
      number(0, true),
    )
    .option('--min-similarity <s>', 'take pairs from this similarity on instead', number(-1))
    .option('--candidates <n>', 'how many of the others are listed', whole(0), 30)
    .option('--seed <n>', 'seed of what is drawn', whole(Number.MIN_SAFE_INTEGER), 1);
  return withEmbedderFlags(command)
    .option('--out <file>', 'list to write for train --exclude, with the evidence', 'exclude.json')
    .option('--report <dir>', 'write a page with the faces side by side into this folder')
    .option('--json', 'print the list as one JSON object')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const started = performance.now();
  checkFlags(flags);
  const [train, test] = await openSides(flags);
  try {
    const whole = await overlapOf(train, test, flags);
    const [a, b] = [sideOf(train), sideOf(test)];
    const found = await withImages(whole.found, a, b, MOST_SHOWN);
    const candidates = await withImages(whole.candidates, a, b, flags.candidates);
    const overlap: OverlapResult = { ...whole, found, candidates };
    const exclude = [...new Set(found.map((pair) => pair.train))];
    const seconds = (performance.now() - started) / 1000;
    const list = listOf(overlap, exclude, train, test, flags);
    await writeWhole(flags.out, `${JSON.stringify(list, null, 1)}\n`, PRIVATE);
    const page = flags.report === undefined ? undefined : join(flags.report, 'index.html');
    if (page !== undefined) {
      const report = {
        ...overlap,
        train: setOf(train),
        test: setOf(test),
        settings: settings(train, flags, seconds),
      };
      const { overlapPage } = await import('../report/overlap-page.js');
      await writeWhole(page, await overlapPage(report), PRIVATE);
    }
    for (const { unreadable } of [train, test])
      for (const { path, reason } of unreadable.slice(0, 5)) note(`skipped ${path}: ${reason}`);
    result(
      { ...list, level: overlap.level, out: flags.out, ...(page !== undefined && { page }), seconds },
      overlapText(overlap, { exclude, train: setOf(train), test: setOf(test), flags, page, seconds }),
      flags.json,
    );
  } finally {
    await train.embedded?.source.close();
    await test.embedded?.source.close();
  }
}

/** Found pairs beyond which no images are looked for. */
const MOST_SHOWN = 100;

function checkFlags({ minSimilarity, expectedFalse, out, report }: Flags): void {
  if (minSimilarity !== undefined && expectedFalse !== undefined)
    throw new UsageError('--min-similarity and --expected-false exclude each other: both set the similarity');
  if (minSimilarity !== undefined && minSimilarity > 1)
    throw new UsageError('--min-similarity is a cosine, from -1 to 1');
  requireWritableFile(out);
  if (report !== undefined) requireWritable(report, '--report');
}

async function overlapOf(train: Side, test: Side, flags: Flags): Promise<OverlapResult> {
  if (!train.embedded || !test.embedded) return overlapByName(train.people, test.people);
  const { expectedFalse, minSimilarity, candidates, seed, threads } = flags;
  const testTemplates = await templatesOf(test);
  const scan = new PhotographSearch(train, test, threads);
  await scan.begin(testTemplates.length);
  const trainTemplates = await templatesOf(
    train,
    { fewer: { counts: testTemplates.images, seed } },
    (rows, made) => scan.take(rows, made),
  );
  const photographs = await scan.finish();
  return findOverlap(trainTemplates, testTemplates, {
    ...{ expectedFalse, minSimilarity, candidates, seed, photographs },
  });
}

/** Mean templates of a side's people, with progress where a model computes them; `see` sees the images' own. */
async function templatesOf(
  one: Side,
  options: Parameters<typeof personTemplates>[3] = {},
  see: (rows: readonly number[], made: Vectors) => Promise<void> = async () => {},
) {
  const total = imagesOf(one);
  const shown = timedProgress(total, `${one.which} images`);
  const embedded = one.embedded!;
  let before = 0;
  embedded.onProgress = (done) => shown.update(before + done, '');
  const templates = async (rows: readonly number[]) => {
    const made = await embedded.templates(rows);
    await see(rows, made);
    before += rows.length;
    shown.update(before, '');
    return made;
  };
  const made = await personTemplates(
    one.people,
    templates,
    (row) => join(one.folder, one.images[row]!.path),
    options,
  ).finally(() => {
    delete embedded.onProgress;
    shown.stop();
  });
  if (made.people.length === 0) {
    const [first] = one.unreadable;
    throw new UserError(
      `${one.name}: none of its ${total} images can be read${first ? ` (${first.path}: ${first.reason})` : ''}`,
    );
  }
  return made;
}

const imagesOf = ({ people }: Side): number => people.reduce((sum, { rows }) => sum + rows.length, 0);

const sideOf = (one: Side): OverlapSide => ({
  paths: one.images.map(({ path }) => path),
  rowsOf: new Map(one.people.map(({ name, rows }) => [name, rows])),
  ...(one.embedded && { templates: one.embedded.templates }),
});

const setOf = (one: Side) => ({
  ...{ name: one.name, folder: one.folder, people: one.people.length },
  images: imagesOf(one),
});

function settings(train: Side, flags: Flags, seconds: number): [string, string][] {
  const { testPairs, seed } = flags;
  const source = train.embedded?.source;
  const manifest = source?.manifest;
  return [
    ['Model', manifest ? manifest.name : source ? 'not stated' : 'none: names alone'],
    ...(source?.facts.map(([name, value]): [string, string] => [name, value]) ?? []),
    ['Test people', testPairs === undefined ? 'all' : `those of ${testPairs}`],
    ['Seed', String(seed)],
    ['Time', duration(seconds)],
  ];
}

/** What is written for `train --exclude`: the names first, then why. */
function listOf(
  { found, candidates, level, photographs }: OverlapResult,
  exclude: readonly string[],
  train: Side,
  test: Side,
  { testPairs }: Flags,
) {
  const source = train.embedded?.source;
  const manifest = source?.manifest;
  const plain = ({ others: _, ...pair }: OverlapPair) => pair;
  return {
    format: OVERLAP_FORMAT,
    exclude,
    train: setOf(train),
    test: { ...setOf(test), ...(testPairs !== undefined && { pairs: testPairs }) },
    ...(manifest && { model: { name: manifest.name, sha256: manifest.sha256 } }),
    ...(level && { level: { ...level, curve: undefined } }),
    ...(photographs && { photographs }),
    found: found.map(plain),
    candidates: candidates.map(plain),
    unreadable: [...train.unreadable, ...test.unreadable],
  };
}
