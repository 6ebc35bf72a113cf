// A model that gives zeros, or numbers that are not finite, is never believed: wherever embeddings are made, the
// image and the model are named, and nothing is written.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { errorCodes } from '../../src/common/errors.js';
import { templateNamed } from '../../src/face/align/template.js';
import { bothOf, embeddingsOf } from '../../src/face/embed/aligned.js';
import { Ensemble } from '../../src/face/embed/ensemble.js';
import { embedFolder } from '../../src/face/embed/folder.js';
import {
  type Embedder,
  type Manifest,
  manifestMetadata,
  openEmbedder,
  samplePhotographs,
} from '../../src/face/index.js';
import { quantizeModel } from '../../src/face/quantize/quantize-model.js';
import { decodeModel, encodeModel, type OnnxNode } from '../../src/lower/onnx.js';
import { hypersphere } from '../cli/hypersphere.js';
import { encode, noise, temporaryFolder, write } from '../data/pictures.js';

const SIZE = 112;
/** What makes an embedding of a face's colour planes, each of which is good for all faces but black ones. */
const kinds: Record<string, { nodes: OnnxNode[]; problem: RegExp }> = {
  zeros: {
    nodes: [{ opType: 'Identity', inputs: ['means'], outputs: ['y'] }],
    problem: /every number is zero/,
  },
  'not a number': {
    nodes: [{ opType: 'Div', inputs: ['means', 'means'], outputs: ['y'] }],
    problem: /not finite/,
  },
  infinity: {
    nodes: [{ opType: 'Reciprocal', inputs: ['means'], outputs: ['y'] }],
    problem: /not finite/,
  },
};

function model({ nodes }: { nodes: OnnxNode[] }, flip: Manifest['flip'] = 'none'): Uint8Array {
  const stated: Manifest = {
    ...{ format: 'hypersphere-model/1', name: 'bad-model', crop: 'cover-centre', metric: 'cosine' },
    input: { name: 'x', width: SIZE, height: SIZE, order: 'rgb', mean: 0, scale: 1 },
    ...{ template: 'arcface-112', flip, embedding: { length: 3, output: 'y' } },
    ...{ trainedOn: 'nothing', licence: 'MIT' },
  };
  return encodeModel({
    opset: 17,
    metadata: manifestMetadata(stated),
    graph: {
      name: 'bad',
      inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 3, SIZE, SIZE] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['N', 3] }],
      initializers: [],
      nodes: [
        {
          opType: 'ReduceMean',
          inputs: ['x'],
          outputs: ['means'],
          attributes: { axes: [2, 3], keepdims: 0 },
        },
        ...nodes,
      ],
    },
  });
}

let embedder: Embedder | undefined;
afterEach(async () => {
  await embedder?.close();
  embedder = undefined;
});
const open = async (bytes: Uint8Array) => {
  embedder = await openEmbedder({ name: 'bad-model.onnx', bytes }, { threads: 1 });
  return embedder;
};

const picture = (pixels: Uint8Array) => encode(pixels, SIZE, SIZE, 'png');
const black = new Uint8Array(3 * SIZE * SIZE);

/** A folder with two good faces and a black one between them. */
async function folderOfFaces(): Promise<{ folder: string; paths: string[] }> {
  const folder = temporaryFolder();
  const faces = [noise(SIZE, SIZE, 3, 1), black, noise(SIZE, SIZE, 3, 2)];
  const names = ['good.png', 'night.png', 'well.png'];
  const paths = await Promise.all(
    faces.map(async (face, i) => write(join(folder, names[i]!), await picture(face))),
  );
  return { folder, paths };
}

