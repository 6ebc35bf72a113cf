// The portable pixel maps of the Netpbm family, the format of the AT&T (ORL) faces: PGM and PPM, as text (P2,
// P3) and as bytes (P5, P6). Written here because the prebuilt image library has no reader for them.
// Format: https://netpbm.sourceforge.net/doc/pgm.html and ppm.html.
import { UserError } from '../common/errors.js';

/** An uncompressed image, rows from the top, channels interleaved, 8 bits a sample. */
export interface RawImage {
  width: number;
  height: number;
  /** 1 (grey) or 3 (red, green, blue). */
  channels: 1 | 3;
  /** [height, width, channels]. */
  data: Uint8Array;
}

/** What the two bytes at the start of the file say: samples a pixel, and text or bytes. */
const kinds: Record<string, { channels: 1 | 3; text: boolean }> = {
  P2: { channels: 1, text: true },
  P3: { channels: 3, text: true },
  P5: { channels: 1, text: false },
  P6: { channels: 3, text: false },
};

const isSpace = (byte: number | undefined) => byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13);

/** Reads whitespace-separated numbers, with `#` comments to the end of the line. */
class NumberReader {
  position = 2;
  constructor(private readonly bytes: Uint8Array) {}

  next(what: string): number {
    const { bytes } = this;
    for (;;) {
      if (isSpace(bytes[this.position])) this.position++;
      else if (bytes[this.position] === 35)
        while (this.position < bytes.length && bytes[this.position] !== 10) this.position++;
      else break;
    }
    let value = 0;
    const start = this.position;
    for (;;) {
      const digit = (bytes[this.position] ?? 0) - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      this.position++;
    }
    if (this.position === start)
      throw new UserError(
        start >= bytes.length ? `truncated (no ${what})` : `damaged: no number for ${what}`,
      );
    return value;
  }
}

/** Whether the bytes begin as a PGM or PPM file does. */
export function isPortableMap(bytes: Uint8Array): boolean {
  return String.fromCharCode(bytes[0] ?? 0, bytes[1] ?? 0) in kinds && (isSpace(bytes[2]) || bytes[2] === 35);
}

/**
 * Reads a PGM or PPM image. Samples of another range than 0..255 are scaled to it and rounded (16-bit samples
 * are big-endian). Throws a UserError when the file is truncated or damaged.
 */
export function readPortableMap(bytes: Uint8Array): RawImage {
  const kind = kinds[String.fromCharCode(bytes[0] ?? 0, bytes[1] ?? 0)];
  if (!kind) throw new UserError('not a PGM or PPM image');
  const reader = new NumberReader(bytes);
  const width = reader.next('the width');
  const height = reader.next('the height');
  const maximum = reader.next('the largest value');
  if (width < 1 || height < 1 || width * height > 2 ** 28)
    throw new UserError(`damaged: a size of ${width}x${height}`);
  if (maximum < 1 || maximum > 65535) throw new UserError(`damaged: a largest value of ${maximum}`);
  const count = width * height * kind.channels;
  const wide = maximum > 255 ? 2 : 1;
  const start = reader.position + 1; // exactly one white space after the header
  if (!kind.text && bytes.length < start + count * wide)
    throw new UserError(
      `truncated (${Math.max(0, bytes.length - start)} of ${count * wide} bytes of pixels)`,
    );
  if (kind.text && bytes.length - start < count)
    throw new UserError(`truncated (too short for ${count} samples)`);
  const data = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    let value: number;
    if (kind.text) value = reader.next(`sample ${i + 1} of ${count}`);
    else if (wide === 1) value = bytes[start + i]!;
    else value = bytes[start + 2 * i]! * 256 + bytes[start + 2 * i + 1]!;
    if (value > maximum) throw new UserError(`damaged: a sample of ${value} above the maximum ${maximum}`);
    data[i] = maximum === 255 ? value : Math.round((value * 255) / maximum);
  }
  return { width, height, channels: kind.channels, data };
}
