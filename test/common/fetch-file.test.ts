// Fetching a file from a real server on this machine: whole, cut and resumed, refused, wrong.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { fetchFile } from '../../src/common/fetch-file.js';
import { type Answer, type FileServer, file, serve } from '../support/file-server.js';
import { temporaryFolder } from '../train/faces.js';

const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i * 7 + (i >> 8)) % 256);
const sha256 = createHash('sha256').update(bytes).digest('hex');

let server: FileServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});
const start = async (answer: Answer) => {
  server = await serve(answer);
  return server;
};

/** The message of the error; fails when there is none, or it is not meant for a user. */
async function problem(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  const { message } = error as UserError;
  expect(message).not.toContain('\n');
  return message;
}

/** A place for the file, with a look at what lies there. */
function place() {
  const path = join(temporaryFolder(), 'below', 'model.onnx');
  return { path, part: `${path}.part`, whole: () => Buffer.compare(readFileSync(path), bytes) === 0 };
}

test('a file comes whole, through redirects, and is told how far it is', async () => {
  const { url } = await start((request, response) =>
    request.url === '/moved'
      ? response.writeHead(302, { location: '/there' }).end()
      : file(bytes)(request, response),
  );
  const { path, part, whole } = place();
  const seen: [number, number | undefined][] = [];
  const fetched = await fetchFile({
    url: `${url}/moved`,
    file: path,
    sha256: sha256.toUpperCase(),
    bytes: bytes.length,
    onProgress: (done, total) => seen.push([done, total]),
  });
  expect(fetched).toEqual({ bytes: bytes.length, sha256 });
  expect(whole()).toBe(true);
  expect(existsSync(part)).toBe(false);
  expect(server!.asked.map(({ path }) => path)).toEqual(['/moved', '/there']);
  expect(seen[0]).toEqual([0, bytes.length]);
  expect(seen.at(-1)).toEqual([bytes.length, bytes.length]);
});

test('without a hash the one that was found is told', async () => {
  const { url } = await start(file(bytes));
  const { path, whole } = place();
  expect(await fetchFile({ url: `${url}/m`, file: path })).toEqual({ bytes: bytes.length, sha256 });
  expect(whole()).toBe(true);
});

test('a cut connection keeps the part, and the next try asks for the rest only', async () => {
  let tries = 0;
  const { url, asked } = await start(file(bytes, () => (tries++ === 0 ? 100_000 : undefined)));
  const { path, part, whole } = place();
  const wanted = { url: `${url}/m`, file: path, sha256 };
  const message = await problem(fetchFile(wanted));
  expect(message).toMatch(/connection was cut after \d+ of 300000 bytes; run again to resume$/);
  expect(existsSync(path)).toBe(false);
  const kept = statSync(part).size;
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThanOrEqual(100_000);
  await fetchFile(wanted);
  expect(asked.map(({ range }) => range)).toEqual([undefined, `bytes=${kept}-`]);
  expect(whole()).toBe(true);
});

test('a server without Range gives the file anew', async () => {
  const { url, asked } = await start((_, response) => {
    response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  });
  const { path, part, whole } = place();
  await fetchFile({ url: `${url}/m`, file: path, sha256 });
  writeFileSync(part, bytes.subarray(0, 1234));
  await fetchFile({ url: `${url}/m`, file: path, sha256 });
  expect(asked[1]!.range).toBe('bytes=1234-');
  expect(whole()).toBe(true);
});

test('a part of unknown content is not resumed without a hash to check it', async () => {
  const { url, asked } = await start(file(bytes));
  const { path, part, whole } = place();
  await fetchFile({ url: `${url}/m`, file: path });
  writeFileSync(part, new Uint8Array(1234));
  await fetchFile({ url: `${url}/m`, file: path });
  expect(asked[1]!.range).toBeUndefined();
  expect(whole()).toBe(true);
});

