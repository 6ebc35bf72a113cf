// A photograph with its faces drawn into it, as a picture file, or as the data of an <img> in a page.
import sharp from 'sharp';
import type { Photograph } from '../data/index.js';
import { type DrawnFace, faceOverlay } from './face-overlay.js';

/** Pixels of the longer side beyond which a drawing gains nothing. */
const LONGEST = 2000;

const raw = ({ pixels, width, height }: Pick<Photograph, 'pixels' | 'width' | 'height'>) =>
  sharp(pixels, { raw: { width, height, channels: 3 } });

/** JPEG bytes of the photograph with `faces`, which are in its own pixels, drawn over it. */
export async function drawFaces(photograph: Photograph, faces: readonly DrawnFace[]): Promise<Uint8Array> {
  const { width, height } = photograph;
  const shrink = Math.max(1, Math.max(width, height) / LONGEST);
  const size = {
    width: Math.max(1, Math.round(width / shrink)),
    height: Math.max(1, Math.round(height / shrink)),
  };
  // The SVG is drawn at the size of the picture it is laid on.
  const overlay = await sharp(Buffer.from(faceOverlay(width, height, faces).text), {
    limitInputPixels: false,
  })
    .resize({ ...size, fit: 'fill' })
    .png()
    .toBuffer();
  return raw(photograph)
    .resize({ ...size, fit: 'fill' })
    .composite([{ input: overlay }])
    .jpeg({ quality: 90 })
    .toBuffer();
}

/** RGB pixels as the address of an <img>, a JPEG no longer than `longest` pixels. */
export async function imageData(
  image: Pick<Photograph, 'pixels' | 'width' | 'height'>,
  longest = Number.POSITIVE_INFINITY,
): Promise<string> {
  const shrink = Math.max(1, Math.max(image.width, image.height) / longest);
  const jpeg = await raw(image)
    .resize({ width: Math.max(1, Math.round(image.width / shrink)) })
    .jpeg({ quality: 88 })
    .toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
}
