// hypersphere overlap: the people of a training set who are in a test set too, for `train --exclude`.
import { statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { Command } from 'commander';
import { UserError } from '../common/errors.js';
import { writeWhole } from '../common/files.js';
import { requireWritable } from '../common/folders.js';
import { OVERLAP_FORMAT, readPairs } from '../data/index.js';
import {
  findOverlap,
  fuse,
  type OverlapPair,
  type OverlapResult,
  type OverlapSide,
  overlapByName,
  type PersonRows,
  peopleOf,
  personTemplates,
  sameNames,
  withImages,
} from '../evaluate/index.js';
import {
  type FaceSource,
  type FolderImage,
  listFaces,
  readList,
  requireSameModel,
  sourceOfEmbeddings,
  sourceOfModel,
  templateNamed,
} from '../face/index.js';
import { overlapPage } from '../report/index.js';
import { type EmbedderFlags, embedderOptions, FOREIGN_MODELS, withEmbedderFlags } from './embedder-flags.js';
import { number, whole } from './flags.js';
import { duration, note, result, timedProgress, UsageError, usage } from './output.js';
import { overlapText } from './overlap-text.js';

const HELP = `
--train and --test are folders of aligned faces, one folder a person, or files of embeddings that 'hypersphere embed'
wrote. People are found by their names, where both sets have names and not numbers, and by the embeddings of --model:
each person's mean template is compared with each of the other set. From which similarity on two people count as one
follows from how alike the strangers among them are: where no more than --expected-false false finds are expected in
all comparisons. Without --model folders are compared by names alone. The list is a suggestion: look at the pairs with
--report, and change "exclude" in the file as you see fit.
${FOREIGN_MODELS}

Examples:
  hypersphere overlap --train faces --test lfw --model dlib-resnet-128 --aligned arcface --report overlap
  hypersphere overlap --train faces.safetensors --test lfw.safetensors --test-pairs pairs.txt
  hypersphere train --data faces --exclude exclude.json --net sphereface-4 --loss a-softmax`;

interface Flags extends EmbedderFlags {
  train: string;
  test: string;
  model?: string;
  aligned?: string;
  alignedTrain?: string;
  alignedTest?: string;
  testPairs?: string;
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
    .option('--test-pairs <file>', "only the people of this pair list (LFW's pairs.txt)")
    .option(
      '--expected-false <n>',
      'false finds that may be expected in all comparisons (default 1)',
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

/** One of the two sets. */
interface Side {
  /** 'training' or 'test'. */
  which: string;
  name: string;
  folder: string;
  images: readonly FolderImage[];
  people: PersonRows[];
  source?: FaceSource;
  /** Images that could not be read. */
  unreadable: { path: string; reason: string }[];
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
    await writeWhole(flags.out, `${JSON.stringify(list, null, 1)}\n`);
    const page = flags.report === undefined ? undefined : join(flags.report, 'index.html');
    if (page !== undefined) {
      const report = {
        ...overlap,
        train: setOf(train),
        test: setOf(test),
        settings: settings(train, flags, seconds),
      };
      await writeWhole(page, await overlapPage(report));
    }
    for (const { unreadable } of [train, test])
      for (const { path, reason } of unreadable.slice(0, 5)) note(`skipped ${path}: ${reason}`);
    result(
      { ...list, level: overlap.level, out: flags.out, ...(page !== undefined && { page }), seconds },
      overlapText(overlap, { exclude, train: setOf(train), test: setOf(test), flags, page, seconds }),
      flags.json,
    );
  } finally {
    await train.source?.close();
    await test.source?.close();
  }
}

/** Found pairs beyond which no images are looked for. */
const MOST_SHOWN = 100;

function checkFlags({ minSimilarity, expectedFalse, out, report }: Flags): void {
  if (minSimilarity !== undefined && expectedFalse !== undefined)
    throw new UsageError('--min-similarity and --expected-false exclude each other: both set the similarity');
  if (minSimilarity !== undefined && minSimilarity > 1)
    throw new UsageError('--min-similarity is a cosine, from -1 to 1');
  requireWritable(dirname(out));
  if (statSync(out, { throwIfNoEntry: false })?.isDirectory())
    throw new UserError(`${out}: is a folder; name a file with --out`);
  if (report !== undefined) requireWritable(report, '--report');
}

const isEmbeddings = (path: string): boolean =>
  ['.safetensors', '.npy', '.jsonl'].includes(extname(path).toLowerCase()) &&
  !statSync(path, { throwIfNoEntry: false })?.isDirectory();

/** Both sets, with embeddings where the flags allow it, else with names alone. */
async function openSides(flags: Flags): Promise<[Side, Side]> {
  const { train, test, model, aligned, alignedTrain, alignedTest, testPairs } = flags;
  const template = (name: string | undefined) =>
    name === undefined ? undefined : usage(() => templateNamed(name));
  const [ofTrain, ofTest] = [template(alignedTrain ?? aligned), template(alignedTest ?? aligned)];
  const options = embedderOptions(flags);
  const embedded = [train, test].map(isEmbeddings) as [boolean, boolean];
  const byEmbeddings = model !== undefined || (embedded[0] && embedded[1]);
  const open = async (path: string, own: boolean, from: typeof ofTrain): Promise<FaceSource | undefined> => {
    if (!byEmbeddings) return undefined;
    return own
      ? sourceOfEmbeddings(path)
      : sourceOfModel(model!, path, { ...options, ...(from && { aligned: from }) });
  };
  const sources: (FaceSource | undefined)[] = [];
  try {
    sources.push(await open(train, embedded[0], ofTrain));
    sources.push(await open(test, embedded[1], ofTest));
    const [a, b] = sources;
    if (a && b) requireSameModel(a, b);
    const first = await side('training', train, embedded[0], a, false);
    const second = await side('test', test, embedded[1], b, true);
    if (testPairs !== undefined) second.people = await ofPairs(second.people, testPairs);
    if (!byEmbeddings) requireNames(first, second);
    return [first, second];
  } catch (error) {
    for (const source of sources) await source?.close();
    throw error;
  }
}

async function side(
  which: string,
  path: string,
  embedded: boolean,
  source: FaceSource | undefined,
  loose: boolean,
): Promise<Side> {
  const images = source?.images ?? (embedded ? (await readList(path)).images : await listFaces(path));
  const people = peopleOf(images, { loose });
  if (people.length === 0)
    throw new UserError(
      `${path}: holds no folders of people: put each person's images into a folder of its own (person/image.jpg)`,
    );
  return {
    ...{ which, name: path, images, people, unreadable: [] },
    folder: source?.folder ?? (embedded ? '' : path),
    ...(source && { source }),
  };
}

/** The people that a pair list names. */
async function ofPairs(people: readonly PersonRows[], file: string): Promise<PersonRows[]> {
  const { pairs } = await readPairs(file);
  const named = new Set(pairs.flatMap(({ first, second }) => [first.name, second.name]));
  const kept = people.filter(({ name }) => named.has(name));
  if (kept.length === 0) throw new UserError(`${file}: none of its ${named.size} people is in the test set`);
  return kept;
}

function requireNames(train: Side, test: Side): void {
  // A set has names where a person would be found under the own one.
  for (const { which, name, people } of [train, test])
    if (
      sameNames(
        people.map((one) => one.name),
        people.map((one) => one.name),
      ).length === 0
    )
      throw new UsageError(
        `${name}: the ${which} people have numbers and no names; give --model FILE to compare their faces`,
      );
  note('compared by names alone; --model FILE compares the faces too');
}

async function overlapOf(train: Side, test: Side, flags: Flags): Promise<OverlapResult> {
  if (!train.source || !test.source) return overlapByName(train.people, test.people);
  const { expectedFalse, minSimilarity, candidates, seed } = flags;
  const testTemplates = await templatesOf(test);
  const counts = testTemplates.images;
  const trainTemplates = await templatesOf(train, { fewer: { counts, seed } });
  return findOverlap(trainTemplates, testTemplates, { expectedFalse, minSimilarity, candidates, seed });
}

/** Mean templates of a side's people, with progress where a model computes them. */
async function templatesOf(one: Side, options: Parameters<typeof personTemplates>[3] = {}) {
  const total = one.people.reduce((sum, { rows }) => sum + rows.length, 0);
  const shown = timedProgress(total, `${one.which} images`);
  let before = 0;
  const templates = async (rows: readonly number[]) => {
    const made = await fusedTemplates(one, rows, (done) => shown.update(before + done, ''));
    before += rows.length;
    shown.update(before, '');
    return made;
  };
  const made = await personTemplates(
    one.people,
    templates,
    (row) => join(one.folder, one.images[row]!.path),
    options,
  ).finally(() => shown.stop());
  if (made.people.length === 0) {
    const [first] = one.unreadable;
    throw new UserError(
      `${one.name}: none of its ${total} images can be read${first ? ` (${first.path}: ${first.reason})` : ''}`,
    );
  }
  return made;
}

/** Templates of rows as the source fuses them; zeros for an image that cannot be read, which is noted once. */
async function fusedTemplates(one: Side, rows: readonly number[], onProgress?: (done: number) => void) {
  const { source, images, unreadable } = one;
  const features = await source!.features(rows, {
    ...(onProgress && { onProgress }),
    onUnreadable(i, reason) {
      const { path } = images[rows[i]!]!;
      if (!unreadable.some((known) => known.path === path))
        unreadable.push({ path, reason: reason.replace(`${join(one.folder, path)}: `, '') });
    },
  });
  return fuse(features, source!.fusion);
}

const sideOf = (one: Side): OverlapSide => ({
  paths: one.images.map(({ path }) => path),
  rowsOf: new Map(one.people.map(({ name, rows }) => [name, rows])),
  ...(one.source && { templates: (rows: readonly number[]) => fusedTemplates(one, rows) }),
});

const setOf = ({ name, folder, people }: Side) => ({
  ...{ name, folder, people: people.length },
  images: people.reduce((sum, { rows }) => sum + rows.length, 0),
});

function settings(train: Side, flags: Flags, seconds: number): [string, string][] {
  const { testPairs, seed } = flags;
  const manifest = train.source?.manifest;
  return [
    ['Model', manifest ? manifest.name : train.source ? 'not stated' : 'none: names alone'],
    ...(train.source?.facts.map(([name, value]): [string, string] => [name, value]) ?? []),
    ['Test people', testPairs === undefined ? 'all' : `those of ${testPairs}`],
    ['Seed', String(seed)],
    ['Time', duration(seconds)],
  ];
}

/** What is written for `train --exclude`: the names first, then why. */
function listOf(
  { found, candidates, level }: OverlapResult,
  exclude: readonly string[],
  train: Side,
  test: Side,
  { testPairs }: Flags,
) {
  const manifest = train.source?.manifest;
  const plain = ({ others: _, ...pair }: OverlapPair) => pair;
  return {
    format: OVERLAP_FORMAT,
    exclude,
    train: setOf(train),
    test: { ...setOf(test), ...(testPairs !== undefined && { pairs: testPairs }) },
    ...(manifest && { model: { name: manifest.name, sha256: manifest.sha256 } }),
    ...(level && { level: { ...level, curve: undefined } }),
    found: found.map(plain),
    candidates: candidates.map(plain),
    unreadable: [...train.unreadable, ...test.unreadable],
  };
}
