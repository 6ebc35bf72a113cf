// The list of a file of embeddings or templates: who is in each row, and of which model. It lies in the same file as
// the rows where the format has room for it (safetensors: a tensor of bytes), so that rows and names are replaced
// together; beside a file of another format it lies in FILE.json and names the file's content by its hash.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UserError } from '../../common/errors.js';
import { readText } from '../../common/files.js';
import type { FolderImage } from './folder.js';

/** The tensor (uint8, UTF-8 JSON) that holds the list in a safetensors file. */
export const LIST_TENSOR = 'list';

const imageSchema = z.object({ path: z.string(), person: z.string().nullable() });
const listSchema = z.object({
  images: z.array(imageSchema),
  folder: z.string().default(''),
  model: z.unknown().optional(),
  skipped: z.array(z.object({ path: z.string(), reason: z.string() })).default([]),
  /** SHA-256 of the file whose rows are listed, hexadecimal. */
  sha256: z.string().optional(),
});

/** Who is in each row, and what is known of all of them. */
export type EmbeddingsList = z.infer<typeof listSchema>;

/** What a program writes of the rows of a file. */
export interface ListToWrite {
  /** By row. */
  images: readonly FolderImage[];
  folder: string;
  model?: unknown;
  length: number;
  [fact: string]: unknown;
}

/** The list as bytes, for the file itself. */
export const listBytes = (list: ListToWrite): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(JSON.stringify(list)) as Uint8Array<ArrayBuffer>;

/** The list as the text of FILE.json, bound to the bytes of FILE. */
export const listBeside = (list: ListToWrite, bytes: Uint8Array): string =>
  `${JSON.stringify({ sha256: sha256(bytes), ...list }, null, 1)}\n`;

/** Files whose lists were warned of. */
const warned = new Set<string>();

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The name of the list beside a file. */
export const besideOf = (file: string): string => `${file}.json`;

/** Reads a list. Throws a UserError that begins with `source` when it is damaged. */
export function parseList(text: string, source: string): EmbeddingsList {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${source}: not JSON: ${(error as Error).message}`, { cause: error });
  }
  const parsed = listSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(
    `${source}: not a list of embeddings: ${issue!.path.join('.') || 'the whole'}: ${issue!.message}`,
  );
}

/**
 * The list beside `file`, checked against the file's bytes where they are given; undefined when there is none. A list
 * without a hash, as one of an older version or of one's own, is taken with a warning (`process.emitWarning`), as
 * nothing tells that it belongs to the file. Throws a UserError when it is damaged or belongs to other bytes.
 */
export async function listFileOf(
  file: string,
  bytes: Uint8Array | undefined,
): Promise<EmbeddingsList | undefined> {
  const beside = besideOf(file);
  const text = await readText(beside).catch((error: unknown) => {
    if (error instanceof UserError && error.code === 'not-found') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const list = parseList(text, beside);
  if (list.sha256 !== undefined && bytes && list.sha256 !== sha256(bytes))
    throw new UserError(
      `${file}: its list ${beside} belongs to another file (it names another SHA-256), as after a run that was stopped between the two; write both again with: hypersphere embed`,
    );
  if (list.sha256 === undefined && !warned.has(file)) {
    warned.add(file);
    process.emitWarning(
      `${beside} does not say that it belongs to ${file}: it has no "sha256"; if it is not of one's own making, write both again with: hypersphere embed`,
      { code: 'HYPERSPHERE_LIST' },
    );
  }
  return list;
}
