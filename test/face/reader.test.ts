// From photographs to templates: every face keeps its own embedding through groups and batches, and one that cannot
// be aligned loses nothing but itself.
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { inputTemplate } from '../../src/face/align/input-template.js';
import { openEmbedder } from '../../src/face/embed/open.js';
import {
  alignFace,
  type Detection,
  faceQuality,
  type Landmarks,
  type Manifest,
  manifestMetadata,
  templateNamed,
} from '../../src/face/index.js';
import { FaceReader, type ReadPhotograph } from '../../src/face/reader.js';
import { encodeModel } from '../../src/lower/onnx.js';
import { openDevice } from '../../src/runtime/index.js';
import { encode, temporaryFolder, write } from '../data/pictures.js';
import { waves } from './align/pictures.js';
import { faceAt, knownPlaces } from './known-places.js';

const SIZE = 14;
const length = 3 * SIZE * SIZE;
const stated = (template: string, order: 'rgb' | 'bgr'): Manifest => ({
  ...{ format: 'hypersphere-model/1', name: `sees ${template}`, crop: 'cover-centre', metric: 'cosine' },
  input: { name: 'images', width: SIZE, height: SIZE, order, mean: 0, scale: 1 },
  ...{
    template,
    flip: 'none',
    embedding: { length, output: 'features' },
    trainedOn: 'nothing',
    licence: 'MIT',
  },
  thresholds: { on: 'nobody', points: [{ fmr: 0.1, threshold: 0.5 }] },
});
/** A model whose embedding is its whole input, so that what it saw can be read off. */
const seeing = (template: string, order: 'rgb' | 'bgr') =>
  encodeModel({
    opset: 17,
    metadata: manifestMetadata(stated(template, order)),
    graph: {
      name: 'see',
      inputs: [{ name: 'images', dtype: 'float32', shape: ['N', 3, SIZE, SIZE] }],
      outputs: [{ name: 'features', dtype: 'float32', shape: ['N', length] }],
      initializers: [],
      nodes: [{ opType: 'Flatten', inputs: ['images'], outputs: ['features'], attributes: { axis: 1 } }],
    },
  });

let reader: FaceReader | undefined;
afterEach(async () => {
  await reader?.close();
  reader = undefined;
});
async function open(
  places: Record<number, readonly Detection[]>,
  ...models: (readonly [template: string, order: 'rgb' | 'bgr'])[]
) {
  const device = await openDevice('cpu', { threads: 1 });
  const embedders = await Promise.all(
    models.map((model) => openEmbedder({ name: model[0], bytes: seeing(...model) }, { device, batch: 5 })),
  );
  const detector = knownPlaces(places);
  reader = new FaceReader(detector, embedders, device);
  return { reader, detector };
}

/** Photographs of the given widths, 100 pixels high; 0 is a file that is no image. */
async function photographs(...widths: number[]): Promise<string[]> {
  const folder = temporaryFolder();
  return Promise.all(
    widths.map(async (width, i) =>
      write(join(folder, `${i}.png`), width === 0 ? '' : await encode(waves(100, width), 100, width, 'png')),
    ),
  );
}
async function readAll(paths: string[], of = reader!) {
  const all = [];
  for await (const item of of.read(paths, { choice: 'all' })) all.push(item);
  return all;
}

/** What the network sees of a face, as planes in its order. */
function planes(
  { photograph }: ReadPhotograph,
  { landmarks }: Detection,
  template: string,
  order: 'rgb' | 'bgr',
) {
  const aligned = alignFace(photograph, landmarks, inputTemplate(stated(template, order)));
  return Float32Array.from({ length }, (_, i) => {
    const plane = Math.floor(i / (SIZE * SIZE));
    return aligned[3 * (i % (SIZE * SIZE)) + (order === 'rgb' ? plane : 2 - plane)]!;
  });
}

