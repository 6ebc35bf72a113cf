// Training on a record file: the same people, images and batches as from the folder it was made of, and one clear line
// for a file that cannot be trusted.
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BatchSource } from '../../src/data/batches.js';
import { encodeRecord, imageRecord } from '../../src/data/record-io.js';
import { writeRecordSet } from '../../src/data/record-writer.js';
import { openTrainingSet, type TrainingSet } from '../../src/data/training-set.js';
import { encode, noise, temporaryFolder, write, writePeople } from './pictures.js';

const options = { size: [12, 12] as [number, number], order: 'bgr' as const, seed: 1, threads: 2 };
/** A budget that no image fits. */
const streaming = { ...options, memoryBudget: 0 };

/** A folder of faces and the record set made of it. */
async function both(
  people: Record<string, number>,
): Promise<{ folder: string; records: string; rec: string }> {
  const [folder, records] = [temporaryFolder(), temporaryFolder()];
  await writePeople(folder, people);
  const rec = join(records, 'train.rec');
  await writeRecordSet(folder, rec);
  return { folder, records, rec };
}

/** Writes records [label, image] with an index that lists them from key 1 on. */
function writeRecords(
  records: string,
  images: readonly (readonly [label: number, image: Uint8Array])[],
): string {
  const rec = join(records, 'train.rec');
  let end = 0;
  let index = '';
  const bytes = images.map(([label, image], i) => {
    const record = encodeRecord(imageRecord(label, i + 1, image));
    index += `${i + 1}\t${end}\n`;
    end += record.length;
    return record;
  });
  writeFileSync(rec, Buffer.concat(bytes));
  writeFileSync(join(records, 'train.idx'), index);
  return rec;
}

const png = (seed: number) => encode(noise(12, 12, 3, seed), 12, 12, 'png');

async function equalBatches(
  a: TrainingSet,
  b: TrainingSet,
  order: { perPerson?: number } = {},
): Promise<void> {
  const [left, right] = [a, b].map(
    (set) => new BatchSource(set.pixels, { batch: 4, seed: 3, mirror: true, ...order }),
  );
  for (const step of [0, 1, 2, 9]) expect(await left!.next(step)).toEqual(await right!.next(step));
}

