// One process at a time writes an output; what a killed process left does not stop the next one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { LOCK_NAME, locked, lockFile, lockFolder } from '../../src/common/lock.js';
import { temporaryFolder } from '../data/pictures.js';

const source = fileURLToPath(new URL('../../src/common/lock.ts', import.meta.url));

/** A process that locks `folder`, prints a line, and holds the lock for ever. */
async function holder(folder: string) {
  const script = `import { lockFolder } from ${JSON.stringify(source)};
await lockFolder(${JSON.stringify(folder)});
console.log('locked');
setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

describe('a lock', () => {
  test('is held by one, with the owner named to the other, and can be taken again after its release', async () => {
    const folder = join(temporaryFolder(), 'new', 'run');
    const lock = await lockFolder(folder);
    const error = await lockFolder(folder).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ code: 'in-use' });
    expect((error as Error).message).toContain(`process ${process.pid}`);
    await lock.release();
    expect(existsSync(join(folder, LOCK_NAME))).toBe(false);
    await (await lockFolder(folder)).release();
  });

  test('of a file does not touch the file', async () => {
    const file = join(temporaryFolder(), 'features.bin');
    await locked(lockFile(file), async () => {
      expect(existsSync(file)).toBe(false);
      await expect(lockFile(file)).rejects.toMatchObject({ code: 'in-use' });
    });
    await (await lockFile(file)).release();
  });

  test('is released when the work under it fails', async () => {
    const folder = temporaryFolder();
    const failing = locked(lockFolder(folder), () => Promise.reject(new Error('in the middle')));
    await expect(failing).rejects.toThrow('in the middle');
    await (await lockFolder(folder)).release();
  });

  test('of another process holds until that is killed', async () => {
    const folder = temporaryFolder();
    const child = await holder(folder);
    await expect(lockFolder(folder)).rejects.toThrow(`process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(join(folder, LOCK_NAME))).toBe(true);
    await (await lockFolder(folder)).release();
  });

  test('that was left behind is taken by one of many who find it', async () => {
    const folder = temporaryFolder();
    const child = await holder(folder);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder)));
    const taken = tries.filter(({ status }) => status === 'fulfilled');
    expect(taken).toHaveLength(1);
    for (const each of tries)
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'in-use' });
  });

  const owned = (folder: string, owner: object) => {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, LOCK_NAME);
    writeFileSync(file, JSON.stringify({ command: 'hypersphere train', since: '2026-01-01', ...owner }));
    return file;
  };

  test('of another machine holds while it is touched, and says how to remove it', async () => {
    const folder = temporaryFolder();
    const file = owned(folder, { pid: 1, host: `not-${hostname()}`, start: '' });
    await expect(lockFolder(folder)).rejects.toThrow(`on not-${hostname()}`);
    await expect(lockFolder(folder)).rejects.toThrow(`delete ${file}`);
    const old = new Date(Date.now() - 3_600_000);
    utimesSync(file, old, old);
    await (await lockFolder(folder)).release();
  });

  test.skipIf(process.platform !== 'linux')(
    'does not hold for a later process of the same number',
    async () => {
      const folder = temporaryFolder();
      owned(folder, { pid: process.pid, host: hostname(), start: 'another boot:1' });
      await (await lockFolder(folder)).release();
    },
  );

  test('whose file was cut off by a kill is taken after a while', async () => {
    const folder = temporaryFolder();
    const file = join(folder, LOCK_NAME);
    writeFileSync(file, '{"pid": 1');
    const old = new Date(Date.now() - 60_000);
    utimesSync(file, old, old);
    const lock = await lockFolder(folder);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ pid: process.pid });
    await lock.release();
  });
});
