// One photograph however it was cut, lit, compressed or mirrored, against other photographs: drawn ones, whose
// correlation is known, and where they are at hand real ones that were told apart by eye.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { readPhotograph } from '../../src/data/index.js';
import { faceDetail, photographLikeness } from '../../src/evaluate/overlap/same-photograph.js';
import { similarity, templateNamed, templatePoints, warp } from '../../src/face/index.js';

/** A scene of soft spots, as a function of place: what any photograph of it samples. */
function scene(seed: number, spots = 60): (x: number, y: number) => number {
  const draw = random(seed, 'scene');
  const all = Array.from({ length: spots }, () => ({
    ...{ x: 140 * draw.uniform() - 14, y: 140 * draw.uniform() - 14 },
    ...{ size: 3 + 9 * draw.uniform(), height: 25 * draw.normal() },
  }));
  return (x, y) =>
    all.reduce(
      (sum, s) => sum + s.height * Math.exp(-((x - s.x) ** 2 + (y - s.y) ** 2) / (2 * s.size ** 2)),
      128,
    );
}

interface Taking {
  turn?: number;
  scale?: number;
  dx?: number;
  dy?: number;
  mirror?: boolean;
  light?: (value: number) => number;
  side?: number;
}

/** A photograph [side, side] of a scene of 112 x 112. */
function taken(of: (x: number, y: number) => number, how: Taking = {}) {
  const { turn = 0, scale = 1, dx = 0, dy = 0, mirror = false, light = (v) => v, side = 112 } = how;
  const [cos, sin] = [Math.cos(turn) / scale, Math.sin(turn) / scale];
  const pixels = new Uint8Array(3 * side * side);
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      const u = ((column + 0.5) / side) * 112 - 56;
      const v = ((row + 0.5) / side) * 112 - 56;
      const x = 56 + dx + cos * u - sin * v;
      const value = light(of(mirror ? 112 - x : x, 56 + dy + sin * u + cos * v));
      pixels.fill(
        Math.min(255, Math.max(0, Math.round(value))),
        3 * (row * side + column),
        3 * (row * side + column) + 3,
      );
    }
  return { width: side, height: side, pixels };
}

const likeness = (a: ReturnType<typeof taken>, b: ReturnType<typeof taken>) =>
  photographLikeness(faceDetail(a), faceDetail(b));

describe('one photograph', () => {
  const whole = taken(scene(1));
  const cuts: [string, Taking][] = [
    ['itself', {}],
    ['moved', { dx: 3.3, dy: -4.1 }],
    ['larger', { scale: 1.05 }],
    ['turned', { turn: 0.06 }],
    ['all of these', { dx: -2.5, dy: 2, scale: 0.96, turn: -0.04 }],
    ['mirrored', { mirror: true, dx: 1.5 }],
    ['in another light', { light: (v) => 60 + 0.4 * v }],
    ['with another curve of grey', { light: (v) => 255 * (Math.max(0, v) / 255) ** 1.3 }],
    ['of another size', { side: 80 }],
  ];
  test.each(cuts)('%s', (_, how) => {
    expect(likeness(whole, taken(scene(1), how))).toBeGreaterThan(0.98);
    expect(likeness(taken(scene(1), how), whole)).toBeGreaterThan(0.98);
  });

  test('compressed hard', async () => {
    const raw = { raw: { width: 112, height: 112, channels: 3 as const } };
    const jpeg = await sharp(whole.pixels, raw).jpeg({ quality: 15 }).toBuffer();
    const pixels = new Uint8Array(await sharp(jpeg).raw().toBuffer());
    expect(likeness(whole, { ...whole, pixels })).toBeGreaterThan(0.95);
  });

  test('another scene is another photograph', () => {
    for (let seed = 2; seed < 14; seed++) expect(likeness(whole, taken(scene(seed)))).toBeLessThan(0.85);
  });

  test('a plain area is like nothing, itself included', () => {
    const plain = taken(() => 100);
    expect(likeness(plain, plain)).toBe(0);
    expect(likeness(plain, whole)).toBe(0);
  });
});

