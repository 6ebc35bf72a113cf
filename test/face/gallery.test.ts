// Open-set identification: similarities against plain arithmetic, and 'unknown' as likely as the formula says.
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { type EnrolledFace, falsePositiveRate, Gallery } from '../../src/face/index.js';

const face = (person: string, ...embedding: number[]): EnrolledFace => ({
  person,
  embedding: Float32Array.from(embedding),
});
const cosine = (a: number[], b: number[]) => {
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

describe('a person', () => {
  test('is as alike as the most alike of their faces, however long its embedding is', () => {
    const gallery = new Gallery([face('ann', 1000, 0), face('ann', 0, 0.001)]);
    const { person, similarity } = gallery.nearest(Float32Array.of(3, 4))[0]!;
    expect(person).toBe('ann');
    expect(similarity).toBeCloseTo(4 / 5, 6);
    expect(Array.from(gallery.similarities(Float32Array.of(3, 4)))).toEqual([
      expect.closeTo(3 / 5, 6),
      expect.closeTo(4 / 5, 6),
    ]);
  });

  test('of one face is that face', () => {
    const probe = [3, -1, 2];
    const { similarity } = new Gallery([face('ann', 1, 2, 3)]).nearest(Float32Array.from(probe))[0]!;
    expect(similarity).toBeCloseTo(cosine(probe, [1, 2, 3]), 6);
  });

  test('does not depend on the order of the faces', () => {
    const faces = [face('ann', 1, 2), face('bob', 2, -1), face('ann', 3, 1), face('bob', 1, 1)];
    const probe = Float32Array.of(0.3, 0.9);
    const [there, back] = [faces, [...faces].reverse()].map((order) => new Gallery(order).nearest(probe));
    expect(back).toEqual(there);
  });

  test('with more faces is found by strangers as often as by that many people, not more', () => {
    // Directions at random on the circle: a share of fmr of all pairs reaches cos(pi fmr).
    const [fmr, photographs, draws] = [0.02, 5, 4000];
    const stream = random(3, 'strangers');
    const anywhere = (): [number, number] => [stream.normal(), stream.normal()];
    const threshold = Math.cos(Math.PI * fmr);
    let taken = 0;
    for (let i = 0; i < draws; i++) {
      const gallery = new Gallery(Array.from({ length: photographs }, () => face('ann', ...anywhere())));
      if (gallery.nearest(Float32Array.from(anywhere()))[0]!.similarity >= threshold) taken++;
    }
    const expected = falsePositiveRate(fmr, photographs);
    const deviation = Math.sqrt((expected * (1 - expected)) / draws);
    expect(Math.abs(taken / draws - expected)).toBeLessThan(4 * deviation);
  });
});

describe('the nearest', () => {
  const faces = [face('ann', 1, 0, 0), face('bob', 0, 1, 0), face('eve', 1, 1, 0), face('bob', 0, 1, 0)];
  const gallery = new Gallery(faces);

  test('come most alike first, as many as are asked for, by name and not by place', () => {
    const found = gallery.nearest(Float32Array.of(0.1, 1, 0.2));
    expect(found.map(({ person }) => person)).toEqual(['bob', 'eve', 'ann']);
    for (const { person, similarity } of found) {
      const own = Array.from(faces.find((each) => each.person === person)!.embedding);
      expect(similarity).toBeCloseTo(cosine([0.1, 1, 0.2], own), 6);
    }
    expect(gallery.nearest(Float32Array.of(0.1, 1, 0.2), 1)).toEqual([found[0]]);
    expect(gallery.nearest(Float32Array.of(0.1, 1, 0.2), 99)).toEqual(found);
  });

  test('people are counted once, with their faces', () => {
    expect(gallery.people).toEqual(['ann', 'bob', 'eve']);
    expect(gallery.faces).toEqual([1, 2, 1]);
    expect(gallery.length).toBe(3);
  });

  test('a probe without direction is like nobody', () => {
    for (const { similarity } of gallery.nearest(new Float32Array(3))) expect(similarity).toBe(0);
  });
});

describe('what is refused, by name', () => {
  test.each([
    [[], /the gallery is empty/],
    [[face('ann', 1, 2), face('bob', 1, 2, 3)], /bob: an embedding of 3 numbers among those of 2/],
    [[face('ann', 1, 2), face('bob', 0, 0)], /bob: every number is zero/],
    [[face('ann', 1, Number.NaN)], /ann: it holds numbers that are not finite/],
  ])('%#', (faces, message) => {
    expect(() => new Gallery(faces)).toThrow(message);
  });

  test("another model's probe", () => {
    const probe = () => new Gallery([face('ann', 1, 2)]).nearest(Float32Array.of(1, 2, 3));
    expect(probe).toThrow("an embedding of 3 numbers for a gallery of 2; use the gallery's model");
  });
});

describe('the chance that a stranger is taken for somebody', () => {
  test.each([
    [0.001, 1, 0.001],
    [0.5, 2, 0.75],
    [0.1, 3, 0.271],
    [1, 5, 1],
  ])('at %f for each of %i people is %f', (fmr, people, expected) => {
    expect(falsePositiveRate(fmr, people)).toBeCloseTo(expected, 12);
  });

  test('grows with the people, and keeps its digits where it is tiny', () => {
    expect(falsePositiveRate(1e-12, 1000) / 1e-9).toBeCloseTo(1, 6);
    for (let people = 1; people < 50; people++)
      expect(falsePositiveRate(0.01, people + 1)).toBeGreaterThan(falsePositiveRate(0.01, people));
    expect(falsePositiveRate(0.01, 0)).toBeCloseTo(0, 15);
  });

  test('is what happens when strangers are drawn', () => {
    const [people, fmr, draws] = [20, 0.02, 20_000];
    const stream = random(7, 'strangers');
    let taken = 0;
    for (let i = 0; i < draws; i++) {
      let any = false;
      for (let k = 0; k < people; k++) any = stream.integer(1000) < fmr * 1000 || any;
      if (any) taken++;
    }
    // Four standard deviations.
    const expected = falsePositiveRate(fmr, people);
    expect(Math.abs(taken / draws - expected)).toBeLessThan(
      4 * Math.sqrt((expected * (1 - expected)) / draws),
    );
  });
});
