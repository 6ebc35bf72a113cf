// What kind of file some bytes are, by how they begin: names are not to be trusted, and containers hold images without
// them. Only the kinds that are read here ever reach a decoder.
import { isPortableMap } from './pgm.js';

/** The formats that are read. */
export type ImageKind = 'jpeg' | 'png' | 'webp' | 'tiff' | 'gif' | 'avif' | 'portable';

/** The same in words, for messages. */
export const IMAGE_FORMATS = 'JPEG, PNG, WebP, TIFF, GIF, AVIF, PGM or PPM';

/** First bytes by kind, as latin1 text; a dot stands for any byte. */
const beginnings: readonly (readonly [begins: string, kind: ImageKind, ending: string])[] = [
  ['\xff\xd8\xff', 'jpeg', '.jpg'],
  ['\x89PNG\r\n\x1a\n', 'png', '.png'],
  ['RIFF....WEBP', 'webp', '.webp'],
  ['GIF87a', 'gif', '.gif'],
  ['GIF89a', 'gif', '.gif'],
  ['II*\0', 'tiff', '.tif'],
  ['MM\0*', 'tiff', '.tif'],
  // TIFF with offsets of 64 bits.
  ['II+\0', 'tiff', '.tif'],
  ['MM\0+', 'tiff', '.tif'],
  ['....ftypavif', 'avif', '.avif'],
  ['....ftypavis', 'avif', '.avif'],
  ['P5', 'portable', '.pgm'],
  ['P6', 'portable', '.ppm'],
];

/** What else a file named as a photograph may turn out to be, with an article. */
const others: readonly (readonly [begins: string, name: string])[] = [
  ['....ftyphei', 'a HEIC photograph'],
  ['....ftyphev', 'a HEIC sequence'],
  ['....ftypmif1', 'a HEIF photograph'],
  ['....ftypmsf1', 'a HEIF sequence'],
  ['....ftypcrx', 'a raw photograph (CR3)'],
  ['....ftypjp2', 'a JPEG 2000 image'],
  ['....ftyp', 'a video'],
  ['\0\0\0\x0cjP  ', 'a JPEG 2000 image'],
  ['\xff\x4f\xff\x51', 'a JPEG 2000 image'],
  ['\0\0\0\x0cJXL ', 'a JPEG XL image'],
  ['\xff\x0a', 'a JPEG XL image'],
  ['BM', 'a BMP image'],
  ['8BPS', 'a Photoshop document'],
  ['\0\0\x01\0', 'an icon (ICO)'],
  ['qoif', 'a QOI image'],
  ['P1', 'a PBM image'],
  ['P4', 'a PBM image'],
  ['P7', 'a PAM image'],
  ['%PDF', 'a PDF document'],
  ['%!PS', 'a PostScript document'],
  ['\x1f\x8b', 'a gzip archive'],
  ['PK\x03\x04', 'a ZIP archive'],
  ['\x1aE\xdf\xa3', 'a video'],
  ['RIFF....AVI ', 'a video'],
];

/** How a HEIC file is refused: it is the one format that people have many photographs in. */
const HEIC_REMEDY = 'convert it to JPEG (phones can also be set to take JPEG)';

/** Bytes that `imageEnding` looks at. */
export const IMAGE_BEGINNING = 12;

function fits(bytes: Uint8Array, text: string): boolean {
  if (text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) if (text[i] !== '.' && text.charCodeAt(i) !== bytes[i]) return false;
  return true;
}

/** The file ending that fits an image which begins with these bytes; undefined when they begin no image. */
export function imageEnding(bytes: Uint8Array): string | undefined {
  return beginnings.find(([begins]) => fits(bytes, begins))?.[2];
}

/** The format of a file by its first bytes (64 are enough); undefined when it is none that is read. */
export function imageKind(bytes: Uint8Array): ImageKind | undefined {
  if (isPortableMap(bytes)) return 'portable';
  const kind = beginnings.find(([begins]) => fits(bytes, begins))?.[1];
  if (kind !== undefined) return kind === 'portable' ? undefined : kind;
  return isGeneralAvif(bytes) ? 'avif' : undefined;
}

/** AVIF whose major brand is the general one of its container; the list of compatible brands names it. */
function isGeneralAvif(bytes: Uint8Array): boolean {
  if (!fits(bytes, '....ftypmif1') && !fits(bytes, '....ftypmsf1')) return false;
  const end = Math.min(bytes.length, new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), 256);
  for (let at = 16; at + 4 <= end; at += 4)
    if (/^avi[fs]$/.test(String.fromCharCode(...bytes.subarray(at, at + 4)))) return true;
  return false;
}

/** Whether the bytes begin a HEIC or HEIF photograph, which is recognised and not read. */
export function isHeic(bytes: Uint8Array): boolean {
  return imageKind(bytes) === undefined && /HEI[CF]/.test(otherContent(bytes) ?? '');
}

/** What a file is that is none of the formats read, as 'a PDF document'; undefined where that is not known. */
export function otherContent(bytes: Uint8Array): string | undefined {
  const known = others.find(([begins]) => fits(bytes, begins))?.[1];
  if (known !== undefined) return known;
  const text = String.fromCharCode(...bytes.subarray(0, 1024)).toLowerCase();
  if (/<svg[\s/>]/.test(text)) return 'an SVG drawing';
  if (/^\s*(<!doctype html|<html)/.test(text)) return 'a web page';
  if (/^[\t\n\r\x20-\x7e]+$/.test(text)) return 'a text file';
  return undefined;
}

/** Why a file is refused that is none of the formats read, as the second half of a line. */
export function refusal(bytes: Uint8Array): string {
  if (isHeic(bytes)) return `is ${otherContent(bytes)}, which is not read: ${HEIC_REMEDY}`;
  const content = otherContent(bytes);
  return content === undefined
    ? `is not an image of a format that is read (${IMAGE_FORMATS})`
    : `is ${content}, which is not read (${IMAGE_FORMATS} are)`;
}
