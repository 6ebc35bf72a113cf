// The bytes of an image file, which are few.
import { readWhole } from '../common/files.js';
import { MOST_IMAGE_BYTES } from './image-limits.js';

/** Reads an image file. Throws a UserError that names it when it is missing, too large or no regular file. */
export const readImageFile = (path: string): Promise<Buffer> => readWhole(path, { limit: MOST_IMAGE_BYTES });
