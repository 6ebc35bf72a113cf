// A whole folder of aligned faces as embeddings, and the files they are kept in: safetensors, NumPy's .npy, or
// JSON lines, chosen by the file's ending.
import { readdir, rm } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { UserError } from '../../common/errors.js';
import { PRIVATE, writeWhole } from '../../common/files.js';
import {
  compareNames,
  type Ignored,
  isImageName,
  listBelow,
  listPeople,
  type StoredData,
  type StoredDType,
  writeSafetensors,
} from '../../data/index.js';
import type { Template } from '../align/template.js';
import type { Manifest } from '../models/manifest.js';
import { embeddingsOf } from './aligned.js';
import type { Embedder, EmbedHooks } from './embedder.js';
import { besideOf, LIST_TENSOR, type ListToWrite, listBeside, listBytes, listFileOf } from './list.js';
import { carryFrom } from './realigned.js';

/** An image below a folder; its path is relative, with '/'. `person` is null for an image in no person's folder. */
export interface FolderImage {
  path: string;
  person: string | null;
}

export interface FolderEmbeddings {
  folder: string;
  manifest: Manifest;
  /** Numbers of one embedding. */
  length: number;
  /** [images.length, length] */
  embeddings: Float32Array;
  images: FolderImage[];
  /** Images that could not be read, and why. */
  skipped: { path: string; reason: string }[];
  /** What the folder holds beside images, by its path from where the program runs. */
  ignored?: Ignored[];
}

/**
 * The images of `folder`, in natural order: those that lie in it, then those of its person folders; with `nested`
 * those in folders inside of them too (frames of videos), where the person is the first folder of a path.
 * `onIgnored` is called for what is passed over. Throws UserError when there is none.
 */
export async function listFaces(
  folder: string,
  { nested = false, onIgnored }: { nested?: boolean; onIgnored?(ignored: Ignored): void } = {},
): Promise<FolderImage[]> {
  if (nested) {
    const { photographs, ignored } = await listBelow(folder);
    for (const each of ignored) onIgnored?.({ ...each, path: join(folder, each.path) });
    return photographs.map((path) => ({
      path,
      person: path.includes('/') ? path.slice(0, path.indexOf('/')) : null,
    }));
  }
  const names = await readdir(folder).catch(() => [] as string[]);
  const loose = names.filter((name) => isImageName(name) && !name.startsWith('.')).sort(compareNames);
  // Images outside of people's folders are listed here.
  const passed = (each: Ignored) => each.kind !== 'loose-image' && onIgnored?.(each);
  const people = await listPeople(folder, passed).catch((error: unknown) => {
    if (loose.length > 0 && error instanceof UserError) return [];
    throw error;
  });
  return [
    ...loose.map((path) => ({ path, person: null })),
    ...people.flatMap(({ name, paths }) =>
      paths.map((path) => ({ path: relative(folder, path).split(sep).join('/'), person: name })),
    ),
  ];
}

export interface EmbedFolderOptions {
  /** The faces' template (default: what `align` noted in the folder); they are carried to the model's if it differs. */
  aligned?: Template;
  /** List folders inside of folders too. */
  nested?: boolean;
  onProgress?(done: number, total: number): void;
}

/**
 * Embeds every image of `folder`; those that cannot be read are left out and listed. Throws UserError when
 * none can be read.
 */
