// One process at a time writes an output that consists of several files or grows piece by piece. The lock is a small
// file that names its owner. A process that was killed leaves it behind, which the next one recognises: on the same
// machine because no such process runs, on another one because the file was not touched for minutes.

import { rmSync } from 'node:fs';
import { lstat, open, readFile, rm, rmdir, utimes } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from './errors.js';
import { makeFolder } from './folders.js';
import { hostName, isRunning, startOf } from './process.js';
import { systemError } from './system-error.js';

/** An output that this process alone writes to. */
export interface Lock {
  /** Lets others write. */
  release(): Promise<void>;
}

/** Who holds a lock. */
interface Owner {
  pid: number;
  host: string;
  /** Tells the process from a later one with the same number. */
  start: string;
  /** What runs, for the message. */
  command: string;
  /** ISO 8601. */
  since: string;
}

/** The name of the lock's file in a folder that is written to. */
export const LOCK_NAME = '.hypersphere.lock';

/** Seconds between two touches of a lock's file, and after which one of another machine counts as left behind. */
const TOUCH = 30;
const ABANDONED = 300;
/** Milliseconds after which a lock without content, or the claim to remove one, is what a killed process left. */
const UNFINISHED = 5_000;

/** Lock files of this process, removed at its end. */
const held = new Set<string>();
process.on('exit', () => {
  for (const file of held) rmSync(file, { force: true });
});

/** Locks a folder, which is made where it does not exist. Throws a UserError 'in-use' that names the owner. */
export async function lockFolder(folder: string): Promise<Lock> {
  return acquire(join(resolve(folder), LOCK_NAME), folder);
}

/** Locks a file that is written to, whether it exists or not. Throws a UserError 'in-use' that names the owner. */
export async function lockFile(file: string): Promise<Lock> {
  const path = resolve(file);
  return acquire(join(dirname(path), `.${basename(path)}.lock`), file);
}

/** Runs `work` while `lock` is held. */
export async function locked<T>(lock: Promise<Lock>, work: () => Promise<T>): Promise<T> {
  const { release } = await lock;
  try {
    return await work();
  } finally {
    await release();
  }
}

async function acquire(file: string, output: string): Promise<Lock> {
  let made: string | undefined;
  try {
    made = await makeFolder(dirname(file));
    while (!(await create(file))) {
      const owner = await ownerOf(file);
      if (owner === 'nobody') continue;
      if (owner !== 'abandoned') throw new UserError(inUse(output, file, owner), { code: 'in-use' });
      await removeAbandoned(file);
    }
  } catch (error) {
    throw systemError(output, error);
  }
  held.add(file);
  const timer = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, TOUCH * 1000);
  timer.unref();
  return {
    async release() {
      clearInterval(timer);
      held.delete(file);
      await rm(file, { force: true }).catch(() => undefined);
      // A folder that was made for the lock and got nothing else is no trace to leave.
      if (made !== undefined) await rmdir(dirname(file)).catch(() => undefined);
    },
  };
}

/** Makes the lock's file with this process as owner; false when it is there already. */
async function create(file: string): Promise<boolean> {
  const handle = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined;
    throw error;
  });
  if (!handle) return false;
  const owner: Owner = {
    pid: process.pid,
    host: hostName(),
    start: startOf(process.pid),
    command: ['hypersphere', ...process.argv.slice(2, 3)].join(' '),
    since: new Date().toISOString(),
  };
  try {
    await handle.writeFile(JSON.stringify(owner));
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return true;
}

/** The running process that holds a lock; 'nobody' when its file is gone or not written yet. */
async function ownerOf(file: string): Promise<Owner | 'nobody' | 'abandoned'> {
  const found = await lstat(file).catch(() => undefined);
  if (!found) return 'nobody';
  const age = Date.now() - found.mtimeMs;
  let owner: Owner;
  try {
    owner = JSON.parse(await readFile(file, 'utf8')) as Owner;
  } catch {
    if (age > UNFINISHED) return 'abandoned';
    await wait(50);
    return 'nobody';
  }
  if (owner.host !== hostName()) return age > ABANDONED * 1000 ? 'abandoned' : owner;
  const runs = isRunning(owner.pid) && (owner.start === '' || owner.start === startOf(owner.pid));
  return runs ? owner : 'abandoned';
}

/** Removes a lock that was left behind. Of several processes that find it one does so, and none removes a new lock. */
async function removeAbandoned(file: string): Promise<void> {
  const claim = `${file}.claim`;
  const handle = await open(claim, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined;
    throw error;
  });
  if (!handle) {
    const found = await lstat(claim).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > UNFINISHED) await rm(claim, { force: true });
    await wait(50);
    return;
  }
  try {
    await handle.close();
    if ((await ownerOf(file)) === 'abandoned') await rm(file, { force: true });
  } finally {
    await rm(claim, { force: true });
  }
}

function inUse(output: string, file: string, { pid, host, command, since }: Owner): string {
  const there = host === hostName() ? '' : ` on ${host}`;
  const remedy =
    host === hostName() ? 'wait for its end, or stop it' : `wait for its end; if it ended, delete ${file}`;
  return `${output}: process ${pid}${there} (${command}) writes to it since ${since}; ${remedy}`;
}