test('the correlation is the one of plain loops where faces already lie on each other', () => {
  const [a, b] = [faceDetail(taken(scene(1))), faceDetail(taken(scene(30)))];
  const mixed = a.map((value, i) => 0.9 * value + 0.3 * b[i]!);
  const middle = (detail: Float32Array) =>
    [...detail].filter((_, i) => {
      const [x, y] = [i % 64, Math.floor(i / 64)];
      return x >= 8 && x < 56 && y >= 8 && y < 56;
    });
  const [p, q] = [middle(a), middle(mixed)];
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mp, mq] = [mean(p), mean(q)];
  const product = (x: number[], mx: number, y: number[], my: number) =>
    x.reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0);
  const expected = product(p, mp, q, mq) / Math.sqrt(product(p, mp, p, mp) * product(q, mq, q, mq));
  expect(expected).toBeGreaterThan(0.8);
  const found = photographLikeness(a, mixed);
  expect(found).toBeGreaterThan(expected - 1e-6);
  expect(found).toBeLessThan(expected + 0.03);
});

test('a face on another template is laid on the first one', () => {
  const [arcface, other] = [templateNamed('arcface'), templateNamed('sphereface')];
  const photograph = taken(scene(1, 200), { side: 224 });
  // The same points of the photograph become the landmarks of either template.
  const landmarks = templatePoints(arcface).map(([x, y]) => [56 + x, 56 + y] as const);
  const on = ({ width, height, ...template }: typeof arcface) => ({
    ...{ width, height },
    pixels: warp(photograph, similarity(landmarks as never, templatePoints({ width, height, ...template })), {
      width,
      height,
    }),
  });
  const [a, b] = [on(arcface), on(other)];
  const carried = photographLikeness(faceDetail(a), faceDetail(b, { from: other, to: arcface }));
  expect(carried).toBeGreaterThan(0.99);
  expect(photographLikeness(faceDetail(a), faceDetail(b))).toBeLessThan(carried - 0.005);
});

const shared = fileURLToPath(new URL('../../../shared/data', import.meta.url));
const there = existsSync(join(shared, 'lfw/aligned-112')) && existsSync(join(shared, 'celeba-wild-112'));
describe.skipIf(!there)('real faces, told apart by eye (../shared/data)', () => {
  const face = async (path: string) =>
    faceDetail(
      await readPhotograph(join(shared, /^\d/.test(path) ? 'celeba-wild-112' : 'lfw/aligned-112', path)),
    );
  const one = [
    ['7261/155630.jpg', 'Nicole_Hiltz/Nicole_Hiltz_0001.jpg'],
    ['Bart_Hendricks/Bart_Hendricks_0001.jpg', 'Ricky_Ray/Ricky_Ray_0001.jpg'],
    ['Emmy_Rossum/Emmy_Rossum_0001.jpg', 'Eva_Amurri/Eva_Amurri_0001.jpg'],
    ['7310/196663.jpg', '7312/146291.jpg'], // mirrored
  ];
  const other = [
    ['7398/048718.jpg', 'Oxana_Fedorova/Oxana_Fedorova_0004.jpg'],
    ['7218/082366.jpg', 'Daniel_Zelman/Daniel_Zelman_0001.jpg'],
    ['Roh_Moo-hyun/Roh_Moo-hyun_0017.jpg', 'Roh_Moo-hyun/Roh_Moo-hyun_0018.jpg'],
    ['7386/074299.jpg', 'Amporn_Falise/Amporn_Falise_0001.jpg'],
  ];
  test.each(one)('%s and %s are one photograph', async (a, b) => {
    expect(photographLikeness(await face(a!), await face(b!))).toBeGreaterThan(0.98);
  });
  test.each(other)('%s and %s are not', async (a, b) => {
    expect(photographLikeness(await face(a!), await face(b!))).toBeLessThan(0.9);
  });
});
