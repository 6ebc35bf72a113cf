// Record files: what Python's struct wrote is read as it is, by index and by scanning, and every kind of damage costs
// no more than the records it touches.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { imageEnding } from '../../src/data/image-kind.js';
import { encodeRecord, imageHeader, imageRecord, RecordFile } from '../../src/data/record-io.js';
import { openRecordSet, type RecordSet } from '../../src/data/record-set.js';
import { writeRecordSet } from '../../src/data/record-writer.js';
import { encode, noise, temporaryFolder, write } from './pictures.js';

const fixture = fileURLToPath(new URL('../fixtures/rec', import.meta.url));
const expected: { number: number; offset: number; label: number; length: number; sha256: string }[] =
  JSON.parse(readFileSync(join(fixture, 'expected.json'), 'utf8'));
const rec = readFileSync(join(fixture, 'train.rec'));
const offsetOfRecord0 = Number(/^0\t(\d+)$/m.exec(readFileSync(join(fixture, 'train.idx'), 'utf8'))![1]);
const MAGIC = Buffer.from([0x0a, 0x23, 0xd7, 0xce]);

/** Every image of a set: what it is, or why it cannot be read. */
async function readAll(set: RecordSet) {
  const images: ((typeof expected)[number] | string)[] = [];
  for (let i = 0; i < set.length; i++)
    images.push(
      await set.read(i).then(
        ({ number, offset, label, length, bytes }) => {
          expect(bytes.length).toBe(length);
          return { number, offset, label, length, sha256: createHash('sha256').update(bytes).digest('hex') };
        },
        (error: Error) => error.message,
      ),
    );
  return images;
}

/** Opens a copy of the fixture with these changes; null leaves a file out. */
async function changed(changes: Record<string, Uint8Array | string | null>) {
  const folder = temporaryFolder();
  cpSync(fixture, folder, { recursive: true });
  for (const [file, bytes] of Object.entries(changes)) {
    if (bytes === null) rmSync(join(folder, file));
    else writeFileSync(join(folder, file), bytes);
  }
  const set = await openRecordSet(folder);
  const images = await readAll(set);
  await set.close();
  return { set, images, problems: set.problems.map((problem) => problem.replaceAll(`${folder}/`, '')) };
}

