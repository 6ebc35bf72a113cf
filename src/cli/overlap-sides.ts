// The two sets that hypersphere overlap compares: who has which images, and their templates, from a model or from
// embeddings; or their names alone.
import { statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { UserError } from '../common/errors.js';
import { readPairs } from '../data/index.js';
import {
  fuse,
  imageFile,
  type PersonRows,
  peopleOf,
  remembered,
  sameNames,
  type TemplatesOf,
} from '../evaluate/index.js';
import {
  alignmentOf,
  type FaceSource,
  type FolderImage,
  listFaces,
  readList,
  requireSameModel,
  sourceOfEmbeddings,
  sourceOfModel,
  type Template,
  templateNamed,
} from '../face/index.js';
import { type EmbedderFlags, embedderOptions } from './embedder-flags.js';
import { note, UsageError, usage } from './output.js';

export interface SideFlags extends EmbedderFlags {
  train: string;
  test: string;
  model?: string;
  aligned?: string;
  alignedTrain?: string;
  alignedTest?: string;
  keepTrain?: string;
  keepTest?: string;
  testPairs?: string;
}

/** One of the two sets. */
export interface Side {
  which: 'training' | 'test';
  name: string;
  folder: string;
  images: readonly FolderImage[];
  people: PersonRows[];
  /** Where its templates come from; absent when only names are compared. */
  embedded?: {
    source: FaceSource;
    /** Templates of rows, zeros for an image that cannot be read; those asked for first are held. */
    templates: TemplatesOf;
    /** Told of how many of the rows at hand are done. */
    onProgress?: (done: number) => void;
  };
  /** How its faces are aligned, where that is known. */
  aligned?: Template;
  /** Images that could not be read. */
  unreadable: { path: string; reason: string }[];
}

const isEmbeddings = (path: string): boolean =>
  ['.safetensors', '.npy', '.jsonl'].includes(extname(path).toLowerCase()) &&
  !statSync(path, { throwIfNoEntry: false })?.isDirectory();

/** Both sets, with embeddings where the flags allow it, else with names alone. */
export async function openSides(flags: SideFlags): Promise<[train: Side, test: Side]> {
  const { model, aligned, alignedTrain, alignedTest, keepTrain, keepTest, testPairs } = flags;
  const template = (name: string | undefined) =>
    name === undefined ? undefined : usage(() => templateNamed(name));
  const options = embedderOptions(flags);
  const asked = [
    { path: flags.train, aligned: template(alignedTrain ?? aligned), keep: keepTrain, flag: '--keep-train' },
    { path: flags.test, aligned: template(alignedTest ?? aligned), keep: keepTest, flag: '--keep-test' },
  ].map((one) => ({ ...one, own: isEmbeddings(one.path) }));
  for (const { path, keep, flag, own } of asked)
    if (keep !== undefined && (own || model === undefined))
      throw new UsageError(
        own
          ? `${flag}: ${path} holds embeddings, which are made already`
          : `${flag} keeps what a model computes: give --model FILE too`,
      );
  if (keepTrain !== undefined && keepTest !== undefined && resolve(keepTrain) === resolve(keepTest))
    throw new UsageError('--keep-train and --keep-test need a file each');
  const byEmbeddings = model !== undefined || asked.every(({ own }) => own);
  const sources: (FaceSource | undefined)[] = [];
  try {
    for (const { path, aligned, keep, own } of byEmbeddings ? asked : [])
      sources.push(
        own
          ? await sourceOfEmbeddings(path)
          : await sourceOfModel(model!, path, { ...options, ...(aligned && { aligned }), keep }),
      );
    const [a, b] = sources;
    if (a && b) requireSameModel(a, b);
    const [train, test] = [
      await side('training', asked[0]!, a),
      await side('test', asked[1]!, b, { loose: true }),
    ];
    if (testPairs !== undefined) test.people = await ofPairs(test.people, testPairs);
    if (!byEmbeddings) requireNames(train, test);
    return [train, test];
  } catch (error) {
    for (const source of sources) await source?.close();
    throw error;
  }
}

async function side(
  which: Side['which'],
  { path, own, aligned }: { path: string; own: boolean; aligned: Template | undefined },
  source: FaceSource | undefined,
  options: { loose?: boolean } = {},
): Promise<Side> {
  const images = source?.images ?? (own ? (await readList(path)).images : await listFaces(path));
  const people = peopleOf(images, options);
  if (people.length === 0)
    throw new UserError(
      `${path}: holds no folders of people: put each person's images into a folder of its own (person/image.jpg)`,
    );
  const folder = source?.folder ?? (own ? '' : path);
  const template = aligned ?? alignmentOf(folder);
  const one: Side = { which, name: path, folder, images, people, unreadable: [] };
  if (template) one.aligned = template;
  if (source) one.embedded = { source, templates: remembered((rows) => fused(one, rows)) };
  return one;
}

/** Templates of rows as the source fuses them; zeros for an image that cannot be read, which is noted once. */
async function fused({ embedded, images, folder, unreadable }: Side, rows: readonly number[]) {
  const { source, onProgress } = embedded!;
  const features = await source.features(rows, {
    ...(onProgress && { onProgress }),
    onUnreadable(i, reason) {
      const { path } = images[rows[i]!]!;
      if (!unreadable.some((known) => known.path === path))
        unreadable.push({ path, reason: reason.replace(`${imageFile(folder, path)}: `, '') });
    },
  });
  return fuse(features, source.fusion);
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
