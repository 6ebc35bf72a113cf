// A few bytes can ask for any amount of work: what is no image of a format that is read never reaches a decoder, what a
// header does not bound is decoded apart and ended, and one such file costs one line.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { random } from '../../src/common/random.js';
import { imageKind, isHeic } from '../../src/data/image-kind.js';
import { examine } from '../../src/data/image-limits.js';
import {
  decodeBytes,
  decodeFace,
  decodePhotograph,
  imagesBelow,
  openTrainingSet,
  readPhotograph,
} from '../../src/data/index.js';
import { decodeLimits } from '../../src/data/isolated-decoder.js';
import { RecordFile } from '../../src/data/record-io.js';
import {
  damaged,
  jpegOfScans,
  jpegOfSize,
  png,
  pngChunk,
  seedImages,
  tiff,
  turbulence,
  zeroRows,
} from '../support/hostile-images.js';
import { encode, noise, temporaryFolder, write, writePeople } from './pictures.js';

const face = { size: [112, 96], order: 'rgb' } as const;
const even = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#808080' } });

/** A TIFF that announces a size, in strips of some rows. */
const strip = (width: number, height: number, rows = height) =>
  tiff([
    [256, 4, width],
    [257, 4, height],
    [258, 3, 8, 8, 8],
    [259, 3, 1],
    [262, 3, 2],
    [273, 4, 8],
    [277, 3, 3],
    [278, 4, rows],
    [279, 4, width * height * 3],
  ]);

/** The line about a file, or undefined for one that is read. */
async function lineOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).not.toContain('\n');
    return (error as Error).message;
  }
}

afterEach(() => vi.unstubAllEnvs());

describe('what is read is told by content', () => {
  test('every format and variant that is read', async () => {
    for (const [name, bytes] of await seedImages(random(1, 'seeds'))) {
      const { width, height, pixels } = await decodePhotograph(bytes, name);
      expect(pixels, name).toHaveLength(3 * width * height);
      expect(await decodeBytes(bytes, name, face), name).toHaveLength(112 * 96 * 3);
      expect(isHeic(bytes)).toBe(false);
    }
  });

  const box = (brand: string, ...compatible: string[]) =>
    Buffer.concat([
      Buffer.from([0, 0, 0, 16 + 4 * compatible.length]),
      Buffer.from(`ftyp${brand}`),
      Buffer.alloc(4),
      Buffer.from(compatible.join('')),
    ]);
  const others: Record<string, [content: Uint8Array, line: RegExp]> = {
    'drawing.jpg': [turbulence(), /^is an SVG drawing, which is not read \(JPEG, .* are\)$/],
    'prolog.png': [Buffer.from('<?xml version="1.0"?>\n<!-- x -->\n<svg/>'), /^is an SVG drawing/],
    'paper.jpg': [Buffer.from('%PDF-1.7\n'), /^is a PDF document/],
    'packed.jpg': [Buffer.from([0x1f, 0x8b, 8, 0]), /^is a gzip archive/],
    'phone.jpg': [
      box('heic', 'mif1', 'heic'),
      /^is a HEIC photograph, which is not read: convert it to JPEG/,
    ],
    'burst.heic': [
      box('mif1', 'mif1', 'heic'),
      /^is a HEIF photograph, which is not read: convert it to JPEG/,
    ],
    'clip.jpg': [box('isom', 'mp41'), /^is a video/],
    'old.jpg': [Buffer.from('BM\0\0\0\0'), /^is a BMP image/],
    'vips.jpg': [Buffer.from([0x08, 0xf2, 0xa6, 0xb6, 0, 0]), /^is not an image of a format that is read/],
    'page.jpg': [Buffer.from('  <!DOCTYPE html>'), /^is a web page/],
    'list.jpg': [Buffer.from('a,b\n1,2\n'), /^is a text file/],
    'zeros.jpg': [Buffer.alloc(100), /^is not an image of a format that is read/],
    'two.jpg': [Buffer.from([0xff, 0xd8]), /^is not an image of a format that is read/],
  };
  test.for(Object.entries(others))('%s is refused in one line', async ([name, [content, line]]) => {
    expect(imageKind(content)).toBeUndefined();
    for (const work of [() => decodePhotograph(content, name), () => decodeBytes(content, name, face)])
      expect((await lineOf(work()))?.replace(`${name}: `, '')).toMatch(line);
  });

  test('HEIC is known as such, AVIF in the same container is not taken for it', () => {
    expect(isHeic(others['phone.jpg']![0])).toBe(true);
    expect(isHeic(others['burst.heic']![0])).toBe(true);
    expect(imageKind(box('mif1', 'mif1', 'avif'))).toBe('avif');
    expect(imageKind(box('avif'))).toBe('avif');
    expect(isHeic(box('mif1', 'mif1', 'avif'))).toBe(false);
  });

  test('no beginning of a file makes it fail', async () => {
    for (const [, bytes] of await seedImages(random(1, 'seeds')))
      for (let length = 0; length < 64; length++) {
        const part = bytes.subarray(0, length);
        imageKind(part);
        expect([true, false]).toContain(isHeic(part));
      }
  });
});

