import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { writeWhole } from '../../src/common/files.js';
import { makeFolder, requireWritable } from '../../src/common/folders.js';
import { lockFolder } from '../../src/common/lock.js';
import { mountDisk } from '../support/disk.js';
import { temporaryFolder } from '../train/faces.js';

const disk = mountDisk('ro,size=64k');
afterAll(() => disk?.unmount());

describe.runIf(disk)('on a disk that is read-only (skipped where none can be mounted)', () => {
  const at = (...names: string[]) => join(disk!.folder, ...names);
  const denied = { name: 'UserError', code: 'not-permitted' };

  test('an output is refused before the work', () => {
    expect(() => requireWritable(at('run'))).toThrow(expect.objectContaining(denied));
  });

  test('folders, files and locks are denied, not missing', async () => {
    await expect(makeFolder(at('a', 'b'))).rejects.toMatchObject({ code: 'EROFS' });
    await expect(lockFolder(at('run'))).rejects.toMatchObject(denied);
    await expect(writeWhole(at('a', 'b.txt'), 'x')).rejects.toMatchObject(denied);
  });
});

test('a folder is made with those above it, and the first of them is named', async () => {
  const parent = temporaryFolder();
  const inner = join(parent, 'a', 'b');
  expect(await makeFolder(inner)).toBe(join(parent, 'a'));
  expect(await makeFolder(inner)).toBeUndefined();
  expect(existsSync(inner)).toBe(true);
});
