// The faces that ranges are taken from: some of a folder, drawn by a seed, as a network sees them.
import { join } from 'node:path';
import { UserError } from '../../common/errors.js';
import { random } from '../../common/random.js';
import { decodeFace } from '../../data/index.js';
import type { Template } from '../align/template.js';
import { listFaces } from '../embed/folder.js';
import { carried } from '../embed/realigned.js';
import type { Manifest } from '../models/manifest.js';

/**
 * Paths below `folder` for calibration, and as many others at most to compare on; both in a drawn order, and none of
 * the people `leftOut`. Throws a UserError when there is none.
 */
export async function drawFaces(
  folder: string,
  images: number,
  seed: number,
  leftOut: readonly string[] = [],
): Promise<{ calibration: string[]; others: string[] }> {
  const out = new Set(leftOut);
  const found = (await listFaces(folder)).filter(({ person }) => person === null || !out.has(person));
  if (found.length === 0)
    throw new UserError(`${folder}: no faces to calibrate on; name a folder of aligned faces`);
  const drawn = random(seed, 'calibration').shuffle(found.map(({ path }) => join(folder, path)));
  return { calibration: drawn.slice(0, images), others: drawn.slice(images, 2 * images) };
}

/** Bytes [height, width, 3] of a face in the manifest's size and channel order. Throws a UserError that names it. */
export function readFace(path: string, manifest: Manifest, from: Template | undefined): Promise<Uint8Array> {
  if (from) return carried(path, manifest, from);
  const { height, width, order } = manifest.input;
  return decodeFace(path, { size: [height, width], order });
}