describe('pixels, sides and aspect have limits before anything is decoded', () => {
  test.each([
    ['pixels', 10_001, 10_000, '10001x10000 pixels: more than 100 million are not decoded'],
    ['a side', 70_000, 1000, 'a side of more than 65535'],
    ['aspect', 1, 101, 'more than 100 times the other'],
  ])('%s of a PNG', (_, width, height, line) => {
    const bits = { depth: 1, colour: 0, data: zeroRows(width, height, 1 / 8) };
    expect(() => examine(png(width, height, bits))).toThrow(line);
  });

  test('a sequential JPEG may have more pixels, which are read row by row', async () => {
    const jpeg = await even(64, 64).jpeg().toBuffer();
    const long = (width: number, height: number) =>
      Buffer.concat([jpegOfSize(jpeg, width, height), Buffer.alloc(30e6)]);
    expect(examine(long(16_320, 12_240))).toMatchObject({ pixels: 16_320 * 12_240, isolated: true });
    expect(() => examine(long(20_000, 20_000))).toThrow('more than 268 million are not decoded');
  });

  test('a face has fewer', async () => {
    const large = png(8001, 8000, { depth: 1, colour: 0, data: zeroRows(8001, 8000, 1 / 8) });
    expect(await lineOf(decodeBytes(large, 'x', face))).toContain('more than 64 million are not decoded');
  });

  test('is an error of its own code', async () => {
    const wide = png(2000, 1, { data: zeroRows(2000, 1, 3) });
    await expect(decodePhotograph(wide, 'x')).rejects.toMatchObject({ name: 'UserError', code: 'limit' });
    await expect(decodePhotograph(png(2000, 100), 'x')).rejects.toMatchObject({ code: 'bad-input' });
  });

  test('the limit holds for every other format, as the decoder finds its size', async () => {
    expect(await lineOf(decodePhotograph(strip(10_001, 10_000), 'x.tif'))).toBe(
      'x.tif: more than 100 million pixels are not decoded; make a smaller copy of it',
    );
  });
});

describe('where an image is decoded', () => {
  test('plain JPEG and PNG files here, all that is not bounded by its header apart', async () => {
    const apart = new Map<string, boolean>();
    for (const [name, bytes] of await seedImages(random(1, 'seeds')))
      apart.set(name, examine(bytes).isolated);
    for (const [name, isolated] of apart) expect(isolated, name).toBe(!/\.(jpg|png|pgm|ppm)$/.test(name));
  });

  test('what unpacks to much, or passes often, apart', async () => {
    const progressive = await even(4000, 3000).jpeg({ progressive: true }).toBuffer();
    expect(examine(progressive).isolated).toBe(false);
    expect(examine(jpegOfScans(progressive, 90)).isolated).toBe(true);
    const packed = Buffer.concat([Buffer.from('profile\0\0'), Buffer.alloc(80e3)]);
    expect(examine(png(1, 1, { extra: [pngChunk('iCCP', packed)] })).isolated).toBe(true);
    const deep = { depth: 16, colour: 6, data: zeroRows(5000, 4000, 8) };
    expect(examine(png(5000, 4000, deep)).isolated).toBe(true);
  });

  test('makes no difference to the pixels', async () => {
    const pixels = noise(60, 80, 3);
    const raw = sharp(pixels, { raw: { width: 80, height: 60, channels: 3 } });
    const here = await decodePhotograph(await raw.png().toBuffer(), 'x');
    const apart = await decodePhotograph(await raw.webp({ lossless: true }).toBuffer(), 'x');
    expect(apart).toEqual(here);
    const maxPixels = 1000;
    const shrunk = await decodePhotograph(await raw.tiff({ compression: 'lzw' }).toBuffer(), 'x', maxPixels);
    expect(shrunk).toEqual(await decodePhotograph(await raw.png().toBuffer(), 'x', maxPixels));
  });

  test('many at once come back as they were asked for', async () => {
    const images = await Promise.all(
      Array.from({ length: 12 }, (_, i) => encode(noise(20, 30, 3, i), 20, 30, 'webp')),
    );
    const decoded = await Promise.all(images.map((bytes) => decodePhotograph(bytes, 'x')));
    decoded.forEach(({ pixels }, i) => {
      expect(pixels).toEqual(noise(20, 30, 3, i));
    });
  });
});

