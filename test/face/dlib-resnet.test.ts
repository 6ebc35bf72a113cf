// The built-in recogniser against descriptors that @vladmandic/face-api itself computed (the fixture's maker is
// test/fixtures/make_dlib_fixture.mjs), opened by its name like any other model.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPhotograph } from '../../src/data/index.js';
import { inputTemplate } from '../../src/face/align/input-template.js';
import { templatePoints } from '../../src/face/align/template.js';
import { dlibResnetManifest, type Embedder, openEmbedder, sha256 } from '../../src/face/index.js';
import { builtInRecogniser, dlibResnet, dlibResnetWeights } from '../../src/face/models/dlib-resnet.js';
import { faceApiModelFolder, readFaceApiWeights } from '../../src/face/models/face-api-weights.js';
import { nameOf, sizeOf, topological } from '../../src/graph/index.js';

const SIZE = 150;
const { formulas, samples } = JSON.parse(
  readFileSync(new URL('../fixtures/dlib/descriptors.json', import.meta.url), 'utf8'),
) as {
  formulas: { seed: number; descriptor: number[] }[];
  samples: { file: string; left: number; top: number; side: number; descriptor: number[] }[];
};

/** The maker's images: waves of three frequencies and a little hash noise. */
const formula = (seed: number) =>
  Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, i) => {
    const c = i % 3;
    const x = Math.floor(i / 3) % SIZE;
    const y = Math.floor(i / (3 * SIZE));
    const wave = Math.sin((x * (seed + 2)) / 17 + c) + Math.cos((y * (seed + 1)) / 23 - c);
    const noise = ((x * 7919 + y * 104729 + c * 1299709 + seed * 15485863) % 61) - 30;
    return Math.max(0, Math.min(255, Math.round(127 + 50 * wave + noise)));
  });

/** The maker's squares of a sample photograph, 150 x 150 by the nearest pixels. */
async function crop({ file, left, top, side }: (typeof samples)[number]): Promise<Uint8Array> {
  const { pixels, width } = await readPhotograph(join(dirname(faceApiModelFolder()), 'demo', file));
  return Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, i) => {
    const x = left + Math.floor((((Math.floor(i / 3) % SIZE) + 0.5) * side) / SIZE);
    const y = top + Math.floor(((Math.floor(i / (3 * SIZE)) + 0.5) * side) / SIZE);
    return pixels[(y * width + x) * 3 + (i % 3)]!;
  });
}

const largestDifference = (a: ArrayLike<number>, b: readonly number[]) => {
  expect(a.length).toBe(b.length);
  return Math.max(...b.map((value, i) => Math.abs(value - a[i]!)));
};

describe('descriptors', () => {
  // face-api divides by 255 where dlib, and our manifest, divides by 256.
  const asFaceApi = { flip: 'none', input: { scale: 1 / 255 } } as const;
  let theirs: Embedder;
  let ours: Embedder;
  beforeAll(async () => {
    theirs = await openEmbedder('dlib-resnet-128', { threads: 1, manifest: asFaceApi });
    ours = await openEmbedder('dlib-resnet-128', { threads: 1, manifest: { flip: 'none' } });
  });
  afterAll(() => Promise.all([theirs?.close(), ours?.close()]));

  test("of made images are the package's own", async () => {
    const found = await theirs.embed(formulas.map(({ seed }) => formula(seed)));
    formulas.forEach(({ descriptor }, i) => {
      expect(largestDifference(found.subarray(i * 128, (i + 1) * 128), descriptor)).toBeLessThan(1e-5);
    });
  });

  test("of faces in the package's photographs are the package's own", async () => {
    const faces = await Promise.all(samples.map(crop));
    const found = await theirs.embed(faces);
    samples.forEach(({ descriptor }, i) => {
      // Another JPEG decoder may round pixels otherwise.
      expect(largestDifference(found.subarray(i * 128, (i + 1) * 128), descriptor)).toBeLessThan(1e-3);
    });
  });

  test("with dlib's division by 256 stay within 1e-3 of the package's", async () => {
    const found = await ours.embed(await Promise.all(samples.map(crop)));
    samples.forEach(({ descriptor }, i) => {
      const difference = largestDifference(found.subarray(i * 128, (i + 1) * 128), descriptor);
      expect(difference).toBeGreaterThan(1e-5);
      expect(difference).toBeLessThan(1e-3);
    });
  });
});

test('the file says what it is and how a face is prepared', async () => {
  const bytes = builtInRecogniser();
  const embedder = await openEmbedder({ name: 'bytes', bytes });
  try {
    expect(embedder.manifest).toEqual({ ...dlibResnetManifest, sha256: sha256(bytes) });
    expect(embedder.length).toBe(128);
  } finally {
    await embedder.close();
  }
});

test("the template is dlib's mean face with a quarter of its size around it", () => {
  // get_face_chip_details of dlib/image_transforms/interpolation.h: points 36..41, 42..47, 30, 48 and 54 of 68.
  const eye = [
    [0.121737, 0.216423],
    [0.187122, 0.178758],
    [0.265825, 0.179852],
    [0.334606, 0.231733],
    [0.260918, 0.245099],
    [0.182743, 0.244077],
  ] as const;
  const other = [
    [0.645647, 0.231733],
    [0.714428, 0.179852],
    [0.793132, 0.178758],
    [0.858516, 0.216423],
    [0.79751, 0.244077],
    [0.719335, 0.245099],
  ] as const;
  const mean = (points: readonly (readonly [number, number])[]) =>
    [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis as 0 | 1], 0) / points.length);
  const face = [mean(eye), mean(other), [0.490127, 0.515625], [0.254149, 0.780233], [0.726104, 0.780233]];
  const template = inputTemplate(dlibResnetManifest);
  expect([template.width, template.height]).toEqual([SIZE, SIZE]);
  templatePoints(template).forEach((point, i) => {
    // The middle of the unit square, dlib's 75, lies on the middle of the pixels, 74.5.
    point.forEach((at, axis) => {
      expect(at).toBeCloseTo(((face[i]![axis]! - 0.5) / 1.5) * SIZE + 74.5, 3);
    });
  });
});

test('the thresholds rise as fewer false matches are wanted', () => {
  const { points } = dlibResnetManifest.thresholds!;
  for (const [k, { fmr, threshold }] of points.entries()) {
    expect(threshold).toBeLessThan(1);
    if (k > 0) expect(fmr < points[k - 1]!.fmr && threshold > points[k - 1]!.threshold).toBe(true);
  }
});

test('the graph has 29 convolutions and a weight for every parameter', () => {
  const nodes = topological([dlibResnet().embedding]);
  expect(nodes.filter(({ op }) => op === 'conv2d')).toHaveLength(29);
  const weights = dlibResnetWeights();
  const parameters = nodes.filter(({ op }) => op === 'parameter');
  expect(parameters.map(nameOf).sort()).toEqual([...weights.keys()].sort());
  for (const node of parameters) expect(weights.get(nameOf(node))!.length).toBe(sizeOf(node.shape));
});

test('a weight that the file lacks is named', () => {
  const weights = readFaceApiWeights('face_recognition_model');
  weights.delete('conv128_1/conv2/scale/biases');
  expect(() => dlibResnetWeights(weights)).toThrow("no weight 'conv128_1/conv2/scale/biases'");
});
