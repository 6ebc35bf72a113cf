// The store of models: names become paths, what is fetched is checked, what was cut is no model. Models come from a
// real server on this machine.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  addModel,
  builtIn,
  builtInDetectors,
  builtInModels,
  dlibResnetManifest,
  installModel,
  modelFile,
  modelsFolder,
  openDetector,
  openEmbedder,
  registry,
  removeModel,
  storedModels,
} from '../../src/face/index.js';
import { encodeModel } from '../../src/lower/index.js';
import { openDevice } from '../../src/runtime/index.js';
import { type FileServer, file, serve } from '../support/file-server.js';
import { temporaryFolder } from '../train/faces.js';

const before = process.env.HYPERSPHERE_CACHE;
let server: FileServer | undefined;
beforeEach(() => {
  process.env.HYPERSPHERE_CACHE = join(temporaryFolder(), 'cache');
});
afterEach(async () => {
  if (before === undefined) delete process.env.HYPERSPHERE_CACHE;
  else process.env.HYPERSPHERE_CACHE = before;
  await server?.close();
  server = undefined;
});

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A network whose embedding of a 4x4 image is its three mean colours. */
function tinyModel(metadata?: Record<string, string>): Uint8Array {
  return encodeModel({
    opset: 17,
    ...(metadata && { metadata }),
    graph: {
      name: 'means',
      nodes: [
        {
          opType: 'ReduceMean',
          inputs: ['images'],
          outputs: ['embedding'],
          attributes: { axes: [2, 3], keepdims: 0 },
        },
      ],
      initializers: [],
      inputs: [{ name: 'images', dtype: 'float32', shape: ['N', 3, 4, 4] }],
      outputs: [{ name: 'embedding', dtype: 'float32', shape: ['N', 3] }],
    },
  });
}
const manifest = {
  ...dlibResnetManifest,
  name: 'means',
  input: { name: 'images', width: 4, height: 4, order: 'rgb', mean: 0, scale: 1 },
  embedding: { length: 3, output: 'embedding' },
  licence: 'CC0',
};

/** A folder with the model and the JSON file beside it. */
function written(beside: object | undefined = manifest): string {
  const path = join(temporaryFolder(), 'means.onnx');
  writeFileSync(path, tinyModel());
  if (beside) writeFileSync(path.replace('.onnx', '.json'), JSON.stringify(beside));
  return path;
}

describe('names', () => {
  test('that are built in stay as they are, in the list as in the code', async () => {
    const named = (kind: string) => builtIn.filter((model) => model.kind === kind).map(({ name }) => name);
    expect(named('detector')).toEqual(Object.keys(builtInDetectors));
    expect(named('recogniser')).toEqual(Object.keys(builtInModels));
    for (const { name } of builtIn) expect(await modelFile(name)).toBe(name);
  });

  test('come before files of the same name, and paths stay paths', async () => {
    const path = written();
    expect(await modelFile(path)).toBe(path);
    const { path: stored } = await addModel(path);
    expect(await modelFile('means')).toBe(stored);
    expect(await modelFile(path)).toBe(path);
  });

  test('that nothing has are told what there is and how to get it', async () => {
    await expect(modelFile('yunet')).rejects.toThrow(
      "'yunet' is not installed; 'hypersphere models install yunet' fetches it",
    );
    await addModel(written());
    await expect(modelFile('unheard-of')).rejects.toThrow(
      "'unheard-of' is neither a file nor a model: face-api, face-api-tiny, dlib-resnet-128 are built in; means installed; 'hypersphere models install' fetches yunet, mtcnn, mtcnn-caffe",
    );
    await expect(modelFile('models/mine.onnx')).rejects.toThrow('models/mine.onnx: no such file');
  });
});

test('an added model is a copy that opens by its name with its manifest, until it is removed', async () => {
  const path = written();
  const model = await addModel(path, { name: 'colours' });
  expect(model).toMatchObject({ name: 'colours', kind: 'recogniser', licence: 'CC0', source: path });
  expect(model.files).toEqual([
    { name: 'means.onnx', bytes: readFileSync(path).length, sha256: hash(readFileSync(path)) },
  ]);
  expect(await storedModels()).toEqual([model]);
  const embedder = await openEmbedder('colours', { threads: 1 });
  try {
    expect(embedder.manifest).toMatchObject({ name: 'means', licence: 'CC0' });
    const image = Uint8Array.from({ length: 48 }, (_, i) => [10, 20, 30][i % 3]!);
    const [red, green, blue] = await embedder.embed([image]);
    expect(green! / red!).toBeCloseTo(2, 5);
    expect(blue! / red!).toBeCloseTo(3, 5);
  } finally {
    await embedder.close();
  }
  expect(existsSync(await removeModel('colours'))).toBe(false);
  expect(await storedModels()).toEqual([]);
  await expect(removeModel('colours')).rejects.toThrow("no model 'colours' is installed");
});

