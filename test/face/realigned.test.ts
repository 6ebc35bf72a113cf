// Faces carried from one template to another: SphereFace's and ArcFace's differ by eight pixels and nothing else, so
// what the network then sees is known pixel by pixel.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import {
  bothRealigned,
  type Manifest,
  manifestMetadata,
  openEmbedder,
  templateNamed,
} from '../../src/face/index.js';
import { encodeModel } from '../../src/lower/onnx.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SIZE = 112;
const length = 3 * SIZE * SIZE;

/** A model whose embedding is its whole input, bytes as they are. */
function seeing(order: 'rgb' | 'bgr', template: string): Uint8Array {
  const manifest: Manifest = {
    format: 'hypersphere-model/1',
    name: 'see',
    input: { name: 'images', width: SIZE, height: SIZE, order, mean: 0, scale: 1 },
    crop: 'cover-centre',
    template,
    flip: 'none',
    embedding: { length, output: 'features' },
    metric: 'cosine',
    trainedOn: 'nothing',
    licence: 'MIT',
  };
  return encodeModel({
    opset: 17,
    metadata: manifestMetadata(manifest),
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
