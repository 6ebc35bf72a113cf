// A file from the network to the disk, on a user's word only: resumed where it was cut, checked before it gets its
// name. Every failure is one line that says what to do.
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from './errors.js';
import { makeFolder } from './folders.js';
import { type Answer, codeOf, get, type Patience, patient, stopped } from './http-get.js';
import { systemError } from './system-error.js';

/** Bytes that a file may have where neither its size nor another limit is given. */
export const LARGEST_FETCHED = 1e9;

export interface FetchFileOptions {
  /** https, or http if what comes is checked by `sha256`; redirects are followed, but not from https to http. */
  url: string;
  /** Where the file goes. Until it is whole and checked it is at `file`.part. */
  file: string;
  /** SHA-256 in hexadecimal. Without it nothing is checked, and a part that was cut is begun anew. */
  sha256?: string;
  /** Size in bytes, where it is known beforehand. */
  bytes?: number;
  /** Bytes that may come at most, where `bytes` is not given. Default {@link LARGEST_FETCHED}. */
  limit?: number;
  /** Whether plain http to another machine is accepted without a hash. */
  allowHttp?: boolean;
  /** How long the server may take. Default: {@link patient}. */
  patience?: Patience;
  /** Stops the transfer; what has come is kept for the next time. */
  signal?: AbortSignal;
  /** Bytes that are there, of how many (undefined where the server does not say). */
  onProgress?: (done: number, total: number | undefined) => void;
}

/**
 * Fetches `url` to `file`; a part of an earlier try is resumed by HTTP Range where the server can. Returns the size
 * and the SHA-256 of what was fetched. Throws a UserError when there is no connection, the server refuses, the
 * connection is cut or the server is silent or too slow (the part is kept), the disk is full, the file is larger than
 * the limit, or size or hash are not those expected (the part is deleted).
 */
export async function fetchFile(options: FetchFileOptions): Promise<{ bytes: number; sha256: string }> {
  const { url, file, bytes } = options;
  const sha256 = options.sha256?.toLowerCase();
  const part = `${file}.part`;
  if (!sha256) await rm(part, { force: true });
  // A part as long as the file was whole already: only the check is left.
  if (bytes === undefined || (await sizeOf(part)) !== bytes) await transfer(options, part);
  const fetched = { bytes: await sizeOf(part), sha256: await hashOf(part) };
  if (sha256 && fetched.sha256 !== sha256) {
    await rm(part, { force: true });
    throw new UserError(
      `${url}: its SHA-256 is ${fetched.sha256}, and ${sha256} was expected; it was deleted, as it is another file or was damaged`,
    );
  }
  await rename(part, file);
  return fetched;
}

/** Appends to `part` what is missing of it, or writes it anew. */
async function transfer(options: FetchFileOptions, part: string): Promise<void> {
  const { url, bytes, limit = bytes ?? LARGEST_FETCHED, onProgress } = options;
  const { answer, start } = await ask(options, await sizeOf(part));
  let done = start;
  const total = totalOf(answer.headers, done) ?? bytes;
  if (bytes !== undefined && total !== bytes) {
    await answer.discard();
    throw new UserError(
      `${url}: the server has a file of ${total} bytes, and ${bytes} were expected; it is another file`,
    );
  }
  if (bytes === undefined && total !== undefined && total > limit) {
    await answer.discard();
    throw new UserError(`${url}: has ${total} bytes, and ${tooMany(limit)}`, { code: 'limit' });
  }
  const most = total ?? limit;
  await makeFolder(dirname(part));
  const { O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_TRUNC, O_WRONLY } = constants;
  // The part has a name that can be known beforehand, so a link under it is not followed.
  const flags = O_CREAT | O_WRONLY | O_NOFOLLOW | (done > 0 ? O_APPEND : O_TRUNC);
  const handle = await open(part, flags).catch((error: unknown) => {
    throw systemError(part, error);
  });
  try {
    onProgress?.(done, total);
    for await (const piece of answer.pieces()) {
      await writeAll(handle, piece);
      done += piece.length;
      if (done > most) break;
      onProgress?.(done, total);
    }
  } catch (error) {
    throw interruption(error, options, part, done, total);
  } finally {
    await handle.close();
    await answer.discard();
  }
  if (done > most) {
    await rm(part, { force: true });
    if (total === undefined)
      throw new UserError(`${url}: more came, and ${tooMany(limit)}; it was deleted`, { code: 'limit' });
    throw new UserError(`${url}: more came than the ${total} bytes that were expected; it was deleted`);
  }
  if (total !== undefined && done < total) throw network(cut(options, done, total));
}

