// Whether a JPEG file has data for every block of its picture. libjpeg fills up what is missing with grey and only
// warns, as it does about harmless bytes between two segments; this tells the two apart. It follows the Huffman codes
// (ITU-T T.81, annexes F and G) without computing a pixel: all of a sequential scan, and of a progressive file the
// first scan of the means, on which everything else refines.
import { UserError } from '../common/errors.js';
import {
  blocksOf,
  DHT,
  DRI,
  isFrame,
  isRestart,
  type JpegComponent,
  type JpegFrame,
  readFrame,
  type Segment,
  SOS,
  segmentAt,
} from './jpeg-header.js';

/** A Huffman table in canonical order: the symbols of each length, and where the codes of a length begin. */
interface Table {
  symbols: Uint8Array;
  /** By length 1 to 16: the first code, the number of codes, and the place of their first symbol. */
  first: Int32Array;
  count: Int32Array;
  offset: Int32Array;
}

interface Tables {
  dc: (Table | undefined)[];
  ac: (Table | undefined)[];
}

/** Thrown where data end before their blocks do, or are no Huffman code. */
class Missing extends Error {}

/** Whether every block of the picture is in the file. Never throws. */
export function hasAllBlocks(bytes: Uint8Array): boolean {
  try {
    return everyBlock(bytes);
  } catch (error) {
    if (error instanceof Missing || error instanceof UserError) return false;
    throw error;
  }
}

function everyBlock(bytes: Uint8Array): boolean {
  const tables: Tables = { dc: [], ac: [] };
  const seen = new Set<number>();
  let frame: JpegFrame | undefined;
  let interval = 0;
  for (let at = 2; ; ) {
    const segment = segmentAt(bytes, at);
    const { marker, start, end } = segment;
    at = end;
    if (isFrame(marker)) frame ??= readFrame(bytes, segment);
    else if (marker === DHT) readTables(bytes, segment, tables);
    else if (marker === DRI) interval = bytes[start]! * 256 + bytes[start + 1]!;
    else if (marker === SOS) {
      if (!frame) return false;
      at = readScan(bytes, segment, { frame, tables, interval, seen });
      if (seen.size === frame.components.length) return true;
    }
  }
}

function readTables(bytes: Uint8Array, { start, end }: Segment, tables: Tables): void {
  for (let at = start; at + 17 <= end; ) {
    const kind = bytes[at]!;
    const table: Table = {
      symbols: bytes.subarray(at + 17, end),
      first: new Int32Array(17),
      count: new Int32Array(17),
      offset: new Int32Array(17),
    };
    let code = 0;
    let total = 0;
    for (let length = 1; length <= 16; length++) {
      const count = bytes[at + length]!;
      table.first[length] = code;
      table.count[length] = count;
      table.offset[length] = total;
      code = (code + count) << 1;
      total += count;
    }
    (kind >> 4 === 0 ? tables.dc : tables.ac)[kind & 15] = table;
    at += 17 + total;
  }
}

interface Scanning {
  frame: JpegFrame;
  tables: Tables;
  /** Units between two restart markers; 0 for none. */
  interval: number;
  /** Components whose blocks were all found. */
  seen: Set<number>;
}

/** Follows the data of a scan and returns where they end. */
function readScan(bytes: Uint8Array, { start, end }: Segment, scanning: Scanning): number {
  const { frame, tables, interval, seen } = scanning;
  const count = bytes[start]!;
  if (end - start !== 4 + 2 * count) throw new Missing();
  const means = bytes[end - 3] === 0 && bytes[end - 1]! >> 4 === 0;
  const reader = new BitReader(bytes, end);
  if (frame.progressive && !means) return reader.skip();
  const parts = Array.from({ length: count }, (_, i) => {
    const component = frame.components.find(({ id }) => id === bytes[start + 1 + 2 * i]);
    const table = bytes[start + 2 + 2 * i]!;
    const [dc, ac] = [tables.dc[table >> 4], tables.ac[table & 15]];
    if (!component || !dc || !(frame.progressive || ac)) throw new Missing();
    return { component, dc, ac: frame.progressive ? undefined : ac };
  });
  const units = unitsOf(
    frame,
    parts.map(({ component }) => component),
  );
  for (let unit = 0; unit < units; unit++) {
    if (interval > 0 && unit > 0 && unit % interval === 0) reader.restart();
    for (const { component, dc, ac } of parts)
      for (let block = count === 1 ? 1 : component.horizontal * component.vertical; block > 0; block--) {
        reader.pass(reader.symbol(dc) & 15);
        if (ac) coefficients(reader, ac);
      }
  }
  for (const { component } of parts) seen.add(component.id);
  return reader.skip();
}

/** Groups of blocks in a scan: blocks of its only component, or what all of its components have of one area. */
function unitsOf(frame: JpegFrame, components: readonly JpegComponent[]): number {
  if (components.length === 1) {
    const { across, down } = blocksOf(frame, components[0]!);
    return across * down;
  }
  const along = (side: number, factors: number[]) => Math.ceil(side / (8 * Math.max(...factors)));
  return (
    along(
      frame.width,
      frame.components.map(({ horizontal }) => horizontal),
    ) *
    along(
      frame.height,
      frame.components.map(({ vertical }) => vertical),
    )
  );
}

/** The coefficients of a block after its mean: a run of zeros and a size a code, or the end of the block. */
function coefficients(reader: BitReader, table: Table): void {
  for (let place = 1; place < 64; place++) {
    const symbol = reader.symbol(table);
    const size = symbol & 15;
    const run = symbol >> 4;
    if (size === 0 && run < 15) return;
    place += run;
    reader.pass(size);
  }
}

/** Bits of coded data, highest first; a zero byte after 0xff is not data, any other ends them. */
class BitReader {
  #byte = 0;
  #left = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
  ) {}

  #bit(): number {
    if (this.#left === 0) {
      const byte = this.bytes[this.at];
      if (byte === undefined || (byte === 0xff && this.bytes[this.at + 1] !== 0)) throw new Missing();
      this.#byte = byte;
      this.#left = 8;
      this.at += byte === 0xff ? 2 : 1;
    }
    return (this.#byte >> --this.#left) & 1;
  }

  pass(count: number): void {
    for (let i = 0; i < count; i++) this.#bit();
  }

  symbol({ symbols, first, count, offset }: Table): number {
    let code = 0;
    for (let length = 1; length <= 16; length++) {
      code = (code << 1) | this.#bit();
      const place = code - first[length]!;
      if (place >= 0 && place < count[length]!) return symbols[offset[length]! + place] ?? 0;
    }
    throw new Missing();
  }

  /** Passes a restart marker, which must be next. */
  restart(): void {
    this.#left = 0;
    while (this.bytes[this.at] === 0xff && this.bytes[this.at + 1] === 0xff) this.at++;
    if (this.bytes[this.at] !== 0xff || !isRestart(this.bytes[this.at + 1] ?? 0)) throw new Missing();
    this.at += 2;
  }

  /** Where the next marker is that begins a segment. */
  skip(): number {
    for (let at = this.at; ; at += 2) {
      at = this.bytes.indexOf(0xff, at);
      if (at < 0) return this.bytes.length;
      const next = this.bytes[at + 1] ?? 0;
      if (next === 0xff) at--;
      else if (next !== 0 && !isRestart(next)) return at;
    }
  }
}
