// Image folders: order, held-out people, unreadable files, clear errors, and streaming that gives equal pixels.
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BatchSource } from '../../src/data/batches.js';
import { decodeFace } from '../../src/data/images.js';
import { compareNames } from '../../src/data/people.js';
import type { TrainingSet } from '../../src/data/training-set.js';
import { openTrainingSet } from '../../src/data/training-set.js';
import { encode, noise, temporaryFolder, write, writePeople } from './pictures.js';

const options = { size: [12, 12] as [number, number], order: 'bgr' as const, seed: 1 };
const keysOf = (set: TrainingSet): string[] => Array.from(set.pixels.labels, (_, i) => set.keyOf(i));

describe('people and their images', () => {
  test('are in natural order, whatever the file system says', async () => {
    const folder = temporaryFolder();
    await writePeople(folder, { s10: 1, s2: 11, s1: 1 });
    const set = await openTrainingSet(folder, options);
    expect(set.people).toEqual(['s1', 's2', 's10']);
    expect([...set.pixels.labels]).toEqual([0, ...Array(11).fill(1), 2]);
    expect(keysOf(set).slice(1, 12)).toEqual(Array.from({ length: 11 }, (_, i) => `s2/${i + 1}.png`));
  });

  test('natural order is a total order', () => {
    expect(['b', 'a10', 'a2', 'a02', 'A', 'a', ''].sort(compareNames)).toEqual([
      '',
      'A',
      'a',
      'a02',
      'a2',
      'a10',
      'b',
    ]);
  });

  test('each row of pixels is the decoded image, labelled with its person', async () => {
    const folder = temporaryFolder();
    await writePeople(folder, { a: 2, b: 3 });
    const set = await openTrainingSet(folder, options);
    expect([...set.pixels.labels]).toEqual([0, 0, 1, 1, 1]);
    for (const [i, key] of keysOf(set).entries())
      expect(await set.pixels.read([i])).toEqual(await decodeFace(join(folder, key), options));
  });

  test('hidden files, other files and nested folders are passed over; links are followed', async () => {
    const folder = temporaryFolder();
    await writePeople(folder, { a: 1, b: 1, 'b/more': 1, '.hidden': 1, 'a/folder.png': 1 });
    write(join(folder, 'a', '.1.png'), 'hidden');
    write(join(folder, 'a', 'notes.txt'), 'text');
    write(join(folder, 'list.png'), 'a loose file');
    mkdirSync(join(folder, 'nobody'));
    symlinkSync(join(folder, 'a'), join(folder, 'c'));
    const set = await openTrainingSet(folder, options);
    expect(set.people).toEqual(['a', 'b', 'c']);
    expect(set.pixels.labels).toHaveLength(3);
    expect(set.skipped).toEqual([]);
  });

  test('people with too few images are left out', async () => {
    const folder = temporaryFolder();
    await writePeople(folder, { a: 3, b: 1, c: 3 });
    const set = await openTrainingSet(folder, { ...options, minImages: 2 });
    expect([set.people, set.tooFew]).toEqual([['a', 'c'], ['b']]);
  });
});

