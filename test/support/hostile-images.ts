// Images that attack a decoder, built here: small files that announce, repeat or nest more than they hold, and a seeded
// way to damage files of every format. Nothing of it is a photograph.
import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import type { Random } from '../../src/common/random.js';

const u16 = (value: number) => Buffer.from([(value >> 8) & 255, value & 255]);
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};

const crcs = Uint32Array.from({ length: 256 }, (_, n) => {
  let crc = n;
  for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 as PNG has it (RFC 2083, appendix 15). */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcs[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

export function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([u32(data.length), body, u32(crc32(body))]);
}

export interface PngParts {
  depth?: number;
  colour?: number;
  interlaced?: boolean;
  /** Chunks before the pixels. */
  extra?: readonly Uint8Array[];
  /** The packed rows. */
  data?: Uint8Array;
}

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** A PNG that announces a size, whatever its rows are. */
export function png(width: number, height: number, parts: PngParts = {}): Buffer {
  const {
    depth = 8,
    colour = 2,
    interlaced = false,
    extra = [],
    data = deflateSync(Buffer.alloc(9)),
  } = parts;
  const header = Buffer.concat([
    u32(width),
    u32(height),
    Buffer.from([depth, colour, 0, 0, interlaced ? 1 : 0]),
  ]);
  return Buffer.concat([
    PNG_SIGNATURE,
    pngChunk('IHDR', header),
    ...extra,
    pngChunk('IDAT', data),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Rows of zeros for a PNG of this size, packed as far as they can be. */
export function zeroRows(width: number, height: number, bytesPerPixel: number, interlaced = false): Buffer {
  return deflateSync(Buffer.alloc((height + (interlaced ? height : 0)) * (1 + width * bytesPerPixel)), {
    level: 9,
  });
}

/** A JPEG with another size written into its frame. */
export function jpegOfSize(jpeg: Uint8Array, width: number, height: number): Buffer {
  const bytes = Buffer.from(jpeg);
  for (let at = 2; at + 9 < bytes.length; at += 2 + bytes.readUInt16BE(at + 2))
    if (bytes[at + 1]! >= 0xc0 && bytes[at + 1]! <= 0xc2) {
      bytes.set(u16(height), at + 5);
      bytes.set(u16(width), at + 7);
      return bytes;
    }
  throw new Error('no frame');
}

/** A progressive JPEG in which its last scan is repeated. */
export function jpegOfScans(progressive: Uint8Array, scans: number): Buffer {
  const bytes = Buffer.from(progressive);
  const last = bytes.lastIndexOf(Buffer.from([0xff, 0xda]));
  const scan = bytes.subarray(last, bytes.length - 2);
  return Buffer.concat([bytes.subarray(0, last), ...Array<Buffer>(scans).fill(scan), bytes.subarray(-2)]);
}

/** A JPEG whose data end after a share of them, with the end marker in its place. */
export function jpegCut(jpeg: Uint8Array, share: number): Buffer {
  const start = Buffer.from(jpeg).lastIndexOf(Buffer.from([0xff, 0xda])) + 12;
  let end = start + Math.floor((jpeg.length - start) * share);
  if (jpeg[end - 1] === 0xff) end--;
  return Buffer.concat([jpeg.subarray(0, end), Buffer.from([0xff, 0xd9])]);
}

/** A drawing that asks for a filter of thousands of octaves. */
export const turbulence = () =>
  Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="4000" height="4000"><filter id="f"><feTurbulence baseFrequency=".1" numOctaves="9999"/></filter><rect width="4000" height="4000" filter="url(#f)"/></svg>',
  );

type TiffEntry = readonly [tag: number, type: 3 | 4, ...values: number[]];

/** A little-endian TIFF of one directory; `next` is where it says that another one is. */
export function tiff(entries: readonly TiffEntry[], data: Uint8Array = new Uint8Array(), next = 0): Buffer {
  const head = Buffer.alloc(8);
  head.write('II*\0', 0, 'latin1');
  head.writeUInt32LE(8, 4);
  const directory = Buffer.alloc(2 + 12 * entries.length + 4);
  directory.writeUInt16LE(entries.length, 0);
  const after: Buffer[] = [];
  let end = 8 + directory.length;
  entries.forEach(([tag, type, ...values], i) => {
    const at = 2 + 12 * i;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(type, at + 2);
    directory.writeUInt32LE(values.length, at + 4);
    if (values.length === 1) directory.writeUInt32LE(values[0]!, at + 8);
    else {
      directory.writeUInt32LE(end, at + 8);
      const list = Buffer.alloc(4 * values.length);
      for (const [k, value] of values.entries())
        if (type === 3) list.writeUInt16LE(value, 2 * k);
        else list.writeUInt32LE(value, 4 * k);
      after.push(list);
      end += list.length;
    }
  });
  directory.writeUInt32LE(next, 2 + 12 * entries.length);
  return Buffer.concat([head, directory, ...after, data]);
}

/** One small picture in every format and variant that is read, by name. */
export async function seedImages(stream: Random): Promise<ReadonlyMap<string, Buffer>> {
  const [width, height] = [45, 37];
  const picture = (channels: 1 | 3 | 4): Sharp =>
    sharp(
      Uint8Array.from({ length: width * height * channels }, () => 40 + stream.integer(170)),
      { raw: { width, height, channels } },
    );
  const frames = async () => [await picture(3).png().toBuffer(), await picture(3).png().toBuffer()];
  const moving = async () => sharp(await frames(), { join: { animated: true } });
  const profile = (image: Sharp) => image.withIccProfile('p3').withExif({ IFD0: { Artist: 'x'.repeat(60) } });
  const images: Record<string, () => Promise<Buffer>> = {
    'baseline.jpg': () => picture(3).jpeg().toBuffer(),
    'grey.jpg': () => picture(1).jpeg().toBuffer(),
    'full.jpg': () => profile(picture(3)).jpeg({ chromaSubsampling: '4:4:4' }).toBuffer(),
    'progressive.jpg': () => picture(3).jpeg({ progressive: true }).toBuffer(),
    'turned.jpg': () => picture(3).withMetadata({ orientation: 6 }).jpeg({ mozjpeg: true }).toBuffer(),
    'cmyk.jpg': () => picture(3).toColourspace('cmyk').jpeg().toBuffer(),
    'colour.png': () => profile(picture(3)).png().toBuffer(),
    'grey.png': () => picture(1).png().toBuffer(),
    'clear.png': () => picture(4).png().toBuffer(),
    'palette.png': () => picture(3).png({ palette: true, colours: 16 }).toBuffer(),
    'interlaced.png': () => picture(3).png({ progressive: true }).toBuffer(),
    'deep.png': () => picture(3).toColourspace('rgb16').png().toBuffer(),
    'lossy.webp': () => picture(3).webp().toBuffer(),
    'lossless.webp': () => profile(picture(4)).webp({ lossless: true }).toBuffer(),
    'alpha.webp': () => picture(4).webp({ quality: 30, alphaQuality: 30 }).toBuffer(),
    'moving.webp': async () => (await moving()).webp().toBuffer(),
    'moving.gif': async () => (await moving()).gif().toBuffer(),
    'still.gif': () => picture(4).gif().toBuffer(),
    'still.avif': () => picture(3).avif({ effort: 0 }).toBuffer(),
    'alpha.avif': () => picture(4).avif({ effort: 0, bitdepth: 10 }).toBuffer(),
    'ascii.pgm': async () => Buffer.from(`P2\n# text\n3 2\n255\n1 2 3 4 5 6\n`),
    'bytes.ppm': async () => Buffer.concat([Buffer.from('P6 3 2 255\n'), Buffer.alloc(18, 7)]),
  };
  for (const compression of ['none', 'jpeg', 'deflate', 'packbits', 'lzw', 'webp', 'ccittfax4'] as const)
    images[`${compression}.tif`] = () =>
      compression === 'ccittfax4'
        ? picture(1).threshold().toColourspace('b-w').tiff({ compression, bitdepth: 1 }).toBuffer()
        : picture(3)
            .tiff({
              compression,
              ...(compression === 'deflate' && { tile: true, tileWidth: 16, tileHeight: 16 }),
            })
            .toBuffer();
  images['pyramid.tif'] = () =>
    picture(3)
      .tiff({ compression: 'lzw', tile: true, tileWidth: 16, tileHeight: 16, pyramid: true })
      .toBuffer();
  const made = new Map<string, Buffer>();
  for (const [name, make] of Object.entries(images)) made.set(name, await make());
  return made;
}

/** Numbers at which programs go wrong. */
const edges = [
  0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 30_000, 65_500, 9_999, 100_000,
  0x7fffffff, 0x80000000, 0xffffffff,
];

/** The same file, damaged in a few places; where it is a PNG its checksums are often made right again. */
export function damaged(file: Uint8Array, stream: Random, others: readonly Uint8Array[]): Buffer {
  let bytes = Buffer.from(file);
  const pick = <T>(list: readonly T[]): T => list[stream.integer(list.length)]!;
  // Headers come first and decide most; the very first bytes only tell the format.
  const place = () => {
    const from = stream.integer(16) === 0 ? 0 : Math.min(12, bytes.length - 1);
    const length = bytes.length - from;
    return from + stream.integer(stream.integer(2) === 0 ? Math.min(length, 100) : length);
  };
  for (let count = 1 + stream.integer(4); count > 0 && bytes.length > 8; count--) {
    const at = place();
    switch (stream.integer(9)) {
      case 0:
        bytes[at] = bytes[at]! ^ (1 << stream.integer(8));
        break;
      case 1:
        bytes[at] = stream.integer(256);
        break;
      case 2:
        if (at + 2 <= bytes.length) bytes.writeUInt16BE(pick(edges) & 0xffff, at);
        break;
      case 3:
        if (at + 2 <= bytes.length) bytes.writeUInt16LE(pick(edges) & 0xffff, at);
        break;
      case 4:
        if (at + 4 <= bytes.length) bytes.writeUInt32BE(pick(edges), at);
        break;
      case 5:
        if (at + 4 <= bytes.length) bytes.writeUInt32LE(pick(edges), at);
        break;
      case 6:
        bytes = bytes.subarray(0, Math.max(8, at));
        break;
      case 7: {
        // A part again, once or many times.
        const part = bytes.subarray(at, at + 1 + stream.integer(64));
        const times = pick([1, 2, 50, 1000]);
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          ...Array<Buffer>(times).fill(part),
          bytes.subarray(at),
        ]);
        break;
      }
      case 8: {
        const other = pick(others);
        const from = stream.integer(other.length);
        const part = other.subarray(from, from + 1 + stream.integer(64));
        bytes = Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at + part.length)]);
        break;
      }
    }
  }
  return stream.integer(4) > 0 ? withChecksums(bytes) : bytes;
}

/** A PNG with the checksums that its chunks should have; anything else as it is. */
function withChecksums(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, 8).equals(PNG_SIGNATURE)) return bytes;
  const out = Buffer.from(bytes);
  for (let at = 8; at + 12 <= out.length; ) {
    const end = at + 8 + out.readUInt32BE(at);
    if (end + 4 > out.length) break;
    out.writeUInt32BE(crc32(out.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return out;
}
