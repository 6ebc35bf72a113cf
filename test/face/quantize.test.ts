// A model quantised on faces: what its manifest says, how alike its embeddings are, and what is refused.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { openEmbedder, type QuantizedModel, quantizeModel } from '../../src/face/index.js';
import { type Manifest, manifestMetadata, sha256 } from '../../src/face/models/manifest.js';
import { input } from '../../src/graph/index.js';
import { lowerInference } from '../../src/lower/index.js';
import { decodeModel, encodeModel } from '../../src/lower/onnx.js';
import { foldNormalizations, initialParameters, networkNamed, Scope } from '../../src/nn/index.js';

const SIZE = [32, 32] as const;
let folder: string;
let model: string;
let faces: string;
let bytes: Uint8Array;

const manifest: Manifest = {
  format: 'hypersphere-model/1',
  name: 'small',
  input: { name: 'images', width: SIZE[1], height: SIZE[0], order: 'rgb', mean: 127.5, scale: 1 / 128 },
  crop: 'cover-centre',
  template: 'not stated',
  flip: 'concatenate',
  embedding: { length: 128, output: 'embedding' },
  metric: 'cosine',
  thresholds: { on: 'nobody', points: [{ fmr: 0.001, threshold: 0.5 }] },
  trainedOn: 'nothing',
  licence: 'MIT',
};

/** A MobileFaceNet of this size with starting weights: depthwise convolutions, PReLU, sums, a linear end. */
function network(stated: Manifest): Uint8Array {
  const build = (norm: 'running' | 'folded') => {
    const scope = new Scope();
    const images = input('images', [1, 3, ...SIZE]);
    return { scope, images, embedding: networkNamed('mobilefacenet').build(scope, images, { norm }) };
  };
  const { images, embedding } = build('folded');
  const weights = foldNormalizations(initialParameters(build('running').scope.parameters, 1));
  return lowerInference({
    inputs: [images],
    outputs: { embedding },
    weights,
    metadata: manifestMetadata(stated),
  });
}

