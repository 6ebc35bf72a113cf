// Embeddings from a file that `hypersphere embed` wrote (see folder.ts), with the path and person of every row:
// the way back into whatever works on frozen embeddings. A file of one's own is read too, if its list beside it
// names the rows.
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.js';
import { readWhole } from '../../common/files.js';
import { readSafetensors } from '../../data/index.js';
import { readNumpy } from '../../data/numpy.js';
import { noDirection, squaredNorm } from '../../theory/vectors.js';
import { type Manifest, manifestSchema } from '../models/manifest.js';
import type { FolderImage } from './folder.js';

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

const imageSchema = z.object({ path: z.string(), person: z.string().nullable() });
const listSchema = z.object({
  images: z.array(imageSchema),
  folder: z.string().default(''),
  model: z.unknown().optional(),
  skipped: z.array(z.object({ path: z.string(), reason: z.string() })).default([]),
});
type List = z.infer<typeof listSchema>;

/** Rows of numbers, and of .jsonl the images too. */
interface Rows {
  length: number;
  embeddings: Float32Array;
  images?: FolderImage[];
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
 * Reads `file` (.safetensors with the tensor 'embeddings', .npy or .jsonl) and its list, `file`.json. Throws a
 * `UserError` when either is missing or damaged, when they do not agree, or when a row has no direction.
 */
export async function readEmbeddings(file: string): Promise<StoredEmbeddings> {
  const reader = readers[extname(file).toLowerCase()];
  if (!reader)
    throw new UserError(
      `${file}: not a file of embeddings; its ending must be one of ${Object.keys(readers).join(', ')}`,
    );
  const bytes = await readWhole(file);
  const { length, embeddings, images: own } = reader(bytes, file);
  const list = await readList(file, own);
  const images = own ?? list.images;
  if (images.length * length !== embeddings.length || length === 0)
    throw new UserError(
      `${file}: ${embeddings.length / length || 0} rows, but its list ${file}.json names ${images.length} images; write both again with: hypersphere embed`,
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

/**
 * The list beside `file`, or one of the file's `own` images where there is none. Throws a `UserError` when there is
 * neither, or when it is damaged.
 */
export async function readList(file: string, own?: FolderImage[]): Promise<List> {
  const beside = `${file}.json`;
  const text = await readFile(beside, 'utf8').catch(() => undefined);
  if (text === undefined) {
    if (own) return { images: own, folder: '', model: undefined, skipped: [] };
    throw new UserError(
      `${file}: its list ${beside} is missing, which says who is in each row: {"images": [{"path": "ann/1.jpg", "person": "ann"}, ...]}; hypersphere embed writes both`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${beside}: not JSON: ${(error as Error).message}`);
  }
  const parsed = listSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(
    `${beside}: not a list of embeddings: ${issue!.path.join('.') || 'the whole'}: ${issue!.message}`,
  );
}

function fromSafetensors(bytes: Uint8Array, file: string): Rows {
  const tensor = readSafetensors(bytes, file).tensors.get('embeddings');
  const { dtype, shape = [], data } = tensor ?? {};
  if (!(data instanceof Float32Array || data instanceof Float64Array) || shape.length !== 2)
    throw new UserError(
      `${file}: ${tensor ? `its tensor 'embeddings' is ${dtype} [${shape}]` : "it has no tensor 'embeddings'"}; needed is float32 [N, D]`,
    );
  return { length: shape[1]!, embeddings: Float32Array.from(data) };
}

const lineSchema = imageSchema.extend({ embedding: z.array(z.number()).nonempty() });

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
