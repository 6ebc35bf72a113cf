// The bytes of an image file. A pipe or a device named as a photograph would be waited for, or never end.
import { stat } from 'node:fs/promises';
import { UserError } from '../common/errors.js';
import { readWhole } from '../common/files.js';
import { MOST_IMAGE_BYTES } from './image-limits.js';

/** Reads an image file. Throws a UserError that names it when it is missing, too large or no regular file. */
export async function readImageFile(path: string): Promise<Buffer> {
  const found = await stat(path).catch(() => undefined);
  if (found && !found.isFile() && !found.isDirectory())
    throw new UserError(`${path}: is not a regular file (a pipe, a socket or a device)`);
  if (found && found.size > MOST_IMAGE_BYTES)
    throw new UserError(`${path}: ${found.size} bytes are more than an image may have (${MOST_IMAGE_BYTES})`);
  return readWhole(path);
}
