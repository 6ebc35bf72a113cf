// Changes of image files inside their checksums and segments: what a decoder believes before it has decoded anything.
import type { Random } from '../../../src/common/random.js';
import { byteMutators } from './bytes.js';
import { latin, type Mutator, pick, repeated, type Structure, splice, unlatin, viewOf } from './mutator.js';

const begins = (bytes: Uint8Array, magic: string, at = 0): boolean =>
  latin(bytes.subarray(at, at + magic.length)) === magic;

/** Sides of an image that nobody could hold in memory, or that are hardly one. */
const SIDES = [0, 1, 2, 3, 64, 255, 4096, 15_200, 30_000, 65_500, 65_535, 1_000_000, 15_269_928, 2 ** 31 - 1];

/** The checksum of PNG (ISO 3309), bit by bit. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

const PNG = '\x89PNG\r\n\x1a\n';

/** The chunks of a PNG: type and content. */
function chunksOf(bytes: Uint8Array): [type: string, content: Uint8Array][] {
  const chunks: [string, Uint8Array][] = [];
  for (let at = PNG.length; at + 12 <= bytes.length; ) {
    const length = viewOf(bytes).getUint32(at);
    if (at + 12 + length > bytes.length) break;
    chunks.push([latin(bytes.subarray(at + 4, at + 8)), bytes.slice(at + 8, at + 8 + length)]);
    at += 12 + length;
  }
  return chunks;
}

/** A PNG of chunks, its checksums right. */
export function pngOf(chunks: readonly (readonly [type: string, content: Uint8Array])[]): Uint8Array {
  const parts = chunks.map(([type, content]) => {
    const body = Buffer.concat([unlatin(type), content]);
    const frame = Buffer.alloc(body.length + 8);
    frame.writeUInt32BE(content.length, 0);
    frame.set(body, 4);
    frame.writeUInt32BE(crc32(body), body.length + 4);
    return frame;
  });
  return Buffer.concat([unlatin(PNG), ...parts]);
}

const pngHeader: Mutator = (bytes, random) => {
  const chunks = chunksOf(bytes);
  const header = chunks.find(([type, content]) => type === 'IHDR' && content.length === 13)?.[1];
  if (!header) return bytes.slice();
  const view = viewOf(header);
  const kind = random.integer(4);
  if (kind === 0) view.setUint32(4 * random.integer(2), pick(SIDES, random));
  else if (kind === 1) for (const at of [0, 4]) view.setUint32(at, pick(SIDES, random));
  else header[8 + random.integer(5)] = pick([0, 1, 2, 3, 4, 6, 8, 16, 255], random);
  return pngOf(chunks);
};

const pngChunk: Mutator = (bytes, random, pool) => {
  const chunks = chunksOf(bytes);
  if (chunks.length === 0) return bytes.slice();
  const at = random.integer(chunks.length);
  const [type, content] = chunks[at]!;
  const kind = random.integer(4);
  if (kind === 0) chunks.splice(at, 1);
  else if (kind === 1) chunks.splice(random.integer(chunks.length), 0, chunks[at]!);
  else if (kind === 2)
    chunks[at] = [pick(['PLTE', 'tRNS', 'iCCP', 'eXIf', 'acTL', 'zTXt', 'gAMA'], random), content];
  else chunks[at] = [type, pick(byteMutators, random)(content, random, pool)];
  return pngOf(chunks);
};

const png: Structure = { fits: (bytes) => begins(bytes, PNG), mutators: [pngHeader, pngChunk, pngChunk] };

/** Where the segments of a JPEG before its data begin. */
function segmentsOf(bytes: Uint8Array): { marker: number; at: number; length: number }[] {
  const segments: { marker: number; at: number; length: number }[] = [];
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const length = viewOf(bytes).getUint16(at + 2);
    segments.push({ marker: bytes[at + 1]!, at, length });
    if (bytes[at + 1] === 0xda) break;
    at += 2 + length;
  }
  return segments;
}

const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

const jpegFrame: Mutator = (bytes, random) => {
  const changed = bytes.slice();
  const frame = segmentsOf(bytes).find(({ marker, at }) => isFrame(marker) && at + 12 <= bytes.length);
  if (!frame) return changed;
  const kind = random.integer(4);
  if (kind === 0)
    viewOf(changed).setUint16(frame.at + 5 + 2 * random.integer(2), pick(SIDES, random) & 0xffff);
  else if (kind === 1)
    for (const at of [5, 7]) viewOf(changed).setUint16(frame.at + at, pick(SIDES, random) & 0xffff);
  else if (kind === 2) changed[frame.at + 1] = 0xc0 + pick([0, 1, 2, 3, 9, 10], random);
  else changed[frame.at + 4 + 5 + random.integer(10)] = random.integer(256);
  return changed;
};

