// A photograph is upright 8-bit RGB whatever its file held, and one that cannot be read is one line.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { decodePhotograph, imagesBelow, photographsAt, readPhotograph } from '../../src/data/index.js';
import { encode, noise, temporaryFolder, write } from './pictures.js';

const [WIDTH, HEIGHT] = [7, 5];
const picture = noise(HEIGHT, WIDTH, 3);
const raw = (pixels: Uint8Array, width: number, height: number) =>
  sharp(pixels, { raw: { width, height, channels: (pixels.length / width / height) as 1 | 3 | 4 } });
const plain = (bytes: Uint8Array) => Array.from(bytes);
/** The greatest difference of two images. */
const apart = (a: Uint8Array, b: Uint8Array) => {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
};

describe('orientation', () => {
  // Exif 2.3, tag 0x0112: where the 0th row and the 0th column of the file lie in the upright picture. (x, y) of the
  // upright picture is found in a file of width w and height h at:
  const places: Record<number, (x: number, y: number, w: number, h: number) => [number, number]> = {
    1: (x, y) => [x, y],
    2: (x, y, w) => [w - 1 - x, y],
    3: (x, y, w, h) => [w - 1 - x, h - 1 - y],
    4: (x, y, _, h) => [x, h - 1 - y],
    5: (x, y) => [y, x],
    6: (x, y, _, h) => [y, h - 1 - x],
    7: (x, y, w, h) => [w - 1 - y, h - 1 - x],
    8: (x, y, w) => [w - 1 - y, x],
  };

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('%i is turned upright, pixel for pixel', async (orientation) => {
    const file = await raw(picture, WIDTH, HEIGHT)
      .withMetadata({ orientation })
      .webp({ lossless: true })
      .toBuffer();
    const { width, height, pixels, scale } = await decodePhotograph(file, 'x');
    expect([width, height, scale]).toEqual(orientation < 5 ? [WIDTH, HEIGHT, 1] : [HEIGHT, WIDTH, 1]);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const [fileX, fileY] = places[orientation]!(x, y, WIDTH, HEIGHT);
        const at = 3 * (y * width + x);
        const from = 3 * (fileY * WIDTH + fileX);
        expect(plain(pixels.subarray(at, at + 3))).toEqual(plain(picture.subarray(from, from + 3)));
      }
  });

  test('holds for what is shrunk as well: a mark stays at its place in the upright original', async () => {
    // A white square with its middle at (300, 100) of an upright 400 x 200, stored lying on its side.
    const upright = new Uint8Array(400 * 200 * 3);
    for (let y = 90; y < 110; y++)
      for (let x = 290; x < 310; x++) upright.fill(255, 3 * (y * 400 + x), 3 * (y * 400 + x) + 3);
    const file = await raw(upright, 400, 200)
      .rotate(90)
      .withMetadata({ orientation: 8 })
      .jpeg({ quality: 95 })
      .toBuffer();
    const { width, height, pixels, scale } = await decodePhotograph(file, 'x', 5000);
    expect([width, height, scale]).toEqual([100, 50, 4]);
    let [sum, sumX, sumY] = [0, 0, 0];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const value = pixels[3 * (y * width + x)]!;
        [sum, sumX, sumY] = [sum + value, sumX + value * x, sumY + value * y];
      }
    // Pixel centres are at whole numbers; edges scale as they are.
    const inOriginal = (small: number) => (small + 0.5) * scale - 0.5;
    expect(inOriginal(sumX / sum)).toBeCloseTo(299.5, -0.5);
    expect(inOriginal(sumY / sum)).toBeCloseTo(99.5, -0.5);
    expect(sum).toBeGreaterThan(0);
  });
});

