// Faces carried from one template to another: SphereFace's and ArcFace's differ by eight pixels and nothing else, so
// what the network then sees is known pixel by pixel.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import {
  bothRealigned,
  carryFrom,
  inputTemplate,
  type Manifest,
  manifestMetadata,
  needsCarrying,
  openEmbedder,
  templateNamed,
} from '../../src/face/index.js';
import { encodeModel } from '../../src/lower/onnx.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SIZE = 112;
const length = 3 * SIZE * SIZE;

/** What a model says whose embedding is its whole input, bytes as they are. */
function manifestOf(order: 'rgb' | 'bgr', template: string, [height, width] = [SIZE, SIZE]): Manifest {
  return {
    format: 'hypersphere-model/1',
    name: 'see',
    input: { name: 'images', width, height, order, mean: 0, scale: 1 },
    crop: 'cover-centre',
    template,
    flip: 'none',
    embedding: { length, output: 'features' },
    metric: 'cosine',
    trainedOn: 'nothing',
    licence: 'MIT',
  };
}

function seeing(order: 'rgb' | 'bgr', template: string): Uint8Array {
  return encodeModel({
    opset: 17,
    metadata: manifestMetadata(manifestOf(order, template)),
    graph: {
      name: 'see',
      inputs: [{ name: 'images', dtype: 'float32', shape: ['N', 3, SIZE, SIZE] }],
      outputs: [{ name: 'features', dtype: 'float32', shape: ['N', length] }],
      initializers: [],
      nodes: [{ opType: 'Flatten', inputs: ['images'], outputs: ['features'], attributes: { axis: 1 } }],
    },
  });
}

const pixel = (x: number, y: number, plane: number, face: number) =>
  (x * 2 + y * (face + 1) + plane * 70) % 256;
const paths = await Promise.all(
  [0, 1].map(async (face) => {
    const path = join(folder, `${face}.png`);
    const pixels = Uint8Array.from({ length: 112 * 96 * 3 }, (_, i) =>
      pixel(Math.floor(i / 3) % 96, Math.floor(i / (3 * 96)), i % 3, face),
    );
    await sharp(pixels, { raw: { width: 96, height: 112, channels: 3 } })
      .png()
      .toFile(path);
    return path;
  }),
);

test.each([
  ['rgb', 'black'],
  ['rgb', 'replicate'],
  ['bgr', 'black'],
] as const)(
  '%s: a SphereFace face lies eight columns further right for ArcFace, beside it %s',
  async (order, border) => {
    const embedder = await openEmbedder({ name: 'see', bytes: seeing(order, 'arcface-112@0') }, { batch: 2 });
    try {
      const from = templateNamed('sphereface-112x96@0');
      const progress: number[] = [];
      const { original, mirrored } = await bothRealigned(embedder, paths, from, {
        border,
        onProgress: (done) => progress.push(done),
      });
      expect(progress).toEqual([2]);
      const at = (face: number, plane: number, y: number, x: number) =>
        ((face * 3 + plane) * SIZE + y) * SIZE + x;
      let different = 0;
      for (const face of [0, 1])
        for (const plane of [0, 1, 2])
          for (let y = 0; y < SIZE; y++)
            for (let x = 0; x < SIZE; x++) {
              const colour = order === 'rgb' ? plane : 2 - plane;
              const inside = x >= 8 && x < 104;
              const column = Math.min(Math.max(x - 8, 0), 95);
              const expected = inside || border === 'replicate' ? pixel(column, y, colour, face) : 0;
              // The black border begins between two pixels; rounding leaves the edge's own columns as they are.
              if (Math.abs(original[at(face, plane, y, x)]! - expected) > 1) different++;
              if (mirrored[at(face, plane, y, SIZE - 1 - x)] !== original[at(face, plane, y, x)]) different++;
            }
      expect(different).toBe(0);
    } finally {
      await embedder.close();
    }
  },
);

test('a model that does not name its template is told so', async () => {
  const embedder = await openEmbedder({ name: 'see', bytes: seeing('rgb', 'not stated') });
  try {
    await expect(bothRealigned(embedder, paths, templateNamed('arcface'))).rejects.toThrow(
      'does not say how its faces are aligned',
    );
  } finally {
    await embedder.close();
  }
});

test('faces that only have to be scaled or cropped as in the training are not carried', () => {
  const needs = (from: string, template: string, size?: [number, number]) =>
    needsCarrying(manifestOf('rgb', template, size), templateNamed(from));
  expect(needs('arcface', 'arcface-112@0')).toBe(false);
  expect(needs('arcface', 'arcface-112@0', [64, 64])).toBe(false);
  expect(needs('arcface/upper', 'arcface-112/upper@0', [56, 48])).toBe(false);
  expect(needs('arcface', 'sphereface-112x96@0', [112, 96])).toBe(false);
  expect(needs('arcface', 'sphereface-112x96@1', [112, 96])).toBe(true);
  expect(needs('arcface', 'arcface-112/upper@0')).toBe(true);
  expect(needs('arcface', 'dlib-150', [150, 150])).toBe(true);
});

test('every published template serves every other, and a patch serves none of them', () => {
  const names = ['arcface-112@0', 'sphereface-112x96@1', 'dlib-150@0'];
  for (const name of names) {
    const { width, height } = templateNamed(name);
    const manifest = manifestOf('rgb', name, [height, width]);
    expect(inputTemplate(manifest).points).toEqual(templateNamed(name).points);
    for (const from of names.filter((other) => other !== name))
      expect(carryFrom(manifest, folder, templateNamed(from))?.name).toBe(from.slice(0, -2));
    expect(() => carryFrom(manifest, folder, templateNamed('arcface/upper'))).toThrow(
      /\(arcface-112\/upper@0\) show \d\d % of what see looks at/,
    );
  }
});

test('a face of another size than its template says is refused', async () => {
  const embedder = await openEmbedder({ name: 'see', bytes: seeing('rgb', 'sphereface-112x96@1') });
  try {
    await expect(bothRealigned(embedder, paths, templateNamed('arcface'))).rejects.toThrow(
      /is 96 x 112 pixels, and faces on arcface-112@0 are 112 x 112$/,
    );
  } finally {
    await embedder.close();
  }
});
