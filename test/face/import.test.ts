// Weights of others: the names that PyTorch and Caffe files have lead each tensor to its parameter, nothing is placed
// by guess and nothing left over silently, and the model that comes out is the network with exactly those weights.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type StoredNumbers, writeSafetensors } from '../../src/data/index.js';
import { buildDesign, placeWeights } from '../../src/face/import/import.js';
import {
  exportImported,
  type ImportOptions,
  importable,
  importedManifest,
  importWeights,
  openEmbedder,
  type WeightFile,
  WeightMismatch,
} from '../../src/face/index.js';
import { input } from '../../src/graph/index.js';
import { lowerInference } from '../../src/lower/index.js';
import { foldNormalizations, networkNamed, Scope } from '../../src/nn/index.js';
import { openDevice } from '../../src/runtime/index.js';
import { caffemodel } from '../support/caffemodel.js';
import { hashed } from '../support/fixtures.js';
import { torchCheckpoint, type WrittenTensor } from '../support/torch-writer.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-import-'));
afterAll(() => rmSync(folder, { recursive: true }));
function put(name: string, bytes: Uint8Array): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

type Named = [name: string, shape: number[]][];
/** Names and shapes as PyTorch lists them for networks written after the ports. */
const ports = JSON.parse(
  readFileSync(new URL('../fixtures/import/names.json', import.meta.url), 'utf8'),
) as Record<'sphereface20' | 'counted' | 'named', Named>;
const isCounter = (name: string) => name.endsWith('num_batches_tracked');
const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Numbers that differ from tensor to tensor; a variance is above zero. */
function fill(name: string, shape: readonly number[], salt: number): WrittenTensor {
  const positive = name.endsWith('running_var');
  return { shape, data: hashed({ shape: [...shape], salt, amplitude: 0.1, offset: positive ? 0.5 : 0 }) };
}
const filled = (names: Named) => new Map(names.map(([name, shape], i) => [name, fill(name, shape, i + 1)]));

/** The parameters of a network as it is trained. */
function parametersOf(net: string, size: readonly [number, number], embedding: number): Named {
  const scope = new Scope();
  networkNamed(net).build(scope, input('images', [1, 3, ...size]), { embedding, norm: 'running' });
  return scope.parameters.map(({ name, shape }) => [name, [...shape]]);
}

/** A file of names and shapes alone, for what is decided before any number is looked at. */
function outline(names: Named): WeightFile {
  const unread = (): never => {
    throw new Error('no number should have been read');
  };
  const tensors = new Map<string, StoredNumbers>(
    names.map(([name, shape]) => [name, { shape, dtype: 'float32', numbers: unread }]),
  );
  return { file: 'file.pth', format: 'PyTorch', tensors, aside: [] };
}

function refusal(names: Named, options: ImportOptions): WeightMismatch {
  try {
    placeWeights(outline(names), options);
  } catch (error) {
    expect(error).toBeInstanceOf(WeightMismatch);
    return error as WeightMismatch;
  }
  throw new Error('the file was taken');
}

// Small images, so that the fully connected layer is small.
const small = { net: 'sphereface-10', size: [16, 16], embedding: 8 } as const;
const own = parametersOf(small.net, small.size, small.embedding);
const spherefaceWeights = filled(own);
const asFloats = (weights: ReadonlyMap<string, WrittenTensor>) =>
  new Map(Array.from(weights, ([name, { data }]) => [name, data]));

/** The same names with the same numbers, bit for bit, in any order (toEqual takes seconds for millions of numbers). */
function expectSame(
  actual: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float32Array>,
): void {
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) =>
    Buffer.from(buffer, byteOffset, byteLength);
  for (const [name, data] of expected) {
    expect(bytes(actual.get(name)!).equals(bytes(data)), `${name} has the numbers of the file`).toBe(true);
  }
}

