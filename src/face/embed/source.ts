// Where the features of a measurement come from: a model and a folder of aligned faces, or a file of embeddings that
// `hypersphere embed` wrote. Both list their images first, so that a protocol picks the rows it needs and only those
// are computed.
import { join } from 'node:path';
import { UserError } from '../../common/errors.js';
import type { Template } from '../align/template.js';
import { type Manifest, modelDifference } from '../models/manifest.js';
import { bothOf } from './aligned.js';
import type { BothFeatures, Embedder, EmbedHooks } from './embedder.js';
import { type FolderImage, listFaces } from './folder.js';
import { imageKey, KeptFeatures } from './kept-features.js';
import { type EmbedderOptions, openEmbedder } from './open.js';
import { readEmbeddings } from './read.js';
import { alignmentInWords, carryFrom } from './realigned.js';

/** Features [n, length], and those of the mirror images where they are known apart. */
export type SourceFeatures = Omit<BothFeatures, 'mirrored'> & Partial<Pick<BothFeatures, 'mirrored'>>;

export interface FaceSource {
  /** The model's file or name, or the file of embeddings. */
  readonly file: string;
  /** What there is, in natural order of paths. */
  readonly images: readonly FolderImage[];
  /** The folder that the paths are relative to; '' when a list of embeddings does not say. */
  readonly folder: string;
  /** Absent for embeddings whose list has none. */
  readonly manifest?: Manifest;
  /** How `features` become one template unless a protocol says otherwise; 'none' where that is done already. */
  readonly fusion: 'concatenate' | 'sum' | 'none';
  /** Images that were skipped when the embeddings were made. */
  readonly skipped: readonly { path: string; reason: string }[];
  /** What to say of it: names and values. */
  readonly facts: [name: string, value: string][];
  /**
   * Features of these rows of `images`, in their order. An image that cannot be read is an error that names it, or
   * with `onUnreadable` a row of zeros.
   */
  features(rows: readonly number[], hooks?: EmbedHooks): Promise<SourceFeatures>;
  close(): Promise<void>;
}

export interface ModelSourceOptions extends EmbedderOptions {
  /** The faces' template, where it is not the model's and the folder does not say (see `carryFrom`). */
  aligned?: Template;
  /** List folders inside of folders too; a person is the first folder of a path. */
  nested?: boolean;
  /** A file where features are kept as they are computed, so that a run that was stopped goes on from it. */
  keep?: string;
}

/** A model on a folder of aligned faces. Throws a UserError for either that cannot be used. */
export async function sourceOfModel(
  model: string,
  folder: string,
  { aligned, nested, keep, ...options }: ModelSourceOptions = {},
): Promise<FaceSource> {
  const images = await listFaces(folder, { nested });
  const embedder = await openEmbedder(model, options);
  try {
    const { manifest } = embedder;
    const from = carryFrom(manifest, folder, aligned);
    const kept = keep === undefined ? undefined : await KeptFeatures.open(keep, manifest, from);
    return {
      file: model,
      images,
      folder,
      manifest,
      fusion: manifest.flip,
      skipped: [],
      facts: [
        ['Faces', folder],
        ['Alignment', alignmentInWords(manifest, from)],
        ['Computed on', embedder.device.name],
      ],
      async features(rows, hooks = {}) {
        const paths = rows.map((row) => images[row]!.path);
        return both(embedder, folder, paths, from, kept, hooks);
      },
      close: async () => {
        await kept?.close();
        await embedder.close();
      },
    };
  } catch (error) {
    await embedder.close();
    throw error;
  }
}

