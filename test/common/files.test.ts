// What is written appears whole or not at all, and replaces files only: a device that stands there stays one.
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeWhole } from '../../src/common/files.js';
import { requireWritableFile } from '../../src/common/folders.js';
import { temporaryFolder } from '../data/pictures.js';

describe('a file in one piece', () => {
  test('replaces a file, makes folders, and leaves nothing beside it', async () => {
    const file = join(temporaryFolder(), 'a', 'b.json');
    await writeWhole(file, 'one');
    await writeWhole(file, 'two');
    expect(readFileSync(file, 'utf8')).toBe('two');
    expect(readdirSync(join(file, '..'))).toEqual(['b.json']);
  });

  test('that cannot be put in its place leaves nothing beside it', async () => {
    const folder = temporaryFolder();
    await expect(writeWhole(join(folder, 'x'.repeat(300)), 'one')).rejects.toThrow(/ENAMETOOLONG/);
    const place = join(folder, 'x'.repeat(252));
    await expect(writeWhole(place, 'one')).rejects.toThrow(/ENAMETOOLONG/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.skipIf(process.platform === 'win32')('is written into a pipe that stands there', async () => {
    const pipe = join(temporaryFolder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const [read] = await Promise.all([readFile(pipe, 'utf8'), writeWhole(pipe, 'through')]);
    expect(read).toBe('through');
    expect(lstatSync(pipe).isFIFO()).toBe(true);
  });

  test.skipIf(process.platform === 'win32')('is written where a link leads, and the link stays', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), 'old, and longer');
    symlinkSync('file', join(folder, 'link'));
    await writeWhole(join(folder, 'link'), 'new');
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('new');
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
  });
});

test.skipIf(process.platform !== 'linux')(
  'a disk that is full is told with the name of the file',
  async () => {
    const link = join(temporaryFolder(), 'link');
    symlinkSync('/dev/full', link);
    await expect(writeWhole(link, 'text')).rejects.toMatchObject({ code: 'ENOSPC', path: link });
  },
);

describe('a place for a file', () => {
  test('is no folder and below no file, and the message names the flag', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'people'));
    writeFileSync(join(folder, 'file'), '');
    requireWritableFile(join(folder, 'not', 'there', 'yet.json'));
    requireWritableFile(join(folder, 'file'));
    expect(() => requireWritableFile(join(folder, 'people'), '--build')).toThrow(
      /people: is a folder; name a file with --build/,
    );
    expect(() => requireWritableFile(join(folder, 'file', 'x'))).toThrow(
      /file: is a file, and a folder is needed; name another with --out/,
    );
  });
});
