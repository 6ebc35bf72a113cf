// The size of a JPEG from its first segments, where nothing but its size matters to how it is decoded. Asking the decoder
// costs a fifth of decoding a face; it is asked for everything else.

/** Start of image, and the first byte of every marker. */
const [SOI, MARKER] = [0xffd8, 0xff] as const;
/** What may come before the size: tables, restart intervals, JFIF and comments, but nothing of an application. */
const PASSED = new Set([0xdb, 0xc4, 0xdd, 0xe0, 0xfe]);

/**
 * Width and height in pixels of a baseline or progressive JPEG with eight-bit samples and no metadata that may turn it
 * (Exif lies in APP1); undefined for any other bytes.
 */
export function plainJpegSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== SOI) return undefined;
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== MARKER) return undefined;
    const kind = bytes[at + 1]!;
    const length = view.getUint16(at + 2);
    if (kind >= 0xc0 && kind <= 0xc2) {
      // Segment: length, bits a sample, height, width.
      const [bits, height, width] = [bytes[at + 4], view.getUint16(at + 5), view.getUint16(at + 7)];
      return bits === 8 && height > 0 && width > 0 ? { width, height } : undefined;
    }
    if (!PASSED.has(kind) || length < 2) return undefined;
    at += 2 + length;
  }
  return undefined;
}