describe('what a tensor of another file is in our network', () => {
  test('SphereFace from Caffe: blobs by layer, biases of zero and the classifier left out', async () => {
    const layers = new Map<string, { name: string; type: string; blobs: WrittenTensor[] }>();
    for (const [name, value] of spherefaceWeights) {
      const [layer, part] = name.split('.') as [string, string];
      const type = { weight: 'Convolution', slope: 'PReLU' }[part] ?? '';
      if (part === 'bias') layers.get(layer)!.blobs.push(value);
      else layers.set(layer, { name: layer, type: layer === 'fc5' ? 'InnerProduct' : type, blobs: [value] });
    }
    // As published: every convolution has a bias, that of residual ones fixed at zero.
    for (const { type, blobs } of layers.values()) {
      const [channels] = blobs[0]!.shape;
      if (type === 'Convolution' && blobs.length === 1)
        blobs.push({ shape: [channels!], data: new Float32Array(channels!) });
    }
    layers.set('fc6', { name: 'fc6', type: 'InnerProduct', blobs: [fill('fc6', [20, 8], 99)] });
    const file = put(
      'net.caffemodel',
      caffemodel([...layers.values()].map(({ name, type, blobs }) => ({ name, type, blobs }))),
    );
    const imported = await importWeights(file, small);
    expect(imported.format).toBe('Caffe');
    expectSame(imported.weights, asFloats(spherefaceWeights));
    expect(imported.rules).toEqual([{ rule: 'the same names', count: own.length + 6 }]);
    expect(imported.ignored).toContainEqual({ name: 'fc6.weight', reason: 'a classifier of the training' });
    expect(imported.ignored.filter(({ reason }) => reason.startsWith('a bias of zero'))).toHaveLength(6);
  });

  test('SphereFace from PyTorch, in parallel, within a dictionary of the training, its classifier transposed', async () => {
    const tensors = new Map<string, WrittenTensor>(
      Array.from(spherefaceWeights, ([name, value]) => [`module.${name.replace('slope', 'weight')}`, value]),
    );
    tensors.set('module.fc6.weight', fill('fc6', [8, 20], 99));
    const imported = await importWeights(put('a.pth', torchCheckpoint(tensors, 'state_dict')), small);
    expectSame(imported.weights, asFloats(spherefaceWeights));
    expect(imported.rules).toEqual([
      { rule: "names of the SphereFace ports in PyTorch behind 'module.'", count: own.length },
    ]);
    expect(imported.ignored.map(({ name }) => name)).toEqual(['module.fc6.weight']);
  });

  test.each([
    ['counted', [112, 96], 128],
    ['named', [112, 112], 512],
  ] as const)(
    'MobileFaceNet as its ports name it (%s): size and length are found, order does not matter',
    async (port, size, embedding) => {
      const tensors = filled(ports[port].filter(([name]) => !isCounter(name)));
      // PyTorch lists parameters in our order; here they lie backwards.
      const names = [...tensors.keys()];
      const ours = parametersOf('mobilefacenet', size, embedding);
      expect(ours).toHaveLength(names.length);
      const expected = foldNormalizations(
        new Map(ours.map(([name], i) => [name, tensors.get(names[i]!)!.data])),
      );
      const file = put(`${port}.ckpt`, torchCheckpoint(new Map([...tensors].reverse()), 'net_state_dict'));
      const imported = await importWeights(file, { net: 'mobilefacenet' });
      expect(imported).toMatchObject({ size, embedding, ignored: [] });
      expect(imported.rules).toHaveLength(1);
      expectSame(imported.weights, expected);
    },
  );

  test('names that nobody knows: by order, if all shapes agree, with or without biases of zero', async () => {
    const plain = new Map(Array.from(spherefaceWeights.values(), (value, i) => [`p${i}`, value]));
    const imported = await importWeights(put('b.pth', torchCheckpoint(plain)), small);
    expectSame(imported.weights, asFloats(spherefaceWeights));
    expect(imported.rules).toEqual([{ rule: 'order and shapes', count: own.length }]);

    const { wanted } = buildDesign(small.net, { ...small, folded: false });
    const published = new Map(
      wanted.map(({ name, shape, zero }, i) => [
        `p${i}`,
        zero ? { shape, data: new Float32Array(count(shape)) } : spherefaceWeights.get(name)!,
      ]),
    );
    published.set('head', fill('head', [20, 8], 99));
    const again = await importWeights(put('c.pth', torchCheckpoint(published)), small);
    expectSame(again.weights, asFloats(spherefaceWeights));
    expect(again.ignored).toContainEqual({ name: 'head', reason: 'a classifier of the training' });
  });

  test('axes of length 1, a fully connected layer over [C, H, W], one slope for all channels', async () => {
    const tensors = new Map<string, WrittenTensor>();
    for (const [name, value] of spherefaceWeights) tensors.set(name, value);
    const [fc, slope] = [tensors.get('fc5.weight')!, tensors.get('relu1_1.slope')!];
    tensors.set('fc5.weight', { ...fc, shape: [8, 512, 1, 1] });
    tensors.set('relu1_1.slope', { ...slope, shape: [1, 64, 1, 1] });
    tensors.set('relu2_1.slope', { shape: [1], data: Float32Array.of(0.25) });
    const { weights } = await importWeights(put('d.pth', torchCheckpoint(tensors)), small);
    expect(weights.get('fc5.weight')).toEqual(fc.data);
    expect(weights.get('relu1_1.slope')).toEqual(slope.data);
    expect(weights.get('relu2_1.slope')).toEqual(new Float32Array(128).fill(0.25));
  });

  test('a map names what cannot be guessed', async () => {
    const tensors = new Map(spherefaceWeights);
    const odd = tensors.get('fc5.weight')!;
    tensors.delete('fc5.weight');
    const moved = new Map([['projection', odd], ...tensors]);
    const file = put('e.pth', torchCheckpoint(moved));
    const map = { 'fc5.weight': 'projection' };
    const { weights, rules } = await importWeights(file, { ...small, map });
    expect(weights.get('fc5.weight')).toEqual(odd.data);
    expect(rules).toContainEqual({ rule: 'the map given', count: 1 });
    const wrong = (map: Record<string, string>) => importWeights(file, { ...small, map });
    await expect(wrong({ fc7: 'projection' })).rejects.toThrow("'fc7', which is no parameter");
    await expect(wrong({ 'fc5.weight': 'nothing' })).rejects.toThrow("'nothing', which is no tensor of");
    await expect(wrong({ 'fc5.weight': 'fc5.bias' })).rejects.toThrow('their shapes differ');
  });

  test('safetensors, and models that we exported', async () => {
    const stored = new Map(
      Array.from(spherefaceWeights, ([name, { shape, data }]) => [
        name,
        { dtype: 'float32' as const, shape, data },
      ]),
    );
    const first = await importWeights(put('f.safetensors', writeSafetensors(stored)), small);
    expectSame(first.weights, asFloats(spherefaceWeights));
    const model = put('f.onnx', exportImported(first, importedManifest(first)));
    const again = await importWeights(model, small);
    expect(again).toMatchObject({ format: 'ONNX', rules: [{ rule: 'the same names', count: own.length }] });
    expectSame(again.weights, first.weights);
  });
});