describe('whatever the file holds becomes 8-bit RGB', () => {
  test.each(['png', 'webp'] as const)('%s, to the byte', async (format) => {
    const { pixels, width, height } = await decodePhotograph(
      await encode(picture, HEIGHT, WIDTH, format),
      'x',
    );
    expect([width, height]).toEqual([WIDTH, HEIGHT]);
    expect(plain(pixels)).toEqual(plain(picture));
  });

  test('TIFF, and the first image of a GIF or WebP that moves', async () => {
    const tiff = await raw(picture, WIDTH, HEIGHT).tiff({ compression: 'lzw' }).toBuffer();
    expect(plain((await decodePhotograph(tiff, 'x')).pixels)).toEqual(plain(picture));
    const frame = (value: number) =>
      sharp({ create: { width: 8, height: 6, channels: 3, background: { r: value, g: 0, b: 255 } } })
        .png()
        .toBuffer();
    const frames = [await frame(255), await frame(0), await frame(90)];
    const moving = () => sharp(frames, { join: { animated: true } });
    for (const file of [
      await moving().gif().toBuffer(),
      await moving().webp({ lossless: true }).toBuffer(),
    ]) {
      expect((await sharp(file).metadata()).pages).toBe(3);
      const { width, height, pixels } = await decodePhotograph(file, 'x');
      expect([width, height]).toEqual([8, 6]);
      expect(
        apart(
          pixels,
          Uint8Array.from({ length: 8 * 6 * 3 }, (_, i) => [255, 0, 255][i % 3]!),
        ),
      ).toBe(0);
    }
  });

  test('grey is repeated', async () => {
    const grey = noise(HEIGHT, WIDTH, 1);
    const { pixels } = await decodePhotograph(await encode(grey, HEIGHT, WIDTH, 'png'), 'x');
    expect(plain(pixels)).toEqual(plain(grey).flatMap((value) => [value, value, value]));
  });

  test.each([1, 3] as const)('16 bits of %i channels keep the upper 8', async (channels) => {
    const samples = Uint16Array.from(
      noise(HEIGHT, WIDTH, channels),
      (value, i) => value * 256 + ((i * 77) % 256),
    );
    const file = await sharp(samples, { raw: { width: WIDTH, height: HEIGHT, channels } })
      .toColourspace(channels === 1 ? 'grey16' : 'rgb16')
      .png()
      .toBuffer();
    expect((await sharp(file).metadata()).depth).toBe('ushort');
    const { pixels } = await decodePhotograph(file, 'x');
    const upper = plain(Uint8Array.from(samples, (value) => value >> 8));
    const expected = channels === 1 ? upper.flatMap((value) => [value, value, value]) : upper;
    expect(apart(pixels, Uint8Array.from(expected))).toBeLessThanOrEqual(1);
  });

  test('transparency is laid on black', async () => {
    const pixels = noise(HEIGHT, WIDTH, 4);
    const seen = await decodePhotograph(await encode(pixels, HEIGHT, WIDTH, 'png'), 'x');
    const expected = Uint8Array.from({ length: HEIGHT * WIDTH * 3 }, (_, i) => {
      const at = Math.floor(i / 3) * 4;
      return Math.round((pixels[at + (i % 3)]! * pixels[at + 3]!) / 255);
    });
    expect(apart(seen.pixels, expected)).toBeLessThanOrEqual(1);
  });

  test.each([
    ['red', { r: 200, g: 30, b: 40 }],
    ['grey', { r: 128, g: 128, b: 128 }],
    ['white', { r: 255, g: 255, b: 255 }],
  ])('CMYK JPEG shows %s as it was', async (_, colour) => {
    const file = await sharp({ create: { width: 16, height: 16, channels: 3, background: colour } })
      .toColourspace('cmyk')
      .jpeg({ quality: 100 })
      .toBuffer();
    expect((await sharp(file).metadata()).space).toBe('cmyk');
    const { pixels } = await decodePhotograph(file, 'x');
    const expected = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => Object.values(colour)[i % 3]!);
    // A press has other colours than a screen.
    expect(apart(pixels, expected)).toBeLessThan(30);
  });

  test('PGM and PPM, as bytes and as text', async () => {
    const bytes = Buffer.concat([
      Buffer.from('P5\n# a comment\n3 2\n255\n'),
      Buffer.from([0, 10, 20, 30, 40, 255]),
    ]);
    const grey = [0, 10, 20, 30, 40, 255].flatMap((value) => [value, value, value]);
    expect(await decodePhotograph(bytes, 'x')).toMatchObject({ width: 3, height: 2, scale: 1 });
    expect(plain((await decodePhotograph(bytes, 'x')).pixels)).toEqual(grey);
    const text = Buffer.from('P3 2 1 15  15 0 3  1 2 15');
    expect(plain((await decodePhotograph(text, 'x')).pixels)).toEqual([255, 0, 51, 17, 34, 255]);
  });

  test('a single pixel', async () => {
    const file = await encode(Uint8Array.of(1, 2, 3), 1, 1, 'png');
    const { width, height, pixels, scale } = await decodePhotograph(file, 'x');
    expect([width, height, scale, ...pixels]).toEqual([1, 1, 1, 1, 2, 3]);
  });
});