/** Smooth pictures, a few of each of four people. */
async function drawPictures(into: string): Promise<void> {
  const stream = random(1, 'pictures');
  for (const person of ['a', 'b', 'c', 'd']) {
    mkdirSync(join(into, person), { recursive: true });
    for (let i = 0; i < 6; i++) {
      const coarse = Buffer.from(Array.from({ length: 6 * 6 * 3 }, () => stream.integer(256)));
      const picture = sharp(coarse, { raw: { width: 6, height: 6, channels: 3 } }).resize(SIZE[1], SIZE[0]);
      await picture.png().toFile(join(into, person, `${i}.png`));
    }
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quantize-'));
  faces = join(folder, 'faces');
  model = join(folder, 'small.onnx');
  bytes = network(manifest);
  writeFileSync(model, bytes);
  await drawPictures(faces);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const quantized = (made: QuantizedModel) => made.manifest.quantized as Record<string, unknown>;

describe('a network of convolutions, depthwise convolutions, PReLU and sums', () => {
  test('gives embeddings like the float ones, on faces that were not calibrated on', async () => {
    const made = await quantizeModel(model, faces, { images: 12, threads: 1 });
    expect(made.agreement!.images).toBe(12);
    expect(made.agreement!.least).toBeGreaterThan(0.97);
    expect(made.agreement!.mean).toBeLessThan(1);
    expect(made.agreement!.mean).toBeGreaterThanOrEqual(made.agreement!.least);
    expect(made.layers.filter(({ float }) => float).map(({ name }) => name)).toEqual(['embedding']);
    expect(made.bytes.length).toBeLessThan(made.bytesBefore / 2);
  });

  test('keeps its preparation, and says what it came from and was calibrated on', async () => {
    const made = await quantizeModel(model, faces, { images: 5, seed: 3, ranges: 'percentile', threads: 1 });
    const { thresholds: _, ...kept } = manifest;
    expect(made.manifest).toMatchObject({ ...kept, name: 'small int8', sha256: sha256(made.bytes) });
    expect(made.manifest.thresholds).toBeUndefined();
    expect(made.thresholdsLeftOut).toBe(true);
    expect(quantized(made)).toMatchObject({
      from: 'small',
      sha256: sha256(bytes),
      calibration: { faces: 'faces', images: 5, seed: 3, ranges: 'percentile' },
      float: ['embedding'],
      agreement: made.agreement,
    });
    const embedder = await openEmbedder({ name: 'made', bytes: made.bytes }, { threads: 1 });
    expect(embedder.manifest).toEqual(made.manifest);
    // Any batch: the free axis has stayed free.
    const pixels = Array.from({ length: 3 }, (_, i) => new Uint8Array(32 * 32 * 3).fill(60 * (i + 1)));
    expect(await embedder.embed(pixels)).toHaveLength(3 * 256);
    await embedder.close();
  });

  test('is the same file again for the same seed, and another for another', async () => {
    const make = (seed: number) => quantizeModel(model, faces, { images: 2, seed, threads: 1 });
    const [one, again, other] = [await make(1), await make(1), await make(2)];
    expect(sha256(again.bytes)).toBe(sha256(one.bytes));
    expect(sha256(other.bytes)).not.toBe(sha256(one.bytes));
  });

  test('keeps layers in float that are named; all of a layer’s weights stay then', async () => {
    const made = await quantizeModel(model, faces, { images: 2, keep: ['conv1', 'global'], threads: 1 });
    expect(quantized(made).float).toEqual(['conv1', 'global', 'embedding']);
    const { graph } = decodeModel(made.bytes);
    const found = graph.initializers.find(({ name }) => name === 'conv1.weight');
    expect(found?.dtype).toBe('float32');
  });

  test('people that are left out are not drawn from', async () => {
    const made = await quantizeModel(model, faces, { images: 100, exclude: ['a', 'c', 'd'], threads: 1 });
    expect(quantized(made).calibration).toMatchObject({ images: 6 });
    // All six are calibrated on, so none is left to compare on.
    expect(made.agreement).toBeUndefined();
    await expect(quantizeModel(model, faces, { exclude: ['a', 'b', 'c', 'd'] })).rejects.toThrow(
      'no faces to calibrate on',
    );
  });
});

test('a model with a fixed batch is calibrated at it', async () => {
  const decoded = decodeModel(bytes);
  const { graph } = decoded;
  const fixed = (values: typeof graph.inputs) =>
    values.map((v) => ({ ...v, shape: [4, ...v.shape.slice(1)] }));
  const of4 = encodeModel({
    ...decoded,
    graph: { ...graph, inputs: fixed(graph.inputs), outputs: fixed(graph.outputs) },
  });
  const file = join(folder, 'fixed.onnx');
  writeFileSync(file, of4);
  const [free, made] = [
    await quantizeModel(model, faces, { images: 6, threads: 1 }),
    await quantizeModel(file, faces, { images: 6, threads: 1 }),
  ];
  // The last group of two is filled up, and what fills it is not counted.
  const constants = (bytes: Uint8Array) =>
    decodeModel(bytes).graph.initializers.map(({ name, data }) => [
      name,
      Array.from(data as Float32Array, Number),
    ]);
  expect(constants(made.bytes)).toEqual(constants(free.bytes));
});

describe('refused, in one sentence', () => {
  test('a model that is quantised already', async () => {
    const { bytes } = await quantizeModel(model, faces, { images: 2, threads: 1 });
    const file = join(folder, 'again.onnx');
    writeFileSync(file, bytes);
    await expect(quantizeModel(file, faces)).rejects.toThrow(
      /again.onnx: is quantised already .* the float model/,
    );
  });

  test('a folder without faces, and one that is not there', async () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    await expect(quantizeModel(model, empty)).rejects.toThrow(empty);
    await expect(quantizeModel(model, join(folder, 'nowhere'))).rejects.toThrow('nowhere');
  });

  test('a picture that cannot be read is named', async () => {
    const broken = join(folder, 'broken');
    mkdirSync(broken);
    writeFileSync(join(broken, 'torn.jpg'), 'no picture');
    await expect(quantizeModel(model, broken)).rejects.toThrow('torn.jpg');
  });

  test('an operator set without integers, and a network without a layer for them', async () => {
    const decoded = decodeModel(bytes);
    const old = join(folder, 'old.onnx');
    writeFileSync(old, encodeModel({ ...decoded, opset: 9 }));
    await expect(quantizeModel(old, faces)).rejects.toThrow('its operator set is 9, and integers need 10');
    const means = join(folder, 'means.onnx');
    const graph = {
      name: 'means',
      inputs: [{ name: 'images', dtype: 'float32' as const, shape: ['N', 3, ...SIZE] }],
      outputs: [{ name: 'embedding', dtype: 'float32' as const, shape: ['N', 3] }],
      initializers: [],
      nodes: [
        {
          opType: 'ReduceMean',
          inputs: ['images'],
          outputs: ['embedding'],
          attributes: { axes: [2, 3], keepdims: 0 },
        },
      ],
    };
    const stated = { ...manifest, embedding: { length: 3, output: 'embedding' } };
    writeFileSync(means, encodeModel({ opset: 17, graph, metadata: manifestMetadata(stated) }));
    await expect(quantizeModel(means, faces, { images: 2 })).rejects.toThrow(
      /means.onnx: none of its layers can be quantised \(embedding: ReduceMean has no form in integers\)/,
    );
  });

  test('free height and width that nobody states', async () => {
    const decoded = decodeModel(network(manifest));
    const shape = ['N', 3, 'H', 'W'];
    const file = join(folder, 'free.onnx');
    const inputs = decoded.graph.inputs.map((value) => ({ ...value, shape }));
    writeFileSync(file, encodeModel({ ...decoded, metadata: {}, graph: { ...decoded.graph, inputs } }));
    await expect(
      quantizeModel(file, faces, { manifest: { input: { order: 'rgb', mean: 0, scale: 1 } } }),
    ).rejects.toThrow('--size HEIGHTxWIDTH');
  });

  test('no file, no model', async () => {
    await expect(quantizeModel(join(folder, 'none.onnx'), faces)).rejects.toThrow('none.onnx');
    const text = join(folder, 'text.onnx');
    writeFileSync(text, 'this is no model');
    await expect(quantizeModel(text, faces)).rejects.toThrow(/text.onnx: not an ONNX model/);
  });
});
