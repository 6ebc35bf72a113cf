// What a folder holds beside images is counted and named: nobody wonders where a photograph or a person is.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ignoredFile, ignoredLine } from '../../src/data/ignored.js';
import { FolderImages } from '../../src/data/image-folder.js';
import { type Ignored, imagesBelow, listBelow, listPeople, listPhotographs } from '../../src/data/index.js';
import { temporaryFolder, write } from './pictures.js';

/** A folder of people with everything that can be in the way. */
function folder(): string {
  const at = temporaryFolder();
  for (const path of [
    ...['ann/1.jpg', 'ann/2.HEIC', 'ann/more/3.jpg', 'ann/notes.txt', 'ann/.DS_Store'],
    ...['bob/1.heic', 'bob/2.heif', 'loose.png', 'list.csv', 'Thumbs.db', '.hidden/1.jpg', 'clip.mov'],
  ])
    write(join(at, path), 'x');
  mkdirSync(join(at, 'eve'));
  return at;
}

test('photographs below a folder, and the files that are none', async () => {
  const at = folder();
  const { photographs, ignored } = await listBelow(at);
  expect(photographs).toEqual(['ann/1.jpg', 'ann/more/3.jpg', 'loose.png']);
  expect(photographs).toEqual(await imagesBelow(at));
  expect(ignored).toEqual([
    { path: 'ann/2.HEIC', kind: 'heic' },
    { path: 'ann/notes.txt', kind: 'text' },
    { path: 'bob/1.heic', kind: 'heic' },
    { path: 'bob/2.heif', kind: 'heic' },
    { path: 'clip.mov', kind: 'file' },
    { path: 'list.csv', kind: 'text' },
  ]);
  const named = await listPhotographs([join(at, 'bob', '1.heic'), join(at, 'ann')]);
  // A file that is named is what is meant, and its decoder refuses it by name.
  expect(named.photographs[0]).toBe(join(at, 'bob', '1.heic'));
  expect(named.ignored.map(({ path }) => path)).toEqual([
    join(at, 'ann', '2.HEIC'),
    join(at, 'ann', 'notes.txt'),
  ]);
});

test('people, and what is in no person’s folder or in an empty one', async () => {
  const at = folder();
  const ignored: Ignored[] = [];
  const people = await listPeople(at, (each) => ignored.push(each));
  expect(people.map(({ name }) => name)).toEqual(['ann']);
  const kinds = Object.fromEntries(ignored.map(({ path, kind }) => [path.slice(at.length + 1), kind]));
  expect(kinds).toEqual({
    ...{ 'ann/2.HEIC': 'heic', 'ann/more': 'nested-folder', 'ann/notes.txt': 'text' },
    ...{ 'bob/1.heic': 'heic', 'bob/2.heif': 'heic', bob: 'empty-person', eve: 'empty-person' },
    ...{ 'loose.png': 'loose-image', 'list.csv': 'text', 'clip.mov': 'file' },
  });
});

test('a training set names what it lacks, and is silent about lists', async () => {
  const at = folder();
  const images = await FolderImages.open(at);
  expect(images.notes).toHaveLength(1);
  expect(images.notes[0]).toMatch(/^ignored: 3 HEIC .*; 2 empty person folders: .*bob, .*eve; /);
  expect(images.notes[0]).not.toMatch(/text|csv/);
  const plain = temporaryFolder();
  write(join(plain, 'ann', '1.jpg'), 'x');
  write(join(plain, 'pairs.txt'), 'x');
  expect((await FolderImages.open(plain)).notes).toEqual([]);
});

test('a folder of nothing but HEIC is refused with the way to convert them', async () => {
  const at = temporaryFolder();
  write(join(at, 'ann', '1.heic'), 'x');
  await expect(imagesBelow(at)).rejects.toThrow(/there is no image .*ignored: 1 HEIC \(not read; convert/);
  await expect(listPeople(at)).rejects.toThrow(/hold no image \(.*\), but 1 HEIC, which is not read: put/);
});

test('one line counts every kind, names a few, and is absent for nothing', () => {
  expect(ignoredLine([])).toBeUndefined();
  const text = (path: string): Ignored => ({ path, kind: 'text' });
  expect(ignoredLine([text('a.txt')])).toBe('ignored: 1 text file: a.txt');
  expect(ignoredLine(['a', 'b', 'c', 'd'].map(text))).toBe('ignored: 4 text files: a, b, c ...');
  expect(ignoredLine([text('a.txt'), { path: 'eve', kind: 'empty-person' }])).toBe(
    'ignored: 1 empty person folder: eve; 1 text file: a.txt',
  );
});

test.each([
  ['IMG_1.HEIC', 'heic'],
  ['a.heif', 'heic'],
  ['notes.TXT', 'text'],
  ['clip.mov', 'file'],
  ['no ending', 'file'],
  ['Thumbs.db', undefined],
  ['desktop.ini', undefined],
  ['.DS_Store', undefined],
])('%s is %s', (name, kind) => {
  expect(ignoredFile(name)).toBe(kind);
});