describe('a record set', () => {
  test('gives the batches of the folder it was made of, in memory and streamed', async () => {
    const { folder, records, rec } = await both({ ann: 5, bob: 3, cid: 6 });
    const sets = await Promise.all([
      openTrainingSet(folder, options),
      openTrainingSet(folder, streaming),
      openTrainingSet(records, options),
      openTrainingSet(records, streaming),
      openTrainingSet(rec, streaming),
    ]);
    expect(sets.map(({ streamed }) => streamed)).toEqual([false, true, false, true, true]);
    for (const set of sets.slice(1)) {
      expect(set.pixels.labels).toEqual(sets[0]!.pixels.labels);
      await equalBatches(sets[0]!, set);
      await equalBatches(sets[0]!, set, { perPerson: 2 });
    }
    // Records have labels where folders have names.
    expect(sets[3]!.people).toEqual(['0', '1', '2']);
    expect(sets[3]!.keyOf(5)).toBe('6');
    await Promise.all(sets.map((set) => set.close()));
  });

  test('needs neither property nor train.idx, and says what was found by a scan', async () => {
    const { folder, records } = await both({ ann: 3, bob: 4 });
    const whole = await openTrainingSet(folder, options);
    rmSync(join(records, 'property'));
    const without = await openTrainingSet(records, streaming);
    await equalBatches(whole, without);
    write(join(records, 'property'), 'nonsense');
    rmSync(join(records, 'train.idx'));
    const scanned = await openTrainingSet(records, streaming);
    await equalBatches(whole, scanned);
    expect(scanned.notes).toEqual([expect.stringMatching(/property: is not 'people,height,width'/)]);
    await Promise.all([whole, without, scanned].map((set) => set.close()));
  });

  test('whose people lie mixed is put in order; people are numbers in order', async () => {
    const images = await Promise.all([1, 2, 3, 4, 5, 6].map(png));
    const labels = [10, 2, 10, 7, 2, 10];
    const rec = writeRecords(
      temporaryFolder(),
      labels.map((label, i) => [label, images[i]!]),
    );
    const set = await openTrainingSet(rec, streaming);
    expect(set.people).toEqual(['2', '7', '10']);
    expect([...set.pixels.labels]).toEqual([0, 0, 1, 2, 2, 2]);
    expect([0, 1, 2, 3, 4, 5].map((i) => set.keyOf(i))).toEqual(['2', '5', '4', '1', '3', '6']);
    const memory = await openTrainingSet(rec, options);
    expect(await set.pixels.read([0, 5])).toEqual(await memory.pixels.read([0, 5]));
    await Promise.all([set, memory].map((each) => each.close()));
  });

  test('holds people out, excludes them by label and leaves out those with few images', async () => {
    const { rec } = await both({ ann: 3, bob: 1, cid: 4, dee: 5, eve: 2 });
    const set = await openTrainingSet(rec, {
      ...streaming,
      holdout: ['2'],
      exclude: ['4', 'eve'],
      minImages: 2,
    });
    expect(set.people).toEqual(['0', '3']);
    expect(set.excluded).toEqual(['4']);
    expect(set.tooFew).toEqual(['1']);
    expect(set.heldOut).toEqual([{ person: '2', images: ['5', '6', '7', '8'] }]);
    await set.close();
    const chosen = await Promise.all(
      [1, 1].map(() => openTrainingSet(rec, { ...streaming, holdout: 2, minImages: 1 })),
    );
    expect(chosen[0]!.heldOut).toEqual(chosen[1]!.heldOut);
    await Promise.all(chosen.map((each) => each.close()));
  });

  test('of one person, or of none, is an error that says what is needed', async () => {
    const { rec } = await both({ ann: 3 });
    await expect(openTrainingSet(rec, options)).rejects.toThrow(
      /train\.rec: 1 of 1 people left to train on: training needs at least 2, one label a person/,
    );
    const empty = temporaryFolder();
    write(join(empty, 'train.idx'), '1\t0\n');
    await expect(openTrainingSet(empty, options)).rejects.toThrow(/train\.idx but no train\.rec/);
    await expect(openTrainingSet(join(empty, 'other.rec'), options)).rejects.toThrow(
      /other\.rec: no such file/,
    );
  });
});

