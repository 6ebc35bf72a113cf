// Faces that lie on another template than the network's: they are carried from the one to the other before they are
// embedded. Scaling them to the input's size alone is the silent mismatch that costs a model most of its accuracy.
import { isOfInput, UserError } from '../../common/errors.js';
import { inOrder } from '../../common/in-order.js';
import { type Photograph, readPhotograph } from '../../data/index.js';
import { alignFace } from '../align/face.js';
import { inputTemplate } from '../align/input-template.js';
import { alignmentOf } from '../align/known.js';
import { apply, similarity } from '../align/similarity.js';
import { type Template, templateLabel, templatePoints } from '../align/template.js';
import type { Manifest } from '../models/manifest.js';
import type { BothFeatures, Embedder, EmbedHooks } from './embedder.js';
import { inChannelOrder } from './planes.js';

/** Faces that are carried over at a time. */
export const CARRIED_AT_A_TIME = 256;
/** Of them, files that are open at once: a process may have few. */
const OPEN_AT_A_TIME = 16;
/** The least share of its input that a model must be shown; the published templates show each other .8 and more. */
const LEAST_SHARE = 0.6;

/**
 * The template of a folder's faces where they have to be carried over for this model: `stated`, else what `align`
 * noted in the folder, for a model that names its own template. Throws a UserError for a `stated` one when the model
 * names none, and where the faces lack most of what the model looks at, as patches of them do.
 */
export function carryFrom(
  manifest: Manifest,
  folder: string,
  stated: Template | undefined,
): Template | undefined {
  const from = stated ?? (namesTemplate(manifest) ? alignmentOf(folder) : undefined);
  if (!from || !needsCarrying(manifest, from)) return undefined;
  const share = shareOf(from, inputTemplate(manifest));
  if (share < LEAST_SHARE)
    throw new UserError(
      `${folder}: its faces (${templateLabel(from)}) show ${Math.round(100 * share)} % of what ${manifest.name} looks at (${manifest.template}); align the photographs on that template`,
    );
  return from;
}

/** How faces come to the model: carried over from the template `from`, or as they lie. */
export const alignmentInWords = ({ template }: Manifest, from: Template | undefined): string =>
  from
    ? `carried from the template ${templateLabel(from)} to the model's: ${template}`
    : `taken as they are aligned there; the model's template: ${template}`;

/** The share of the template `to` that a face on the template `from` shows. */
function shareOf(from: Template, to: Template): number {
  const back = similarity(templatePoints(to), templatePoints(from));
  let seen = 0;
  for (let y = 0; y < to.height; y++)
    for (let x = 0; x < to.width; x++) {
      const [px, py] = apply(back, [x, y]);
      if (px > -0.5 && py > -0.5 && px < from.width - 0.5 && py < from.height - 0.5) seen++;
    }
  return seen / (to.width * to.height);
}

function namesTemplate(manifest: Manifest): boolean {
  try {
    inputTemplate(manifest);
    return true;
  } catch {
    return false;
  }
}

/** Whether faces on the template `from`, scaled and cropped to the input, are not where this model expects them. */
export function needsCarrying(manifest: Manifest, from: Template): boolean {
  const expected = templatePoints(inputTemplate(manifest));
  const given = templatePoints(inputTemplate({ ...manifest, template: templateLabel(from) }));
  return given.some(([x, y], i) => {
    const [toX, toY] = expected[i]!;
    return Math.abs(x - toX) > 1e-6 || Math.abs(y - toY) > 1e-6;
  });
}

/**
 * The face at `path`, which is aligned to `from`, as bytes of the model's input in its channel order. What the
 * model's template shows beyond it is black, or its outermost pixels. Throws a UserError when it cannot be read or
 * has another size than the template.
 */
export async function carried(
  path: string,
  manifest: Manifest,
  from: Template,
  border: 'black' | 'replicate' = 'black',
): Promise<Uint8Array> {
  return carriedPixels(await readPhotograph(path), path, manifest, from, border);
}

