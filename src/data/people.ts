// Finds the images of a data set laid out as one folder a person. The order is the same on every machine and
// file system: names by code units, with runs of digits compared as numbers (s2 before s10).
import { type Dirent, existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { type Ignored, ignoredFile } from './ignored.js';
import { IMAGE_FORMATS, isImageName } from './images.js';

/** A person's folder: its name and its image files, in natural order. */
export interface Person {
  name: string;
  paths: string[];
}

/** Compares names with runs of digits as numbers; never 0 for different names. */
export function compareNames(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [x, y] = [left[i]!, right[i]!];
    if (x === y) continue;
    const difference = Number(x) - Number(y);
    if (/^\d/.test(x) && /^\d/.test(y) && difference !== 0) return difference;
    if (!(/^\d/.test(x) && /^\d/.test(y))) return x < y ? -1 : 1;
  }
  return left.length - right.length || (a < b ? -1 : a > b ? 1 : 0);
}

async function entries(folder: string): Promise<Dirent[]> {
  try {
    const all = await readdir(folder, { withFileTypes: true });
    return all.filter((entry) => !entry.name.startsWith('.'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (!existsSync(folder)) throw new UserError(`${folder}: no such folder`, { code: 'not-found' });
    throw new UserError(
      `${folder}: ${code === 'ENOTDIR' ? 'is a file; a folder with one folder a person is needed' : `cannot be read (${code})`}`,
    );
  }
}

/**
 * What an entry is, links followed; undefined for a broken link. A pipe or a device counts as a file, so that it is
 * reported where it is read instead of passed over in silence.
 */
async function kind(folder: string, entry: Dirent): Promise<'file' | 'folder' | undefined> {
  const target = entry.isSymbolicLink() ? await stat(join(folder, entry.name)).catch(() => undefined) : entry;
  return target && (target.isDirectory() ? 'folder' : 'file');
}

/**
 * The people of a data set, `folder/person/image`, in natural order, one after the other, with the names of their
 * image files in natural order: no more than one person's are in memory. `onFolder` is called for every folder looked
 * through, `onIgnored` for what is passed over. See {@link listPeople} for what that is and what throws.
 */
export async function* peopleIn(
  folder: string,
  onFolder?: (done: number, total: number) => void,
  onIgnored?: (ignored: Ignored) => void,
): AsyncGenerator<{ name: string; files: string[] }> {
  let looseImages = 0;
  const folders: string[] = [];
  let heic = 0;
  const pass = (path: string, kind: Ignored['kind'] | undefined) => {
    if (kind === 'heic') heic++;
    if (kind !== undefined) onIgnored?.({ path, kind });
  };
  for (const entry of await entries(folder)) {
    const what = await kind(folder, entry);
    const image = what === 'file' && isImageName(entry.name);
    if (image) looseImages++;
    if (what === 'folder') folders.push(entry.name);
    else pass(join(folder, entry.name), image ? 'loose-image' : ignoredFile(entry.name));
  }
  folders.sort(compareNames);
  let people = 0;
  for (const [i, name] of folders.entries()) {
    const inside = join(folder, name);
    const files: string[] = [];
    for (const file of await entries(inside)) {
      const what = await kind(inside, file);
      if (what === 'file' && isImageName(file.name)) files.push(file.name);
      else pass(join(inside, file.name), what === 'folder' ? 'nested-folder' : ignoredFile(file.name));
    }
    onFolder?.(i + 1, folders.length);
    if (files.length === 0) {
      pass(inside, 'empty-person');
      continue;
    }
    people++;
    yield { name, files: files.sort(compareNames) };
  }
  if (people > 0) return;
  const layout = "put each person's images into a folder of its own (person/image.jpg)";
  if (looseImages > 0)
    throw new UserError(`${folder}: holds ${looseImages} images but no folders of people: ${layout}`);
  if (folders.length > 0)
    throw new UserError(
      `${folder}: its ${folders.length} folders hold no image (${IMAGE_FORMATS})${heic > 0 ? `, but ${heic} HEIC, which is not read` : ''}: ${layout}`,
    );
  throw new UserError(`${folder}: is empty: ${layout}`);
}

/**
 * Lists the people of a data set, `folder/person/image`. Hidden files are passed over; so are files that are no
 * images by their ending, images outside of people's folders, folders inside of them, and people without any image,
 * for which `onIgnored` is called. Throws a UserError when there is no such folder, it is empty, or its images are not
 * in person folders.
 */
export async function listPeople(folder: string, onIgnored?: (ignored: Ignored) => void): Promise<Person[]> {
  const people: Person[] = [];
  for await (const { name, files } of peopleIn(folder, undefined, onIgnored))
    people.push({ name, paths: files.map((file) => join(folder, name, file)) });
  return people;
}