describe('a damaged record', () => {
  test('of a set in memory is left out, with the reason, as a file of a folder is', async () => {
    const images = await Promise.all([1, 2, 3, 4].map(png));
    const broken = images[1]!.subarray(0, 60);
    const rec = writeRecords(temporaryFolder(), [
      [0, images[0]!],
      [0, broken],
      [1, images[2]!],
      [1, images[3]!],
    ]);
    const set = await openTrainingSet(rec, options);
    expect([...set.pixels.labels]).toEqual([0, 1, 1]);
    expect(set.skipped).toEqual([{ path: `${rec}#2`, reason: expect.not.stringContaining(rec) }]);
    await set.close();
  });

  test('of a streamed set is replaced by the next image of its person and told of once', async () => {
    const images = await Promise.all([1, 2, 3, 4].map(png));
    const rec = writeRecords(temporaryFolder(), [
      [0, images[0]!],
      [0, images[1]!.subarray(0, 60)],
      [1, images[2]!],
      [1, images[3]!],
    ]);
    const set = await openTrainingSet(rec, streaming);
    const told: { path: string; reason: string }[] = [];
    set.pixels.onUnreadable = (image) => told.push(image);
    const source = new BatchSource(set.pixels, { batch: 4, seed: 1 });
    for (let step = 0; step < 5; step++) {
      const { images: planes, labels } = await source.next(step);
      const { indices } = source.plan(step);
      expect([...labels].sort()).toEqual([0, 0, 1, 1]);
      const row = (image: number) => [...planes.subarray(432 * indices.indexOf(image)).subarray(0, 432)];
      expect(row(1)).toEqual(row(0));
      expect(row(2)).not.toEqual(row(3));
    }
    expect(told).toEqual([{ path: `${rec}#2`, reason: expect.stringMatching(/^at byte \d+: /) }]);
    await set.close();
  });

  test('whose header is damaged is left out before training; more than one in ten refuse the set', async () => {
    const image = await png(1);
    const records = Array.from({ length: 24 }, (_, i) => [i % 2, image] as const);
    const rec = writeRecords(temporaryFolder(), records);
    const size = statSync(rec).size / 24;
    const bytes = readFileSync(rec);
    bytes.fill(0, 3 * size, 3 * size + 4);
    bytes.fill(0, 7 * size + 32, 7 * size + 40);
    writeFileSync(rec, bytes);
    const set = await openTrainingSet(rec, streaming);
    expect(set.pixels.labels).toHaveLength(22);
    expect(set.skipped).toEqual([
      { path: `${rec}#4`, reason: expect.stringMatching(/^at byte \d+: no record begins there/) },
      { path: `${rec}#8`, reason: expect.stringMatching(/^at byte \d+: it holds no image/) },
    ]);
    await set.close();
    bytes.fill(0, 9 * size, 9 * size + 4);
    writeFileSync(rec, bytes);
    await expect(openTrainingSet(rec, streaming)).rejects.toThrow(
      /3 of 24 records hold no usable image \(record 4 at byte .*move train\.idx away/,
    );
  });
});

describe('a file that its index does not fit', () => {
  test('because it is cut off is refused; without the index the whole records are trained on', async () => {
    const { records, rec } = await both({ ann: 6, bob: 6 });
    truncateSync(rec, Math.floor(statSync(rec).size / 2));
    // Record 0, which says how many images there are, and the people's records lie behind the cut too.
    await expect(openTrainingSet(records, streaming)).rejects.toThrow(
      /is cut off: 8 of the 15 records that train\.idx lists lie behind its last byte/,
    );
    const images = await Promise.all([1, 2, 3, 4, 5, 6].map(png));
    const folder = temporaryFolder();
    const plain = writeRecords(
      folder,
      images.map((image, i) => [i % 2, image]),
    );
    truncateSync(plain, Math.floor(statSync(plain).size * 0.8));
    await expect(openTrainingSet(plain, streaming)).rejects.toThrow(
      /is cut off: 1 of the 6 records that train\.idx lists lie behind its last byte; copy it again/,
    );
    rmSync(join(folder, 'train.idx'));
    const set = await openTrainingSet(plain, streaming);
    expect(set.pixels.labels).toHaveLength(4);
    expect(set.notes.join()).toMatch(/it is cut off/);
    await set.close();
  });

  test('because it is of another file is refused', async () => {
    const [a, b] = [temporaryFolder(), temporaryFolder()];
    const long = await Promise.all([1, 2, 3].map((seed) => encode(noise(20, 20, 3, seed), 20, 20, 'png')));
    const short = await Promise.all([1, 2, 3].map(png));
    writeRecords(
      a,
      long.map((image, i) => [i, image]),
    );
    writeRecords(
      b,
      short.map((image, i) => [i, image]),
    );
    copyFileSync(join(b, 'train.idx'), join(a, 'train.idx'));
    await expect(openTrainingSet(a, streaming)).rejects.toThrow(
      /2 of 3 records hold no usable image .*train\.idx is of another file/,
    );
  });

  test('because it is no index is scanned instead, and that is said', async () => {
    const { records } = await both({ ann: 2, bob: 2 });
    write(join(records, 'train.idx'), 'one two\n');
    mkdirSync(join(records, 'other'));
    const set = await openTrainingSet(records, streaming);
    expect(set.pixels.labels).toHaveLength(4);
    expect(set.notes.join()).toMatch(/train\.idx line 1: is not 'key TAB byte'; .*scanning/);
    await set.close();
  });
});