describe('a photograph of many pixels', () => {
  /** Left half red, right half blue, above a green band as high as half the width of a half; cheap to make. */
  async function halves(width: number, height: number) {
    const small = Uint8Array.of(255, 0, 0, 0, 0, 255, 0, 255, 0, 0, 255, 0);
    return raw(small, 2, 2).resize({ width, height, fit: 'fill', kernel: 'nearest' });
  }

  test.each([
    ['JPEG on its side', 8000, (image: Sharp) => image.withMetadata({ orientation: 6 }).jpeg()],
    ['PNG', 10_000, (image: Sharp) => image.png({ compressionLevel: 1 })],
  ])('is shrunk while it is decoded: %s of %i pixels a side', async (name, side, format) => {
    const folder = temporaryFolder();
    const file = join(folder, 'huge');
    await format(await halves(side, side)).toFile(file);
    const before = process.resourceUsage().maxRSS;
    const { width, height, pixels, scale } = await readPhotograph(file);
    // Whole, as stored and upright, the JPEG has 384 MB. Memory that was touched before is not counted, so this is a
    // bound from above only.
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(300 * 1024);
    expect([width, height, scale]).toEqual([4000, 4000, side / 4000]);
    const at = (x: number, y: number) => plain(pixels.subarray(3 * (y * 4000 + x), 3 * (y * 4000 + x) + 3));
    // Orientation 6: the file's left column is the top row, from right to left.
    const upright = name === 'PNG' ? ['red', 'blue', 'green', 'green'] : ['green', 'red', 'green', 'blue'];
    const corners = [at(3, 3), at(3996, 3), at(3, 3996), at(3996, 3996)];
    const called = ([r, g, b]: number[]) =>
      r! > 200 ? 'red' : g! > 200 ? 'green' : b! > 200 ? 'blue' : 'none';
    expect(corners.map(called)).toEqual(upright);
    // The border lies in the middle of the original, to a pixel of the shrunk one.
    if (name === 'PNG') expect([at(1998, 9), at(2001, 9)].map(called)).toEqual(['red', 'blue']);
  });

  test.each([
    [3000, 2000, 1e4],
    [999, 10, 5000],
    [10, 999, 5000],
  ])('%i x %i within %i pixels keeps its shape', async (width, height, most) => {
    const file = await (await halves(width, height)).png().toBuffer();
    const shrunk = await decodePhotograph(file, 'x', most);
    expect(shrunk.width * shrunk.height).toBeLessThan(most * 1.15);
    expect(Math.abs(shrunk.width * shrunk.scale - width)).toBeLessThanOrEqual(shrunk.scale);
    expect(Math.abs(shrunk.height * shrunk.scale - height)).toBeLessThanOrEqual(shrunk.scale);
    expect(shrunk.pixels).toHaveLength(shrunk.width * shrunk.height * 3);
  });

  test('within the limit is left as it is', async () => {
    const file = await encode(picture, HEIGHT, WIDTH, 'png');
    expect((await decodePhotograph(file, 'x', WIDTH * HEIGHT)).scale).toBe(1);
    expect((await decodePhotograph(file, 'x', (WIDTH * HEIGHT) / 2)).scale).toBeGreaterThan(1);
  });
});

