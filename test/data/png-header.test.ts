// What a PNG says about itself agrees with the decoder, and no encoder packs tighter than Deflate can.
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { decodePhotograph } from '../../src/data/index.js';
import { readPngHeader, withoutTexts } from '../../src/data/png-header.js';
import { png, pngChunk, zeroRows } from '../support/hostile-images.js';

test.each([
  [1, 1],
  [8, 8],
  [45, 37],
  [3000, 2],
])('%i x %i pixels unpack to as many bytes as the rows have', async (width, height) => {
  const image = sharp({ create: { width, height, channels: 3, background: '#123456' } });
  expect(readPngHeader(await image.png().toBuffer())).toEqual({
    width,
    height,
    unpacked: height * (1 + 3 * width),
    interlaced: false,
    profile: 0,
    texts: 0,
  });
  const interlaced = readPngHeader(await image.png({ progressive: true }).toBuffer());
  expect(interlaced.interlaced).toBe(true);
  // The pixels, and one byte a row of each of seven passes at most.
  expect(interlaced.unpacked - 3 * width * height).toBeGreaterThanOrEqual(1);
  expect(interlaced.unpacked - 3 * width * height).toBeLessThanOrEqual(2 * height + 7);
});

test('the rows of a picture of one colour are never too short for it', async () => {
  for (const side of [1, 100, 1500])
    for (const interlaced of [false, true]) {
      const data = zeroRows(side, side, 8, interlaced);
      const file = png(side, side, { depth: 16, colour: 6, interlaced, data });
      expect(readPngHeader(file)).toMatchObject({ width: side, height: side });
    }
  const black = sharp({ create: { width: 2000, height: 1500, channels: 3, background: '#000' } });
  for (const compressionLevel of [1, 9])
    expect(readPngHeader(await black.png({ compressionLevel }).toBuffer())).toMatchObject({ width: 2000 });
});

test.each([
  [15_269_928, 40, {}],
  [120_000_000, 8, { depth: 16, colour: 6, data: deflateSync(Buffer.alloc(1_500_000)) }],
  [60_000, 60_000, { depth: 16, colour: 6, data: deflateSync(Buffer.alloc(1_500_000)) }],
  [30_000, 30_000, { depth: 16, colour: 6, interlaced: true, data: deflateSync(Buffer.alloc(1_500_000)) }],
])('data that cannot hold %i x %i pixels are refused', async (width, height, parts) => {
  const file = png(width, height, parts);
  expect(file.length).toBeLessThan(1700);
  await expect(decodePhotograph(file, 'x.png')).rejects.toThrow(
    `x.png: is cut off or damaged: its data are too short for ${width}x${height} pixels`,
  );
});

test('packed texts and profiles are counted, and a file is the same picture without its texts', async () => {
  const content = Buffer.concat([Buffer.from('Comment\0\0'), deflateSync(Buffer.alloc(1e6))]);
  const [text, profile] = [pngChunk('zTXt', content), pngChunk('iCCP', content)];
  const data = deflateSync(Buffer.from([0, 10, 20, 30]));
  const file = png(1, 1, { extra: [text, profile, text], data });
  const header = readPngHeader(file);
  expect(header).toMatchObject({ profile: content.length, texts: 2 * content.length });
  expect(withoutTexts(file)).toEqual(png(1, 1, { extra: [profile], data }));
  const { pixels } = await decodePhotograph(png(1, 1, { extra: Array(500).fill(text), data }), 'x');
  expect([...pixels]).toEqual([10, 20, 30]);
});

test('a chunk that announces more than the file has ends it', () => {
  const file = png(1, 1);
  for (const length of [0x7fffffff, 0xffffffff]) {
    const bytes = Buffer.from(file);
    bytes.writeUInt32BE(length, 33);
    expect(readPngHeader(bytes)).toMatchObject({ width: 1, height: 1 });
  }
  for (let length = 0; length < 33; length++)
    expect(() => readPngHeader(file.subarray(0, length))).toThrow('is cut off or damaged');
});
