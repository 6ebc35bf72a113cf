// Decoding: what every kind of file becomes, the window rule, and what is said about files that are no images.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeBytes, decodeFace, inputWindow } from '../../src/data/images.js';
import { encode, noise, temporaryFolder, write } from './pictures.js';

const rgb = (height: number, width: number) => ({
  size: [height, width] as [number, number],
  order: 'rgb' as const,
});
const columns = (pixels: Uint8Array, width: number, from: number, to: number) =>
  Uint8Array.from(
    Array.from({ length: pixels.length / width / 3 }, (_, y) => [
      ...pixels.subarray((y * width + from) * 3, (y * width + to) * 3),
    ]).flat(),
  );

describe('the window rule', () => {
  test('an image of exactly the input size is used as it is', async () => {
    const pixels = noise(112, 96, 3);
    for (const format of ['png', 'webp'] as const)
      expect(await decodeBytes(await encode(pixels, 112, 96, format), format, rgb(112, 96))).toEqual(pixels);
  });

  test('a 112x112 crop for a 112x96 input is its columns 8..103 exactly', async () => {
    const pixels = noise(112, 112, 3);
    const decoded = await decodeBytes(await encode(pixels, 112, 112, 'png'), 'face', rgb(112, 96));
    expect(decoded).toEqual(columns(pixels, 112, 8, 104));
  });

  test('the same window of a JPEG equals the columns of the whole decoded JPEG', async () => {
    const bytes = await encode(noise(112, 112, 3), 112, 112, 'jpeg');
    const whole = await decodeBytes(bytes, 'face', rgb(112, 112));
    expect(await decodeBytes(bytes, 'face', rgb(112, 96))).toEqual(columns(whole, 112, 8, 104));
  });

  test('other sizes are scaled to cover the input and cropped about the centre', () => {
    expect(inputWindow(250, 250, [112, 96])).toEqual({ width: 112, height: 112, left: 8, top: 0 });
    expect(inputWindow(92, 112, [112, 96])).toEqual({ width: 96, height: 117, left: 0, top: 2 });
    expect(inputWindow(10, 10, [112, 96])).toEqual({ width: 112, height: 112, left: 8, top: 0 });
  });

  test('scaling keeps a flat image flat, and left left', async () => {
    const half = new Uint8Array(50 * 50 * 3);
    for (let i = 0; i < 2500; i++) half.fill(i % 50 < 25 ? 200 : 40, i * 3, i * 3 + 3);
    const decoded = await decodeBytes(await encode(half, 50, 50, 'png'), 'half', rgb(112, 96));
    expect([decoded[3], decoded.at(-3)]).toEqual([200, 40]);
    expect(decoded.length).toBe(112 * 96 * 3);
  });
});