const jpegSegment: Mutator = (bytes, random, pool) => {
  const segments = segmentsOf(bytes);
  if (segments.length === 0) return bytes.slice();
  const { at, length } = pick(segments, random);
  const end = Math.min(bytes.length, at + 2 + length);
  const kind = random.integer(4);
  if (kind === 0) return splice(bytes, at, end - at, new Uint8Array());
  if (kind === 1) return splice(bytes, at, 0, bytes.slice(at, end));
  if (kind === 2) {
    const scan = segments.at(-1)!.at;
    // Scans of a progressive image cost time each, however little they hold.
    return Buffer.concat([bytes, repeated(bytes.subarray(scan), pick([2, 50, 2000], random))]);
  }
  const content = pick(byteMutators, random)(bytes.slice(Math.min(at + 4, end), end), random, pool).subarray(
    0,
    65_533,
  );
  const head = bytes.slice(at, at + 4);
  if (head.length === 4) viewOf(head).setUint16(2, content.length + 2);
  return splice(bytes, at, end - at, Buffer.concat([head, content]));
};

const jpeg: Structure = {
  fits: (bytes) => begins(bytes, '\xff\xd8\xff'),
  mutators: [jpegFrame, jpegFrame, jpegSegment, jpegSegment],
};

/** Entries of a TIFF's directory, also of the one in a JPEG's notes: tag, type, count, value. */
const tiffEntry: Mutator = (bytes, random) => {
  const changed = bytes.slice();
  const little = begins(bytes, 'II');
  const view = viewOf(changed);
  const directory = view.getUint32(4, little);
  if (directory + 2 > bytes.length) return changed;
  const entry = directory + 2 + 12 * random.integer(Math.max(1, view.getUint16(directory, little)));
  if (entry + 12 > bytes.length) return changed;
  const value = pick([...SIDES, 0xffffffff, random.integer(2 ** 16)], random);
  const kind = random.integer(4);
  if (kind === 0) view.setUint16(entry, 254 + random.integer(90), little);
  else if (kind === 1) view.setUint16(entry + 2, random.integer(20), little);
  else view.setUint32(entry + (kind === 2 ? 4 : 8), value, little);
  return changed;
};

const tiff: Structure = {
  fits: (bytes) => bytes.length > 8 && (begins(bytes, 'II*\0') || begins(bytes, 'MM\0*')),
  mutators: [tiffEntry, tiffEntry, tiffEntry],
};

/** Sizes of GIF (the screen's at 6; a frame's after ',') and of WebP (VP8X: 24 bits each from byte 24 on). */
const smallHeader: Mutator = (bytes, random) => {
  const changed = bytes.slice();
  const at = begins(bytes, 'GIF8')
    ? pick([6, 8, Math.max(6, bytes.indexOf(0x2c) + 5)], random)
    : 24 + random.integer(6);
  if (at + 2 <= bytes.length) viewOf(changed).setUint16(at, pick(SIDES, random) & 0xffff, true);
  return changed;
};

/** Boxes of AVIF and HEIF: a length, four letters, content. */
const box: Mutator = (bytes, random) => {
  const names = [
    'ftyp',
    'meta',
    'iloc',
    'iinf',
    'iprp',
    'ipco',
    'ispe',
    'pixi',
    'av1C',
    'ipma',
    'mdat',
    'pitm',
  ];
  const found = names.map((name) => bytes.length && latin(bytes).indexOf(name)).filter((at) => at >= 4);
  if (found.length === 0) return bytes.slice();
  const changed = bytes.slice();
  const at = pick(found, random);
  const field = random.uniform() < 0.4 ? at - 4 : Math.min(at + 4 + 4 * random.integer(6), bytes.length - 4);
  viewOf(changed).setUint32(field, pick([...SIDES, 8, 0xffffffff], random));
  return changed;
};

const compact: Structure = {
  fits: (bytes) => bytes.length > 32 && (begins(bytes, 'GIF8') || begins(bytes, 'WEBP', 8)),
  mutators: [smallHeader, smallHeader],
};
const boxed: Structure = { fits: (bytes) => begins(bytes, 'ftyp', 4), mutators: [box, box, box] };

/** Numbers of an SVG's attributes, and elements that cost much. */
const svgCost = (random: Random): string =>
  pick(
    [
      `<filter id="f"><feTurbulence numOctaves="${pick([9, 9999], random)}"/></filter><rect filter="url(#f)" width="99%" height="99%"/>`,
      '<image href="file:///etc/passwd" width="9" height="9"/>',
      `<text font-size="${pick([9, 99999], random)}">x</text>`,
      '<g>'.repeat(20_000),
    ],
    random,
  );
const svgElement: Mutator = (bytes, random) => {
  const before = latin(bytes);
  const at = before.indexOf('>', before.indexOf('<svg')) + 1;
  return unlatin(before.slice(0, at) + svgCost(random) + before.slice(at));
};
const svg: Structure = {
  fits: (bytes) => latin(bytes.subarray(0, 300)).includes('<svg'),
  mutators: [svgElement],
};

export const imageStructures: readonly Structure[] = [png, jpeg, tiff, compact, boxed, svg];
