// Photographs on their side: what is found in them is in their own pixels, and an upright one is looked at once.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Photograph } from '../../src/data/index.js';
import { plausibility } from '../../src/face/detect/plausibility.js';
import { detectTurned, turnDetection, turnPixels, uprightRoll } from '../../src/face/detect/turn.js';
import {
  type Detection,
  type Detector,
  type Landmarks,
  type Turn,
  templateNamed,
} from '../../src/face/index.js';
import { pose } from '../../src/face/pose.js';
import { noise } from '../data/pictures.js';

const picture = (width: number, height: number): Photograph => ({
  ...{ width, height, scale: 1 },
  pixels: noise(height, width, 3),
});
const pixel = ({ width, pixels }: Photograph, x: number, y: number) =>
  Array.from(pixels.subarray(3 * (y * width + x), 3 * (y * width + x) + 3));

const box = { x: 12, y: 13, width: 80, height: 100 };
/** A face whose landmarks are those of an upright one in a box that fits them. */
const upright = (score = 0.9): Detection => ({
  ...{ score, box },
  landmarks: templateNamed('arcface').points.map(([x, y]) => [x, y]) as unknown as Landmarks,
});
const turns = [0, 90, 180, 270] as const;

describe('a turn', () => {
  test.each(turns)('of %i degrees carries pixels and points alike', (turn) => {
    const photograph = picture(7, 4);
    const turned = turnPixels(photograph, turn);
    expect(turned.width * turned.height).toBe(28);
    for (let y = 0; y < 4; y++)
      for (let x = 0; x < 7; x++) {
        const at = { ...upright(), landmarks: Array(5).fill([x, y]) as unknown as Landmarks };
        const [[tx, ty]] = turnDetection(at, photograph, turn).landmarks;
        expect(pixel(turned, tx, ty)).toEqual(pixel(photograph, x, y));
      }
  });

  test('clockwise of a quarter brings the upper left corner to the upper right', () => {
    const photograph = picture(7, 4);
    const turned = turnPixels(photograph, 90);
    expect([turned.width, turned.height]).toEqual([4, 7]);
    expect(pixel(turned, 3, 0)).toEqual(pixel(photograph, 0, 0));
  });

  test('and what is left of a whole one change nothing', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...turns),
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 400 }),
        (turn, width, height) => {
          const whole = {
            ...upright(),
            landmarks: upright().landmarks.map((point) => point.map(Math.round)) as unknown as Landmarks,
          };
          const there = turnDetection(whole, { width, height }, turn);
          const size = turn % 180 === 0 ? { width, height } : { width: height, height: width };
          expect(turnDetection(there, size, ((360 - turn) % 360) as Turn)).toEqual(whole);
        },
      ),
    );
  });

  test.each(turns)('of %i degrees rolls a head by as much, which is left out of its pose', (turn) => {
    const { landmarks } = turnDetection(upright(), { width: 300, height: 200 }, turn);
    const before = pose(upright().landmarks).roll;
    expect(uprightRoll(pose(landmarks).roll, turn)).toBeCloseTo(before, 6);
  });
});

/** A detector that sees a face only in photographs turned clockwise by `turned`: it knows the upper left pixel. */
function sees(original: Photograph, faces: Partial<Record<Turn, Detection[]>>, trust?: Detector['trust']) {
  const asked: Turn[] = [];
  const detector: Detector = {
    ...{ name: 'sees', threshold: 0.5, ...(trust && { trust }) },
    async detect(photographs) {
      return photographs.map(({ pixels }) => {
        const turn = turns.find((each) => {
          const copy = turnPixels(original, each).pixels;
          return copy.every((value, i) => value === pixels[i]);
        })!;
        asked.push(turn);
        return faces[turn] ?? [];
      });
    },
    async close() {},
  };
  return { detector, asked };
}
const trust = { upright: 0.85, face: 0.6 };
const photograph = picture(240, 130);
const poor: Detection = {
  ...upright(0.9),
  landmarks: upright().landmarks.map(([x, y]) => [x / 3, y / 3]) as unknown as Landmarks,
};

describe('a photograph', () => {
  test('with a good face is looked at once', async () => {
    const { detector, asked } = sees(photograph, { 0: [upright()] }, trust);
    expect(await detectTurned(detector, [photograph])).toEqual([{ turned: 0, found: [upright()] }]);
    expect(asked).toEqual([0]);
  });

  test.each([90, 180, 270] as const)(
    'turned by %i degrees has its faces in its own pixels',
    async (turned) => {
      // Seen upright when the photograph is turned back.
      const back = (360 - turned) as Turn;
      const { detector, asked } = sees(photograph, { 0: [poor], [back]: [upright(0.99)] }, trust);
      const [seen] = await detectTurned(detector, [photograph]);
      expect(asked).toHaveLength(4);
      expect(seen!.turned).toBe(turned);
      const size = turned === 180 ? photograph : { width: 130, height: 240 };
      expect(seen!.found).toEqual([turnDetection(upright(0.99), size, turned)]);
      const roll = pose(seen!.found[0]!.landmarks).roll;
      expect(uprightRoll(roll, turned)).toBeCloseTo(pose(upright().landmarks).roll, 6);
    },
  );

  test('whose largest face is poor is searched, though a small one is good', async () => {
    const small = { ...upright(0.99) };
    const large = { ...poor, box: { x: 0, y: 0, width: 120, height: 120 } };
    const { detector, asked } = sees(photograph, { 0: [small, large] }, trust);
    const [seen] = await detectTurned(detector, [photograph]);
    expect(asked).toHaveLength(4);
    expect(seen).toEqual({ turned: 0, found: [small, large] });
  });

  test('without a face anywhere has none, and is upright', async () => {
    const { detector } = sees(photograph, {}, trust);
    expect(await detectTurned(detector, [photograph])).toEqual([{ turned: 0, found: [] }]);
  });

  test('is looked at once by a detector of which nothing is known, or that is never doubted', async () => {
    for (const known of [undefined, { upright: 0, face: 0.5 }]) {
      const { detector, asked } = sees(photograph, { 0: [poor], 90: [upright(0.99)] }, known);
      expect((await detectTurned(detector, [photograph]))[0]!.turned).toBe(0);
      expect(asked).toEqual([0]);
    }
  });
});

describe('a face is plausible', () => {
  test('by its score, when its landmarks fill the box as those of a face do', () => {
    expect(plausibility(upright(0.8))).toBeCloseTo(0.8, 6);
  });

  test('less, the nearer together its landmarks are; and not at all in one place or nowhere', () => {
    const shrunk = (times: number) => ({
      ...upright(0.9),
      landmarks: upright().landmarks.map(([x, y]) => [x * times, y * times]) as unknown as Landmarks,
    });
    const steps = [1, 0.7, 0.5, 0.3, 0].map((times) => plausibility(shrunk(times)));
    for (let i = 1; i < steps.length; i++) expect(steps[i]!).toBeLessThan(steps[i - 1]!);
    expect(steps.at(-1)).toBe(0);
    expect(plausibility(shrunk(Number.NaN))).toBe(0);
    expect(plausibility({ ...upright(), box: { ...box, width: 0 } })).toBe(0.9);
  });
});