describe('a record set', () => {
  test('holds the images that its index names, with their labels and bytes', async () => {
    const { set, images, problems } = await changed({});
    expect({ indexed: set.indexed, problems, property: set.property }).toEqual({
      indexed: true,
      problems: [],
      property: { people: 3, height: 16, width: 16 },
    });
    expect(images).toEqual(expected);
  });

  test('is scanned where there is no index: images are those that have bytes, in the order of the file', async () => {
    const { set, images, problems } = await changed({ 'train.idx': null });
    expect([set.indexed, problems]).toEqual([false, []]);
    expect(images).toEqual(expected);
  });

  test('that is scanned numbers its records where their ids are all alike', async () => {
    const bytes = Buffer.from(rec);
    for (const { offset } of expected) bytes.writeBigUInt64LE(7n, offset + 16);
    const { images } = await changed({ 'train.rec': bytes, 'train.idx': null });
    expect(images).toMatchObject([1, 2, 3, 4, 5, 6].map((number) => ({ number })));
  });

  test('without record 0 has an image under every key', async () => {
    const third = expected[2]!.offset;
    const { images } = await changed({ 'train.rec': rec.subarray(0, third), 'train.idx': '9\t0\n4\t728\n' });
    expect(images).toMatchObject([
      { number: 4, offset: 728, sha256: expected[1]!.sha256 },
      { number: 9, offset: 0, sha256: expected[0]!.sha256 },
    ]);
  });

  test('tells of a damaged beginning of a record and goes on after it', async () => {
    const bytes = Buffer.from(rec);
    bytes[expected[1]!.offset] = 0;
    const { images, problems } = await changed({ 'train.rec': bytes, 'train.idx': null });
    expect(problems).toEqual([
      'train.rec: record 2 of the file at byte 728: no record begins there (the magic number 0xced7230a is missing); reading goes on at byte 1460',
    ]);
    expect(images).toMatchObject(expected.filter((_, i) => i !== 1).map(({ sha256 }) => ({ sha256 })));
    const indexed = await changed({ 'train.rec': bytes });
    expect(indexed.problems).toEqual([]);
    expect(indexed.images[1]).toMatch(/train\.rec: record 2 at byte 728: no record begins there/);
    expect(indexed.images.filter((_, i) => i !== 1)).toEqual(expected.filter((_, i) => i !== 1));
  });

  test('whose length leads past other records loses that record only', async () => {
    const bytes = Buffer.from(rec);
    bytes.writeUInt32LE(1500, expected[1]!.offset + 4);
    const { images, problems } = await changed({ 'train.rec': bytes, 'train.idx': null });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(
      /^train\.rec: record 3 of the file at byte 2236: .*; reading goes on at byte 1460$/,
    );
    expect(images[1]).toMatch(
      /record 2 at byte 728: its length is wrong: another record begins at byte 1460/,
    );
    expect(images.filter((_, i) => i !== 1)).toMatchObject(
      expected.filter((_, i) => i !== 1).map(({ sha256 }) => ({ sha256 })),
    );
  });

  test('that is cut off anywhere gives the whole images before the cut', async () => {
    const ends = [...expected.slice(1).map(({ offset }) => offset), offsetOfRecord0];
    for (let length = ends[0]!; length < rec.length; length += 37) {
      // Up to three bytes before the next record are padding.
      const whole = expected.filter((_, i) => ends[i]! - 3 <= length).map(({ sha256 }) => ({ sha256 }));
      const { images, set } = await changed({ 'train.rec': rec.subarray(0, length), 'train.idx': null });
      expect(images.length - whole.length).toBeLessThanOrEqual(1);
      expect(images.filter((image) => typeof image !== 'string')).toMatchObject(whole);
      // A cut inside of the records that hold no image costs no image.
      if (length < offsetOfRecord0 - 3 && !ends.some((end) => end - 3 <= length && length <= end))
        expect(set.problems).toHaveLength(1);
    }
  });

  test('whose record 0 lies behind a cut is scanned', async () => {
    const { images, problems } = await changed({ 'train.rec': rec.subarray(0, 2900) });
    expect(problems[0]).toMatch(/train\.idx: points elsewhere: record 0 at byte \d+: the file ends there; /);
    expect(images).toMatchObject(expected.slice(0, 3).map(({ sha256 }) => ({ sha256 })));
  });

  test('says where the announced bytes end', async () => {
    const { problems } = await changed({ 'train.rec': rec.subarray(0, 1500), 'train.idx': null });
    expect(problems).toEqual([
      'train.rec: record 3 of the file at byte 1460: it is cut off: 710 bytes are announced at byte 1460, 32 are left; nothing can be read after it',
    ]);
  });

  test('does not take for an image what begins as none', async () => {
    const bytes = Buffer.from(rec);
    // Head 8, header 24, labels 8: the image.
    bytes.write('no JPEG', expected[1]!.offset + 40);
    const { images } = await changed({ 'train.rec': bytes });
    expect(images[1]).toMatch(
      /record 2 at byte 728: it holds no image: its bytes begin neither as a JPEG nor/,
    );
  });

  test('refuses a label that is no person', async () => {
    const bytes = Buffer.from(rec);
    bytes.writeFloatLE(1.5, expected[1]!.offset + 32);
    bytes.writeFloatLE(Number.NaN, expected[2]!.offset + 32);
    const { images } = await changed({ 'train.rec': bytes });
    expect(images[1]).toMatch(/record 2 at byte 728: its label 1.5 is no person's number/);
    expect(images[2]).toMatch(/record 3 at byte 1460: its label NaN/);
  });

  const indices: [string, string, RegExp][] = [
    [
      'of another file',
      '0\t9999\n1\t0\n',
      /train\.idx: points elsewhere: record 0 at byte 9999: the file ends there; the records are found by scanning/,
    ],
    ['that points between records', '0\t4\n', /record 0 at byte 4: no record begins there/],
    ['that is no list', 'a file', /train\.idx line 1: is not 'key TAB byte'/],
    ['with a line cut off', '0\t0\n1', /train\.idx line 2: is not/],
    ['with a key twice', '0\t0\n0\t728\n', /train\.idx: has two lines for record 0/],
    ['with a place twice', '0\t0\n1\t0\n', /train\.idx: two records begin at byte 0/],
    ['that is empty', '', /train\.idx: is empty/],
  ];
  test.for(indices)('is scanned where the index is one %s', async ([, index, message]) => {
    const { set, images, problems } = await changed({ 'train.idx': index });
    expect(set.indexed).toBe(false);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(message);
    expect(images).toHaveLength(6);
  });

  test('says which images its index lacks', async () => {
    const lines = readFileSync(join(fixture, 'train.idx'), 'utf8').split('\n');
    const { images, problems } = await changed({ 'train.idx': lines.filter((_, i) => i !== 2).join('\n') });
    expect(problems).toEqual([
      'train.idx: lacks 1 of the 6 images that record 0 announces, the first of them 3',
    ]);
    expect(images).toEqual(expected.filter(({ number }) => number !== 3));
  });

  test('that is none, is empty or is not there is one clear line', async () => {
    const folder = temporaryFolder();
    await expect(openRecordSet(join(folder, 'no.rec'))).rejects.toThrow('no.rec: no such file');
    await expect(openRecordSet(folder)).rejects.toThrow('train.rec: no such file');
    await expect(openRecordSet(write(join(folder, 'a.rec'), ''))).rejects.toThrow('a.rec: the file is empty');
    await expect(openRecordSet(write(join(folder, 'b.rec'), noise(300, 300, 3)))).rejects.toThrow(
      /b\.rec: holds no image \(record 1 of the file at byte 0: no record begins there .*nothing can be read after it\)/,
    );
    mkdirSync(join(folder, 'train.rec'));
    await expect(openRecordSet(folder)).rejects.toThrow('train.rec: is a folder, not a file');
  });
});

describe('a record', () => {
  const contents = fc
    .array(fc.oneof(fc.uint8Array({ maxLength: 9 }), fc.constant(new Uint8Array(MAGIC))), { maxLength: 12 })
    .map((pieces) => Buffer.concat(pieces));

  test('comes back as it was, whatever bytes it holds and whatever lies around it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(contents, { minLength: 1, maxLength: 4 }), async (records) => {
        const folder = temporaryFolder();
        const file = await RecordFile.open(
          write(join(folder, 'x.rec'), Buffer.concat(records.map(encodeRecord))),
        );
        let at = 0;
        for (const record of records) {
          const extent = await file.extent(at);
          expect(extent.length).toBe(record.length);
          expect(await file.content(extent)).toEqual(record);
          for (const count of [0, 1, 5, 11])
            expect(await file.content(extent, count)).toEqual(record.subarray(0, count));
          at = extent.end;
        }
        expect(at).toBe(file.size);
        await file.close();
      }),
      { numRuns: 200 },
    );
  });

  test('has the magic number on a boundary of four nowhere but at the beginning of a part', () => {
    fc.assert(
      fc.property(contents, (content) => {
        const bytes = encodeRecord(content);
        expect(bytes.length % 4).toBe(0);
        for (let at = 0; at < bytes.length; ) {
          expect(bytes.subarray(at, at + 4)).toEqual(MAGIC);
          const length = bytes.readUInt32LE(at + 4) & (2 ** 29 - 1);
          for (let i = at + 8; i + 4 <= at + 8 + length; i += 4)
            expect(bytes.subarray(i, i + 4)).not.toEqual(MAGIC);
          at += 8 + Math.ceil(length / 4) * 4;
        }
      }),
    );
  });

  test('of the fixture is written as Python wrote it', () => {
    const { offset, length } = expected[3]!;
    const next = expected[4]!.offset;
    const parts: Buffer[] = [];
    for (let at = offset; at < next; ) {
      const size = rec.readUInt32LE(at + 4) & (2 ** 29 - 1);
      if (parts.length > 0) parts.push(MAGIC);
      parts.push(rec.subarray(at + 8, at + 8 + size));
      at += 8 + Math.ceil(size / 4) * 4;
    }
    const content = Buffer.concat(parts);
    expect(parts.length).toBe(7);
    expect(content.length).toBe(32 + length);
    expect(encodeRecord(content)).toEqual(rec.subarray(offset, next));
    expect(imageRecord([1, 1], 4, content.subarray(32))).toEqual(content);
  });

  test('without an image may count with eight bytes a label', () => {
    const content = Buffer.alloc(24 + 16);
    content.writeUInt32LE(2, 0);
    content.writeDoubleLE(17_091_658, 24);
    content.writeDoubleLE(17_451_890, 32);
    expect(imageHeader(content, content.length)).toEqual({
      labels: [17_091_658, 17_451_890],
      id: 0,
      end: 40,
    });
    expect(() => imageHeader(content, 23)).toThrow('too few for an image');
    content.writeUInt32LE(5, 0);
    expect(() => imageHeader(content, 40)).toThrow('announces 5 labels');
  });
});

