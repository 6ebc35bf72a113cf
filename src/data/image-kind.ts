// What kind of image file some bytes are, by how they begin: containers hold images without their names.

/** First bytes by ending, as latin1 text; a dot stands for any byte. */
const beginnings: readonly (readonly [begins: string, ending: string])[] = [
  ['\xff\xd8\xff', '.jpg'],
  ['\x89PNG\r\n\x1a\n', '.png'],
  ['RIFF....WEBP', '.webp'],
  ['GIF8', '.gif'],
  ['II*\0', '.tif'],
  ['MM\0*', '.tif'],
  ['P5', '.pgm'],
  ['P6', '.ppm'],
];

/** Bytes that `imageEnding` looks at. */
export const IMAGE_BEGINNING = 12;

/** The file ending that fits an image which begins with these bytes; undefined when they begin no image. */
export function imageEnding(bytes: Uint8Array): string | undefined {
  const fits = (text: string) =>
    text.length <= bytes.length &&
    Array.from(text).every((letter, i) => letter === '.' || letter.charCodeAt(0) === bytes[i]);
  return beginnings.find(([begins]) => fits(begins))?.[1];
}
