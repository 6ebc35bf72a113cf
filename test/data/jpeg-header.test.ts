// What a JPEG says about itself agrees with the decoder, damage is refused, and the least number of bits a block costs
// is below what any encoder writes.
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { decodeBytes, decodePhotograph } from '../../src/data/index.js';
import { hasAllBlocks } from '../../src/data/jpeg-blocks.js';
import { readJpegHeader } from '../../src/data/jpeg-header.js';
import { jpegCut, jpegOfScans, jpegOfSize } from '../support/hostile-images.js';
import { noise } from './pictures.js';

const raw = (height: number, width: number, channels: 1 | 3 = 3) =>
  sharp(noise(height, width, channels), { raw: { width, height, channels } });
/** One colour: what costs an encoder least. */
const even = (height: number, width: number) =>
  sharp({ create: { width, height, channels: 3, background: '#808080' } });

const sizes = [
  [1, 1],
  [112, 96],
  [7, 300],
  [65, 33],
] as const;

/** The frame of a JPEG written anew, with bytes of it changed. */
function edited(jpeg: Uint8Array, marker: number, change: (segment: Buffer) => void): Buffer {
  const bytes = Buffer.from(jpeg);
  change(bytes.subarray(bytes.indexOf(Buffer.from([0xff, marker]))));
  return bytes;
}

describe('the header', () => {
  test.each([false, true])('has the size that the decoder finds (progressive: %s)', async (progressive) => {
    for (const [height, width] of sizes)
      for (const channels of [1, 3] as const) {
        const image = raw(height, width, channels).toColourspace(channels === 1 ? 'b-w' : 'srgb');
        const bytes = await image.jpeg({ progressive }).toBuffer();
        const header = readJpegHeader(bytes);
        expect(header).toMatchObject({ width, height, progressive, mayTurn: false, profile: 0 });
        expect(header.components).toHaveLength(channels);
        expect(header.scans > 1).toBe(progressive);
      }
  });

  test('tells Exif data, which may turn a picture, and colour profiles', async () => {
    const turned = await raw(40, 20).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    expect(readJpegHeader(turned).mayTurn).toBe(true);
    const upright = await sharp(turned).autoOrient().raw().toBuffer();
    expect(await decodeBytes(turned, 'x', { size: [20, 40], order: 'rgb' })).toEqual(new Uint8Array(upright));
    const profiled = await raw(40, 20).withIccProfile('p3').jpeg().toBuffer();
    expect(readJpegHeader(profiled).profile).toBeGreaterThan(200);
  });

  test('is refused in any part of a file that ends before the picture begins', async () => {
    const jpeg = await raw(24, 24).jpeg().toBuffer();
    const start = jpeg.indexOf(Buffer.from([0xff, 0xda]));
    for (let length = 0; length <= start + 3; length++)
      expect(() => readJpegHeader(jpeg.subarray(0, length))).toThrow('is cut off or damaged');
  });

  test.each([
    ['12 bits a sample', 0xc0, 4, 12, '12 bits a sample'],
    ['arithmetic coding', 0xc0, 1, 0xc9, 'a coding that is not read'],
    ['lossless coding', 0xc0, 1, 0xc3, 'a coding that is not read'],
    ['no height', 0xc0, 6, 0, 'is cut off or damaged'],
    ['no component', 0xc0, 9, 0, 'is cut off or damaged'],
    ['a sampling factor of 0', 0xc0, 11, 0x01, 'is cut off or damaged'],
    ['a marker that is none', 0xdb, 1, 0x02, 'is cut off or damaged'],
  ])('with %s is refused', async (_, marker, at, value, message) => {
    const jpeg = edited(await raw(24, 24).jpeg().toBuffer(), marker, (segment) => {
      segment[at] = value;
    });
    expect(() => readJpegHeader(jpeg)).toThrow(message);
    await expect(decodePhotograph(jpeg, 'x.jpg')).rejects.toThrow(`x.jpg: `);
  });

  test('bytes between two segments are passed over, as the decoder does', async () => {
    const jpeg = await raw(24, 24).jpeg().toBuffer();
    const second = 4 + jpeg.readUInt16BE(4);
    const padded = Buffer.concat([
      jpeg.subarray(0, second),
      Buffer.from([1, 2, 0, 0xff, 0]),
      jpeg.subarray(second),
    ]);
    expect(readJpegHeader(padded)).toEqual(readJpegHeader(jpeg));
    expect((await decodePhotograph(padded, 'x')).pixels).toEqual((await decodePhotograph(jpeg, 'x')).pixels);
  });

  test('a decoded image is the same whether the decoder is asked for its size or not', async () => {
    for (const [height, width] of [
      [112, 112],
      [90, 130],
      [300, 200],
    ] as const) {
      const plain = await raw(height, width).jpeg().toBuffer();
      const segment = Buffer.concat([Buffer.from([0xff, 0xe1, 0, 8]), Buffer.from('other\0')]);
      const other = Buffer.concat([plain.subarray(0, 2), segment, plain.subarray(2)]);
      expect(readJpegHeader(other).mayTurn).toBe(true);
      const options = { size: [112, 96], order: 'bgr' } as const;
      expect(await decodeBytes(other, 'x', options)).toEqual(await decodeBytes(plain, 'x', options));
    }
  });
});