const flat = { ...faceAt(0, 0), landmarks: Array(5).fill([40, 40]) as unknown as Landmarks };
const nowhere = { ...faceAt(0, 0), landmarks: Array(5).fill([Number.NaN, 1]) as unknown as Landmarks };
const places = {
  120: [faceAt(2, 3, 0.6)],
  130: [faceAt(0, 0, 0.5), faceAt(40, 20, 0.7), faceAt(10, 10, 0.4)],
  140: [],
  150: [flat, faceAt(20, 5, 0.8), nowhere],
  160: [flat],
  170: Array.from({ length: 40 }, (_, i) => faceAt(i, i / 2, 0.3 + i / 100)),
};

describe('every face', () => {
  test.each(['rgb', 'bgr'] as const)('has the embedding of itself, in any group (%s)', async (order) => {
    await open(places, ['arcface-112', order]);
    const widths = [120, 0, 130, 140, 150, 130, 120, 0, 160, 170, 120, 120, 140, 150, 120, 130, 130, 0, 120];
    const paths = await photographs(...widths);
    const all = await readAll(paths);
    expect(all.map(({ path }) => path)).toEqual(paths);
    const counts: Record<number, number> = { 120: 1, 130: 3, 140: 0, 150: 1, 160: 0, 170: 40 };
    for (const [i, item] of all.entries()) {
      const width = widths[i]!;
      expect('problem' in item).toBe(width === 0);
      if ('problem' in item) continue;
      expect(item.photograph.width).toBe(width);
      expect(item.faces).toHaveLength(counts[width]!);
      for (const face of item.faces) {
        expect(face.embedding).toEqual(planes(item, face.seen, 'arcface-112', order));
        expect(face.aligned).toHaveLength(length);
        expect(face.quality.score).toBeGreaterThanOrEqual(0);
      }
    }
  });

  test('whose landmarks lie in one place or nowhere is left out, and told to be found', async () => {
    await open(places, ['arcface-112', 'rgb']);
    const [some, none] = (await readAll(await photographs(150, 160))) as [ReadPhotograph, ReadPhotograph];
    expect(some.found).toHaveLength(3);
    expect(some.faces.map(({ seen }) => seen)).toEqual([places[150][1]]);
    expect(none.found).toHaveLength(1);
    expect(none.faces).toEqual([]);
  });
});

test('a face is no more blurred for a model that sees few pixels of it', async () => {
  const { reader } = await open(places, ['arcface-112', 'rgb']);
  const [item] = (await readAll(await photographs(120))) as [ReadPhotograph];
  const template = templateNamed('arcface-112', 0);
  const { seen, detection, quality } = item.faces[0]!;
  const whole = faceQuality(detection, alignFace(item.photograph, seen.landmarks, template), template);
  expect(quality).toEqual(whole);
  expect(reader.template.width).toBe(SIZE);
});

describe('several models', () => {
  test('see a face each in its own way, and their unit embeddings are joined', async () => {
    const models = [['arcface-112', 'rgb'] as const, ['sphereface-112x96', 'bgr'] as const];
    const { reader } = await open(places, ...models);
    expect(reader.length).toBe(2 * length);
    expect(reader.manifest).toMatchObject({
      ...{ name: 'sees arcface-112 + sees sphereface-112x96', flip: 'none' },
      embedding: { length: 2 * length },
    });
    expect(reader.manifest.thresholds).toBeUndefined();
    const all = (await readAll(await photographs(130, 150))) as ReadPhotograph[];
    expect(all.map(({ faces }) => faces.length)).toEqual([3, 1]);
    for (const item of all)
      for (const { seen, embedding } of item.faces)
        for (const [m, model] of models.entries()) {
          const alone = planes(item, seen, model[0], model[1]);
          const norm = Math.hypot(...alone) * Math.SQRT2;
          alone.forEach((value, d) => {
            expect(embedding[m * length + d]).toBeCloseTo(value / norm, 5);
          });
        }
  });
});

test('a model that does not say how its faces are aligned is refused with the flag that mends it', async () => {
  await expect(open(places, ['not stated', 'rgb'])).rejects.toThrow(/say it with --template/);
});

test('closing the reader closes its detector', async () => {
  const { reader: opened, detector } = await open(places, ['arcface-112', 'rgb']);
  reader = undefined;
  await opened.close();
  expect(detector.closed).toBe(true);
});
