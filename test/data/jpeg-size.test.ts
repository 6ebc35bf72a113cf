// Sizes of plain JPEG files as the decoder tells them, and no answer for anything that is not plain.
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { decodeBytes } from '../../src/data/images.js';
import { plainJpegSize } from '../../src/data/jpeg-size.js';
import { noise } from './pictures.js';

const raw = (height: number, width: number, channels: 1 | 3 = 3) =>
  sharp(noise(height, width, channels), { raw: { width, height, channels } });

test.each([false, true])('is what the decoder says (progressive: %s)', async (progressive) => {
  for (const [height, width] of [
    [1, 1],
    [112, 96],
    [7, 300],
  ] as const)
    for (const channels of [1, 3] as const) {
      const bytes = await raw(height, width, channels).jpeg({ progressive }).toBuffer();
      expect(plainJpegSize(bytes)).toEqual({ width, height });
    }
});

test('is not given where a note may turn the image, and such an image is turned', async () => {
  const turned = await raw(40, 20).jpeg().withMetadata({ orientation: 6 }).toBuffer();
  expect(plainJpegSize(turned)).toBeUndefined();
  const upright = await sharp(turned).autoOrient().raw().toBuffer();
  expect(await decodeBytes(turned, 'x', { size: [20, 40], order: 'rgb' })).toEqual(new Uint8Array(upright));
});

test('is not given for other formats, damage and any part of a file', async () => {
  const jpeg = await raw(24, 24).jpeg().toBuffer();
  expect(plainJpegSize(await raw(24, 24).png().toBuffer())).toBeUndefined();
  expect(plainJpegSize(Buffer.from('no image at all'))).toBeUndefined();
  const size = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  for (let length = 0; length <= size + 9; length++)
    expect(plainJpegSize(jpeg.subarray(0, length))).toBeUndefined();
  const bent = Buffer.from(jpeg);
  bent[size + 4] = 12;
  expect(plainJpegSize(bent)).toBeUndefined();
});

test('a decoded image is the same with it and without', async () => {
  for (const [height, width] of [
    [112, 112],
    [90, 130],
    [300, 200],
  ] as const) {
    const plain = await raw(height, width).jpeg().toBuffer();
    // The same picture behind a comment of an application, for which the decoder is asked.
    const other = Buffer.concat([
      plain.subarray(0, 2),
      Buffer.from([0xff, 0xe5, 0, 4, 0, 0]),
      plain.subarray(2),
    ]);
    expect(plainJpegSize(other)).toBeUndefined();
    const options = { size: [112, 96], order: 'bgr' } as const;
    expect(await decodeBytes(other, 'x', options)).toEqual(await decodeBytes(plain, 'x', options));
  }
});
