// Fetching a file from a real server on this machine: whole, cut and resumed, refused, wrong, hostile.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { type ErrorCode, UserError } from '../../src/common/errors.js';
import { fetchFile } from '../../src/common/fetch-file.js';
import { patient } from '../../src/common/http-get.js';
import { mountDisk } from '../support/disk.js';
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

/** The message of the error; fails when there is none, it is not meant for a user, or it has another code. */
async function problem(promise: Promise<unknown>, code?: ErrorCode): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  const { message } = error as UserError;
  if (code) expect((error as UserError).code).toBe(code);
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
])('an answer of %i is one line', async (status, words) => {
  const { url } = await start((_, response) => response.writeHead(status).end('<html>no</html>'));
  const { path, part } = place();
  expect(await problem(fetchFile({ url: `${url}/m`, file: path, sha256 }))).toMatch(words);
  expect(existsSync(part) || existsSync(path)).toBe(false);
});

test('no connection is one line that names the host', async () => {
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

test('a full disk is reported (skipped where none can be mounted)', async (context) => {
  const disk = mountDisk('size=64k');
  if (!disk) return context.skip();
  try {
    const { url } = await start(file(bytes));
    const path = join(disk.folder, 'model.onnx');
    const fetched = fetchFile({ url: `${url}/m`, file: path, sha256, bytes: bytes.length });
    expect(await problem(fetched, 'no-space')).toMatch(
      /model\.onnx\.part: no space is left on its disk, \d+ bytes more are needed; make room and run again to resume/,
    );
  } finally {
    disk.unmount();
  }
});

test('a link in the place of the part is not followed', async () => {
  const { url } = await start(file(bytes));
  const folder = temporaryFolder();
  const [path, target] = [join(folder, 'model.onnx'), join(folder, 'target')];
  writeFileSync(target, '');
  symlinkSync(target, `${path}.part`);
  await problem(fetchFile({ url: `${url}/m`, file: path, sha256, bytes: bytes.length }));
  expect(statSync(target).size).toBe(0);
});

// Limits of time that are short enough to wait for; no test below passes them with a server that answers.
const hasty = { answer: 300, silence: 300, pace: { bytes: 60_000, milliseconds: 60_000 } };

test.each([
  ['gzip', gzipSync(new Uint8Array(10_000_000))],
  ['br', brotliCompressSync(new Uint8Array(10_000_000))],
])('a packed answer (%s) is refused, not unpacked', async (encoding, packed) => {
  const { url } = await start((request, response) => {
    expect(request.headers['accept-encoding']).toBe('identity');
    response.writeHead(200, { 'content-encoding': encoding, 'content-length': packed.length }).end(packed);
  });
  const { path, part } = place();
  expect(await problem(fetchFile({ url: `${url}/m`, file: path }), 'network')).toMatch(
    new RegExp(`the server packs the file \\(content-encoding: ${encoding}\\) although that was declined`),
  );
  expect(existsSync(part) || existsSync(path)).toBe(false);
});

test('a file larger than the limit is not fetched, or deleted once it has passed it', async () => {
  let stated = true;
  const { url } = await start((_, response) => {
    response.writeHead(200, stated ? { 'content-length': bytes.length } : {});
    // Without a length the server goes on for as long as it is listened to.
    const more = () => {
      while (!response.destroyed && response.write(bytes)) {}
    };
    if (stated) response.end(bytes);
    else {
      response.on('drain', more);
      more();
    }
  });
  const { path, part, whole } = place();
  const wanted = { url: `${url}/m`, file: path };
  expect(await problem(fetchFile({ ...wanted, limit: 299_999 }), 'limit')).toMatch(
    /has 300000 bytes, and at most 299999 are fetched; raise the limit with --max-size \(MB\)$/,
  );
  expect(existsSync(part)).toBe(false);
  await fetchFile({ ...wanted, limit: 300_000 });
  expect(whole()).toBe(true);
  stated = false;
  expect(await problem(fetchFile({ ...wanted, limit: 2_000_000 }), 'limit')).toMatch(
    /more came, and at most 2000000 are fetched; raise the limit/,
  );
  expect(existsSync(part)).toBe(false);
});

test('a server that never answers ends, and so does one that falls silent, which keeps the part', async () => {
  let silentFrom = 0;
  const { url } = await start((_, response) => {
    if (silentFrom === 0) return;
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, silentFrom));
  });
  const { path, part } = place();
  const wanted = { url: `${url}/m`, file: path, sha256 };
  expect(await problem(fetchFile({ ...wanted, patience: hasty }), 'network')).toMatch(
    /^127\.0\.0\.1:\d+: no answer within 0\.3 s; try again later/,
  );
  silentFrom = 50_000;
  const patience = { ...hasty, answer: 60_000 };
  const message = await problem(fetchFile({ ...wanted, patience }), 'network');
  expect(message).toMatch(
    /^127\.0\.0\.1:\d+: nothing came for 0\.3 s, after \d+ bytes; run again to resume$/,
  );
  expect(statSync(part).size).toBe(Number(/after (\d+) bytes/.exec(message)![1]));
});

