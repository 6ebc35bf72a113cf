// What is written appears whole or not at all, and replaces files only: a device that stands there stays one.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import {
  copyWhole,
  PRIVATE,
  readText,
  readWhole,
  replaceFile,
  writeAll,
  writeWhole,
  writeWholeSync,
} from '../../src/common/files.js';
import { requireWritableFile } from '../../src/common/folders.js';
import { temporaryName } from '../../src/common/temporary.js';
import { temporaryFolder } from '../data/pictures.js';
import { mountDisk } from '../support/disk.js';

const source = fileURLToPath(new URL('../../src/common/files.ts', import.meta.url));

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
    await expect(writeWhole(join(folder, 'x'.repeat(300)), 'one')).rejects.toThrow('the name is too long');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('may have the longest name that there is', async () => {
    const folder = temporaryFolder();
    await writeWhole(join(folder, 'x'.repeat(255)), 'one');
    expect(readdirSync(folder)).toEqual(['x'.repeat(255)]);
  });

  test('is not written through a link that was prepared under its temporary name of before', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'elsewhere'), 'precious');
    symlinkSync('elsewhere', join(folder, 'a.json.tmp'));
    await writeWhole(join(folder, 'a.json'), 'new');
    writeWholeSync(join(folder, 'a.json'), 'newer');
    expect(readFileSync(join(folder, 'elsewhere'), 'utf8')).toBe('precious');
    expect(readFileSync(join(folder, 'a.json'), 'utf8')).toBe('newer');
  });

  test.skipIf(process.platform === 'win32')('can be kept to its owner', async () => {
    const file = join(temporaryFolder(), 'faces.npy');
    await writeWhole(file, 'templates', PRIVATE);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await writeWhole(file, 'templates', PRIVATE);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('in pieces stays the old one when its writer fails', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'a');
    await writeWhole(file, 'old');
    const failing = replaceFile(file, async (handle) => {
      await writeAll(handle, Buffer.from('half'), 0);
      throw new UserError('no more pieces');
    });
    await expect(failing).rejects.toThrow('no more pieces');
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  test('of a killed process is removed by the next, that of a running one is not', async () => {
    const folder = temporaryFolder();
    // The number of a process that has ended.
    const { pid: dead } = spawnSync(process.execPath, ['-e', '']);
    const running = temporaryName(join(folder, 'a'));
    const left = running.replace(`-${process.pid}-`, `-${dead}-`);
    for (const file of [left, running]) writeFileSync(file, 'half');
    const script = `import { writeWhole } from ${JSON.stringify(source)};
await writeWhole(${JSON.stringify(join(folder, 'b'))}, 'whole');`;
    execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
    expect(readdirSync(folder).sort()).toEqual([basename(running), 'b']);
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

test.skipIf(process.platform !== 'linux')('a full disk is reported with the name of the file', async () => {
  const link = join(temporaryFolder(), 'link');
  symlinkSync('/dev/full', link);
  for (const write of [writeWhole, async (file: string, text: string) => writeWholeSync(file, text)])
    await expect(write(link, 'text')).rejects.toMatchObject({
      code: 'no-space',
      message: `${link}: no space is left on its disk; make room and run again`,
    });
});

describe('a file that is read', () => {
  test('is a regular one of a bounded size', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'a');
    writeFileSync(file, '\ufeffwords');
    expect(await readText(file)).toBe('words');
    expect((await readWhole(file)).length).toBe(8);
    await expect(readWhole(file, { limit: 7 })).rejects.toMatchObject({ code: 'limit' });
    await expect(readWhole(join(folder, 'b'))).rejects.toMatchObject({
      code: 'not-found',
      message: `${join(folder, 'b')}: no such file`,
    });
    await expect(readWhole(folder)).rejects.toThrow(`${folder}: is a folder, not a file`);
  });

  test.skipIf(process.platform === 'win32')(
    'is no pipe, which is not waited for, and no device',
    async () => {
      const pipe = join(temporaryFolder(), 'a.jpg');
      execFileSync('mkfifo', [pipe]);
      await expect(readWhole(pipe)).rejects.toThrow('is not a regular file');
      await expect(readWhole('/dev/zero')).rejects.toThrow('is not a regular file');
    },
  );
});

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

test('a copy appears whole or not at all, and a full disk names it (skipped where none can be mounted)', async (context) => {
  const disk = mountDisk('size=64k');
  if (!disk) return context.skip();
  try {
    const [small, large] = [join(temporaryFolder(), 'small'), join(temporaryFolder(), 'large')];
    writeFileSync(small, 'small');
    writeFileSync(large, new Uint8Array(100_000));
    const copy = join(disk.folder, 'copy');
    await copyWhole(small, copy);
    await expect(copyWhole(large, copy)).rejects.toMatchObject({
      code: 'no-space',
      message: expect.stringContaining(copy),
    });
    expect(readFileSync(copy, 'utf8')).toBe('small');
    expect(readdirSync(disk.folder)).toEqual(['copy']);
  } finally {
    disk.unmount();
  }
});
