// Photographs to try things on, without a photograph of one's own: those that come with the npm package of the
// built-in networks. They are read where they lie and never shipped by this project.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../../common/errors.js';
import { faceApiModelFolder } from './face-api-weights.js';

/** Paths of the sample photographs, in order. Throws a `UserError` when the package is not there. */
export function samplePhotographs(): string[] {
  const folder = join(dirname(faceApiModelFolder()), 'demo');
  const names = readdirSync(folder)
    .filter((name) => /^sample\d+\.jpg$/.test(name))
    .sort();
  if (names.length === 0)
    throw new UserError(`${folder}: the sample photographs are missing; name photographs`, {
      code: 'not-found',
    });
  return names.map((name) => join(folder, name));
}
