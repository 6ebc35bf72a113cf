// What a PNG file says about itself before its pixels (ISO/IEC 15948): size, and how many bytes it unpacks to.
import { UserError } from '../common/errors.js';

export interface PngHeader {
  width: number;
  height: number;
  /** Bytes of the unpacked rows. */
  unpacked: number;
  interlaced: boolean;
  /** Packed bytes of colour profiles, which are unpacked as well. */
  profile: number;
  /** Bytes of texts, which a decoder would unpack and keep. */
  texts: number;
}

/** Samples a pixel by colour type. */
const samples: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const TEXTS = new Set(['tEXt', 'zTXt', 'iTXt']);
/** A copy of 258 bytes costs Deflate two bits at least, one for the length and one for the distance. */
const MOST_PER_BYTE = 1032;
/** First row and column, and steps, of the seven passes of an interlaced picture. */
const passes = [
  [0, 0, 8, 8],
  [0, 4, 8, 8],
  [4, 0, 8, 4],
  [0, 2, 4, 4],
  [2, 0, 4, 2],
  [0, 1, 2, 2],
  [1, 0, 2, 1],
] as const;

interface Chunk {
  kind: string;
  start: number;
  length: number;
}

const nameAt = (bytes: Uint8Array, at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));

/** The chunks up to the last, or to one that announces more than the file has. */
function* chunks(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const [kind, length] = [nameAt(bytes, at + 4), view.getUint32(at)];
    yield { kind, start: at, length };
    if (kind === 'IEND') return;
    at += 12 + length;
  }
}

/** The file without its texts. */
export function withoutTexts(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const { kind, start, length } of chunks(bytes)) {
    if (!TEXTS.has(kind)) continue;
    parts.push(bytes.subarray(from, start));
    from = start + 12 + length;
  }
  return Buffer.concat([...parts, bytes.subarray(from)]);
}

/** The header of a PNG file. Throws a UserError when it is damaged or its data are too short for its size. */
export function readPngHeader(bytes: Uint8Array): PngHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cut = (why = '') => new UserError(`is cut off or damaged${why}`);
  if (bytes.length < 33 || nameAt(bytes, 12) !== 'IHDR' || view.getUint32(8) !== 13) throw cut();
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, type, interlace] = [bytes[24]!, bytes[25]!, bytes[28]!];
  const channels = samples[type];
  if (width === 0 || height === 0 || channels === undefined || ![1, 2, 4, 8, 16].includes(depth)) throw cut();
  const sizes = { data: 0, profile: 0, texts: 0 };
  for (const { kind, length } of chunks(bytes)) {
    if (kind === 'IDAT') sizes.data += length;
    else if (kind === 'iCCP') sizes.profile += length;
    else if (TEXTS.has(kind)) sizes.texts += length;
  }
  const interlaced = interlace !== 0;
  const unpacked = unpackedBytes(width, height, channels * depth, interlaced);
  if (Math.min(sizes.data, bytes.length) * MOST_PER_BYTE < unpacked)
    throw cut(`: its data are too short for ${width}x${height} pixels`);
  return { width, height, unpacked, interlaced, profile: sizes.profile, texts: sizes.texts };
}

/** Bytes of all rows, each with the number of its filter in front. */
function unpackedBytes(width: number, height: number, bits: number, interlaced: boolean): number {
  const rows = (across: number, down: number) =>
    across === 0 || down === 0 ? 0 : down * (1 + Math.ceil((across * bits) / 8));
  if (!interlaced) return rows(width, height);
  let sum = 0;
  for (const [top, left, down, across] of passes)
    sum += rows(
      Math.max(0, Math.ceil((width - left) / across)),
      Math.max(0, Math.ceil((height - top) / down)),
    );
  return sum;
}
