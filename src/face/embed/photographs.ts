// A whole folder of photographs as embeddings: every photograph's face is found, aligned and embedded on the way.
import { join } from 'node:path';
import { UserError } from '../../common/errors.js';
import type { Ignored } from '../../data/index.js';
import type { Part } from '../../mpi/index.js';
import type { FaceChoice } from '../detect/choose.js';
import type { FaceReader } from '../reader.js';
import { type FolderEmbeddings, type FolderImage, listFaces } from './folder.js';
import { shares } from './shares.js';

export interface PhotographHooks {
  /** Which of several faces is meant (default: the largest); with 'all' a photograph has as many rows as faces. */
  choice?: FaceChoice;
  /** Called after every photograph. */
  onProgress?(done: number, total: number): void;
}

/**
 * Embeds the faces in the photographs of `folder`, which lie in it or in one folder a person. Photographs that
 * cannot be read or in which no face is found are left out and listed. Throws UserError when no face is left.
 */
export async function embedPhotographs(
  reader: FaceReader,
  folder: string,
  { choice = 'largest', onProgress }: PhotographHooks = {},
): Promise<FolderEmbeddings> {
  const ignored: Ignored[] = [];
  const listed = await listFaces(folder, { onIgnored: (each) => ignored.push(each) });
  const images: FolderImage[] = [];
  const parts: Float32Array[] = [];
  const skipped: FolderEmbeddings['skipped'] = [];
  const paths = listed.map(({ path }) => join(folder, path));
  await reading(reader, paths, choice, onProgress, (first, { told, numbers }) => {
    parts.push(numbers);
    for (const [i, found] of told.entries()) {
      const image = listed[first + i]!;
      if (typeof found === 'string')
        skipped.push({ path: image.path, reason: found.replace(`${paths[first + i]}: `, '') });
      else for (let face = 0; face < found; face++) images.push(image);
    }
  });
  if (images.length === 0) {
    throw new UserError(
      `${folder}: in none of its ${listed.length} photographs is a face that can be used (${skipped[0]?.reason})`,
    );
  }
  const { length, manifest } = reader;
  const embeddings = new Float32Array(images.length * length);
  let at = 0;
  for (const part of parts) {
    embeddings.set(part, at);
    at += part.length;
  }
  return { folder, manifest, length, embeddings, images, skipped, ignored };
}

/** How many faces of each photograph are meant, or why there is none. */
type Found = (number | string)[];

/** What the ranks are asked to read. */
export interface PhotographQuestion {
  reader: string;
  choice: FaceChoice;
  paths: readonly string[];
  /** The places in `paths` where the share of each rank begins, and their end. */
  starts: readonly number[];
}

/** This rank's reading of the photographs at `paths`. */
export async function readingHere(
  reader: FaceReader,
  paths: readonly string[],
  choice: FaceChoice,
  onProgress?: (done: number) => void,
): Promise<Part<Found>> {
  const told: Found = [];
  const rows: Float32Array[] = [];
  for await (const photograph of reader.read(paths, { choice })) {
    if ('problem' in photograph) told.push(photograph.problem);
    else if (photograph.faces.length === 0)
      told.push(
        `no face ${photograph.found.length > 0 ? 'that can be aligned, ' : ''}found by ${reader.detector.name}`,
      );
    else {
      told.push(photograph.faces.length);
      for (const { embedding } of photograph.faces) rows.push(embedding);
    }
    onProgress?.(told.length);
  }
  const numbers = new Float32Array(rows.length * reader.length);
  rows.forEach((row, i) => {
    numbers.set(row, i * reader.length);
  });
  return { told, numbers };
}

/** Photographs that a rank reads between two meetings of all ranks, and that are read in groups. */
const AT_A_TIME = 64;
const UNIT = 8;

/** Reads all photographs, on all ranks where the reader is theirs, and hands on parts with their first place. */
async function reading(
  reader: FaceReader,
  paths: readonly string[],
  choice: FaceChoice,
  onProgress: PhotographHooks['onProgress'],
  take: (first: number, part: Part<Found>) => void,
): Promise<void> {
  if (!reader.shared) {
    take(0, await readingHere(reader, paths, choice, (done) => onProgress?.(done, paths.length)));
    return;
  }
  const { leader, model } = reader.shared;
  const block = leader.size * AT_A_TIME;
  for (let first = 0; first < paths.length; first += block) {
    const some = paths.slice(first, first + block);
    const starts = shares(some.length, UNIT, leader.size);
    const question: PhotographQuestion = { reader: model, choice, paths: some, starts };
    const end = first + some.length;
    const parts = await leader.ask('photographs', question, () =>
      readingHere(reader, some.slice(0, starts[1]), choice, (done) =>
        onProgress?.(Math.min(first + done * leader.size, end - 1), paths.length),
      ),
    );
    for (const [rank, part] of parts.entries()) take(first + starts[rank]!, part);
    onProgress?.(end, paths.length);
  }
}