describe('every kind of file becomes 8-bit colour', () => {
  test("'bgr' is 'rgb' with its first and last channels exchanged", async () => {
    const bytes = await encode(Uint8Array.of(10, 20, 30), 1, 1, 'png');
    expect([...(await decodeBytes(bytes, 'dot', { size: [1, 1], order: 'bgr' }))]).toEqual([30, 20, 10]);
  });

  test('grey is repeated over the channels, in 8 and in 16 bits', async () => {
    const grey = await encode(Uint8Array.of(77), 1, 1, 'png');
    expect([...(await decodeBytes(grey, 'grey', rgb(1, 1)))]).toEqual([77, 77, 77]);
    const deep = await sharp(Uint16Array.of(77 * 257), { raw: { width: 1, height: 1, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    expect((await sharp(deep).metadata()).depth).toBe('ushort');
    expect([...(await decodeBytes(deep, 'deep', rgb(1, 1)))]).toEqual([77, 77, 77]);
  });

  test('16-bit colour keeps its high bytes', async () => {
    const deep = await sharp(Uint16Array.of(10 * 257, 20 * 257, 30 * 257), {
      raw: { width: 1, height: 1, channels: 3 },
    })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    expect((await sharp(deep).metadata()).depth).toBe('ushort');
    expect([...(await decodeBytes(deep, 'deep', rgb(1, 1)))]).toEqual([10, 20, 30]);
  });

  test('transparency is laid on black', async () => {
    const clear = await encode(Uint8Array.of(255, 255, 255, 0, 9, 8, 7, 255), 1, 2, 'png');
    expect([...(await decodeBytes(clear, 'clear', rgb(1, 2)))]).toEqual([0, 0, 0, 9, 8, 7]);
  });

  test('a CMYK JPEG becomes colour', async () => {
    const cmyk = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#ff0000' } })
      .toColourspace('cmyk')
      .jpeg()
      .toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk');
    const [red, green, blue] = await decodeBytes(cmyk, 'cmyk', rgb(8, 8));
    expect(red).toBeGreaterThan(150);
    expect(Math.max(green!, blue!)).toBeLessThan(100);
  });

  test('the orientation note of a photograph is obeyed', async () => {
    const pixels = Uint8Array.of(1, 1, 1, 2, 2, 2); // one row: 1 2
    const turned = await sharp(pixels, { raw: { width: 2, height: 1, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .png()
      .toBuffer();
    const decoded = await decodeBytes(turned, 'turned', rgb(2, 1)); // turned to the right: 1 above 2
    expect([...decoded]).toEqual([1, 1, 1, 2, 2, 2]);
  });

  test('PGM and PPM, as text and as bytes, with comments and other ranges', async () => {
    const decode = async (bytes: Uint8Array | string, height: number, width: number) => [
      ...(await decodeBytes(Buffer.from(bytes), 'map', rgb(height, width))),
    ];
    expect(await decode('P2 # grey\n2 1 # size\n15\n0 15\n', 1, 2)).toEqual([0, 0, 0, 255, 255, 255]);
    expect(await decode('P3\n1 1\n255\n1 2 3', 1, 1)).toEqual([1, 2, 3]);
    expect(await decode(Buffer.from([...Buffer.from('P5\n1 2\n255\n'), 10, 32]), 2, 1)).toEqual([
      10, 10, 10, 32, 32, 32,
    ]);
    expect(await decode(Buffer.from([...Buffer.from('P6 1 1 65535\n'), 1, 1, 2, 2, 255, 255]), 1, 1)).toEqual(
      [1, 2, 255],
    );
  });

  const orl = '../shared/data/orl/s1/1.pgm';
  test.skipIf(!existsSync(orl))('an ORL portrait (skipped where ../shared/data/orl is absent)', async () => {
    const pixels = await decodeFace(orl, rgb(112, 92));
    expect(pixels.length).toBe(112 * 92 * 3);
    expect(new Set(pixels).size).toBeGreaterThan(50);
    for (let i = 0; i < pixels.length; i += 3) expect(pixels[i]).toBe(pixels[i + 2]);
  });
});

describe('files that are no usable image are errors that name the file', () => {
  const cases: Record<string, () => Promise<Uint8Array> | Uint8Array> = {
    'empty.jpg': () => new Uint8Array(),
    'text.jpg': () => Buffer.from('this is not an image'),
    'truncated.jpg': async () => (await encode(noise(64, 64, 3), 64, 64, 'jpeg')).subarray(0, 2000),
    'truncated.png': async () => (await encode(noise(64, 64, 3), 64, 64, 'png')).subarray(0, 5000),
    'truncated.webp': async () => (await encode(noise(64, 64, 3), 64, 64, 'webp')).subarray(0, 5000),
    'header-only.jpg': async () => (await encode(noise(64, 64, 3), 64, 64, 'jpeg')).subarray(0, 20),
    'truncated.pgm': () => Buffer.from('P5\n4 4\n255\n1234567'),
    'header.pgm': () => Buffer.from('P5\n4'),
    'short.ppm': () => Buffer.from('P3 2 2 255 1 2 3'),
    'maximum.pgm': () => Buffer.from('P5 1 1 70000\n1'),
    'narrow.png': () => encode(noise(1, 40, 3), 1, 40, 'png'),
  };
  test.for(Object.entries(cases))('%s', async ([name, make]) => {
    const path = write(join(temporaryFolder(), name), await make());
    await expect(decodeFace(path, rgb(112, 96))).rejects.toThrow(
      expect.objectContaining({
        name: 'UserError',
        message: expect.stringMatching(new RegExp(`^[^\\n]*${name}: [^\\n]+$`)),
      }),
    );
  });

  test('a missing file', async () => {
    await expect(decodeFace('/nowhere/face.jpg', rgb(112, 96))).rejects.toThrow(
      '/nowhere/face.jpg: no such file',
    );
  });
});
