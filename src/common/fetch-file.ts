// A file from the network to the disk, on a user's word only: resumed where it was cut, checked before it gets its
// name. Every failure is one sentence that says what to do.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from './errors.js';

export interface FetchFileOptions {
  /** http or https; redirects are followed. */
  url: string;
  /** Where the file goes. Until it is whole and checked it lies at `file`.part. */
  file: string;
  /** SHA-256 in hexadecimal. Without it nothing is checked, and a part that was cut is begun anew. */
  sha256?: string;
  /** Size in bytes, where it is known beforehand. */
  bytes?: number;
  /** Stops the transfer; what has come is kept for the next time. */
  signal?: AbortSignal;
  /** Bytes that are there, of how many (undefined where the server does not say). */
  onProgress?: (done: number, total: number | undefined) => void;
}

/**
 * Fetches `url` to `file`; a part of an earlier try is resumed by HTTP Range where the server can. Returns the size
 * and the SHA-256 of what was fetched. Throws a UserError when there is no connection, the server refuses, the
 * connection is cut (the part is kept), the disk is full, or size or hash are not those expected (the part is
 * deleted).
 */
export async function fetchFile(options: FetchFileOptions): Promise<{ bytes: number; sha256: string }> {
  const { url, file, bytes } = options;
  const sha256 = options.sha256?.toLowerCase();
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw new UserError(`${url}: not an address that begins with http:// or https://`);
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
  const { url, bytes, signal, onProgress } = options;
  const { response, start } = await ask(url, await sizeOf(part), signal);
  let done = start;
  const total = totalOf(response, done) ?? bytes;
  if (bytes !== undefined && total !== bytes) {
    await response.body.cancel();
    throw new UserError(
      `${url}: the server has a file of ${total} bytes, and ${bytes} were expected; it is another file`,
    );
  }
  await mkdir(dirname(part), { recursive: true });
  const handle = await open(part, done > 0 ? 'a' : 'w');
  try {
    onProgress?.(done, total);
    for await (const chunk of response.body) {
      await writeAll(handle, chunk as Uint8Array);
      done += (chunk as Uint8Array).length;
      if (total !== undefined && done > total) break;
      onProgress?.(done, total);
    }
  } catch (error) {
    throw new UserError(interruption(error, url, part, done, total, signal, options.sha256 !== undefined));
  } finally {
    await handle.close();
  }
  if (total === undefined || done === total) return;
  if (done > total) {
    await rm(part, { force: true });
    throw new UserError(`${url}: more came than the ${total} bytes that were expected; it was deleted`);
  }
  throw new UserError(cut(url, done, total, options.sha256 !== undefined));
}

interface Answer {
  response: Response & { readonly body: ReadableStream<Uint8Array> };
  /** Where its bytes begin in the file. */
  start: number;
}

/** Asks for the file from `from` on, and for all of it where the server has no such rest. */
async function ask(url: string, from: number, signal: AbortSignal | undefined): Promise<Answer> {
  const response = await request(url, from, signal);
  const start = startOf(response);
  // A part that is longer than the file is of another one.
  if (from > 0 && (response.status === 416 || (response.status === 206 && start !== from))) {
    await response.body?.cancel();
    return ask(url, 0, signal);
  }
  if (response.ok && response.body) return { response: response as Answer['response'], start };
  await response.body?.cancel();
  throw new UserError(`${url}: ${refusal(response.status)}`);
}

async function request(url: string, from: number, signal: AbortSignal | undefined): Promise<Response> {
  // A packed answer would count its bytes otherwise.
  const headers = { 'accept-encoding': 'identity', ...(from > 0 && { range: `bytes=${from}-` }) };
  try {
    return await fetch(url, { headers, signal: signal ?? null });
  } catch (error) {
    if (signal?.aborted) throw new UserError(`${url}: stopped before anything came`);
    const { host } = new URL(url);
    throw new UserError(
      `${host}: cannot be reached (${codeOf(error)}); check the connection and the address ${url}`,
    );
  }
}

/** Where the bytes of an answer begin in the file. */
function startOf(response: Response): number {
  const range = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '');
  return response.status === 206 && range ? Number(range[1]) : 0;
}

/** The length of the whole file, where the answer tells it. */
function totalOf(response: Response, start: number): number | undefined {
  const range = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
  if (range) return Number(range[1]);
  const length = response.headers.get('content-length');
  const packed = response.headers.get('content-encoding') ?? 'identity';
  return length === null || packed !== 'identity' ? undefined : start + Number(length);
}

function refusal(status: number): string {
  if (status === 404 || status === 410) return `the server has no such file (${status}); check the address`;
  if (status === 401 || status === 403) return `the server does not give it to everybody (${status})`;
  if (status === 429 || status >= 500) return `the server cannot give it now (${status}); try again later`;
  return `the server answered ${status}`;
}

const again = (resumes: boolean) => (resumes ? 'run again to resume' : 'run again');

function cut(url: string, done: number, total: number | undefined, resumes: boolean): string {
  const of = total === undefined ? '' : ` of ${total}`;
  return `${url}: the connection was cut after ${done}${of} bytes; ${again(resumes)}`;
}

/** What ended a transfer: the user, the disk or the connection. */
function interruption(
  error: unknown,
  url: string,
  part: string,
  done: number,
  total: number | undefined,
  signal: AbortSignal | undefined,
  resumes: boolean,
): string {
  if (signal?.aborted) return `${url}: stopped after ${done} bytes; ${again(resumes)}`;
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const need = total === undefined ? '' : `, ${total - done} bytes more are needed`;
    return `${part}: no space is left on its disk${need}; make room and ${again(resumes)}`;
  }
  if ((error as NodeJS.ErrnoException).syscall === 'write') return `${part}: cannot be written (${code})`;
  return cut(url, done, total, resumes);
}

/** The system's code of an error, or of what caused it. */
function codeOf(error: unknown): string {
  const { code, cause, message } = error as NodeJS.ErrnoException & { cause?: unknown };
  if (code) return code;
  if (cause) return codeOf(cause);
  return message;
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
