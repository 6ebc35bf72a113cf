// A whole folder of photographs as embeddings: every photograph's face is found, aligned and embedded on the way.
import { join } from 'node:path';
import { UserError } from '../../common/errors.js';
import type { FaceChoice } from '../detect/choose.js';
import type { FaceReader } from '../reader.js';
import { type FolderEmbeddings, type FolderImage, listFaces } from './folder.js';

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
  const listed = await listFaces(folder);
  const images: FolderImage[] = [];
  const rows: Float32Array[] = [];
  const skipped: FolderEmbeddings['skipped'] = [];
  let done = 0;
  const paths = listed.map(({ path }) => join(folder, path));
  for await (const photograph of reader.read(paths, { choice })) {
    const image = listed[done++]!;
    if ('problem' in photograph)
      skipped.push({ path: image.path, reason: photograph.problem.replace(`${photograph.path}: `, '') });
    else if (photograph.faces.length === 0)
      skipped.push({
        path: image.path,
        reason: `no face ${photograph.found.length > 0 ? 'that can be aligned, ' : ''}found by ${reader.detector.name}`,
      });
    else
      for (const { embedding } of photograph.faces) {
        images.push(image);
        rows.push(embedding);
      }
    onProgress?.(done, listed.length);
  }
  if (rows.length === 0) {
    throw new UserError(
      `${folder}: in none of its ${listed.length} photographs is a face that can be used (${skipped[0]?.reason})`,
    );
  }
  const { length, manifest } = reader;
  const embeddings = new Float32Array(rows.length * length);
  rows.forEach((row, i) => {
    embeddings.set(row, i * length);
  });
  return { folder, manifest, length, embeddings, images, skipped };
}