describe('what is refused', () => {
  test('another depth of the same family, though all its names are there', () => {
    const error = refusal(ports.sphereface20, { net: 'sphereface-10' });
    expect(error.message).toMatch(
      /^file.pth is not of sphereface-10 .*: 30 tensors are of no place in it, such as 'conv1_2.weight' \[64, 64, 3, 3\]; it fits --net sphereface-20$/,
    );
    expect(error.table).toContain('* -                        conv1_2.weight [64, 64, 3, 3]');
    expect(refusal(ports.sphereface20, { net: 'sphereface-36' }).message).toMatch(
      /parameters are not found.*fits --net sphereface-20$/,
    );
  });

  test('another size of images: the layer that tells is marked, on both sides', () => {
    const { message, table } = refusal(ports.sphereface20, { net: 'sphereface-20', size: [112, 112] });
    expect(message).toContain("'fc5.weight' [512, 25088], which is [512, 21504] in the file");
    expect(table.split('\n').filter((line) => line.startsWith('*'))).toEqual([
      '* fc5.weight [512, 25088]          fc5.weight [512, 21504]',
    ]);
  });

  test('another order without names: the first line that differs is marked', () => {
    const names: Named = own.map(([, shape], i) => [`p${i}`, shape]);
    [names[3], names[4]] = [names[4]!, names[3]!];
    const { table } = refusal(names, small);
    const marked = table.split('\n').filter((line) => line.startsWith('*'));
    expect(marked[0]).toMatch(/^\* conv2_1.weight \[128, 64, 3, 3\] +p4 \[128\]$/);
    expect(marked).toHaveLength(2);
  });

  test('a tensor left over that is no classifier', () => {
    const names: Named = [...own, ['extra.weight', [3, 3]]];
    expect(refusal(names, small).message).toMatch(
      /1 tensor is of no place in it, such as 'extra.weight' \[3, 3\]/,
    );
  });

  test('a bias in a residual convolution that is not zero; numbers that are none', async () => {
    const tensors = new Map(spherefaceWeights);
    tensors.set('conv2_2.bias', { shape: [128], data: new Float32Array(128).fill(0.5) });
    await expect(importWeights(put('g.pth', torchCheckpoint(tensors)), small)).rejects.toThrow(
      /'conv2_2.bias' is not zero \(up to 0.50\), but this network, as published, has no bias/,
    );
    const broken = new Map(spherefaceWeights);
    broken.set('fc5.bias', { shape: [8], data: new Float32Array(8).fill(Number.NaN) });
    await expect(importWeights(put('h.pth', torchCheckpoint(broken)), small)).rejects.toThrow(
      /tensor 'fc5.bias' holds NaN/,
    );
  });

  test('a file that is none, an empty one, a network that is not for faces', async () => {
    await expect(importWeights(join(folder, 'none.pth'), small)).rejects.toThrow(/none.pth: no such file/);
    await expect(importWeights(put('empty.pth', new Uint8Array()), small)).rejects.toThrow(
      /empty.pth: the file is empty/,
    );
    await expect(importWeights(put('x.txt', Buffer.from('hello')), small)).rejects.toThrow(
      /no weight file by its beginning/,
    );
    await expect(importWeights(put('y.onnx', Buffer.from('hello')), small)).rejects.toThrow(
      /y.onnx: not an ONNX model/,
    );
    await expect(
      importWeights(put('z.pth', torchCheckpoint(spherefaceWeights)), { net: 'digits' }),
    ).rejects.toThrow(/no network for faces is called 'digits'; choose sphereface-4/);
    expect(importable).not.toContain('digits');
  });

  const foreign = '../shared/weights/mobilefacenet/mobilefacenet-112-128d.onnx';
  test.skipIf(!existsSync(foreign))(
    'a MobileFaceNet of another design, with both sides (skipped where ../shared/weights is absent)',
    async () => {
      const error = await importWeights(foreign, { net: 'mobilefacenet' }).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(WeightMismatch);
      // It has no slopes (its activations are ReLU and ReLU6) and a layer more.
      expect((error as WeightMismatch).table).toMatch(/^\* conv1.prelu.slope \[64\] +479 \[64, 1, 3, 3\]$/m);
    },
  );
});

