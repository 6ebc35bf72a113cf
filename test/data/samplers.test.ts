// P x K sampling: P different people in every batch, K images each, a pure function of (seed, step).
import { describe, expect, test } from 'vitest';
import { type Batch, BatchSource } from '../../src/data/batches.js';
import { MemoryImages, readPlanes } from '../../src/data/image-set.js';
import { peopleByImages } from '../../src/data/samplers.js';
import { openTrainingSet } from '../../src/data/training-set.js';
import { noise, temporaryFolder, writePeople } from './pictures.js';

/** Labels of people with so many images each, out of order, as a set may have them. */
function labelled(...images: number[]): Int32Array {
  const labels = images.flatMap((count, person) => Array(count).fill(person) as number[]);
  return Int32Array.from(labels, (_, i) => labels[(i * 7) % labels.length]!);
}

const images = (labels: Int32Array) =>
  new MemoryImages(noise(labels.length * 2, 3, 3), labels, { height: 2, width: 3, channels: 3 });

/** Runs of equal length of a batch's indices. */
const split = (indices: Int32Array, size: number): number[][] =>
  Array.from({ length: indices.length / size }, (_, p) => [...indices.slice(p * size, (p + 1) * size)]);

const distinct = (values: Iterable<unknown>): number => new Set(values).size;

describe('a P x K batch', () => {
  // 41 images, which 7 does not divide: `labelled` visits each place once.
  const counts = [4, 9, 1, 6, 2, 12, 7];
  const labels = labelled(...counts);
  const options = { batch: 12, perPerson: 4, seed: 3 };

  test('has P different people with K images each, repeated only where they have fewer', () => {
    const sampler = peopleByImages(labels, options);
    for (let step = 0; step < 200; step++) {
      const people = split(sampler.plan(step).indices, 4).map((chosen) => {
        expect(distinct(chosen.map((image) => labels[image]!))).toBe(1);
        const person = labels[chosen[0]!]!;
        const times = chosen.map((image) => chosen.filter((other) => other === image).length);
        expect(distinct(chosen)).toBe(Math.min(4, counts[person]!));
        expect(Math.max(...times) - Math.min(...times)).toBeLessThanOrEqual(1);
        return person;
      });
      expect(distinct(people)).toBe(3);
    }
  });

  test('nobody comes twice in a round, and everybody and every image equally often in the long run', () => {
    const sampler = peopleByImages(labels, options);
    const seen = new Map<number, number>();
    const person = new Array<number>(counts.length).fill(0);
    const rounds = 1500; // of two batches each, with one of the seven people left over
    for (let round = 0; round < rounds; round++) {
      const chosen = [0, 1].flatMap((i) => split(sampler.plan(2 * round + i).indices, 4));
      expect(distinct(chosen.map(([image]) => labels[image!]!))).toBe(6);
      for (const run of chosen) {
        person[labels[run[0]!]!]!++;
        for (const image of run) seen.set(image, (seen.get(image) ?? 0) + 1);
      }
    }
    const [perPerson, deviations] = [(rounds * 6) / 7, 5];
    for (const times of person) {
      expect(Math.abs(times - perPerson)).toBeLessThan(deviations * Math.sqrt((rounds * 6) / 49));
    }
    labels.forEach((label, image) => {
      const mean = (4 * perPerson) / counts[label]!;
      expect(Math.abs(seen.get(image)! - mean)).toBeLessThan(deviations * Math.sqrt(mean));
    });
  });

  test('is the same whatever was asked before, and another for another seed', () => {
    const straight = peopleByImages(labels, options);
    const plans = Array.from({ length: 12 }, (_, step) => straight.plan(step));
    const jumping = peopleByImages(labels, options);
    for (const step of [11, 3, 3, 0, 4, 10]) expect(jumping.plan(step)).toEqual(plans[step]);
    expect(peopleByImages(labels, { ...options, seed: 4 }).plan(0)).not.toEqual(plans[0]);
    expect(distinct(plans.map(({ indices }) => indices.join()))).toBe(12);
  });

  test('mirrors by a fair coin for every place, or never', () => {
    const sampler = peopleByImages(labels, { ...options, mirror: true });
    let mirrored = 0;
    for (let step = 0; step < 100; step++) for (const bit of sampler.plan(step).mirrored) mirrored += bit;
    expect(Math.abs(mirrored - 600)).toBeLessThan(5 * Math.sqrt(300));
    expect(distinct(peopleByImages(labels, options).plan(0).mirrored)).toBe(1);
  });

  test('an epoch is as many steps as its images fill, whoever is in them', () => {
    expect(new BatchSource(images(labels), options).batchesPerEpoch).toBe(Math.floor(41 / 12));
  });
});

describe('batches of pixels', () => {
  const options = { batch: 6, perPerson: 3, seed: 2, mirror: true };

  test('have the pixels and people of their plan', async () => {
    const set = images(labelled(3, 5, 1, 4));
    const source = new BatchSource(set, { ...options, mirror: false });
    for (let step = 0; step < 5; step++) {
      const { indices } = source.plan(step);
      const batch = await source.next(step);
      expect(batch.labels).toEqual(indices.map((image) => set.labels[image]!));
      expect(batch.images).toEqual(await readPlanes(set, indices));
    }
  });

  test('several a call are those of single steps, one behind the other', async () => {
    const set = images(labelled(3, 5, 1, 4));
    const stacked = await new BatchSource(set, options).stack(1, 4);
    const single = new BatchSource(set, options);
    const parts: Batch[] = [];
    for (let step = 1; step < 5; step++) parts.push(await single.next(step));
    expect([...stacked.labels]).toEqual(parts.flatMap((part) => [...part.labels]));
    expect([...stacked.images]).toEqual(parts.flatMap((part) => [...part.images]));
  });

  test('are the same from memory and streamed', async () => {
    const folder = temporaryFolder();
    await writePeople(folder, { a: 3, b: 5, c: 1, d: 4 });
    const folderOptions = { size: [12, 12] as [number, number], order: 'bgr' as const, seed: 1 };
    const memory = await openTrainingSet(folder, folderOptions);
    const streamed = await openTrainingSet(folder, { ...folderOptions, memoryBudget: 1 });
    try {
      const [a, b] = [memory, streamed].map(({ pixels }) => new BatchSource(pixels, options));
      for (let step = 0; step < 4; step++) expect(await b!.next(step)).toEqual(await a!.next(step));
    } finally {
      await streamed.close();
    }
  });
});

describe('what cannot be sampled', () => {
  const make = (batch: number, perPerson: number, labels: Int32Array) => () =>
    new BatchSource(images(labels), { batch, perPerson, seed: 1 });

  test('a batch that K does not divide: names the batches beside it', () => {
    expect(make(10, 4, labelled(9, 9, 9))).toThrow(/batch of 10.*multiple of 4.*batch of 8 or 12/);
    expect(make(3, 4, labelled(9, 9, 9))).toThrow(/use a batch of 4$/);
    expect(make(4, 0, labelled(9, 9, 9))).toThrow(/0 images a person/);
  });

  test('fewer people than P: names the largest batch; labels nobody has are no people', () => {
    expect(make(16, 4, labelled(9, 9, 9))).toThrow(/3 people, fewer than the 4.*batch of 12 or less/);
    const gap = Int32Array.from({ length: 20 }, (_, i) => (i % 2) * 5);
    expect(make(12, 4, gap)).toThrow(/2 people/);
    expect(make(8, 4, gap)).not.toThrow();
  });

  test('fewer images than a batch', () => {
    expect(make(8, 4, labelled(1, 1, 1))).toThrow(/3 images.*batch of 8/);
  });
});