test('a server that sends a few bytes now and then ends', async () => {
  const { url } = await start((_, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    const drip = setInterval(() => response.write(bytes.subarray(0, 1)), 10);
    response.on('close', () => clearInterval(drip));
  });
  const { path } = place();
  const patience = { answer: 60_000, silence: 60_000, pace: { bytes: 60_000, milliseconds: 200 } };
  expect(await problem(fetchFile({ url: `${url}/m`, file: path, sha256, patience }), 'network')).toMatch(
    /^127\.0\.0\.1:\d+: sends less than 60000 bytes in 0\.2 s, after \d+ bytes; run again to resume$/,
  );
});

test('by default a server has half a minute to answer', () => {
  expect(patient).toEqual({
    answer: 30_000,
    silence: 30_000,
    pace: { bytes: 60_000, milliseconds: 60_000 },
  });
});

test('plain http from another machine needs a hash or the word of the user', async () => {
  const { path } = place();
  const wanted = { url: 'http://no-such-host.invalid/m', file: path };
  expect(await problem(fetchFile(wanted), 'usage')).toMatch(
    /^http:\/\/no-such-host\.invalid\/m: plain http can be changed on its way.*use https, or give --sha256, or --allow-http/,
  );
  // With either the host is asked for, and does not exist.
  expect(await problem(fetchFile({ ...wanted, sha256 }), 'network')).toMatch(/cannot be reached/);
  expect(await problem(fetchFile({ ...wanted, allowHttp: true }), 'network')).toMatch(/cannot be reached/);
});

test('redirects: to plain http elsewhere without a hash, to no web address and in circles are refused', async () => {
  const { url, asked } = await start((request, response) => {
    const to = { '/out': 'http://no-such-host.invalid/m', '/file': 'file:///etc/passwd', '/round': '/round' };
    response.writeHead(302, { location: to[request.url as keyof typeof to] }).end();
  });
  const { path } = place();
  const at = (name: string) => problem(fetchFile({ url: `${url}/${name}`, file: path }));
  expect(await at('out')).toMatch(/^http:\/\/no-such-host\.invalid\/m: plain http can be changed/);
  expect(await at('file')).toMatch(/redirects to something that is not a web address/);
  expect(await at('round')).toMatch(/redirects more than 5 times/);
  expect(asked).toHaveLength(1 + 1 + 6);
});

test('a part of a file that was not asked for is refused', async () => {
  const { url } = await start((_, response) => {
    response.writeHead(206, { 'content-range': 'bytes 10-19/300000', 'content-length': 10 });
    response.end(bytes.subarray(10, 20));
  });
  const { path, part } = place();
  expect(await problem(fetchFile({ url: `${url}/m`, file: path }), 'network')).toMatch(
    /gives a part of the file/,
  );
  expect(existsSync(part)).toBe(false);
});

const openssl = spawnSync('openssl', ['version']).status === 0;
test.skipIf(!openssl)(
  'a redirect from https to http is refused, even with a hash (needs openssl)',
  async () => {
    const folder = temporaryFolder();
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    });
    const plain = await start(file(bytes));
    const secure = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      if (request.url === '/m') file(bytes)(request, response);
      else response.writeHead(302, { location: `${plain.url}/m` }).end();
    });
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const base = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    const { path, whole } = place();
    try {
      expect(await problem(fetchFile({ url: `${base}/m`, file: path, sha256 }), 'network')).toMatch(
        /cannot be reached \((DEPTH_ZERO_)?SELF_SIGNED_CERT/,
      );
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
      expect(await problem(fetchFile({ url: `${base}/moved`, file: path, sha256 }), 'network')).toMatch(
        /redirects from https to plain http \(http:.*\), which is refused; give an https address$/,
      );
      expect(plain.asked).toEqual([]);
      await fetchFile({ url: `${base}/m`, file: path, sha256 });
      expect(whole()).toBe(true);
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
      secure.close();
      secure.closeAllConnections();
    }
  },
);