describe('a process of its own', () => {
  let made: Promise<Buffer> | undefined;
  /** More than a process does between two looks at its limits. */
  const large = () => (made ??= even(5000, 4000).webp({ effort: 0 }).toBuffer());

  test('is ended when it takes too long, and the next image is decoded', async () => {
    vi.stubEnv('HYPERSPHERE_IMAGE_SECONDS', '0.02');
    expect(await lineOf(decodePhotograph(await large(), 'slow.webp'))).toBe(
      'slow.webp: takes more than 0.02 s of processor time to decode; make a smaller copy of it, or allow more with HYPERSPHERE_IMAGE_SECONDS',
    );
    vi.unstubAllEnvs();
    expect((await decodePhotograph(await large(), 'x')).width).toBe(4472);
  });

  test('is ended when it takes too much memory, and the next image is decoded', async () => {
    vi.stubEnv('HYPERSPHERE_IMAGE_MIB', '1');
    expect(await lineOf(decodePhotograph(await large(), 'much.webp'))).toBe(
      'much.webp: takes more than 1 MiB of memory to decode; make a smaller copy of it, or allow more with HYPERSPHERE_IMAGE_MIB',
    );
    vi.unstubAllEnvs();
    expect((await decodePhotograph(await large(), 'x')).width).toBe(4472);
  });

  test.skipIf(process.platform !== 'linux')('costs its image alone when it crashes', async () => {
    await decodePhotograph(await encode(noise(8, 8, 3), 8, 8, 'webp'), 'x');
    const slow = Array.from({ length: 2 }, async () => lineOf(decodePhotograph(await large(), 'x.webp')));
    // Processes that end as by a fault of the decoder, while both work.
    for (let killed = 0; killed < 1; ) {
      killed = decoders(process.pid).filter((pid) => process.kill(pid, 'SIGSEGV')).length;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const line of await Promise.all(slow))
      if (line !== undefined) expect(line).toMatch(/^x\.webp: the decoder ended on it \(SIGSEGV\)/);
    expect((await decodePhotograph(await large(), 'x')).width).toBe(4472);
  });

  test('does not outlive the program, nor keep it running', async () => {
    const file = write(join(temporaryFolder(), 'a.webp'), await encode(noise(8, 8, 3), 8, 8, 'webp'));
    const source = new URL('../../src/data/index.ts', import.meta.url).href;
    const script = `import { readPhotograph } from '${source}';
      const { width } = await readPhotograph('${file}');
      console.log(width);`;
    const run = ['--import', 'tsx', '--input-type=module', '-e', script];
    const { stdout, status } = spawnSync(process.execPath, run, { encoding: 'utf8' });
    expect([stdout, status]).toEqual(['8\n', 0]);
  });

  test.skipIf(process.platform !== 'linux')('ends when the program is killed', async () => {
    const file = write(join(temporaryFolder(), 'a.webp'), await encode(noise(8, 8, 3), 8, 8, 'webp'));
    const source = new URL('../../src/data/index.ts', import.meta.url).href;
    const script = `import { readPhotograph } from '${source}';
      setInterval(() => {}, 1000);
      await readPhotograph('${file}');
      console.log('ready');`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const [decoder] = decoders(child.pid!);
    expect(decoder).toBeGreaterThan(0);
    child.kill('SIGKILL');
    // It is gone at some time, or the test's own limit ends it.
    while (alive(decoder!)) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  test('has its limits from the environment, and a wrong one is refused', () => {
    expect(decodeLimits({})).toEqual({ seconds: 8, mebibytes: 1100 });
    expect(decodeLimits({ HYPERSPHERE_IMAGE_SECONDS: '30', HYPERSPHERE_IMAGE_MIB: '' })).toEqual({
      seconds: 30,
      mebibytes: 1100,
    });
    for (const wrong of ['x', '0', '-1', 'NaN'])
      expect(() => decodeLimits({ HYPERSPHERE_IMAGE_SECONDS: wrong })).toThrow(
        `HYPERSPHERE_IMAGE_SECONDS=${wrong}: use a number above 0`,
      );
  });
});

/** Processes that decode for process `parent`. */
function decoders(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [, mother] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return (
          Number(mother) === parent &&
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('isolated-decode')
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

function alive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch {
    return false;
  }
}

describe('an attack ends in one line', () => {
  const attacks: Record<string, () => Buffer | Promise<Buffer>> = {
    'turbulence.svg': turbulence,
    'wide.png': () => png(15_269_928, 40),
    'deep.png': () =>
      png(60_000, 60_000, { depth: 16, colour: 6, data: deflateSync(Buffer.alloc(1_600_000)) }),
    'size.jpg': async () =>
      jpegOfSize(await even(64, 64).jpeg({ progressive: true }).toBuffer(), 65_500, 15_200),
    'scans.jpg': async () => jpegOfScans(await even(640, 640).jpeg({ progressive: true }).toBuffer(), 5000),
    'strip.tif': () => strip(30_000, 30_000, 30_000),
    'short.tif': () => strip(9000, 9000, 1),
    'canvas.gif': () =>
      Buffer.from('474946383961ffffffff80000000000000ffff2c00000000ffffffff00020244013b', 'hex'),
    'canvas.webp': async () => {
      const file = await sharp(noise(8, 8, 4), { raw: { width: 8, height: 8, channels: 4 } })
        .webp()
        .toBuffer();
      file.fill(0xff, 24, 30);
      return file;
    },
    'text.pgm': () => Buffer.from('P2 16384 16384 255 1 2 3'),
  };
  test.for(Object.entries(attacks))('%s', async ([name, make]) => {
    const bytes = await make();
    for (const work of [() => decodePhotograph(bytes, name), () => decodeBytes(bytes, name, face)])
      expect(await lineOf(work())).toMatch(new RegExp(`^${name}: .`));
  });

  test('a profile of a PNG that unpacks to much', async () => {
    const packed = Buffer.concat([Buffer.from('p\0\0'), deflateSync(Buffer.alloc(80e6))]);
    const extra = Array<Buffer>(20).fill(pngChunk('iCCP', packed));
    const file = png(1, 1, { extra, data: deflateSync(Buffer.alloc(4)) });
    // Whether it is read or refused.
    await lineOf(decodePhotograph(file, 'profile.png'));
  });

  test('of a TIFF whose list of pages goes round, the first page is read', async () => {
    const file = strip(4, 4, 4);
    // The last four bytes of its directory, which ends before the three numbers of the sample sizes.
    file.writeUInt32LE(8, 8 + 2 + 9 * 12);
    const data = Buffer.concat([file, Buffer.alloc(64, 9)]);
    expect((await decodePhotograph(data, 'loop.tif')).width).toBe(4);
  });

  test('damage anywhere in a file of any format', async () => {
    const seeds = [...(await seedImages(random(1, 'seeds')))];
    const files = seeds.map(([, bytes]) => bytes);
    for (let i = 0; i < 300; i++) {
      const [name, original] = seeds[i % seeds.length]!;
      const bytes = damaged(original, random(2, 'case', i), files);
      await lineOf(decodePhotograph(bytes, name));
    }
  });
});

describe.skipIf(process.platform === 'win32')('what is no regular file is refused unopened', () => {
  async function irregular() {
    const folder = temporaryFolder();
    const at = (name: string) => join(folder, name);
    execFileSync('mkfifo', [at('pipe.jpg')]);
    symlinkSync('/dev/zero', at('device.png'));
    const server = createServer().listen(at('socket.gif'));
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    write(at('real.png'), await encode(noise(12, 12, 3), 12, 12, 'png'));
    symlinkSync(at('real.png'), at('link.png'));
    return { folder, at };
  }

  test('as a photograph and as a face; a link to a file is that file', async () => {
    const { folder, at } = await irregular();
    for (const name of ['pipe.jpg', 'device.png', 'socket.gif'])
      for (const work of [() => readPhotograph(at(name)), () => decodeFace(at(name), face)])
        expect(await lineOf(work())).toMatch(new RegExp(`${name}: is not a regular file`));
    expect((await readPhotograph(at('link.png'))).width).toBe(12);
    expect(await imagesBelow(folder)).toEqual([
      'device.png',
      'link.png',
      'pipe.jpg',
      'real.png',
      'socket.gif',
    ]);
  });

  test('among the images of a person, which are trained on without it', async () => {
    const folder = temporaryFolder();
    await writePeople(folder, { a: 2, b: 2 });
    execFileSync('mkfifo', [join(folder, 'a', '3.png')]);
    for (const memoryBudget of [undefined, 0]) {
      const set = await openTrainingSet(folder, {
        ...face,
        seed: 1,
        ...(memoryBudget === 0 && { memoryBudget }),
      });
      const reported: unknown[] = [...set.skipped];
      set.pixels.onUnreadable = (image) => reported.push(image);
      await set.pixels.read([...set.pixels.labels.keys()]);
      expect(reported).toEqual([
        { path: join(folder, 'a', '3.png'), reason: expect.stringContaining('is not a regular file') },
      ]);
      await set.close();
    }
  });

  test('as a record file', async () => {
    const folder = temporaryFolder();
    execFileSync('mkfifo', [join(folder, 'train.rec')]);
    await expect(RecordFile.open(join(folder, 'train.rec'))).rejects.toThrow(
      'train.rec: is not a regular file',
    );
    await expect(RecordFile.open('/dev/zero')).rejects.toThrow('/dev/zero: is not a regular file');
  });
});
