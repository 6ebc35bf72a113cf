// Image files of every format: as faces for a network's input, as photographs for a detector, and the parts of that which
// are our own.
import sharp from 'sharp';
import { examine } from '../../../src/data/image-limits.js';
import { decodeBytes } from '../../../src/data/images.js';

import { isPortableMap, readPortableMap } from '../../../src/data/pgm.js';
import { decodePhotograph } from '../../../src/data/photograph.js';
import { pngOf } from '../mutate/images.js';
import { unlatin } from '../mutate/mutator.js';
import { ofBytes, type Reader } from '../reader.js';
import { noise } from '../samples.js';

const [WIDTH, HEIGHT] = [24, 20];
const picture = (channels: 1 | 3 | 4) =>
  sharp(noise(HEIGHT, WIDTH, channels), { raw: { width: WIDTH, height: HEIGHT, channels } });

/** One small image of every kind that is read. */
async function valid(): Promise<Uint8Array[]> {
  const turned = picture(3).withMetadata({ orientation: 6 });
  const frames = sharp(noise(2 * HEIGHT, WIDTH, 3), {
    raw: { width: WIDTH, height: 2 * HEIGHT, channels: 3, pageHeight: HEIGHT },
  });
  const made = await Promise.all([
    picture(3).jpeg().toBuffer(),
    picture(3).jpeg({ progressive: true }).toBuffer(),
    picture(1)
      .jpeg({ restartInterval: 1 } as object)
      .toBuffer(),
    turned.clone().jpeg({ chromaSubsampling: '4:4:4' }).toBuffer(),
    picture(3).toColourspace('cmyk').jpeg().toBuffer(),
    picture(3).png().toBuffer(),
    picture(4).png({ progressive: true }).toBuffer(),
    picture(3).png({ palette: true }).toBuffer(),
    picture(3).toColourspace('rgb16').png().toBuffer(),
    picture(3).webp().toBuffer(),
    picture(4).webp({ lossless: true }).toBuffer(),
    frames.clone().webp().toBuffer(),
    frames.clone().gif().toBuffer(),
    picture(3).tiff({ compression: 'none' }).toBuffer(),
    picture(3).tiff({ compression: 'lzw', predictor: 'horizontal' }).toBuffer(),
    picture(3).tiff({ compression: 'jpeg', tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer(),
    picture(1)
      .tiff({ compression: 'deflate', bitdepth: 1 } as object)
      .toBuffer(),
    picture(3).avif({ effort: 0 }).toBuffer(),
  ]);
  return [...made, ...portableMaps()];
}

function portableMaps(): Uint8Array[] {
  const size = `${WIDTH} ${HEIGHT}`;
  const samples = (count: number) => [...noise(1, count, 1)].join(' ');
  const count = WIDTH * HEIGHT;
  return [
    Buffer.concat([unlatin(`P5\n# a comment\n${size}\n255\n`), noise(HEIGHT, WIDTH, 1)]),
    Buffer.concat([unlatin(`P5 ${size} 65535\n`), noise(HEIGHT, WIDTH, 2)]),
    Buffer.concat([unlatin(`P6\n${size}\n255\n`), noise(HEIGHT, WIDTH, 3)]),
    unlatin(`P2\n${size}\n255\n${samples(count)}\n`),
    unlatin(`P3\n${size}\n1000\n${samples(3 * count)}\n`),
  ];
}

const word = (...values: number[]): Uint8Array => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
};

/** A PNG that says one size and holds next to nothing. */
const hugePng = (width: number, height: number, depth = 8, colour = 2): Uint8Array =>
  pngOf([
    ['IHDR', Buffer.concat([word(width, height), Uint8Array.from([depth, colour, 0, 0, 0])])],
    ['IDAT', unlatin('\x78\x9c\x03\x00\x00\x00\x00\x01')],
    ['IEND', new Uint8Array()],
  ]);

/** What hung or filled the memory before, and its like. */
async function hostile(): Promise<Uint8Array[]> {
  const jpeg = await picture(3).jpeg({ progressive: true }).toBuffer();
  const frame = jpeg.indexOf(Buffer.from([0xff, 0xc2]));
  const large = Buffer.from(jpeg);
  large.writeUInt16BE(15_200, frame + 5);
  large.writeUInt16BE(65_500, frame + 7);
  const svg = (inner: string) =>
    unlatin(`<svg xmlns="http://www.w3.org/2000/svg" width="900" height="900">${inner}</svg>`);
  return [
    svg(
      '<filter id="f"><feTurbulence numOctaves="9999"/></filter><rect filter="url(#f)" width="900" height="900"/>',
    ),
    svg('<image href="file:///etc/passwd" width="9" height="9"/>'),
    unlatin('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n'),
    hugePng(15_269_928, 40),
    hugePng(40, 15_269_928),
    hugePng(30_000, 30_000),
    hugePng(16_000, 16_000, 16, 6),
    large,
    unlatin('P5 16384 16384 255\n'),
    unlatin('P2 16384 16384 1\n0 0 0'),
    unlatin('GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;'),
  ];
}

export const imageReaders: readonly Reader[] = [
  ofBytes('image-face', (bytes) => decodeBytes(bytes, 'face', { size: [16, 16], order: 'bgr' }), valid, {
    hostile,
  }),
  ofBytes('image-photograph', (bytes) => decodePhotograph(bytes, 'photograph'), valid, { hostile }),
  ofBytes('image-pnm', (bytes) => isPortableMap(bytes) && readPortableMap(bytes), portableMaps, {
    share: 0.5,
  }),
  ofBytes('image-header', examine, async () => [await picture(3).jpeg().toBuffer()], { share: 0.5 }),
];