export async function embedFolder(
  embedder: Embedder,
  folder: string,
  { aligned, nested, onProgress }: EmbedFolderOptions = {},
): Promise<FolderEmbeddings> {
  const ignored: Ignored[] = [];
  const onIgnored = (each: Ignored) => {
    // An alignment leaves its settings and lists among its faces.
    if (each.kind !== 'text') ignored.push(each);
  };
  const found = await listFaces(folder, { nested, onIgnored });
  const reasons = new Map<number, string>();
  const paths = found.map(({ path }) => join(folder, path));
  const hooks: EmbedHooks = { onProgress, onUnreadable: (index, reason) => reasons.set(index, reason) };
  const from = carryFrom(embedder.manifest, folder, aligned);
  const all = await embeddingsOf(embedder, paths, { ...hooks, ...(from && { from }) });
  if (reasons.size === found.length) {
    throw new UserError(
      `${folder}: none of its ${found.length} images can be read (${[...reasons.values()][0]})`,
    );
  }
  const { length } = embedder;
  let kept = 0;
  for (let i = 0; i < found.length; i++) {
    if (!reasons.has(i)) all.copyWithin(kept++ * length, i * length, (i + 1) * length);
  }
  return {
    folder,
    manifest: embedder.manifest,
    length,
    embeddings: all.subarray(0, kept * length),
    images: found.filter((_, i) => !reasons.has(i)),
    skipped: [...reasons].map(([index, reason]) => {
      const { path } = found[index]!;
      return { path, reason: reason.replace(`${join(folder, path)}: `, '') };
    }),
    ignored,
  };
}

const writers: Record<string, (set: FolderEmbeddings) => Uint8Array> = {
  '.safetensors': (set) => {
    const { embeddings, images, length } = set;
    const list = listBytes(listOf(set));
    return writeSafetensors(
      new Map<string, { dtype: StoredDType; shape: number[]; data: StoredData }>([
        ['embeddings', { dtype: 'float32', shape: [images.length, length], data: embeddings }],
        [LIST_TENSOR, { dtype: 'uint8', shape: [list.length], data: list }],
      ]),
    );
  },
  '.npy': ({ embeddings, images, length }) => numpy(embeddings, [images.length, length]),
  '.jsonl': ({ embeddings, images, length }) =>
    Buffer.from(
      images
        .map(
          (image, i) =>
            `${JSON.stringify({ ...image, embedding: [...embeddings.subarray(i * length, (i + 1) * length)] })}\n`,
        )
        .join(''),
    ),
};

/** Throws UserError unless `file` has an ending that is known. */
export function checkEmbeddingsFile(file: string): void {
  if (!(extname(file).toLowerCase() in writers)) {
    throw new UserError(`${file}: its ending must be one of ${Object.keys(writers).join(', ')}`);
  }
}

/**
 * Writes embeddings, [N, length] float32, and their list (model, length, skipped images, and every row's path and
 * person) to `file`, for their owner alone to read. A .safetensors file holds both: the tensors 'embeddings' and
 * 'list', the JSON text as bytes. Beside .npy and .jsonl (one object an image) the list is `file`.json, with the
 * SHA-256 of `file`. Each file appears whole or not at all. Returns the names of file and list. Throws UserError for
 * another ending.
 */
export async function writeEmbeddings(file: string, set: FolderEmbeddings): Promise<[string, string]> {
  checkEmbeddingsFile(file);
  const ending = extname(file).toLowerCase();
  const bytes = writers[ending]!(set);
  const beside = besideOf(file);
  await writeWhole(file, bytes, PRIVATE);
  if (ending === '.safetensors') {
    // A list beside it is of an older file of this name.
    if (await listFileOf(file, undefined).catch(() => undefined)) await rm(beside, { force: true });
    return [file, file];
  }
  await writeWhole(beside, listBeside(listOf(set), bytes), PRIVATE);
  return [file, beside];
}

const listOf = ({ folder, manifest, length, images, skipped }: FolderEmbeddings): ListToWrite => ({
  folder,
  model: manifest,
  length,
  images,
  skipped,
});

/** NumPy's array format, version 1.0: magic, header length, a Python literal padded to 64 bytes, the numbers. */
function numpy(data: Float32Array, shape: readonly number[]): Uint8Array {
  const literal = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
  const length = Math.ceil((10 + literal.length + 1) / 64) * 64 - 10;
  const header = Buffer.alloc(10 + length, ' ');
  header.write('\u0093NUMPY\u0001\u0000', 'latin1');
  header.writeUInt16LE(length, 8);
  header.write(`${literal}`, 10, 'latin1');
  header.write('\n', header.length - 1, 'latin1');
  return Buffer.concat([header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
}
