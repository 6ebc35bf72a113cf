// Batches: a pure function of (seed, step), every image once an epoch, mirrored by a fair coin.
import { describe, expect, test } from 'vitest';
import { type Batch, BatchSource } from '../../src/data/batches.js';
import { MemoryImages, readPlanes } from '../../src/data/image-set.js';
import { noise } from './pictures.js';

const shape = { height: 3, width: 4, channels: 3 };
const size = 36;
const set = (count: number) =>
  new MemoryImages(
    noise(count * 3, 4, 3),
    Int32Array.from({ length: count }, (_, i) => i),
    shape,
  );

const image = (batch: Batch, i: number) => batch.images.slice(i * size, (i + 1) * size);

/** The float planes of image `index`, reversed or not, in plain loops. */
function expected(images: MemoryImages, index: number, mirrored: boolean): Float32Array {
  const planes: number[] = [];
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < 3; y++)
      for (let x = 0; x < 4; x++) {
        const column = mirrored ? 3 - x : x;
        planes.push((images.pixels[index * size + (y * 4 + column) * 3 + c]! - 127.5) / 128);
      }
  return Float32Array.from(planes);
}

describe('the batch of a step', () => {
  test('is the same whatever was asked before', async () => {
    const make = () => new BatchSource(set(23), { batch: 5, seed: 9, mirror: true });
    const straight: Batch[] = [];
    const source = make();
    for (let step = 0; step < 12; step++) straight.push(await source.next(step));
    const jumping = make();
    for (const step of [11, 3, 3, 0, 4, 5, 10]) expect(await jumping.next(step)).toEqual(straight[step]);
  });

  test('differs by seed and by epoch', async () => {
    const [a, b] = [1, 2].map((seed) => new BatchSource(set(20), { batch: 20, seed }));
    const first = await a!.next(0);
    expect((await b!.next(0)).labels).not.toEqual(first.labels);
    expect((await a!.next(1)).labels).not.toEqual(first.labels);
  });

  test('is a copy that later steps leave alone', async () => {
    const source = new BatchSource(set(20), { batch: 4, seed: 1 });
    const first = await source.next(0);
    const before = first.images.slice();
    first.images.fill(0);
    await source.next(1);
    expect((await source.next(0)).images).toEqual(before);
  });

  test('k stacked batches are k batches one behind the other, over the end of an epoch too', async () => {
    const make = () => new BatchSource(set(11), { batch: 5, seed: 4, mirror: true });
    const stacked = await make().stack(1, 3);
    const single = make();
    const parts = [await single.next(1), await single.next(2), await single.next(3)];
    expect([...stacked.labels]).toEqual(parts.flatMap((part) => [...part.labels]));
    expect([...stacked.images]).toEqual(parts.flatMap((part) => [...part.images]));
  });
});

test('every image comes once an epoch, without the incomplete last batch', async () => {
  const source = new BatchSource(set(23), { batch: 5, seed: 3 });
  expect(source.batchesPerEpoch).toBe(4);
  const missing = new Set<number>();
  for (let epoch = 0; epoch < 20; epoch++) {
    const labels: number[] = [];
    for (let i = 0; i < 4; i++) labels.push(...(await source.next(epoch * 4 + i)).labels);
    expect(new Set(labels).size).toBe(20);
    for (let label = 0; label < 23; label++) if (!labels.includes(label)) missing.add(label);
  }
  expect(missing.size).toBeGreaterThan(15); // other images are left over in other epochs
});

