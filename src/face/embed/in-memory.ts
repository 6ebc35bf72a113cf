// Faces whose files are in memory, as containers hold them: decoded, fitted and embedded as files in a folder are, a
// group at a time, so that their pixels never lie in memory together.
import { decodeBytes, decodePhotograph } from '../../data/index.js';
import type { Template } from '../align/template.js';
import type { BothFeatures, Embedder } from './embedder.js';
import { CARRIED_AT_A_TIME, carriedPixels } from './realigned.js';

/** The bytes of an image file; `name` is for messages. */
export interface EncodedImage {
  name: string;
  bytes: Uint8Array;
}

/**
 * Features of the images and of their mirror images, as `Embedder.both` gives them; faces aligned to the template
 * `from` are carried over to the model's. Throws a UserError that names an image that cannot be decoded.
 */
export async function bothInMemory(
  embedder: Embedder,
  images: readonly EncodedImage[],
  { from, onProgress }: { from?: Template; onProgress?(done: number, total: number): void } = {},
): Promise<BothFeatures> {
  const { manifest } = embedder;
  const { height, width, order } = manifest.input;
  const { length } = manifest.embedding;
  const original = new Float32Array(images.length * length);
  const mirrored = new Float32Array(images.length * length);
  for (let first = 0; first < images.length; first += CARRIED_AT_A_TIME) {
    const pixels = await Promise.all(
      images
        .slice(first, first + CARRIED_AT_A_TIME)
        .map(async ({ name, bytes }) =>
          from
            ? carriedPixels(await decodePhotograph(bytes, name), name, manifest, from)
            : decodeBytes(bytes, name, { size: [height, width], order }),
        ),
    );
    const features = await embedder.both(pixels, {
      nameOf: (i) => images[first + i]!.name,
      onProgress: (done) => onProgress?.(first + done, images.length),
    });
    original.set(features.original, first * length);
    mirrored.set(features.mirrored, first * length);
  }
  return { length, original, mirrored };
}
