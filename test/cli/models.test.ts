// hypersphere models as a user runs it, with the store in a temporary folder and a web server on this machine.
import { createHash } from 'node:crypto';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { encodeModel } from '../../src/lower/index.js';
import { type FileServer, file, serve } from '../support/file-server.js';
import { temporaryFolder, writeFaces } from '../train/faces.js';
import { hypersphere, start, until } from './hypersphere.js';

const before = process.env.HYPERSPHERE_CACHE;
let cache: string;
let server: FileServer | undefined;
beforeEach(() => {
  // The commands inherit it.
  cache = join(temporaryFolder(), 'cache');
  process.env.HYPERSPHERE_CACHE = cache;
});
afterEach(async () => {
  await server?.close();
  server = undefined;
});
afterAll(() => {
  if (before === undefined) delete process.env.HYPERSPHERE_CACHE;
  else process.env.HYPERSPHERE_CACHE = before;
});

/** A model of some 400 kB. */
const model = encodeModel({
  opset: 17,
  graph: {
    name: 'sum',
    nodes: [{ opType: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
    initializers: [{ name: 'w', dtype: 'float32', shape: [100_000], data: new Float32Array(100_000) }],
    inputs: [{ name: 'x', dtype: 'float32', shape: [100_000] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [100_000] }],
  },
});
const sha256 = createHash('sha256').update(model).digest('hex');

test('the list says what is built in, what can be installed, and where models lie', async () => {
  const { code, stdout } = await hypersphere('models', '--json');
  expect(code).toBe(0);
  const listed = JSON.parse(stdout);
  expect(listed.folder).toBe(join(cache, 'models'));
  expect(listed.builtIn.map(({ name }: { name: string }) => name)).toEqual([
    'face-api',
    'face-api-tiny',
    'dlib-resnet-128',
  ]);
  expect(listed.installed).toEqual([]);
  expect(listed.available).toContainEqual(
    expect.objectContaining({
      name: 'yunet',
      kind: 'detector',
      licence: 'Apache-2.0',
      bytes: 322906,
      source: 'https://github.com/ShiqiYu/libfacedetection.train',
    }),
  );
  const text = await hypersphere('models', 'list');
  expect(text.stdout).toMatch(/ {2}yunet +detector +323 kB +Apache-2\.0 +YuNet/);
  expect(existsSync(cache)).toBe(false);
});

test('install, list, add and remove', async () => {
  server = await serve(file(model));
  const url = `${server.url}/sum.onnx`;
  const installed = await hypersphere('models', 'install', 'sum', '--url', url, '--sha256', sha256, '--json');
  expect(installed).toMatchObject({ code: 0 });
  expect(installed.stderr).toMatch(/^401\/401 kB/m);
  const { model: told } = JSON.parse(installed.stdout);
  expect(told).toMatchObject({ name: 'sum', source: url, files: [{ name: 'sum.onnx', sha256 }] });
  expect(statSync(told.path).size).toBe(model.length);

  const again = await hypersphere('models', 'install', 'sum', '--url', url);
  expect(again).toMatchObject({ code: 0, stderr: 'sum was here already\n' });
  expect(server.asked).toHaveLength(1);

  const added = await hypersphere('models', 'add', told.path, '--name', 'copy');
  expect(added.stdout).toContain(join(cache, 'models', 'copy', 'sum.onnx'));
  expect(added.stdout).toContain(`SHA-256 ${sha256}`);
  const twice = await hypersphere('models', 'add', told.path, '--name', 'copy');
  expect(twice).toMatchObject({ code: 3, stdout: '' });
  expect(twice.stderr).toBe(
    "hypersphere: a model 'copy' is installed already; give another --name, or remove it first\n",
  );

  const removed = await hypersphere('models', 'remove', 'sum', '--json');
  expect(JSON.parse(removed.stdout)).toEqual({ name: 'sum', removed: join(cache, 'models', 'sum') });
  const { installed: left } = JSON.parse((await hypersphere('models', '--json')).stdout);
  expect(left.map(({ name }: { name: string }) => name)).toEqual(['copy']);
});

test('without a hash a note says that nothing was checked', async () => {
  server = await serve(file(model));
  const { code, stderr } = await hypersphere('models', 'install', 'sum', '--url', `${server.url}/sum.onnx`);
  expect(code).toBe(0);
  expect(stderr).toMatch(/not checked: give --sha256/);
});

test('Ctrl-C keeps what has come, and the next run asks for the rest', async () => {
  let stall = true;
  server = await serve((request, response) => {
    if (!stall) return file(model)(request, response);
    response.writeHead(200, { 'content-length': model.length });
    response.write(model.subarray(0, 100_000));
  });
  const flags = ['models', 'install', 'sum', '--url', `${server.url}/sum.onnx`, '--sha256', sha256];
  const part = join(cache, 'models', 'sum', 'sum.onnx.part');
  const { child, finished } = start(...flags);
  await until(() => existsSync(part) && statSync(part).size === 100_000);
  child.kill('SIGINT');
  const { code, stderr } = await finished;
  expect(code).toBe(130);
  expect(stderr).toMatch(/stopped after 100000 bytes; run again to resume/);
  stall = false;
  expect((await hypersphere(...flags)).code).toBe(0);
  expect(server.asked.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-']);
});

test('plain http from elsewhere without a hash, and a file larger than --max-size, are refused', async () => {
  const install = ['models', 'install', 'sum', '--url'];
  const plain = await hypersphere(...install, 'http://no-such-host.invalid/sum.onnx');
  expect(plain).toMatchObject({ code: 2, stdout: '' });
  expect(plain.stderr).toMatch(/plain http can be changed on its way.*or --allow-http/);
  const accepted = await hypersphere(...install, 'http://no-such-host.invalid/sum.onnx', '--allow-http');
  expect(accepted).toMatchObject({ code: 9, stdout: '' });
  expect(accepted.stderr).toMatch(/no-such-host\.invalid: cannot be reached/);
  server = await serve(file(new Uint8Array(1_000_001)));
  const large = await hypersphere(...install, `${server.url}/sum.onnx`, '--max-size', '1');
  expect(large).toMatchObject({ code: 3, stdout: '' });
  expect(large.stderr).toMatch(/has 1000001 bytes, and at most 1000000 are fetched; raise the limit/);
  expect(existsSync(join(cache, 'models', 'sum'))).toBe(false);
});

test('each failure is one line', async () => {
  server = await serve((_, response) => response.writeHead(404).end());
  const url = `${server.url}/sum.onnx`;
  const page = join(temporaryFolder(), 'page.onnx');
  writeFileSync(page, 'not a model');
  const cases: [string[], number, RegExp][] = [
    [['install', 'yunet', '--url', url], 9, /the server has no such file \(404\)/],
    [['install', 'sum', '--url', url, '--sha256', '12'], 2, /must be 64 hexadecimal digits/],
    [['install', 'sum'], 4, /no model 'sum' is known/],
    [['install', 'mtcnn', '--sha256', sha256], 2, /'mtcnn' has 3 files/],
    [['add', page], 3, /page\.onnx: not an ONNX model/],
    [['remove', 'sum'], 3, /no model 'sum' is installed/],
    [['remove', 'dlib-resnet-128'], 3, /built in and cannot be removed/],
  ];
  for (const [flags, code, words] of cases) {
    const finished = await hypersphere('models', ...flags);
    expect(finished, flags.join(' ')).toMatchObject({ code, stdout: '' });
    expect(finished.stderr).toMatch(words);
    if (code !== 2) expect(finished.stderr.trim().split('\n')).toHaveLength(1);
  }
});

test('a command that is given a name nobody knows says how to get models', async () => {
  const { code, stderr } = await hypersphere('detect', await writeFaces(1, 1), '--detector', 'yunet');
  expect(code).toBe(3);
  expect(stderr).toMatch(/'yunet' is not installed; 'hypersphere models install yunet' fetches it/);
});