test('a part that is longer than the file is begun anew, one that is whole is only checked', async () => {
  const { url, asked } = await start(file(bytes));
  const { path, part, whole } = place();
  await fetchFile({ url: `${url}/m`, file: path, sha256 });
  writeFileSync(part, new Uint8Array(400_000));
  await fetchFile({ url: `${url}/m`, file: path, sha256 });
  expect(asked.slice(1).map(({ range }) => range)).toEqual(['bytes=400000-', undefined]);
  expect(whole()).toBe(true);
  writeFileSync(part, bytes);
  await fetchFile({ url: `${url}/m`, file: path, sha256, bytes: bytes.length });
  expect(asked).toHaveLength(3);
});

test('another file than expected is deleted, and both hashes are told', async () => {
  const { url } = await start(file(bytes.map((b) => b ^ 1)));
  const { path, part } = place();
  const message = await problem(fetchFile({ url: `${url}/m`, file: path, sha256 }));
  const other = createHash('sha256')
    .update(bytes.map((b) => b ^ 1))
    .digest('hex');
  expect(message).toContain(other);
  expect(message).toContain(sha256);
  expect(existsSync(part) || existsSync(path)).toBe(false);
});

test('a file of another size is not even fetched', async () => {
  const { url } = await start(file(bytes));
  const { path, part } = place();
  const message = await problem(fetchFile({ url: `${url}/m`, file: path, sha256, bytes: 299_999 }));
  expect(message).toMatch(/300000 bytes, and 299999 were expected/);
  expect(existsSync(part) || existsSync(path)).toBe(false);
});

test('more bytes than expected, of a server that told no length, are deleted', async () => {
  const { url } = await start((_, response) => {
    response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(bytes);
  });
  const { path, part } = place();
  expect(await problem(fetchFile({ url: `${url}/m`, file: path, sha256, bytes: 1000 }))).toMatch(
    /more came than the 1000 bytes/,
  );
  expect(existsSync(part) || existsSync(path)).toBe(false);
});

test.each([
  [404, /no such file \(404\)/],
  [403, /does not give it to everybody \(403\)/],
  [503, /cannot give it now \(503\); try again later/],
])('an answer of %i is one sentence', async (status, words) => {
  const { url } = await start((_, response) => response.writeHead(status).end('<html>no</html>'));
  const { path, part } = place();
  expect(await problem(fetchFile({ url: `${url}/m`, file: path, sha256 }))).toMatch(words);
  expect(existsSync(part) || existsSync(path)).toBe(false);
});

test('no connection is one sentence that names the host', async () => {
  const { url, close } = await serve(() => {});
  await close();
  const { path } = place();
  expect(await problem(fetchFile({ url: `${url}/m`, file: path, sha256 }))).toMatch(
    /^127\.0\.0\.1:\d+: cannot be reached \(ECONNREFUSED\); check the connection and the address http:/,
  );
  const nowhere = fetchFile({ url: 'http://no-such-host.invalid/m', file: path, sha256 });
  expect(await problem(nowhere)).toMatch(/^no-such-host\.invalid: cannot be reached \(E[A-Z_]+\)/);
});

test('what is no web address is refused', async () => {
  const { path } = place();
  expect(await problem(fetchFile({ url: 'model.onnx', file: path }))).toMatch(/http:\/\/ or https:\/\//);
  expect(await problem(fetchFile({ url: 'file:///model.onnx', file: path }))).toMatch(/http:\/\//);
});

test('stopping keeps the part for the next time', async () => {
  const { url } = await start((_, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 50_000));
  });
  const { path, part } = place();
  const controller = new AbortController();
  const stopped = fetchFile({
    url: `${url}/m`,
    file: path,
    sha256,
    signal: controller.signal,
    onProgress: (done) => {
      if (done === 50_000) controller.abort();
    },
  });
  expect(await problem(stopped)).toMatch(/stopped after 50000 bytes; run again to resume/);
  expect(statSync(part).size).toBe(50_000);
});

test.skipIf(!existsSync('/dev/full'))(
  'a full disk is said to be full (skipped where there is no /dev/full)',
  async () => {
    const { url } = await start(file(bytes));
    const path = join(temporaryFolder(), 'model.onnx');
    symlinkSync('/dev/full', `${path}.part`);
    expect(await problem(fetchFile({ url: `${url}/m`, file: path, sha256, bytes: bytes.length }))).toMatch(
      /model\.onnx\.part: no space is left on its disk, \d+ bytes more are needed; make room and run again to resume/,
    );
  },
);
