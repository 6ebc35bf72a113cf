// What may be said of faces: same, different or nothing; nobody twice in a photograph; and why.
import { describe, expect, test } from 'vitest';
import {
  alikePairs,
  answerFor,
  type ComparedFace,
  type Detection,
  doubtsAbout,
  faceLimits,
  Gallery,
  identifyFaces,
  type Landmarks,
  NO_LIMITS,
  similaritiesOf,
  templateNamed,
} from '../../src/face/index.js';
import { judge, type QualityMeasures } from '../../src/face/quality.js';

const detection: Detection = {
  box: { x: 10, y: 10, width: 90, height: 100 },
  score: 0.9,
  landmarks: templateNamed('arcface').points as unknown as Landmarks,
};
const measures: QualityMeasures = {
  ...{ eyes: 60, sharpness: 0.4, brightness: 130, black: 0, white: 0, detection: 0.9 },
  ...{ yaw: 0, pitch: 0, roll: 0 },
};
const judged = (more: Partial<QualityMeasures> = {}, seen: Partial<Detection> = {}) => ({
  detection: { ...detection, ...seen },
  quality: judge({ ...measures, ...more }),
});
const limits = faceLimits({ trust: { upright: 0.85, face: 0.6 } });

describe('a face', () => {
  test('that is good allows a decision', () => {
    expect(doubtsAbout(judged(), limits)).toEqual([]);
  });

  test.each([
    [{ eyes: 4 }, {}, 'small', /^only 4 pixels between the eyes \(at least 12 are needed\)$/],
    [{ eyes: 11.9, sharpness: 0.001 }, {}, 'small', /^only 11 pixels/],
    [{ sharpness: 0.02 }, {}, 'blurred', /too blurred/],
    [{ yaw: 80 }, {}, 'pose', /turned away/],
    [{ brightness: 5 }, {}, 'exposure', /too dark/],
    [{}, { score: 0.5 }, 'implausible', /may be no face/],
    [{ eyes: Number.NaN }, {}, 'small', /pixels between the eyes/],
  ])('of %j and %j allows none', (measured, seen, code, message) => {
    const doubts = doubtsAbout(judged(measured, seen), limits);
    expect(doubts.map((doubt) => doubt.code)).toEqual([code]);
    expect(doubts[0]!.message).toMatch(message);
    expect(doubtsAbout(judged(measured, seen), NO_LIMITS)).toEqual([]);
  });

  test('may be as small as is asked for', () => {
    const small = judged({ eyes: 9 });
    expect(doubtsAbout(small, faceLimits({}, { eyes: 8 }))).toEqual([]);
    expect(doubtsAbout(small, faceLimits({}, { eyes: 10 }))).toHaveLength(1);
  });
});

test('two faces are one person, two, or it cannot be told', () => {
  const doubts = doubtsAbout(judged({ eyes: 4 }), limits);
  expect(answerFor(0.95, 0.9, [])).toBe('same');
  expect(answerFor(0.9, 0.9, [])).toBe('same');
  expect(answerFor(0.89, 0.9, [])).toBe('different');
  for (const similarity of [0.5, 0.99]) expect(answerFor(similarity, 0.9, doubts)).toBe('unknown');
  expect(answerFor(Number.NaN, 0.9, [])).toBe('unknown');
});

/** A unit vector at these degrees. */
const at = (degrees: number) =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180));
const face = (degrees: number, more: Partial<QualityMeasures> = {}) => ({
  ...judged(more),
  embedding: at(degrees),
});
const threshold = Math.cos((20 * Math.PI) / 180);

describe('the faces of one photograph', () => {
  const gallery = new Gallery([
    { person: 'ann', embedding: at(0) },
    { person: 'bob', embedding: at(30) },
  ]);
  const people = (faces: Parameters<typeof identifyFaces>[0], allowRepeats = false) =>
    identifyFaces(faces, gallery, { threshold, limits, allowRepeats });

  test('are different people: the more alike one is the person, the other is not', () => {
    const [first, second] = people([face(-8), face(1)]);
    expect(second).toMatchObject({ person: 'ann', decision: 'same', reasons: [] });
    expect(first).toMatchObject({ person: null, decision: 'unknown', reasons: [{ code: 'repeated' }] });
    expect(first!.reasons[0]!.message).toBe('ann is another face of this photograph');
    expect(first!.candidates.map(({ person }) => person)).toEqual(['ann', 'bob']);
  });

  test('are shared out so that all are as alike as can be', () => {
    // The first is a little more like Ann, the second is like nobody else.
    const [first, second] = people([face(14.9), face(2)]);
    expect([first!.person, second!.person]).toEqual(['bob', 'ann']);
    expect(first!.candidates[0]!.person).toBe('bob');
  });

  test('may be one person in a mirror or a collage', () => {
    expect(people([face(-8), face(1)], true).map(({ person }) => person)).toEqual(['ann', 'ann']);
  });

  test('are nobody when nobody is similar, and undecided when they are too poor', () => {
    const [stranger, tiny] = people([face(90), face(0, { eyes: 4 })]);
    expect(stranger).toMatchObject({ person: null, decision: 'different', reasons: [] });
    expect(tiny).toMatchObject({ person: null, decision: 'unknown', reasons: [{ code: 'small' }] });
    expect(tiny!.candidates[0]!.person).toBe('ann');
  });

  test('of which there are none are nobody', () => {
    expect(people([])).toEqual([]);
  });

  test('a poor face takes nobody from a good one', () => {
    const [tiny, good] = people([face(0, { eyes: 4 }), face(10)]);
    expect([tiny!.person, good!.person]).toEqual([null, 'ann']);
  });
});

describe('faces of several photographs', () => {
  const pairs = (faces: (ComparedFace | [photograph: number, degrees: number])[], allowRepeats = false) => {
    const all = faces.map((each) => (Array.isArray(each) ? { photograph: each[0], ...face(each[1]) } : each));
    return alikePairs(all, similaritiesOf(all), { threshold, limits, allowRepeats }).map(
      ({ a, b, decision, reasons }) => [a, b, decision, ...reasons.map(({ code }) => code)],
    );
  };

  test('that are alike are one person; of one photograph they are two', () => {
    expect(
      pairs([
        [0, 0],
        [0, 5],
        [1, 90],
        [2, 92],
      ]),
    ).toEqual([
      [0, 1, 'different', 'one-photograph'],
      [2, 3, 'same'],
    ]);
  });

  test('have one partner in another photograph: the most alike', () => {
    expect(
      pairs([
        [0, 0],
        [1, 3],
        [1, 12],
      ]),
    ).toEqual([
      [0, 1, 'same'],
      [0, 2, 'unknown', 'repeated'],
      [1, 2, 'different', 'one-photograph'],
    ]);
  });

  test('may be one person more than once where that is said', () => {
    const all = pairs(
      [
        [0, 0],
        [1, 3],
        [1, 12],
      ],
      true,
    );
    expect(all.map(([, , decision]) => decision)).toEqual(['same', 'same', 'same']);
  });

  test('that are too poor are undecided, and take no partner', () => {
    expect(pairs([[0, 0], { photograph: 1, ...face(1, { eyes: 3 }) }, [1, 9]])).toEqual([
      [0, 1, 'unknown', 'small'],
      [0, 2, 'same'],
      [1, 2, 'different', 'one-photograph'],
    ]);
  });
});
