// Overlap and suppression against counted pixels and a plain loop over all pairs.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { overlap, suppress } from '../../src/face/detect/boxes.js';
import { type Box, type Detection, type Landmarks, scaled } from '../../src/face/detect/detection.js';

const box = (x: number, y: number, width: number, height: number): Box => ({ x, y, width, height });
const boxes = fc
  .tuple(...[fc.integer({ min: -4, max: 8 }), fc.integer({ min: -4, max: 8 })], ...[fc.nat(9), fc.nat(9)])
  .map(([x, y, width, height]) => box(x!, y!, width!, height!));

/** The unit squares that a box of whole numbers covers. */
function squares({ x, y, width, height }: Box): Set<string> {
  const all = new Set<string>();
  for (let i = x; i < x + width; i++) for (let j = y; j < y + height; j++) all.add(`${i},${j}`);
  return all;
}

describe('overlap', () => {
  test('is the share of squares that both cover, of those that either covers or of the smaller box', () => {
    fc.assert(
      fc.property(boxes, boxes, (a, b) => {
        const [inA, inB] = [squares(a), squares(b)];
        const both = [...inA].filter((square) => inB.has(square)).length;
        const either = new Set([...inA, ...inB]).size;
        expect(overlap(a, b)).toBeCloseTo(both === 0 ? 0 : both / either, 12);
        expect(overlap(a, b, 'min')).toBeCloseTo(both === 0 ? 0 : both / Math.min(inA.size, inB.size), 12);
      }),
    );
  });

  test('is 1 with itself, 0 where edges only touch, and knows no order', () => {
    expect(overlap(box(3, 4, 5, 6), box(3, 4, 5, 6))).toBe(1);
    expect(overlap(box(0, 0, 5, 5), box(5, 0, 5, 5))).toBe(0);
    expect(overlap(box(0, 0, 10, 10), box(2, 2, 5, 5), 'min')).toBe(1);
    fc.assert(fc.property(boxes, boxes, (a, b) => overlap(a, b) === overlap(b, a)));
  });
});

describe('suppression', () => {
  const scored = fc.array(fc.tuple(boxes, fc.integer({ min: 0, max: 6 })), { maxLength: 12 });

  test.each(['union', 'min'] as const)('keeps what a plain loop keeps (%s)', (over) => {
    fc.assert(
      fc.property(scored, fc.constantFrom(0.2, 0.5, 0.7), (list, threshold) => {
        const [all, scores] = [list.map(([each]) => each), list.map(([, score]) => score)];
        // The best that is left stays, and takes those away that overlap it.
        let left = all.map((_, i) => i);
        const expected: number[] = [];
        while (left.length > 0) {
          const best = left.reduce((a, b) => (scores[b]! > scores[a]! ? b : a));
          expected.push(best);
          left = left.filter((i) => i !== best && overlap(all[best]!, all[i]!, over) <= threshold);
        }
        expect(suppress(all, scores, threshold, over)).toEqual(expected);
      }),
    );
  });

  test('takes nothing away twice: what stays stays', () => {
    fc.assert(
      fc.property(scored, (list) => {
        const [all, scores] = [list.map(([each]) => each), list.map(([, score]) => score)];
        const kept = suppress(all, scores, 0.4);
        const again = suppress(
          kept.map((i) => all[i]!),
          kept.map((i) => scores[i]!),
          0.4,
        );
        expect(again).toEqual(kept.map((_, i) => i));
      }),
    );
  });

  test('a box just at the threshold stays', () => {
    const [a, b] = [box(0, 0, 2, 1), box(1, 0, 2, 1)]; // a third in common
    expect(suppress([a, b], [1, 2], 1 / 3)).toEqual([1, 0]);
    expect(suppress([a, b], [1, 2], 0.33)).toEqual([1]);
    expect(suppress([], [], 0.5)).toEqual([]);
  });
});

describe('a detection at another scale', () => {
  const detection: Detection = {
    box: box(-2, 3, 10, 20),
    score: 0.75,
    landmarks: [
      [0, 0],
      [4, 1],
      [2, 3],
      [1, 5],
      [3.5, 5.5],
    ] as Landmarks,
  };

  test('has edges that scale as they are, and points that lie half a pixel inside of them', () => {
    const { box: large, score, landmarks } = scaled(detection, 4);
    expect(large).toEqual(box(-8, 12, 40, 80));
    expect(score).toBe(0.75);
    // Pixel 0 becomes pixels 0 to 3, whose middle is 1.5.
    expect(landmarks[0]).toEqual([1.5, 1.5]);
    expect(landmarks[1]).toEqual([17.5, 5.5]);
  });

  test('comes back', () => {
    const back = scaled(scaled(detection, 3.7), 1 / 3.7);
    back.landmarks.flat().forEach((value, i) => {
      expect(value).toBeCloseTo(detection.landmarks.flat()[i]!, 10);
    });
    expect(scaled(detection, 1)).toEqual(detection);
  });
});