describe.each(Object.entries(kinds))('%s', (_, kind) => {
  const named = (what: string) => new RegExp(`${what}.*bad-model.*${kind.problem.source}`);

  test('are an error that names the image and the model, however faces come in', async () => {
    const { folder, paths } = await folderOfFaces();
    const made = await open(model(kind));
    expect(await made.embed([paths[0]!, paths[2]!])).toHaveLength(6);
    await expect(made.embed(paths)).rejects.toThrow(named('night\\.png'));
    await expect(made.embed([noise(SIZE, SIZE, 3), black])).rejects.toThrow(named('image 2'));
    await expect(bothOf(made, paths)).rejects.toThrow(named('night\\.png'));
    const from = templateNamed('arcface-112@0');
    await expect(embeddingsOf(made, paths, { from })).rejects.toThrow(named('night\\.png'));
    await expect(bothOf(made, paths, { from })).rejects.toThrow(named('night\\.png'));
    const encoded = await Promise.all(
      [noise(SIZE, SIZE, 3), black].map(async (face, i) => ({
        name: `set.bin: image ${i}`,
        bytes: await picture(face),
      })),
    );
    await expect(bothOf(made, encoded)).rejects.toThrow(named('set\\.bin: image 1'));
    // A model's fault is no reason to skip an image.
    await expect(embedFolder(made, folder)).rejects.toThrow(named('night\\.png'));
  });

  test('of one network of an ensemble, too', async () => {
    const ensemble = new Ensemble([await open(model(kind))]);
    const landmarks = templateNamed('arcface-112').points;
    const photograph = { width: SIZE, height: SIZE, pixels: black, scale: 1 };
    await expect(ensemble.embed([{ photograph, landmarks }], { nameOf: () => 'party.jpg' })).rejects.toThrow(
      named('party\\.jpg'),
    );
  });

  test('end verify, embed and quantize with one line', async () => {
    const { folder } = await folderOfFaces();
    const file = join(folder, 'bad-model.onnx');
    // Bad for every face.
    const [node] = kind.nodes;
    const nothing = { opType: 'Sub', inputs: ['means', 'means'], outputs: ['zeros'] };
    const inputs = node!.inputs.map(() => 'zeros');
    writeFileSync(file, model({ nodes: [nothing, { ...node!, inputs }] }));
    const photographs = samplePhotographs().slice(0, 2);
    const verified = await hypersphere('verify', ...photographs, '--model', file, '--threshold', '0.5');
    expect(verified).toMatchObject({ code: errorCodes['bad-input'].exit, stdout: '' });
    expect(verified.stderr.trimEnd()).toMatch(kind.problem);
    expect(verified.stderr).toContain(photographs[0]);
    const out = join(folder, 'made.npy');
    const embedded = await hypersphere('embed', '--model', file, '--data', folder, '--out', out);
    expect(embedded.code).toBe(errorCodes['bad-input'].exit);
    expect(embedded.stderr).toMatch(kind.problem);
    expect([out, `${out}.json`].map((path) => existsSync(path))).toEqual([false, false]);
  });
});

test('a sum of image and mirror image that comes to nothing', async () => {
  // The left half of the face minus its right half: the mirror image gives the same with the other sign.
  const half = SIZE / 2;
  const split = {
    name: 'halves',
    dtype: 'int64' as const,
    shape: [2],
    data: BigInt64Array.of(BigInt(half), BigInt(half)),
  };
  const sides = (name: string) => ({
    opType: 'ReduceMean',
    inputs: [name],
    outputs: [`${name}:mean`],
    attributes: { axes: [2, 3], keepdims: 0 },
  });
  const bytes = encodeModel({
    opset: 17,
    metadata: manifestMetadata({
      ...{ format: 'hypersphere-model/1', name: 'odd', crop: 'cover-centre', metric: 'cosine' },
      input: { name: 'x', width: SIZE, height: SIZE, order: 'rgb', mean: 0, scale: 1 },
      ...{ template: 'arcface-112', flip: 'sum', embedding: { length: 3, output: 'y' } },
      ...{ trainedOn: 'nothing', licence: 'MIT' },
    } as Manifest),
    graph: {
      name: 'odd',
      inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 3, SIZE, SIZE] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['N', 3] }],
      initializers: [split],
      nodes: [
        { opType: 'Split', inputs: ['x', 'halves'], outputs: ['l', 'r'], attributes: { axis: 3 } },
        ...['l', 'r'].map(sides),
        { opType: 'Sub', inputs: ['l:mean', 'r:mean'], outputs: ['y'] },
      ],
    },
  });
  const face = Uint8Array.from({ length: 3 * SIZE * SIZE }, (_, i) =>
    Math.floor(i / 3) % SIZE < half ? 255 : 0,
  );
  await expect((await open(bytes)).embed([face])).rejects.toThrow(/image 1.*odd.*every number is zero/);
});

test('values that are not finite stop quantize before a range is chosen', async () => {
  const folder = temporaryFolder();
  write(join(folder, 'a.png'), await picture(noise(SIZE, SIZE, 3)));
  const file = join(folder, 'm.onnx');
  const log: OnnxNode[] = [
    { opType: 'Neg', inputs: ['means'], outputs: ['below'] },
    { opType: 'Log', inputs: ['below'], outputs: ['nan'] },
    { opType: 'Gemm', inputs: ['nan', 'w'], outputs: ['y'] },
  ];
  const w = { name: 'w', dtype: 'float32' as const, shape: [3, 3], data: new Float32Array(9).fill(1) };
  const decoded = decodeModel(model({ nodes: log }));
  writeFileSync(file, encodeModel({ ...decoded, graph: { ...decoded.graph, initializers: [w] } }));
  await expect(quantizeModel(file, folder, { threads: 1 })).rejects.toThrow(/not finite/);
});
