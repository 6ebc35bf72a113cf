// Our graphs of the package's networks against the package itself under TensorFlow.js (make_face_api_fixture.mjs):
// weights, raw outputs for a formula, and faces in the photographs that come with the package.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Photograph, readPhotograph } from '../../src/data/index.js';
import { overlap } from '../../src/face/detect/boxes.js';
import { findLandmarks, fiveOf, landmarkModel } from '../../src/face/detect/face-api/landmarks68.js';
import { type FaceApiDetector, openFaceApi } from '../../src/face/detect/face-api/open.js';
import { resample } from '../../src/face/detect/face-api/resample.js';
import { decodeHead, SSD_HEADS, SSD_PIXELS, ssdModel } from '../../src/face/detect/face-api/ssd.js';
import { TINY_PIXELS, tinyModel } from '../../src/face/detect/face-api/tiny.js';
import { faceApiModelFolder, readFaceApiWeights } from '../../src/face/models/face-api-weights.js';
import { type Device, type InferenceModel, openDevice } from '../../src/runtime/index.js';

const fixture = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../fixtures/face-api/${name}.json`, import.meta.url), 'utf8')) as T;

interface Face {
  score: number;
  box: [number, number, number, number];
  /** x and y by turns. */
  points: number[];
}
interface Raw {
  /** Every so many priors: top, left, bottom and right as shares of the image, and the score. */
  ssd: { every: number; rows: number[][]; sumOfScores: number };
  full: Record<string, number[]>;
  tiny: Record<string, number[]>;
  /** Channels last. */
  cells: { shape: number[]; data: number[] };
}
const raw = fixture<Raw>('raw');
const samples =
  fixture<{ file: string; width: number; height: number; ssd: Face[]; tiny: Face[] }[]>('samples');

/** The fixture's formula in place of a photograph. */
function formula(height: number, width: number): Photograph {
  const pixels = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return Math.floor(
      127.5 + 127.5 * Math.sin(0.05 * x * (1 + c) + 0.03 * y) * Math.cos(0.041 * y - 0.7 * c),
    );
  });
  return { width, height, pixels, scale: 1 };
}

const whole = ({ width, height }: Photograph) => ({ x: 0, y: 0, width, height });
const sample = (file: string) => readPhotograph(join(faceApiModelFolder(), '..', 'demo', file));

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

describe('weights', () => {
  const checks =
    fixture<Record<string, { name: string; shape: number[]; sum: number; squares: number; last: number }[]>>(
      'weights',
    );

  test.each(Object.keys(checks))('%s is decoded as TensorFlow.js decodes it', (model) => {
    const weights = readFaceApiWeights(model);
    expect([...weights.keys()]).toEqual(checks[model]!.map(({ name }) => name));
    for (const { name, shape, sum, squares, last } of checks[model]!) {
      const weight = weights.get(name)!;
      expect(weight.shape, name).toEqual(shape);
      const length = Math.sqrt(squares);
      const ours = [0, 0];
      for (const v of weight.data) {
        ours[0]! += v;
        ours[1]! += v * v;
      }
      expect(Math.abs(ours[0]! - sum), name).toBeLessThanOrEqual(1e-6 * Math.max(length, Math.abs(sum)));
      expect(Math.abs(ours[1]! - squares), name).toBeLessThanOrEqual(1e-6 * squares);
      expect(weight.data.at(-1), name).toBe(last);
    }
  });
});

describe('networks say of a formula what they say under TensorFlow.js', () => {
  test('SSD: boxes and scores of its priors to 1e-4', async () => {
    const model = await device.load(ssdModel());
    const image = formula(512, 512);
    const data = new Float32Array(3 * 513 * 513);
    resample(image, whole(image), { x: 0, y: 0, step: 1, side: 512 }, SSD_PIXELS, {
      data,
      offset: 0,
      width: 512,
      height: 512,
      rowStride: 513,
      planeStride: 513 * 513,
    });
    const outputs = await model.run({ x: { data, shape: [1, 3, 513, 513] } });
    await model.dispose();
    // A threshold of almost nothing lists all priors, anchor by anchor; the reference goes cell by cell.
    const rows = SSD_HEADS.flatMap(({ priors }, i) => {
      const found = { boxes: [], scores: [] as number[] } as Parameters<typeof decodeHead>[4];
      const output = outputs[`head${i}`] as { data: Float32Array; shape: number[] };
      decodeHead(i, output, 0, 1e-30, found);
      const cells = output.shape[2]! * output.shape[3]!;
      expect(found.scores.length).toBe(cells * priors.length);
      return Array.from({ length: cells * priors.length }, (_, k) => {
        const at = (k % priors.length) * cells + Math.floor(k / priors.length);
        const { x, y, width, height } = found.boxes[at]!;
        return [...[y, x, y + height, x + width].map((v) => v / 512), found.scores[at]!];
      });
    });
    expect(rows.length).toBe(5118);
    expect(rows.reduce((sum, row) => sum + row[4]!, 0)).toBeCloseTo(raw.ssd.sumOfScores, 3);
    raw.ssd.rows.forEach((reference, k) => {
      reference.forEach((v, j) => {
        expect(Math.abs(rows[k * raw.ssd.every]![j]! - v)).toBeLessThan(1e-4);
      });
    });
  });

  test.each(['full', 'tiny'] as const)('the %s landmarks to 1e-4 of the box', async (net) => {
    const model = await device.load(landmarkModel(net));
    for (const [size, reference] of Object.entries(raw[net])) {
      const [width, height] = size.split('x').map(Number) as [number, number];
      const image = formula(height, width);
      const [points] = await findLandmarks(model, [{ photograph: image, box: whole(image) }]);
      // The reference takes half of the padding off, which for an odd one is not a whole pixel; ours is.
      const odd = Math.abs(width - height) % 2 === 1 ? 0.5 : 0;
      points!.forEach(([x, y], k) => {
        const shift = [width < height ? odd : 0, height < width ? odd : 0] as const;
        expect(Math.abs((x - shift[0]) / width - reference[2 * k]!)).toBeLessThan(1e-4);
        expect(Math.abs((y - shift[1]) / height - reference[2 * k + 1]!)).toBeLessThan(1e-4);
      });
    }
    await model.dispose();
  });

  test('the small detector to 1e-3', async () => {
    const model = await device.load(tinyModel(160));
    const image = formula(160, 160);
    const data = new Float32Array(3 * 160 * 160);
    const planes = { data, offset: 0, width: 160, height: 160, rowStride: 160, planeStride: 160 * 160 };
    resample(image, whole(image), { x: 0, y: 0, step: 1, side: 160 }, TINY_PIXELS, planes);
    const { cells } = await model.run({ x: { data, shape: [1, 3, 160, 160] } });
    await model.dispose();
    const [, rows, columns, channels] = raw.cells.shape as [number, number, number, number];
    expect(cells!.shape).toEqual([1, channels, rows, columns]);
    raw.cells.data.forEach((v, i) => {
      const ours = cells!.data[(i % channels) * rows * columns + Math.floor(i / channels)]!;
      expect(Math.abs(ours - v)).toBeLessThan(1e-3);
    });
  });
});

describe.each([
  ['ssd', 'full', 512],
  ['tiny', 'tiny', 416],
] as const)('the photographs of the package: %s', (net, landmarks, size) => {
  let detector: FaceApiDetector;
  let points: InferenceModel;
  beforeAll(async () => {
    detector = await openFaceApi({ device, net, landmarks, inputSizes: [size] });
    points = await device.load(landmarkModel(landmarks));
  });
  afterAll(async () => {
    await detector.close();
    await points.dispose();
  });

  test.each(samples)('$file: the same faces', async ({ file, width, height, [net]: reference }) => {
    const photograph = await sample(file);
    expect([photograph.width, photograph.height]).toEqual([width, height]);
    const [faces] = await detector.detect([photograph]);
    expect(faces!.length).toBe(reference.length);
    reference.forEach(({ score, box, points: theirs }, i) => {
      const { box: ours, score: ourScore, points, landmarks: five } = faces![i]!;
      expect(Math.abs(ourScore - score)).toBeLessThan(2e-3);
      // It rounds the photograph's lengths when it undoes the padding, half a pixel of its input at most.
      [ours.x, ours.y, ours.width, ours.height].forEach((v, k) => {
        expect(Math.abs(v - box[k]!)).toBeLessThan(0.005 * box[2]!);
      });
      expect(five).toEqual(fiveOf(points));
      // A box cut off to other whole pixels moves landmarks a little; see the next test for the same box.
      const far = points.map(([x, y], k) => Math.hypot(x - theirs[2 * k]!, y - theirs[2 * k + 1]!));
      expect(far.reduce((sum, d) => sum + d, 0) / far.length).toBeLessThan(0.03 * box[2]!);
    });
  });

  test.each(samples)('$file: the same landmarks in the same boxes', async ({ file, [net]: reference }) => {
    const photograph = await sample(file);
    const faces = reference.map(({ box: [x, y, width, height] }) => ({
      photograph,
      box: { x, y, width, height },
    }));
    const found = await findLandmarks(points, faces);
    reference.forEach(({ box, points: theirs }, i) => {
      const [w, h] = [Math.floor(box[2]), Math.floor(box[3])];
      // It puts landmarks behind the box's corner with its fractions; ours are where the pixels were cut out. And
      // half of an odd padding is no whole pixel.
      const odd = Math.abs(w - h) % 2 === 1 ? 0.5 : 0;
      const shift = [(box[0] % 1) - (w < h ? odd : 0), (box[1] % 1) - (h < w ? odd : 0)] as const;
      found[i]!.forEach(([x, y], k) => {
        expect(Math.abs(x + shift[0] - theirs[2 * k]!)).toBeLessThan(0.1);
        expect(Math.abs(y + shift[1] - theirs[2 * k + 1]!)).toBeLessThan(0.1);
      });
    });
  });
});

describe('the detector', () => {
  let detector: FaceApiDetector;
  beforeAll(async () => {
    detector = await openFaceApi({ device });
  });
  afterAll(() => detector.close());
  const blank = (width: number, height: number): Photograph => ({
    width,
    height,
    pixels: new Uint8Array(width * height * 3),
    scale: 1,
  });

  test('finds nothing where nothing is, in images of any shape', async () => {
    const shapes = [
      [1, 1],
      [3, 5000],
      [5000, 2],
      [640, 480],
      [33, 31],
    ] as const;
    expect(await detector.detect(shapes.map(([w, h]) => blank(w, h)))).toEqual(shapes.map(() => []));
    expect(await detector.detect([])).toEqual([]);
  });

  test('finds in several photographs of different sizes what it finds in each', async () => {
    const mixed = [await sample('sample1.jpg'), blank(1, 1), await sample('sample4.jpg'), formula(90, 300)];
    // Six of one shape are more than one run takes.
    const photographs = [...mixed, ...new Array<Photograph>(5).fill(mixed[2]!)];
    const together = await detector.detect(photographs);
    for (const [i, photograph] of photographs.entries()) {
      const [alone] = await detector.detect([photograph]);
      expect(together[i]!.length).toBe(alone!.length);
      alone!.forEach(({ box, score, landmarks }, k) => {
        const other = together[i]![k]!;
        expect(other.score).toBeCloseTo(score, 4);
        expect(other.box.x).toBeCloseTo(box.x, 1);
        expect(other.landmarks.flat().map((v, j) => Math.abs(v - landmarks.flat()[j]!) < 0.1)).toEqual(
          new Array(10).fill(true),
        );
      });
    }
  });

  test('gives boxes inside the photograph, best score first, that do not overlap', async () => {
    const photograph = await sample('sample5.jpg');
    const [faces] = await detector.detect([photograph]);
    expect(faces!.length).toBeGreaterThan(3);
    faces!.forEach(({ box, score, points }, i) => {
      expect(points.length).toBe(68);
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.y).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(photograph.width + 1e-6);
      expect(box.y + box.height).toBeLessThanOrEqual(photograph.height + 1e-6);
      for (const before of faces!.slice(0, i)) {
        expect(before.score).toBeGreaterThanOrEqual(score);
        expect(overlap(before.box, box)).toBeLessThanOrEqual(0.5);
      }
    });
  });

  test('finds a face in half of its photograph again, at its place', async () => {
    const { width, height, pixels } = await sample('sample1.jpg');
    const [whole] = await detector.detect([{ width, height, pixels, scale: 1 }]);
    const left = Math.floor(width / 2);
    const part = new Uint8Array((width - left) * height * 3);
    for (let y = 0; y < height; y++)
      part.set(pixels.subarray((y * width + left) * 3, (y + 1) * width * 3), y * (width - left) * 3);
    const [half] = await detector.detect([{ width: width - left, height, pixels: part, scale: 1 }]);
    const expected = whole!.filter(({ box }) => box.x > left);
    expect(expected.length).toBeGreaterThan(0);
    for (const { box } of expected) {
      expect(Math.max(...half!.map((f) => overlap({ ...f.box, x: f.box.x + left }, box)))).toBeGreaterThan(
        0.8,
      );
    }
  });

  test('a face that fills the photograph, too large for the first look, is found at half the size', async () => {
    const photograph = await sample('sample1.jpg');
    const [faces] = await detector.detect([photograph]);
    const { box } = faces![0]!;
    const margin = 0.1;
    const [x, y] = [Math.floor(box.x - margin * box.width), Math.floor(box.y - margin * box.height)];
    const [w, h] = [box.width, box.height].map((v) => Math.ceil(v * (1 + 2 * margin))) as [number, number];
    const near = new Uint8Array(w * h * 3);
    for (let row = 0; row < h; row++) {
      const from = ((y + row) * photograph.width + x) * 3;
      near.set(photograph.pixels.subarray(from, from + w * 3), row * w * 3);
    }
    const [found] = await detector.detect([{ width: w, height: h, pixels: near, scale: 1 }]);
    expect(found!.length).toBe(1);
    expect(
      overlap({ ...found![0]!.box, x: found![0]!.box.x + x, y: found![0]!.box.y + y }, box),
    ).toBeGreaterThan(0.7);
  });

  test('drops faces that are too narrow, or too unsure', async () => {
    const photograph = await sample('sample1.jpg');
    const [all] = await detector.detect([photograph]);
    const widths = all!.map(({ box }) => box.width).sort((a, b) => a - b);
    const minFace = (widths[0]! + widths[1]!) / 2;
    const wide = await openFaceApi({ device, minFace });
    expect((await wide.detect([photograph]))[0]).toEqual(all!.filter(({ box }) => box.width >= minFace));
    await wide.close();
    const threshold = (all![0]!.score + all![1]!.score) / 2;
    const sure = await openFaceApi({ device, threshold });
    expect((await sure.detect([photograph]))[0]!.map(({ score }) => score)).toEqual([all![0]!.score]);
    await sure.close();
  });

  test.each([
    [{ inputSizes: [500] }, 'inputSizes must be multiples of 32, not 500'],
    [{ inputSizes: [] }, 'inputSizes must have at least one length'],
    [{ threshold: 0 }, 'the threshold of this detector must lie between 0 and 1, not at 0'],
  ])('refuses %j', async (options, message) => {
    await expect(openFaceApi({ device, ...options })).rejects.toThrow(message);
  });
});
