// Files in one piece: what is read is a regular file of a bounded size, and what is written appears whole or not at
// all, under a temporary name that nobody can prepare.
import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { copyFile, type FileHandle, lstat, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from './errors.js';
import { makeFolder } from './folders.js';
import { systemError, systemMeaning } from './system-error.js';
import { temporaryName } from './temporary.js';

/** Bytes that a file may have where a caller states no limit: the longest that Node reads at once. */
const LARGEST = 2 ** 31 - 1;
/** Bytes of a text file that is parsed whole: lists, settings, JSON. */
const LARGEST_TEXT = 2 ** 28;

/** A UserError that says why `file` cannot be read; one that is a UserError already stays. */
export function unreadableFile(file: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const reason =
    code === 'ENOENT' ? 'no such file' : (systemMeaning(error) ?? `cannot be read (${code ?? message})`);
  return new UserError(`${file}: ${reason}`, { cause: error });
}

/**
 * Opens a regular file to read. Throws a UserError that begins with its name when it is missing, or is a folder, a
 * pipe or a device: those are refused before they are opened, as opening a pipe waits for its other end.
 */
export async function openToRead(file: string): Promise<{ handle: FileHandle; size: number }> {
  try {
    requireRegular(file, await stat(file));
    // Should a pipe have taken the file's place since, opening it does not wait.
    const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const found = await handle.stat();
      requireRegular(file, found);
      return { handle, size: found.size };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw unreadableFile(file, error);
  }
}

function requireRegular(file: string, found: { isFile(): boolean; isDirectory(): boolean }): void {
  if (found.isFile()) return;
  if (found.isDirectory()) throw new UserError(`${file}: is a folder, not a file`);
  throw new UserError(`${file}: is not a regular file; save its content in one first`);
}

export interface ReadOptions {
  /** Bytes that the file may have. */
  limit?: number;
}

/** The bytes of a regular file. Throws a UserError that begins with its name. */
export async function readWhole(file: string, { limit = LARGEST }: ReadOptions = {}): Promise<Buffer> {
  const { handle, size } = await openToRead(file);
  try {
    requireSize(file, size, limit);
    const bytes = Buffer.allocUnsafe(size);
    let done = 0;
    while (done < size) {
      const { bytesRead } = await handle.read(bytes, done, size - done, done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  } catch (error) {
    throw unreadableFile(file, error);
  } finally {
    await handle.close();
  }
}

/** The text of a UTF-8 file, without a byte order mark. Throws a UserError that begins with its name. */
export async function readText(file: string, { limit = LARGEST_TEXT }: ReadOptions = {}): Promise<string> {
  const text = (await readWhole(file, { limit })).toString('utf8');
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** {@link readText} for callers that cannot wait. */
export function readTextSync(file: string, { limit = LARGEST_TEXT }: ReadOptions = {}): string {
  try {
    const found = statSync(file);
    requireRegular(file, found);
    requireSize(file, found.size, limit);
    const text = readFileSync(file, 'utf8');
    return text.startsWith('\uFEFF') ? text.slice(1) : text;
  } catch (error) {
    throw unreadableFile(file, error);
  }
}

function requireSize(file: string, size: number, limit: number): void {
  if (size > limit)
    throw new UserError(`${file}: has ${size} bytes, and at most ${limit} are read`, { code: 'limit' });
}

export interface WriteOptions {
  /** Permissions of a new file. Default 0o666 less what the system masks; 0o600 for what only its owner may read. */
  mode?: number;
}

/** For files that hold templates, faces or names of people: they are readable by their owner alone. */
export const PRIVATE = { mode: 0o600 } as const;
/** The same for folders. */
export const PRIVATE_FOLDER = 0o700;

/** Exclusively and without following a link: a file that somebody prepared under this name is not written to. */
const NEW = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | (constants.O_NOFOLLOW ?? 0);
/** What stands there already, such as a device or the file behind a link. */
const THERE = constants.O_CREAT | constants.O_TRUNC | constants.O_WRONLY;

/**
 * Writes a file that appears whole or not at all, making folders as needed. A device, a pipe or a link that stands in
 * its place is written to and not replaced. Throws a UserError that begins with the file's name.
 */
export async function writeWhole(
  file: string,
  content: Uint8Array | string,
  options: WriteOptions = {},
): Promise<void> {
  await replaceFile(file, (handle) => writeAll(handle, bytesOf(content), null), options);
}

/** Copies a file so that the copy appears whole or not at all; its folder is there. */
export async function copyWhole(from: string, to: string): Promise<void> {
  const temporary = temporaryName(to);
  try {
    await copyFile(from, temporary, constants.COPYFILE_EXCL);
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw systemError(to, error);
  }
}

/**
 * The same for a file that is written in pieces: `write` is given an open, empty file, and when it has ended without
 * an error that file takes its place.
 */
export async function replaceFile<T>(
  file: string,
  write: (handle: FileHandle) => Promise<T>,
  { mode = 0o666 }: WriteOptions = {},
): Promise<T> {
  let temporary: string | undefined;
  try {
    await makeFolder(dirname(file));
    const there = await lstat(file).catch(() => undefined);
    if (!there || there.isFile()) temporary = temporaryName(file);
    const handle = await open(temporary ?? file, temporary ? NEW : THERE, mode);
    let value: T;
    try {
      value = await write(handle);
    } finally {
      await handle.close();
    }
    if (temporary) await rename(temporary, file);
    return value;
  } catch (error) {
    if (temporary) await rm(temporary, { force: true }).catch(() => undefined);
    throw systemError(file, error);
  }
}

/** {@link writeWhole} for callers that cannot wait. */
export function writeWholeSync(
  file: string,
  content: Uint8Array | string,
  { mode = 0o666, flush = false }: WriteOptions & { /** Wait until the disk has it. */ flush?: boolean } = {},
): void {
  let temporary: string | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true });
    const there = lstatSync(file, { throwIfNoEntry: false });
    if (!there || there.isFile()) temporary = temporaryName(file);
    const handle = openSync(temporary ?? file, temporary ? NEW : THERE, mode);
    try {
      writeAllSync(handle, bytesOf(content));
      if (flush) fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    if (temporary) renameSync(temporary, file);
  } catch (error) {
    if (temporary) rmSync(temporary, { force: true });
    throw systemError(file, error);
  }
}

const bytesOf = (content: Uint8Array | string): Uint8Array =>
  typeof content === 'string' ? Buffer.from(content) : content;

/**
 * Writes all the bytes, from `position` on or where the file stands (null): one call may write only a part of them,
 * as when a disk becomes full in the middle.
 */
export async function writeAll(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number | null,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const at = position === null ? null : position + done;
    done += (await handle.write(bytes, done, bytes.length - done, at)).bytesWritten;
  }
}

/** {@link writeAll} where the file stands, for callers that cannot wait. */
export function writeAllSync(handle: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(handle, bytes, done, bytes.length - done);
}
