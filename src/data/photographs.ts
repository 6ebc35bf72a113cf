// Which files are meant by the paths that somebody gives: files as they are, folders as the images below them.
import { readdir, stat } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { UserError } from '../common/errors.js';
import { type Ignored, ignoredFile, ignoredLine } from './ignored.js';
import { IMAGE_FORMATS, isImageName } from './images.js';
import { compareNames } from './people.js';

/** Image files, and what was passed over beside them. */
export interface ListedPhotographs {
  readonly photographs: string[];
  readonly ignored: Ignored[];
}

/**
 * The image files of `folder` and of all folders below it, as paths relative to it with '/', in natural order, and
 * the other files. Hidden files and folders are passed over. Throws a UserError when there is no such folder or no
 * image in it.
 */
export async function listBelow(folder: string): Promise<ListedPhotographs> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      const what = error.code === 'ENOENT' ? 'no such folder' : `cannot be read (${error.code})`;
      throw new UserError(`${folder}: ${error.code === 'ENOTDIR' ? 'is a file, not a folder' : what}`, {
        cause: error,
      });
    },
  );
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    // Node before 20.12 calls it `path`.
    .map((entry) =>
      relative(folder, join(entry.parentPath ?? entry.path, entry.name))
        .split(sep)
        .join('/'),
    )
    .filter((path) => !path.split('/').some((part) => part.startsWith('.')))
    .sort(compareNames);
  const photographs = paths.filter(isImageName);
  const ignored = paths.flatMap((path): Ignored[] => {
    const kind = isImageName(path) ? undefined : ignoredFile(posix.basename(path));
    return kind === undefined ? [] : [{ path, kind }];
  });
  if (photographs.length === 0) {
    const others = ignoredLine(ignored);
    throw new UserError(
      `${folder}: there is no image (${IMAGE_FORMATS}) in it${others === undefined ? '' : `; ${others}`}`,
    );
  }
  return { photographs, ignored };
}

/** The image files of {@link listBelow}. */
export const imagesBelow = async (folder: string): Promise<string[]> => (await listBelow(folder)).photographs;

/**
 * The photographs that `paths` name: a folder stands for the images below it, anything else for itself, whether it
 * is there or not. Throws a UserError for a folder without images.
 */
export async function listPhotographs(paths: readonly string[]): Promise<ListedPhotographs> {
  const photographs: string[] = [];
  const ignored: Ignored[] = [];
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) {
      const below = await listBelow(path);
      photographs.push(...below.photographs.map((inside) => join(path, inside)));
      ignored.push(...below.ignored.map((each) => ({ ...each, path: join(path, each.path) })));
    } else photographs.push(path);
  }
  return { photographs, ignored };
}

/** The photographs of {@link listPhotographs}. */
export const photographsAt = async (paths: readonly string[]): Promise<string[]> =>
  (await listPhotographs(paths)).photographs;