describe('what cannot be added is refused, and leaves nothing behind', () => {
  afterEach(async () => {
    expect(await storedModels()).toEqual([]);
    expect(existsSync(modelsFolder())).toBe(false);
  });
  test.each([
    ['face-api', "'face-api' is built in"],
    ['yunet', "'yunet' is the name of a model that can be installed"],
    ['../evil', "'../evil' cannot be a model's name"],
    ['', "'' cannot be a model's name"],
  ])("under the name '%s'", async (name, words) => {
    await expect(addModel(written(), { name })).rejects.toThrow(words);
  });
  test('a manifest of another model', async () => {
    const wrong = { ...manifest, embedding: { length: 4, output: 'embedding' } };
    const path = join(temporaryFolder(), 'wrong.json');
    writeFileSync(path, JSON.stringify(wrong));
    await expect(addModel(written(), { manifest: path })).rejects.toThrow(
      /embedding length is 3 in the graph/,
    );
    const other = written({ ...manifest, sha256: 'a'.repeat(64) });
    await expect(addModel(other)).rejects.toThrow(/belongs to another file/);
    const carrying = join(temporaryFolder(), 'carrying.onnx');
    writeFileSync(carrying, tinyModel({ hypersphere: JSON.stringify(manifest) }));
    await expect(addModel(carrying, { manifest: path })).rejects.toThrow(
      /carries a manifest, which comes first/,
    );
    await expect(addModel(written(), { manifest: 'none.json' })).rejects.toThrow('none.json: no such file');
  });
  test('what is no model', async () => {
    const folder = temporaryFolder();
    const text = join(folder, 'page.onnx');
    writeFileSync(text, '<html>not found</html>');
    await expect(addModel(text)).rejects.toThrow(/page\.onnx: not an ONNX model/);
    await expect(addModel(join(folder, 'none.onnx'))).rejects.toThrow(/none\.onnx: no such file/);
    await expect(addModel(folder, { name: 'folder' })).rejects.toThrow(/holds no weights/);
  });
});

describe('from an address', () => {
  const bytes = tinyModel({ hypersphere: JSON.stringify(manifest) });

  test('a model is fetched, checked and opens by its name; a second time nothing is fetched', async () => {
    server = await serve(file(bytes));
    const options = { url: `${server.url}/models/means.onnx?raw=1`, sha256: hash(bytes) };
    const model = await installModel('fetched', options);
    expect(model).toMatchObject({ kind: 'recogniser', source: options.url });
    expect(basename(model.path)).toBe('means.onnx');
    expect(await installModel('fetched', options)).toEqual(model);
    expect(server.asked).toHaveLength(1);
    const embedder = await openEmbedder('fetched', { threads: 1 });
    await embedder.close();
  });

  test('a wrong file is no model and leaves nothing', async () => {
    server = await serve(file(bytes));
    const options = { url: `${server.url}/means.onnx`, sha256: 'b'.repeat(64) };
    await expect(installModel('fetched', options)).rejects.toThrow(/SHA-256 is [0-9a-f]{64}, and bbbb/);
    expect(await storedModels()).toEqual([]);
    expect(readdirSync(modelsFolder())).toEqual([]);
  });

  test('a page in place of a model is refused', async () => {
    server = await serve(file(Buffer.from('<html>sign in</html>')));
    await expect(installModel('fetched', { url: `${server.url}/means.onnx` })).rejects.toThrow(
      /not an ONNX model/,
    );
    expect(readdirSync(modelsFolder())).toEqual([]);
  });

  test('a cut one is no model, can be resumed, and can be removed', async () => {
    let tries = 0;
    server = await serve(file(bytes, () => (tries++ < 2 ? 40 : undefined)));
    const options = { url: `${server.url}/means.onnx`, sha256: hash(bytes) };
    await expect(installModel('cut', options)).rejects.toThrow(/run again to resume/);
    expect(await storedModels()).toEqual([]);
    await expect(modelFile('cut')).rejects.toThrow(/neither a file nor a model/);
    await expect(installModel('cut', options)).rejects.toThrow(/run again to resume/);
    await installModel('cut', options);
    expect(server.asked.map(({ range }) => range)).toEqual([undefined, 'bytes=40-', 'bytes=80-']);
    await removeModel('cut');
    expect(readdirSync(modelsFolder())).toEqual([]);
  });

  test('an address that ends in no file name gives the model the name it is to have', async () => {
    server = await serve(file(bytes));
    const { path } = await installModel('by-number', { url: `${server.url}/download?id=5` });
    expect(basename(path)).toBe('by-number.onnx');
  });

  test('an unknown name needs an address', async () => {
    await expect(installModel('unheard-of')).rejects.toThrow(
      "no model 'unheard-of' is known (known: yunet, mtcnn, mtcnn-caffe); give its address with --url",
    );
    await expect(installModel('x', { url: 'somewhere' })).rejects.toThrow(/not an address/);
    await expect(installModel('face-api')).rejects.toThrow("'face-api' is built in");
  });
});