const network = (message: string, cause?: unknown) => new UserError(message, { code: 'network', cause });

const tooMany = (limit: number) => `at most ${limit} are fetched; raise the limit with --max-size (MB)`;

/** An answer whose bytes begin at `start` in the file. */
interface FileAnswer {
  answer: Answer;
  start: number;
}

/** Asks for the file from `from` on, and for all of it where the server has no such rest. */
async function ask(options: FetchFileOptions, from: number): Promise<FileAnswer> {
  const { url, sha256, allowHttp = false, patience = patient, signal } = options;
  const answer = await get(url, {
    headers: from > 0 ? { range: `bytes=${from}-` } : {},
    // What a hash checks may come over any way.
    allowHttp: allowHttp || sha256 !== undefined,
    patience,
    signal,
  });
  const start = startOf(answer);
  const other = answer.status === 206 && start !== from;
  if (answer.status >= 200 && answer.status < 300 && !other) return { answer, start };
  await answer.discard();
  // A part that is longer than the file is of another one.
  if (from > 0 && (answer.status === 416 || other)) return ask(options, 0);
  throw network(`${url}: ${other ? 'the server gives a part of the file' : refusal(answer.status)}`);
}

/** Where the bytes of an answer begin in the file. */
function startOf({ status, headers }: Answer): number {
  const range = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '');
  return status === 206 && range ? Number(range[1]) : 0;
}

/** The length of the whole file, where the answer states it. */
function totalOf(headers: Headers, start: number): number | undefined {
  const range = /\/(\d+)$/.exec(headers.get('content-range') ?? '');
  if (range) return Number(range[1]);
  const length = headers.get('content-length');
  return length === null ? undefined : start + Number(length);
}

function refusal(status: number): string {
  if (status === 404 || status === 410) return `the server has no such file (${status}); check the address`;
  if (status === 401 || status === 403) return `the server does not give it to everybody (${status})`;
  if (status === 429 || status >= 500) return `the server cannot give it now (${status}); try again later`;
  return `the server answered ${status}`;
}

const again = ({ sha256 }: FetchFileOptions) => (sha256 === undefined ? 'run again' : 'run again to resume');

function cut(options: FetchFileOptions, done: number, total: number | undefined): string {
  const of = total === undefined ? '' : ` of ${total}`;
  return `${options.url}: the connection was cut after ${done}${of} bytes; ${again(options)}`;
}

/** What ended a transfer: the user, the server, the disk or the connection. */
function interruption(
  error: unknown,
  options: FetchFileOptions,
  part: string,
  done: number,
  total: number | undefined,
): UserError {
  if (options.signal?.aborted)
    return new UserError(`${options.url}: stopped after ${done} bytes; ${again(options)}`, stopped);
  if (error instanceof UserError) return network(`${error.message}, after ${done} bytes; ${again(options)}`);
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const need = total === undefined ? '' : `, ${total - done} bytes more are needed`;
    return new UserError(`${part}: no space is left on its disk${need}; make room and ${again(options)}`, {
      code: 'no-space',
      cause: error,
    });
  }
  if ((error as NodeJS.ErrnoException).syscall === 'write') return systemError(part, error);
  return network(cut(options, done, total), error);
}

async function writeAll(handle: Awaited<ReturnType<typeof open>>, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