/** The same of a face that is decoded already; `name` is for messages. */
export function carriedPixels(
  face: Photograph,
  name: string,
  manifest: Manifest,
  from: Template,
  border: 'black' | 'replicate' = 'black',
): Uint8Array {
  const template = inputTemplate(manifest);
  const { width, height } = face;
  if (width !== from.width || height !== from.height)
    throw new UserError(
      `${name}: is ${width} x ${height} pixels, and faces on ${templateLabel(from)} are ${from.width} x ${from.height}`,
    );
  return inChannelOrder(alignFace(face, templatePoints(from), template, { border }), manifest.input.order);
}

/** Settings of a run over faces that are carried over. */
export type RealignedHooks = EmbedHooks & { border?: 'black' | 'replicate' };

/**
 * Features of the faces at `paths` and of their mirror images, as `Embedder.both` gives them, where the faces are
 * aligned to the template `from`. An image that cannot be read is zeros and told of, or without `onUnreadable` an
 * error, as it is when the model does not name its template.
 */
export async function bothRealigned(
  embedder: Embedder,
  paths: readonly string[],
  from: Template,
  hooks: RealignedHooks = {},
): Promise<BothFeatures> {
  const { length } = embedder.manifest.embedding;
  const original = new Float32Array(paths.length * length);
  const mirrored = new Float32Array(paths.length * length);
  await eachGroup(embedder, paths, from, hooks, async (faces, rows) => {
    const both = await embedder.both(faces, { nameOf: (i) => paths[rows[i]!]! });
    place(both.original, rows, length, original);
    place(both.mirrored, rows, length, mirrored);
  });
  return { length, original, mirrored };
}

/** Embeddings [N, length], as `Embedder.embed` gives them, of faces that are aligned to `from`; else as above. */
export async function embedRealigned(
  embedder: Embedder,
  paths: readonly string[],
  from: Template,
  hooks: RealignedHooks = {},
): Promise<Float32Array> {
  const { length } = embedder;
  const out = new Float32Array(paths.length * length);
  await eachGroup(embedder, paths, from, hooks, async (faces, rows) => {
    place(await embedder.embed(faces, { nameOf: (i) => paths[rows[i]!]! }), rows, length, out);
  });
  return out;
}

/** Carries the faces over, some at a time, and hands on those that can be read with their places in `paths`. */
async function eachGroup(
  { manifest }: Embedder,
  paths: readonly string[],
  from: Template,
  { border, onProgress, onUnreadable }: RealignedHooks,
  take: (faces: Uint8Array[], rows: readonly number[]) => Promise<void>,
): Promise<void> {
  for (let first = 0; first < paths.length; first += CARRIED_AT_A_TIME) {
    const some = paths.slice(first, first + CARRIED_AT_A_TIME).map((path, i) => ({ path, row: first + i }));
    const read: { row: number; face: Uint8Array }[] = [];
    const faces = inOrder(some, OPEN_AT_A_TIME, async ({ path, row }) => {
      try {
        return { row, face: await carried(path, manifest, from, border) };
      } catch (error) {
        if (!onUnreadable || !isOfInput(error)) throw error;
        onUnreadable(row, error.message);
        return undefined;
      }
    });
    for await (const face of faces) if (face) read.push(face);
    if (read.length > 0)
      await take(
        read.map(({ face }) => face),
        read.map(({ row }) => row),
      );
    onProgress?.(Math.min(first + CARRIED_AT_A_TIME, paths.length), paths.length);
  }
}

/** Puts rows of `features`, one after the other, at their places in `out`. */
function place(features: Float32Array, rows: readonly number[], length: number, out: Float32Array): void {
  rows.forEach((row, i) => {
    out.set(features.subarray(i * length, (i + 1) * length), row * length);
  });
}