describe('the registry', () => {
  test('names every file by a fixed state of a repository, a size and a hash', () => {
    const names = [...builtIn, ...registry].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, licence, files } of registry) {
      expect(licence.length, name).toBeGreaterThan(2);
      for (const { url, sha256, bytes, name: file } of files) {
        expect(url).toMatch(/^https:\/\/raw\.githubusercontent\.com\/[^/]+\/[^/]+\/[0-9a-f]{40}\/.+$/);
        expect(basename(url)).toBe(file);
        expect(sha256).toMatch(/^[0-9a-f]{64}$/);
        expect(bytes).toBeGreaterThan(1000);
      }
    }
  });

  const weights = '../shared/weights';
  const folders: Record<string, string> = {
    yunet: `${weights}/yunet`,
    mtcnn: `${weights}/mtcnn-npy`,
    'mtcnn-caffe': `${weights}/mtcnn-caffe`,
  };
  test.skipIf(!existsSync(weights)).each(Object.keys(folders))(
    'from a mirror, %s is what it says and finds faces by its name (skipped where ../shared is absent)',
    async (name) => {
      const read = (path: string) => readFileSync(join(folders[name]!, basename(path)));
      let tries = 0;
      server = await serve((request, response) => {
        const cut = () => (tries++ === 1 ? 1000 : undefined);
        file(read(request.url!), cut)(request, response);
      });
      const { files } = registry.find((model) => model.name === name)!;
      const url = files.length > 1 ? `${server.url}/mirror/` : `${server.url}/mirror/${files[0]!.name}`;
      const seen: number[] = [];
      const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
      const install = () =>
        installModel(name, {
          url,
          onProgress: (done, of) => {
            expect(of).toBe(total);
            seen.push(done);
          },
        });
      // Of several files the second is cut: the next try asks for its rest and the third.
      if (files.length > 1) await expect(install()).rejects.toThrow(/cut after 1000 of/);
      const model = await install();
      expect(seen.at(-1)).toBe(total);
      expect(server.asked.map(({ path, range }) => [basename(path), range])).toEqual(
        files.length > 1
          ? [
              [files[0]!.name, undefined],
              [files[1]!.name, undefined],
              [files[1]!.name, 'bytes=1000-'],
              [files[2]!.name, undefined],
            ]
          : [[files[0]!.name, undefined]],
      );
      expect(model).toMatchObject({
        kind: 'detector',
        licence: registry.find((m) => m.name === name)!.licence,
      });
      const device = await openDevice('cpu', { threads: 1 });
      try {
        const detector = await openDetector(name, { device });
        expect(detector.name.toLowerCase()).toBe(name.replace('-caffe', ''));
      } finally {
        await device.close();
      }
    },
  );

  test.skipIf(!existsSync(weights))(
    'a folder of weights can be added (skipped where ../shared is absent)',
    async () => {
      const folder = join(temporaryFolder(), 'my-mtcnn');
      mkdirSync(folder);
      for (const n of [1, 2, 3])
        copyFileSync(`${weights}/mtcnn-npy/det${n}.npy`, join(folder, `det${n}.npy`));
      writeFileSync(join(folder, 'notes.txt'), 'not a weight');
      const model = await addModel(folder);
      expect(model).toMatchObject({
        name: 'my-mtcnn',
        kind: 'detector',
        path: join(modelsFolder(), 'my-mtcnn'),
      });
      expect(model.files.map(({ name }) => name)).toEqual(['det1.npy', 'det2.npy', 'det3.npy']);
      expect(await modelFile('my-mtcnn')).toBe(model.path);
    },
  );
});
