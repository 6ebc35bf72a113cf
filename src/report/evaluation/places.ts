// Folders of this machine do not belong into what is shown to others: a path loses them, or becomes relative to the
// folder of the images where it lies below it.
import { isAbsolute, relative, resolve } from 'node:path';

/** The folders of an absolute path inside a text. */
const FOLDERS = /(^|[\s'"(=])(?:[A-Za-z]:)?[/\\](?:[^\s/\\'"()]+[/\\])+/g;

/** '/home/me/lfw/pairs.txt: 10 folds' as 'pairs.txt: 10 folds'. */
export const withoutFolders = (text: string): string => text.replace(FOLDERS, '$1');

/** A path below `images` relative to it, with '/'; of any other text see {@link withoutFolders}. */
export function shortened(text: string, images: string | undefined): string {
  if (images && isAbsolute(text)) {
    const below = relative(resolve(images), text);
    if (below !== '' && !below.startsWith('..') && !isAbsolute(below)) return below.replaceAll('\\', '/');
  }
  return withoutFolders(text);
}