describe('held-out people', () => {
  test('are chosen by the seed, and are not trained on', async () => {
    const folder = temporaryFolder();
    await writePeople(folder, { a: 2, b: 2, c: 2, d: 2, e: 2, f: 2 });
    const open = (seed: number) => openTrainingSet(folder, { ...options, seed, holdout: 3 });
    const set = await open(1);
    const names = set.heldOut.map((person) => person.person);
    expect(names).toHaveLength(3);
    expect([...names, ...set.people].sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(set.heldOut.every((person) => person.images.length === 2)).toBe(true);
    expect(set.pixels.classes).toBe(3);
    expect((await open(1)).heldOut).toEqual(set.heldOut);
    const others = await Promise.all([2, 3, 4].map(open));
    expect(others.some((other) => other.people.join() !== set.people.join())).toBe(true);
  });

  test('can be named; an unknown name is an error', async () => {
    const folder = temporaryFolder();
    await writePeople(folder, { a: 1, b: 1, c: 1 });
    const set = await openTrainingSet(folder, { ...options, holdout: ['b'] });
    expect(set.people).toEqual(['a', 'c']);
    await expect(openTrainingSet(folder, { ...options, holdout: ['Bob'] })).rejects.toThrow(/hold out.*Bob/);
  });
});

describe('bad data sets', () => {
  test('unreadable images are named, with the reason, and left out', async () => {
    const folder = temporaryFolder();
    await writePeople(folder, { a: 3, b: 2, c: 1 });
    const jpeg = await encode(noise(64, 64, 3), 64, 64, 'jpeg');
    write(join(folder, 'a', '1.png'), jpeg.subarray(0, jpeg.length / 2));
    write(join(folder, 'b', '3.png'), '');
    write(join(folder, 'c', '1.png'), 'not an image');
    const set = await openTrainingSet(folder, options);
    expect(set.skipped.map((image) => image.path)).toEqual([
      join(folder, 'a', '1.png'),
      join(folder, 'b', '3.png'),
      join(folder, 'c', '1.png'),
    ]);
    expect(set.skipped[1]!.reason).toBe('the file is empty');
    expect([set.people, set.tooFew]).toEqual([['a', 'b'], ['c']]);
    expect([...set.pixels.labels]).toEqual([0, 0, 1, 1]);
    for (const [i, key] of keysOf(set).entries())
      expect(await set.pixels.read([i])).toEqual(await decodeFace(join(folder, key), options));
  });

  const errors: Record<string, { make: (folder: string) => Promise<unknown> | unknown; message: RegExp }> = {
    'an empty folder': { make: () => {}, message: /is empty/ },
    'folders without images': { make: (f) => mkdirSync(join(f, 'a')), message: /1 folders hold no image/ },
    'images outside of person folders': {
      make: async (f) => write(join(f, '1.png'), await encode(noise(4, 4, 3), 4, 4, 'png')),
      message: /1 images but no folders of people/,
    },
    'one person only': { make: (f) => writePeople(f, { a: 4 }), message: /1 of 1 people left to train on/ },
    'no usable image': {
      make: (f) => ['a', 'b'].map((name) => write(join(f, name, '1.png'), 'nothing')),
      message: /none of its 2 images can be read/,
    },
    'one person left when unreadable images are gone': {
      make: async (f) => {
        await writePeople(f, { a: 1 });
        write(join(f, 'b', '1.png'), '');
      },
      message: /1 of 2 people left.*1 unreadable/,
    },
  };
  test.for(Object.entries(errors))('%s is a clear error', async ([, { make, message }]) => {
    const folder = temporaryFolder();
    await make(folder);
    await expect(openTrainingSet(folder, options)).rejects.toThrow(
      expect.objectContaining({ name: 'UserError', message: expect.stringMatching(message) }),
    );
  });

  test('holding out all but one person, a missing folder and a file are clear errors', async () => {
    const folder = temporaryFolder();
    await writePeople(folder, { a: 1, b: 1, c: 1 });
    await expect(openTrainingSet(folder, { ...options, holdout: 2 })).rejects.toThrow(
      /1 of 3 people.*2 held out/,
    );
    await expect(openTrainingSet(join(folder, 'no'), options)).rejects.toThrow(/no: no such folder/);
    await expect(openTrainingSet(join(folder, 'a', '1.png'), options)).rejects.toThrow(/is a file/);
  });
});

describe('a data set larger than the memory budget', () => {
  test('is streamed by threads and gives the same batches', async () => {
    const folder = temporaryFolder();
    await writePeople(folder, { a: 9, b: 8, c: 7 });
    write(join(folder, 'c', '8.jpg'), await encode(noise(31, 29, 3), 31, 29, 'jpeg'));
    const kept = await openTrainingSet(folder, options);
    const streamed = await openTrainingSet(folder, { ...options, memoryBudget: 1000, threads: 2 });
    expect([kept.streamed, streamed.streamed]).toEqual([false, true]);
    expect(keysOf(streamed)).toEqual(keysOf(kept));
    const all = [...kept.pixels.labels.keys()];
    expect(await streamed.pixels.read(all)).toEqual(await kept.pixels.read(all));
    const [a, b] = [kept, streamed].map(
      (set) => new BatchSource(set.pixels, { batch: 5, seed: 2, mirror: true }),
    );
    for (let step = 0; step < 7; step++) expect(await a!.next(step)).toEqual(await b!.next(step));
    await streamed.close();
  });

  test('an image that turns out to be unreadable is told of once, and the next one of its person stands in', async () => {
    const folder = temporaryFolder();
    await writePeople(folder, { a: 3, b: 4 });
    write(join(folder, 'b', '2.png'), 'broken');
    write(join(folder, 'b', '4.png'), '');
    const set = await openTrainingSet(folder, { ...options, memoryBudget: 0, threads: 2 });
    const told: unknown[] = [];
    set.pixels.onUnreadable = (image) => told.push(image);
    expect(set.skipped).toEqual([]);
    const file = (key: string) => decodeFace(join(folder, key), options);
    // After the last one comes the first; whatever was read before.
    for (let i = 0; i < 2; i++) {
      const pixels = await set.pixels.read([6, 4, 1, 6]);
      const expected = await Promise.all(['b/1.png', 'b/3.png', 'a/2.png', 'b/1.png'].map(file));
      expect(Buffer.from(pixels)).toEqual(Buffer.concat(expected));
    }
    expect(told).toHaveLength(2);
    expect(told).toContainEqual({ path: join(folder, 'b', '4.png'), reason: 'the file is empty' });
    expect(told).toContainEqual({
      path: join(folder, 'b', '2.png'),
      reason: expect.stringMatching(/cut off|not read/),
    });
    const labels = new BatchSource(set.pixels, { batch: 7, seed: 1 }).labelsOf(0);
    expect([...labels].sort()).toEqual([0, 0, 0, 1, 1, 1, 1]);
    await set.close();
  });

  test('a person without any readable image is blank; a disk that is gone is an error', async () => {
    const folder = temporaryFolder();
    await writePeople(folder, { a: 2, b: 2 });
    for (const name of ['1.png', '2.png']) write(join(folder, 'b', name), 'broken');
    const set = await openTrainingSet(folder, { ...options, memoryBudget: 0, threads: 1 });
    const planes = await set.pixels.planes!([0, 2, 3], new Uint8Array(3));
    expect(planes.subarray(12 * 12 * 3).every((value) => value === 0)).toBe(true);
    expect(planes.subarray(0, 12 * 12 * 3).some((value) => value !== 0)).toBe(true);
    rmSync(folder, { recursive: true });
    await expect(set.pixels.planes!([0, 1, 2, 3], new Uint8Array(4))).rejects.toThrow(
      /none of the 4 images .*no such file/,
    );
    await set.close();
  });
});

test('progress counts every image once', async () => {
  const folder = temporaryFolder();
  await writePeople(folder, { a: 3, b: 2 });
  const seen: number[][] = [];
  await openTrainingSet(folder, { ...options, onProgress: (done, total) => seen.push([done, total]) });
  expect(seen).toEqual([1, 2, 3, 4, 5].map((done) => [done, 5]));
});
