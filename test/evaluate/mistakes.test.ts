// Which wrongly judged trials are shown, and in which order, by hand.
import { expect, test } from 'vitest';
import { hardestMistakes } from '../../src/evaluate/index.js';

const trials = {
  scores: [0.9, 0.2, 0.6, 0.7, 0.1, 0.7, 0.3, 0.95],
  same: [1, 1, 0, 0, 1, 0, 1, 0],
  correct: [1, 0, 0, 0, 0, 0, 0, 1],
};
const face = (trial: number) => ({ path: `${trial}.jpg`, person: `p${trial}` });
const faces = (trial: number) => ({ a: face(trial), b: face(100 + trial), threshold: 0.5 });
const told = (count?: number) =>
  hardestMistakes(trials, faces, count).map(({ kind, a, score }) => [kind, a.path, score]);

test('strangers with the highest scores come first, then people with the lowest; ties in order of trials', () => {
  expect(told()).toEqual([
    ['false match', '3.jpg', 0.7],
    ['false match', '5.jpg', 0.7],
    ['false match', '2.jpg', 0.6],
    ['false non-match', '4.jpg', 0.1],
    ['false non-match', '1.jpg', 0.2],
    ['false non-match', '6.jpg', 0.3],
  ]);
  expect(hardestMistakes(trials, faces)[0]).toEqual({ kind: 'false match', ...faces(3), score: 0.7 });
});

test('so many of each kind at most', () => {
  expect(told(1)).toEqual([
    ['false match', '3.jpg', 0.7],
    ['false non-match', '4.jpg', 0.1],
  ]);
});
