// Faces that lie on another template than the network's: they are carried from the one to the other before they are
// embedded. Scaling them to the input's size alone is the silent mismatch that costs a model most of its accuracy.
import { UserError } from '../../common/errors.js';
import { inputWindow, readPhotograph } from '../../data/index.js';
import { alignFace } from '../align/face.js';
import { inputTemplate } from '../align/input-template.js';
import { alignmentOf } from '../align/known.js';
import { type Template, templatePoints } from '../align/template.js';
import type { Manifest } from '../models/manifest.js';
import type { BothFeatures, Embedder, EmbedHooks } from './embedder.js';
import { inChannelOrder } from './planes.js';

/** Faces that are carried over at a time. */
const GROUP = 256;

/**
 * The template of a folder's faces where they have to be carried over for this model: `stated`, else what `align`
 * noted in the folder, for a model that names its own template. Throws a UserError for a `stated` one when the model
 * names none.
 */
export function carryFrom(
  manifest: Manifest,
  folder: string,
  stated: Template | undefined,
): Template | undefined {
  const from = stated ?? (namesTemplate(manifest) ? alignmentOf(folder) : undefined);
  return from && needsCarrying(manifest, from) ? from : undefined;
}

function namesTemplate(manifest: Manifest): boolean {
  try {
    inputTemplate(manifest);
    return true;
  } catch {
    return false;
  }
}

/** Whether faces on the template `from` have to be carried over before this model can see them. */
export function needsCarrying(manifest: Manifest, from: Template): boolean {
  const to = inputTemplate(manifest);
  const { width, height } = manifest.input;
  const window = inputWindow(from.width, from.height, [height, width]);
  if (window.width !== from.width || window.height !== from.height) return true;
  return templatePoints(to).some(([x, y], i) => {
    const [fromX, fromY] = templatePoints(from)[i]!;
    return Math.abs(x + window.left - fromX) > 1e-6 || Math.abs(y + window.top - fromY) > 1e-6;
  });
}

/**
 * The face at `path`, which is aligned to `from`, as bytes of the model's input in its channel order. What the
 * model's template shows beyond it is black, or its outermost pixels. Throws a UserError when it cannot be read.
 */
export async function carried(
  path: string,
  manifest: Manifest,
  from: Template,
  border: 'black' | 'replicate' = 'black',
): Promise<Uint8Array> {
  const photograph = await readPhotograph(path);
  return inChannelOrder(
    alignFace(photograph, templatePoints(from), inputTemplate(manifest), { border }),
    manifest.input.order,
  );
}

/**
 * Features of the faces at `paths` and of their mirror images, as `Embedder.both` gives them, where the faces are
 * aligned to the template `from`. Throws a UserError when the model does not name its template, and for an image
 * that cannot be read.
 */
export async function bothRealigned(
  embedder: Embedder,
  paths: readonly string[],
  from: Template,
  { border, onProgress }: Pick<EmbedHooks, 'onProgress'> & { border?: 'black' | 'replicate' } = {},
): Promise<BothFeatures> {
  const { manifest } = embedder;
  const { length } = manifest.embedding;
  const original = new Float32Array(paths.length * length);
  const mirrored = new Float32Array(paths.length * length);
  for (let first = 0; first < paths.length; first += GROUP) {
    const group = paths.slice(first, first + GROUP);
    const both = await embedder.both(
      await Promise.all(group.map((path) => carried(path, manifest, from, border))),
    );
    original.set(both.original, first * length);
    mirrored.set(both.mirrored, first * length);
    onProgress?.(Math.min(first + GROUP, paths.length), paths.length);
  }
  return { length, original, mirrored };
}

/**
 * Embeddings [N, length], as `Embedder.embed` gives them, of faces that are aligned to `from`. An image that cannot
 * be read is zeros and told of, or without `onUnreadable` an error.
 */
export async function embedRealigned(
  embedder: Embedder,
  paths: readonly string[],
  from: Template,
  { onProgress, onUnreadable }: EmbedHooks = {},
): Promise<Float32Array> {
  const { manifest, length } = embedder;
  const out = new Float32Array(paths.length * length);
  for (let first = 0; first < paths.length; first += GROUP) {
    const group = await Promise.all(
      paths.slice(first, first + GROUP).map(async (path, i) => {
        try {
          return { row: first + i, face: await carried(path, manifest, from) };
        } catch (error) {
          if (!onUnreadable || !(error instanceof UserError)) throw error;
          onUnreadable(first + i, error.message);
          return undefined;
        }
      }),
    );
    const faces = group.filter((one) => one !== undefined);
    const embeddings = faces.length > 0 ? await embedder.embed(faces.map(({ face }) => face)) : [];
    faces.forEach(({ row }, i) => {
      out.set(embeddings.slice(i * length, (i + 1) * length), row * length);
    });
    onProgress?.(Math.min(first + GROUP, paths.length), paths.length);
  }
  return out;
}