test('labels go with their images, scaled by (p - 127.5) / 128, mirrored where the plan says so', async () => {
  const images = set(16);
  const source = new BatchSource(images, { batch: 16, seed: 5, mirror: true });
  let mirroredCount = 0;
  const changed = new Set<number>();
  for (let step = 0; step < 40; step++) {
    const batch = await source.next(step);
    const { indices, mirrored } = source.plan(step);
    expect(batch.labels).toEqual(indices);
    if (step < 5)
      for (let i = 0; i < 16; i++)
        expect(image(batch, i)).toEqual(expected(images, indices[i]!, mirrored[i] === 1));
    mirrored.forEach((bit, i) => {
      mirroredCount += bit;
      changed.add(indices[i]! * 2 + bit);
    });
  }
  expect(mirroredCount / 640).toBeGreaterThan(0.42);
  expect(mirroredCount / 640).toBeLessThan(0.58);
  expect(changed.size).toBe(32); // every image is seen both ways
});

test('without mirroring nothing is mirrored', async () => {
  const images = set(6);
  const batch = await new BatchSource(images, { batch: 6, seed: 1 }).next(0);
  batch.labels.forEach((index, i) => {
    expect(image(batch, i)).toEqual(expected(images, index, false));
  });
});

test('grey images give one plane', async () => {
  const grey = new MemoryImages(noise(8, 5, 1), Int32Array.of(0, 1), { height: 4, width: 5, channels: 1 });
  const batch = await new BatchSource(grey, { batch: 2, seed: 1 }).next(0);
  expect(batch.images.length).toBe(2 * 20);
  expect([...(await readPlanes(grey))]).toEqual([...grey.pixels].map((p) => Math.fround((p - 127.5) / 128)));
});

test('fewer images than a batch is an error that says what to lower', () => {
  expect(() => new BatchSource(set(7), { batch: 8, seed: 1 })).toThrow(
    /7 images.*batch of 8.*batch of 7 or less/,
  );
  expect(() => new BatchSource(set(7), { batch: 0, seed: 1 })).toThrow(/batch of 0/);
});

describe('a batch that several processes share', () => {
  const options = { batch: 12, seed: 6, mirror: true };

  test.each([undefined, 3])(
    'parts one behind the other are the batch (%s images a person)',
    async (perPerson) => {
      const images = new MemoryImages(
        noise(30 * 3, 4, 3),
        Int32Array.from({ length: 30 }, (_, i) => i % 7),
        shape,
      );
      const whole = new BatchSource(images, { ...options, perPerson });
      for (const of of [1, 2, 3, 4]) {
        const parts = Array.from(
          { length: of },
          (_, rank) => new BatchSource(images, { ...options, perPerson, part: { rank, of } }),
        );
        for (const step of [0, 1, 7]) {
          const batch = await whole.next(step);
          const shared = await Promise.all(parts.map((part) => part.next(step)));
          expect(shared.flatMap((part) => [...part.labels])).toEqual([...batch.labels]);
          expect(shared.flatMap((part) => [...part.images])).toEqual([...batch.images]);
          for (const part of parts) {
            expect(part.batchesPerEpoch).toBe(whole.batchesPerEpoch);
            expect(part.plan(step)).toEqual(whole.plan(step));
            expect(part.labelsOf(step)).toEqual(batch.labels);
          }
        }
      }
    },
  );

  test('k stacked parts are k parts one behind the other', async () => {
    const part = { rank: 1, of: 3 };
    const stacked = await new BatchSource(set(40), { ...options, part }).stack(2, 2);
    const single = new BatchSource(set(40), { ...options, part });
    const parts = [await single.next(2), await single.next(3)];
    expect([...stacked.labels]).toEqual(parts.flatMap(({ labels }) => [...labels]));
    expect([...stacked.images]).toEqual(parts.flatMap(({ images }) => [...images]));
  });

  test('one that does not divide evenly names the batches that do', () => {
    const shared = (of: number, rank = 0) => new BatchSource(set(40), { ...options, part: { rank, of } });
    expect(() => shared(5)).toThrow(/batch of 12 .* 5 processes: use a batch of 10 or 15/);
    expect(() => shared(16)).toThrow(/use a batch of 16$/);
    expect(() => shared(2, 2)).toThrow(/part 2 of 2/);
  });
});