describe('what is no photograph', () => {
  const big = noise(60, 80, 3);
  test.each([
    ['empty.jpg', async () => new Uint8Array(), 'the file is empty'],
    [
      'text.jpg',
      async () => Buffer.from('hello'),
      /^is a text file, which is not read \(JPEG, PNG, .* are\)$/,
    ],
    [
      'page.png',
      async () => Buffer.from('<!doctype html><html></html>'),
      /^is a web page, which is not read/,
    ],
    ['zeros.png', async () => new Uint8Array(5000), /^is not an image of a format that is read \(JPEG/],
    ['cut.jpg', async () => (await encode(big, 60, 80, 'jpeg')).subarray(0, 2000), 'is cut off or damaged'],
    ['start.jpg', async () => (await encode(big, 60, 80, 'jpeg')).subarray(0, 30), /./],
    ['cut.png', async () => (await encode(big, 60, 80, 'png')).subarray(0, 2000), /./],
    ['cut.webp', async () => (await encode(big, 60, 80, 'webp')).subarray(0, 2000), /./],
    ['cut.pgm', async () => Buffer.from('P5 100 100 255\nabc'), /truncated/],
    ['negative.pgm', async () => Buffer.from('P5 0 5 255\n'), /damaged: a size of 0x5/],
  ])('%s is one line that names it', async (name, bytes, message) => {
    const file = write(join(temporaryFolder(), name), await bytes());
    const error = await readPhotograph(file).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(UserError);
    const said = (error as Error).message;
    expect(said.startsWith(`${file}: `)).toBe(true);
    expect(said).not.toContain('\n');
    expect(said).not.toMatch(/buffer|vips|undefined/i);
    const after = said.slice(file.length + 2);
    if (typeof message === 'string') expect(after).toBe(message);
    else expect(after).toMatch(message);
  });

  test('a PNG with a damaged middle is not taken for a black face', async () => {
    const file = Buffer.from(await encode(big, 60, 80, 'png'));
    file.fill(0, 5000, 5200);
    await expect(decodePhotograph(file, 'x.png')).rejects.toThrow(UserError);
  });

  test('a folder in the place of a file, and nothing at all', async () => {
    const folder = temporaryFolder();
    await expect(readPhotograph(folder)).rejects.toThrow(`${folder}: is a folder`);
    await expect(readPhotograph(join(folder, 'no.jpg'))).rejects.toThrow(
      `${join(folder, 'no.jpg')}: no such file`,
    );
    const file = write(join(folder, 'a.jpg'), 'x');
    await expect(readPhotograph(join(file, 'b.jpg'))).rejects.toThrow(UserError);
  });
});

describe('which files are meant', () => {
  test('a folder stands for the images below it, in natural order; anything else for itself', async () => {
    const folder = temporaryFolder();
    for (const path of [
      'p10.jpg',
      'p9.JPG',
      'deep/er/a.png',
      'x.tiff',
      'notes.txt',
      '.hidden.jpg',
      '.git/b.png',
    ])
      write(join(folder, path), 'x');
    mkdirSync(join(folder, 'folder.jpg'));
    expect(await imagesBelow(folder)).toEqual(['deep/er/a.png', 'p9.JPG', 'p10.jpg', 'x.tiff']);
    const given = [join(folder, 'notes.txt'), join(folder, 'deep'), join(folder, 'missing.jpg')];
    expect(await photographsAt(given)).toEqual([given[0], join(folder, 'deep', 'er', 'a.png'), given[2]]);
  });

  test('a folder without any is named', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'notes.txt'), 'x');
    await expect(photographsAt([folder])).rejects.toThrow(`${folder}: there is no image (JPEG`);
    await expect(imagesBelow(join(folder, 'no'))).rejects.toThrow(/no: no such folder/);
    await expect(imagesBelow(join(folder, 'notes.txt'))).rejects.toThrow(
      /notes.txt: is a file, not a folder/,
    );
  });
});
