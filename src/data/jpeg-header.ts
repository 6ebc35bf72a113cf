// What a JPEG file says about itself before its pixels (ITU-T T.81, annex B): size, coding, and how much there is to
// decode. Markers are followed exactly as libjpeg follows them, so that the two cannot disagree about a file.
import { UserError } from '../common/errors.js';

export interface JpegComponent {
  id: number;
  /** Sampling factors, 1 to 4. */
  horizontal: number;
  vertical: number;
}

export interface JpegFrame {
  width: number;
  height: number;
  progressive: boolean;
  components: readonly JpegComponent[];
}

export interface JpegHeader extends JpegFrame {
  /** Passes over the picture; never fewer than the decoder makes. */
  scans: number;
  /** Whether Exif data, which may say that the picture is turned, come with it. */
  mayTurn: boolean;
  /** Bytes of colour profiles. */
  profile: number;
}

/** Second bytes of markers. */
export const SOI = 0xd8;
export const EOI = 0xd9;
export const SOS = 0xda;
export const DHT = 0xc4;
export const DRI = 0xdd;
const [DAC, APP1, APP2, TEM] = [0xcc, 0xe1, 0xe2, 0x01] as const;

/** Start of frame: Huffman-coded, sequential (baseline and extended) or progressive. */
export const isFrame = (marker: number) => marker === 0xc0 || marker === 0xc1 || marker === 0xc2;
/** The other frames: lossless, hierarchical, arithmetic coding. */
const isOtherFrame = (marker: number) => marker >= 0xc3 && marker <= 0xcf && marker !== DHT && marker !== DAC;
export const isRestart = (marker: number) => marker >= 0xd0 && marker <= 0xd7;
/** Reserved ones, and those of hierarchical files. */
const isUnknown = (marker: number) =>
  marker < 0xc0 || marker === 0xde || marker === 0xdf || (marker >= 0xf0 && marker !== 0xfe);

const damaged = () => new UserError('is cut off or damaged');

/** A marker with its segment; `start` and `end` are of what follows the length. */
export interface Segment {
  marker: number;
  start: number;
  end: number;
}

/** The next marker from `at` on and its segment; bytes that belong to none are passed over. */
export function segmentAt(bytes: Uint8Array, at: number): Segment {
  for (;;) {
    let next = bytes.indexOf(0xff, at);
    if (next < 0) throw damaged();
    while (bytes[next] === 0xff) next++;
    const marker = bytes[next];
    if (marker === undefined) throw damaged();
    at = next + 1;
    if (marker === 0 || marker === TEM || isRestart(marker)) continue;
    if (marker === SOI || marker === EOI) throw damaged();
    const length = bytes[at]! * 256 + bytes[at + 1]!;
    if (!(length >= 2) || at + length > bytes.length) throw damaged();
    return { marker, start: at + 2, end: at + length };
  }
}

/** What a start-of-frame segment says. */
export function readFrame(bytes: Uint8Array, { marker, start, end }: Segment): JpegFrame {
  if (end - start < 6) throw damaged();
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  const [bits, height, width, count] = [
    view.getUint8(0),
    view.getUint16(1),
    view.getUint16(3),
    view.getUint8(5),
  ];
  if (end - start !== 6 + 3 * count || height === 0 || width === 0 || count === 0 || count > 4)
    throw damaged();
  if (bits !== 8)
    throw new UserError(`a JPEG of ${bits} bits a sample, which is not read: save it as an 8-bit JPEG`);
  const components = Array.from({ length: count }, (_, i) => {
    const sampling = view.getUint8(7 + 3 * i);
    return { id: view.getUint8(6 + 3 * i), horizontal: sampling >> 4, vertical: sampling & 15 };
  });
  if (components.some(({ horizontal: h, vertical: v }) => h < 1 || h > 4 || v < 1 || v > 4)) throw damaged();
  return { width, height, progressive: marker === 0xc2, components };
}

/** How many 8x8 blocks a component has along each axis. */
export function blocksOf({ width, height, components }: JpegFrame, component: JpegComponent) {
  const most = (pick: (of: JpegComponent) => number) => Math.max(...components.map(pick));
  const along = (side: number, factor: number, greatest: number) =>
    Math.ceil(Math.ceil((side * factor) / greatest) / 8);
  return {
    across: along(
      width,
      component.horizontal,
      most((of) => of.horizontal),
    ),
    down: along(
      height,
      component.vertical,
      most((of) => of.vertical),
    ),
  };
}

/**
 * The header of a JPEG file. Throws a UserError when it is damaged, when its coding is none that is read, and when the
 * file is too short for its size: in a sequential JPEG a block costs at least one bit for its mean and one for the end
 * of its other coefficients, in a progressive one at least the first, whatever the picture.
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  let frame: JpegFrame | undefined;
  let mayTurn = false;
  let profile = 0;
  for (let at = 2; ; ) {
    const segment = segmentAt(bytes, at);
    const { marker, start, end } = segment;
    at = end;
    if (isOtherFrame(marker))
      throw new UserError(
        'a JPEG in a coding that is not read (arithmetic, lossless): save it as a plain JPEG',
      );
    if (isFrame(marker)) {
      if (frame) throw damaged();
      frame = readFrame(bytes, segment);
    } else if (marker === APP1) mayTurn = true;
    else if (marker === APP2) profile += end - start;
    else if (marker === SOS) {
      if (!frame) throw damaged();
      requireData(frame, bytes.length - end);
      const { progressive, components } = frame;
      const single = !progressive && bytes[start] === components.length;
      return { ...frame, mayTurn, profile, scans: single ? 1 : 1 + scansFrom(bytes, end) };
    } else if (isUnknown(marker)) throw damaged();
  }
}

function requireData(frame: JpegFrame, left: number): void {
  let blocks = 0;
  for (const component of frame.components) {
    const { across, down } = blocksOf(frame, component);
    blocks += across * down;
  }
  if (left * 8 < blocks * (frame.progressive ? 1 : 2))
    throw new UserError(
      `is cut off or damaged: its data are too short for ${frame.width}x${frame.height} pixels`,
    );
}

/** Scans that begin behind `at`. Coded data cannot hold the marker, other segments may: it is counted too often then. */
function scansFrom(bytes: Uint8Array, at: number): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const marker = Buffer.from([0xff, SOS]);
  let count = 0;
  for (let next = buffer.indexOf(marker, at); next >= 0; next = buffer.indexOf(marker, next + 2)) count++;
  return count;
}