/** Embeddings from a file (see `readEmbeddings`). `folder` overrules where its list says the images lie. */
export async function sourceOfEmbeddings(file: string, folder?: string): Promise<FaceSource> {
  const { images, embeddings, manifest, length, skipped, ...stored } = await readEmbeddings(file);
  const split = manifest?.flip === 'concatenate' && length === 2 * manifest.embedding.length;
  const half = split ? length / 2 : length;
  return {
    file,
    images,
    folder: folder ?? stored.folder,
    ...(manifest && { manifest }),
    fusion: split ? 'concatenate' : 'none',
    skipped,
    facts: [
      ['Embeddings', `${file}, ${images.length} rows of ${length} numbers`],
      ['Faces', stored.folder || 'not stated'],
      ['Image and mirror when embedded', manifest ? manifest.flip : 'not stated'],
      ...(skipped.length > 0
        ? [
            ['Skipped when embedded', `${skipped.length} images, such as ${skipped[0]!.path}`] as [
              string,
              string,
            ],
          ]
        : []),
    ],
    async features(rows) {
      const gather = (start: number, width: number) => {
        const out = new Float32Array(rows.length * width);
        rows.forEach((row, i) => {
          const from = row * length + start;
          out.set(embeddings.subarray(from, from + width), i * width);
        });
        return out;
      };
      const original = gather(0, half);
      return split ? { length: half, original, mirrored: gather(half, half) } : { length: half, original };
    },
    async close() {},
  };
}

/** Throws a UserError unless both sources are of one model, as far as they say. */
export function requireSameModel(
  a: Pick<FaceSource, 'file' | 'manifest'>,
  b: Pick<FaceSource, 'file' | 'manifest'>,
): void {
  const [one, other] = [a.manifest, b.manifest];
  if (!one || !other) return;
  const difference = modelDifference(one, other);
  if (difference === undefined) return;
  const [kinds, told] =
    one.name === other.name
      ? ['two kinds', ` (the first are of ${difference})`]
      : [`${one.name} and of ${other.name}`, ''];
  throw new UserError(
    `${a.file} and ${b.file}: embeddings of ${kinds} cannot be compared${told}; make both with one model and the same flags: hypersphere embed`,
  );
}

/** Images of each rank between two writes of the kept features. */
const KEPT_AT_A_TIME = 512;

/** Features of images and mirrors, those that were kept read and the others computed and kept. */
async function both(
  embedder: Embedder,
  folder: string,
  paths: readonly string[],
  from: Template | undefined,
  kept: KeptFeatures | undefined,
  hooks: EmbedHooks,
): Promise<BothFeatures> {
  const run = (wanted: readonly string[], inner: EmbedHooks) =>
    bothOf(
      embedder,
      wanted.map((path) => join(folder, path)),
      { ...inner, ...(from && { from }) },
    );
  if (!kept) return run(paths, hooks);
  const { length } = embedder.manifest.embedding;
  const out = {
    length,
    original: new Float32Array(paths.length * length),
    mirrored: new Float32Array(paths.length * length),
  };
  const keys: string[] = [];
  const missing: number[] = [];
  for (const [row, path] of paths.entries()) {
    const key = await imageKey(folder, path);
    keys.push(key);
    const found = kept.get(key);
    if (!found) {
      missing.push(row);
      continue;
    }
    out.original.set(found.subarray(0, length), row * length);
    out.mirrored.set(found.subarray(length), row * length);
  }
  const there = paths.length - missing.length;
  const atATime = KEPT_AT_A_TIME * (embedder.shared?.leader.size ?? 1);
  for (let first = 0; first < missing.length; first += atATime) {
    const rows = missing.slice(first, first + atATime);
    const unreadable = new Set<number>();
    const { onUnreadable } = hooks;
    const features = await run(
      rows.map((row) => paths[row]!),
      {
        onProgress: (done) => hooks.onProgress?.(there + first + done, paths.length),
        ...(onUnreadable && {
          onUnreadable(i: number, reason: string) {
            unreadable.add(i);
            onUnreadable(rows[i]!, reason);
          },
        }),
      },
    );
    for (const [i, row] of rows.entries()) {
      const original = features.original.subarray(i * length, (i + 1) * length);
      const mirrored = features.mirrored.subarray(i * length, (i + 1) * length);
      out.original.set(original, row * length);
      out.mirrored.set(mirrored, row * length);
      if (!unreadable.has(i)) kept.add(keys[row]!, original, mirrored);
    }
    await kept.flush();
  }
  return out;
}