describe('the model that comes out', () => {
  test('is the network with those weights, folded as at the end of training', async () => {
    const size = [32, 32] as const;
    const names = parametersOf('mobilefacenet', size, 16);
    const tensors = filled(names);
    const options = { net: 'mobilefacenet', size, embedding: 16 };
    const imported = await importWeights(put('m.pth', torchCheckpoint(tensors)), options);
    // The same weights in the network with its normalisations apart.
    const scope = new Scope();
    const images = input('images', [1, 3, ...size]);
    const embedding = networkNamed('mobilefacenet').build(scope, images, { embedding: 16, norm: 'running' });
    const reference = lowerInference({
      inputs: [images],
      outputs: { embedding },
      weights: asFloats(tensors),
    });
    const device = await openDevice('cpu', { threads: 1 });
    const feeds = {
      images: { data: hashed({ shape: [2, 3, ...size], salt: 5, amplitude: 1 }), shape: [2, 3, ...size] },
    };
    const run = async (bytes: Uint8Array) =>
      Array.from((await (await device.load(bytes)).run(feeds)).embedding!.data as Float32Array);
    const [a, b] = [await run(exportImported(imported, importedManifest(imported))), await run(reference)];
    await device.close();
    const largest = Math.max(...b.map(Math.abs));
    expect(largest).toBeGreaterThan(0);
    for (const [i, value] of a.entries()) expect(Math.abs(value - b[i]!) / largest).toBeLessThan(1e-5);
  });

  test('says how its images are prepared: as published, or as it is told', async () => {
    const imported = await importWeights(put('n.pth', torchCheckpoint(spherefaceWeights)), small);
    const at = (net: string, size: [number, number]) => importedManifest({ ...imported, net, size });
    expect(at('sphereface-20', [112, 96])).toMatchObject({
      input: { order: 'bgr', mean: 127.5, scale: 1 / 128, height: 112, width: 96 },
      template: 'sphereface-112x96@1',
      flip: 'concatenate',
      licence: 'not stated',
    });
    expect(at('mobilefacenet', [112, 112])).toMatchObject({
      input: { order: 'rgb' },
      template: 'arcface-112@0',
    });
    expect(importedManifest(imported).template).toBe('not stated');
    const told = importedManifest(imported, {
      ...{
        order: 'rgb',
        mean: 0,
        scale: 1 / 255,
        flip: 'sum',
        template: 'sphereface-112x96@0',
        licence: 'MIT',
      },
    } as const);
    expect(told).toMatchObject({
      input: { order: 'rgb', mean: 0 },
      flip: 'sum',
      template: 'sphereface-112x96@0',
    });

    const embedder = await openEmbedder(
      { name: 'n.onnx', bytes: exportImported(imported, told) },
      { threads: 1 },
    );
    expect(embedder.manifest).toMatchObject({
      licence: 'MIT',
      imported: { from: 'n.pth', format: 'PyTorch' },
    });
    await embedder.close();
  });
});
