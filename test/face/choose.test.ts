// Which of several faces is meant.
import { describe, expect, test } from 'vitest';
import { chooseFaces } from '../../src/face/detect/choose.js';
import { type Detection, type FaceChoice, faceChoices } from '../../src/face/index.js';

const face = (x: number, y: number, width: number, height: number, score: number): Detection => ({
  box: { x, y, width, height },
  score,
  landmarks: [] as never,
});
const size = { width: 200, height: 100 };
const sure = face(0, 0, 20, 30, 0.99);
const central = face(95, 45, 12, 12, 0.6);
const large = face(140, 20, 40, 70, 0.8);
const wide = face(10, 60, 90, 5, 0.7);
const faces = [sure, large, wide, central];

describe('of several faces', () => {
  test.each<[FaceChoice, Detection[]]>([
    ['largest', [large]],
    ['central', [central]],
    ['best', [sure]],
    ['all', faces],
  ])('%s', (choice, expected) => {
    expect(chooseFaces(faces, size, choice)).toEqual(expected);
    const backwards = chooseFaces([...faces].reverse(), size, choice);
    expect(backwards).toEqual(choice === 'all' ? [...faces].reverse() : expected);
  });

  test('among equals the earlier, which is the surer, is taken', () => {
    const [first, second] = [face(0, 45, 10, 10, 0.9), face(190, 45, 10, 10, 0.9)];
    for (const choice of ['largest', 'central', 'best'] as const)
      expect(chooseFaces([first, second], size, choice)).toEqual([first]);
  });
});

test.each(faceChoices)('of none, %s is none; of one it is that one', (choice) => {
  expect(chooseFaces([], size, choice)).toEqual([]);
  expect(chooseFaces([wide], size, choice)).toEqual([wide]);
});

test('all is a list of its own', () => {
  const all = chooseFaces(faces, size, 'all');
  expect(all).not.toBe(faces);
});
