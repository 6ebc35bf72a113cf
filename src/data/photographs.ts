// Which files are meant by the paths that somebody gives: files as they are, folders as the images below them.
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { UserError } from '../common/errors.js';
import { IMAGE_FORMATS, isImageName } from './images.js';
import { compareNames } from './people.js';

/**
 * The image files of `folder` and of all folders below it, as paths relative to it with '/', in natural order.
 * Hidden files and folders are passed over. Throws a UserError when there is no such folder or no image in it.
 */
export async function imagesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      const what = error.code === 'ENOENT' ? 'no such folder' : `cannot be read (${error.code})`;
      throw new UserError(`${folder}: ${error.code === 'ENOTDIR' ? 'is a file, not a folder' : what}`, {
        cause: error,
      });
    },
  );
  const paths = entries
    .filter((entry) => !entry.isDirectory() && isImageName(entry.name))
    // Node before 20.12 calls it `path`.
    .map((entry) =>
      relative(folder, join(entry.parentPath ?? entry.path, entry.name))
        .split(sep)
        .join('/'),
    )
    .filter((path) => !path.split('/').some((part) => part.startsWith('.')))
    .sort(compareNames);
  if (paths.length === 0) throw new UserError(`${folder}: there is no image (${IMAGE_FORMATS}) in it`);
  return paths;
}

/**
 * The photographs that `paths` name: a folder stands for the images below it, anything else for itself, whether it
 * is there or not. Throws a UserError for a folder without images.
 */
export async function photographsAt(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) files.push(...(await imagesBelow(path)).map((inside) => join(path, inside)));
    else files.push(path);
  }
  return files;
}