describe('an image folder as a record set', () => {
  test('comes back byte for byte, and the same set is written of what came back', async () => {
    const folder = temporaryFolder();
    const bytes = new Map<string, Buffer>();
    for (const [i, path] of ['Bo/1.jpg', 'Bo/2.png', 'Bo/10.jpg', 'Al/x.webp'].entries()) {
      const format = (['jpeg', 'png', 'jpeg', 'webp'] as const)[i]!;
      const image = await encode(noise(10, 8, 3, i), 10, 8, format);
      bytes.set(path, image);
      write(join(folder, 'in', path), image);
    }
    write(join(folder, 'in/Bo/3.jpg'), 'no image');
    write(join(folder, 'in/Cy/1.jpg'), '');
    const written = await writeRecordSet(join(folder, 'in'), join(folder, 'out/train.rec'));
    expect(written).toMatchObject({ images: 4, people: ['Al', 'Bo'], height: 10, width: 8, otherSizes: 0 });
    expect(written.skipped.map(({ path }) => path.slice(folder.length))).toEqual([
      '/in/Bo/3.jpg',
      '/in/Cy/1.jpg',
    ]);
    expect(readFileSync(join(folder, 'out/property'), 'utf8')).toBe('2,10,8');
    const list = readFileSync(join(folder, 'out/train.lst'), 'utf8').trim().split('\n');
    expect(list).toEqual(['1\t0\tAl/x.webp', '2\t1\tBo/1.jpg', '3\t1\tBo/2.png', '4\t1\tBo/10.jpg']);

    const set = await openRecordSet(join(folder, 'out'));
    expect(set.problems).toEqual([]);
    for (let i = 0; i < set.length; i++) {
      const image = await set.read(i);
      const [number, label, path] = list[i]!.split('\t');
      expect([image.number, image.label]).toEqual([Number(number), Number(label)]);
      expect(image.bytes).toEqual(bytes.get(path!));
      write(join(folder, 'back', String(image.label), `${image.number}${image.ending}`), image.bytes);
    }
    await set.close();
    await writeRecordSet(join(folder, 'back'), join(folder, 'again/train.rec'));
    for (const file of ['train.rec', 'train.idx', 'property'])
      expect(readFileSync(join(folder, 'again', file))).toEqual(readFileSync(join(folder, 'out', file)));
  });

  test('may hold portable grey maps, which come back as they were', async () => {
    const folder = temporaryFolder();
    const grey = Buffer.concat([Buffer.from('P5\n3 2\n255\n'), Buffer.from([0, 50, 100, 150, 200, 250])]);
    write(join(folder, 'in/s1/1.pgm'), grey);
    const written = await writeRecordSet(join(folder, 'in'), join(folder, 'out/train.rec'));
    expect(written).toMatchObject({ images: 1, height: 2, width: 3, skipped: [] });
    const set = await openRecordSet(join(folder, 'out'));
    expect(await set.read(0)).toMatchObject({ ending: '.pgm', bytes: grey });
    await set.close();
  });

  test('without a readable image writes nothing', async () => {
    const folder = temporaryFolder();
    write(join(folder, 'in/Al/1.jpg'), 'no image');
    const out = join(folder, 'out/train.rec');
    await expect(writeRecordSet(join(folder, 'in'), out)).rejects.toThrow(/none of its 1 images can be read/);
    expect(() => readFileSync(`${out}.tmp`)).toThrow('ENOENT');
    expect(() => readFileSync(out)).toThrow('ENOENT');
  });
});

test.each([
  ['jpeg', '.jpg'],
  ['png', '.png'],
  ['webp', '.webp'],
] as const)('%s begins as %s', async (format, ending) => {
  expect(imageEnding(await encode(noise(4, 4, 3), 4, 4, format))).toBe(ending);
  expect(imageEnding(Buffer.from('text, no image'))).toBeUndefined();
  expect(imageEnding(new Uint8Array())).toBeUndefined();
});
