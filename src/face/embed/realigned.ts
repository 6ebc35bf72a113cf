// Faces that lie on another template than the network's: they are carried from the one to the other before they are
// embedded. Scaling them to the input's size alone is the silent mismatch that costs a model most of its accuracy.
import { readPhotograph } from '../../data/index.js';
import { alignFace } from '../align/face.js';
import { inputTemplate } from '../align/input-template.js';
import { type Template, templatePoints } from '../align/template.js';
import type { BothFeatures, Embedder, EmbedHooks } from './embedder.js';

/** Faces that are carried over at a time. */
const GROUP = 256;

/**
 * Features of the faces at `paths` and of their mirror images, as `Embedder.both` gives them, where the faces are
 * aligned to the template `from`. What the network's template shows beyond them is black, or their outermost pixels.
 * Throws a UserError when the model does not name its template, and for an image that cannot be read.
 */
export async function bothRealigned(
  embedder: Embedder,
  paths: readonly string[],
  from: Template,
  { border, onProgress }: Pick<EmbedHooks, 'onProgress'> & { border?: 'black' | 'replicate' } = {},
): Promise<BothFeatures> {
  const { manifest } = embedder;
  const { length } = manifest.embedding;
  const template = inputTemplate(manifest);
  const landmarks = templatePoints(from);
  const original = new Float32Array(paths.length * length);
  const mirrored = new Float32Array(paths.length * length);
  for (let first = 0; first < paths.length; first += GROUP) {
    const faces = await Promise.all(
      paths.slice(first, first + GROUP).map(async (path) => {
        const face = alignFace(await readPhotograph(path), landmarks, template, {
          ...(border && { border }),
        });
        return manifest.input.order === 'bgr' ? reversed(face) : face;
      }),
    );
    const both = await embedder.both(faces);
    original.set(both.original, first * length);
    mirrored.set(both.mirrored, first * length);
    onProgress?.(Math.min(first + GROUP, paths.length), paths.length);
  }
  return { length, original, mirrored };
}

/** RGB as BGR. */
const reversed = (pixels: Uint8Array): Uint8Array => pixels.map((_, i) => pixels[i - (i % 3) + 2 - (i % 3)]!);
