// Embeddings from a file that `hypersphere embed` wrote (see folder.ts), with the path and person of every row:
// the way back into whatever works on frozen embeddings. A file of one's own is read too, if a list beside it names
// the rows.
import { extname } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.js';
import { readWhole } from '../../common/files.js';
import { readSafetensors, readSafetensorsTensor } from '../../data/index.js';
import { readNumpy } from '../../data/numpy.js';
import { noDirection, squaredNorm } from '../../theory/vectors.js';
import { type Manifest, manifestSchema } from '../models/manifest.js';
import type { FolderImage } from './folder.js';
import { besideOf, type EmbeddingsList, LIST_TENSOR, listFileOf, parseList } from './list.js';

/** Embeddings with what their list says of them. */
export interface StoredEmbeddings {
  file: string;
  /** Numbers of one embedding, D. */
  length: number;
  /** [N, D], as the model gave them. */
  embeddings: Float32Array;
  /** [N]; `person` is null for an image in no person's folder. */
  images: FolderImage[];
  /** The folder of the images; '' when the list does not say. */
  folder: string;
  /** The model they come from, if the list has its manifest. */
  manifest?: Manifest;
  skipped: { path: string; reason: string }[];
}

/** Rows of numbers, with the images or the whole list where the file has them. */
interface Rows {
  length: number;
  embeddings: Float32Array;
  images?: FolderImage[];
  list?: EmbeddingsList;
}

const readers: Record<string, (bytes: Uint8Array, file: string) => Rows> = {
  '.safetensors': fromSafetensors,
  '.npy': (bytes, file) => {
    const { shape, data } = readNumpy(bytes, file);
    return { length: shape[1], embeddings: data };
  },
  '.jsonl': fromLines,
};

/**
 * Reads `file` (.safetensors with the tensor 'embeddings', .npy or .jsonl) and its list: in the file itself, or beside
 * it in `file`.json. Throws a `UserError` when either is missing or damaged, when they do not belong together, or when
 * a row has no direction.
 */
export async function readEmbeddings(file: string): Promise<StoredEmbeddings> {
  const reader = readers[extname(file).toLowerCase()];
  if (!reader)
    throw new UserError(
      `${file}: not a file of embeddings; its ending must be one of ${Object.keys(readers).join(', ')}`,
    );
  const bytes = await readWhole(file);
  const { length, embeddings, images: own, list: inside } = reader(bytes, file);
  const list = inside ?? (await listFileOf(file, bytes)) ?? emptyList(file, own);
  const images = own ?? list.images;
  if (images.length * length !== embeddings.length || length === 0)
    throw new UserError(
      `${file}: ${embeddings.length / length || 0} rows, but its list names ${images.length} images; write both again with: hypersphere embed`,
    );
  images.forEach(({ path }, row) => {
    const norm = Math.sqrt(squaredNorm(embeddings, row * length, length));
    if (!(norm > 0 && norm < Infinity))
      throw new UserError(`${file}: row ${row} (${path}): ${noDirection(norm)}`);
  });
  const manifest = manifestSchema.safeParse(list.model).data;
  return {
    file,
    length,
    embeddings,
    images,
    folder: list.folder,
    ...(manifest && { manifest }),
    skipped: list.skipped,
  };
}

/** The list of a file without its rows. Throws a `UserError` as `readEmbeddings` does. */
export async function readList(file: string): Promise<EmbeddingsList> {
  // A file of templates is a safetensors file too, whatever its name.
  const inside = /\.(npy|jsonl)$/i.test(file) ? undefined : await listInside(file);
  return inside ?? (await listFileOf(file, undefined)) ?? emptyList(file, undefined);
}

/** The list in a safetensors file, which is read without the rest of it; undefined when it has none. */
async function listInside(file: string): Promise<EmbeddingsList | undefined> {
  const bytes = await readSafetensorsTensor(file, LIST_TENSOR);
  return bytes && parseList(new TextDecoder().decode(bytes), file);
}

/** The list of a file that names its images itself; throws a UserError for one that does not. */
function emptyList(file: string, own: FolderImage[] | undefined): EmbeddingsList {
  if (own) return { images: own, folder: '', model: undefined, skipped: [] };
  throw new UserError(
    `${file}: it does not say who is in each row, and ${besideOf(file)} is missing: {"images": [{"path": "ann/1.jpg", "person": "ann"}, ...]}; hypersphere embed writes both`,
    { code: 'not-found' },
  );
}

function fromSafetensors(bytes: Uint8Array, file: string): Rows {
  const { tensors } = readSafetensors(bytes, file);
  const tensor = tensors.get('embeddings');
  const { dtype, shape = [], data } = tensor ?? {};
  if (!(data instanceof Float32Array || data instanceof Float64Array) || shape.length !== 2)
    throw new UserError(
      `${file}: ${tensor ? `its tensor 'embeddings' is ${dtype} [${shape}]` : "it has no tensor 'embeddings'"}; needed is float32 [N, D]`,
    );
  const list = tensors.get(LIST_TENSOR)?.data;
  return {
    length: shape[1]!,
    embeddings: Float32Array.from(data),
    ...(list instanceof Uint8Array && { list: parseList(new TextDecoder().decode(list), file) }),
  };
}

const lineSchema = z.object({
  path: z.string(),
  person: z.string().nullable(),
  embedding: z.array(z.number()).nonempty(),
});

function fromLines(bytes: Uint8Array, file: string): Rows {
  const texts = new TextDecoder().decode(bytes).split('\n');
  const lines = texts.flatMap((text, i) => {
    if (text.trim() === '') return [];
    try {
      return [lineSchema.parse(JSON.parse(text))];
    } catch {
      throw new UserError(
        `${file}: line ${i + 1} is not {"path": ..., "person": ..., "embedding": [numbers]}`,
      );
    }
  });
  const length = lines[0]?.embedding.length ?? 0;
  const other = lines.findIndex(({ embedding }) => embedding.length !== length);
  if (other >= 0)
    throw new UserError(
      `${file}: image ${other + 1} has ${lines[other]!.embedding.length} numbers, the first has ${length}`,
    );
  return {
    length,
    embeddings: Float32Array.from(lines.flatMap(({ embedding }) => embedding)),
    images: lines.map(({ path, person }) => ({ path, person })),
  };
}