describe('data too short for the picture', () => {
  test('are never what an encoder writes, not even of one colour at the lowest quality', async () => {
    for (const [height, width] of [...sizes, [1000, 1000], [9, 5000]] as const)
      for (const progressive of [false, true])
        for (const chromaSubsampling of ['4:2:0', '4:4:4'])
          for (const mozjpeg of [false, true])
            for (const image of [even(height, width), even(height, width).greyscale()]) {
              const options = { progressive, chromaSubsampling, mozjpeg, quality: 1 };
              const jpeg = await image.jpeg(options).toBuffer();
              expect(readJpegHeader(jpeg)).toMatchObject({ width, height });
            }
  });

  test.each([false, true])(
    'are refused for a size that they cannot hold (progressive: %s)',
    async (progressive) => {
      const jpeg = await even(64, 64).jpeg({ progressive }).toBuffer();
      await expect(decodePhotograph(jpegOfSize(jpeg, 65_500, 15_200), 'x.jpg')).rejects.toThrow(
        'x.jpg: is cut off or damaged: its data are too short for 65500x15200 pixels',
      );
    },
  );
});

describe('a picture without some of its blocks', () => {
  test.each([false, true])(
    'is refused, with its end marker as without (progressive: %s)',
    async (progressive) => {
      const jpeg = await raw(120, 200).jpeg({ progressive }).toBuffer();
      // Of a progressive file everything but the first scan refines.
      const start = progressive ? jpegFirstScan(jpeg) : jpeg;
      for (const share of [0.02, 0.5, 0.95]) {
        const cut = jpegCut(start, share);
        await expect(decodePhotograph(cut, 'x.jpg'), `${share}`).rejects.toThrow(
          'x.jpg: is cut off or damaged',
        );
        await expect(decodePhotograph(cut.subarray(0, -2), 'x.jpg')).rejects.toThrow(
          'x.jpg: is cut off or damaged',
        );
        expect(hasAllBlocks(cut)).toBe(false);
      }
    },
  );

  test('is told from one with all of them', async () => {
    for (const [height, width] of sizes)
      for (const progressive of [false, true])
        for (const chromaSubsampling of ['4:2:0', '4:4:4'])
          for (const mozjpeg of [false, true])
            for (const channels of [1, 3] as const) {
              const image = raw(height, width, channels);
              expect(
                hasAllBlocks(await image.jpeg({ progressive, chromaSubsampling, mozjpeg }).toBuffer()),
              ).toBe(true);
            }
  });

  test('no damage makes the search for blocks fail or run on', async () => {
    const jpeg = await raw(60, 60).jpeg().toBuffer();
    const stream = random(1, 'blocks');
    for (let i = 0; i < 2000; i++) {
      const bytes = Buffer.from(jpeg);
      for (let k = 0; k < 3; k++) bytes[2 + stream.integer(bytes.length - 2)] = stream.integer(256);
      expect([true, false]).toContain(hasAllBlocks(bytes.subarray(0, stream.integer(2 * bytes.length))));
    }
  });
});

/** The header and first scan of a progressive JPEG. */
function jpegFirstScan(jpeg: Buffer): Buffer {
  const first = jpeg.indexOf(Buffer.from([0xff, 0xda]));
  const second = jpeg.indexOf(Buffer.from([0xff, 0xda]), first + 2);
  const tables = jpeg.lastIndexOf(Buffer.from([0xff, 0xc4]), second);
  return Buffer.concat([jpeg.subarray(0, tables > first ? tables : second), Buffer.from([0xff, 0xd9])]);
}

test('thousands of scans of one picture are a damaged file', async () => {
  const jpeg = jpegOfScans(await even(64, 64).jpeg({ progressive: true }).toBuffer(), 3000);
  expect(readJpegHeader(jpeg).scans).toBeGreaterThan(3000);
  await expect(decodePhotograph(jpeg, 'x.jpg')).rejects.toThrow(/^x\.jpg: [^\n]+$/);
});
