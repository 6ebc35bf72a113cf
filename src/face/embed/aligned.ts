// Aligned faces to features by one model, on this rank or on all ranks of a run: the one way that measurements and
// `embed` take, whether faces lie in files or in memory, and on the model's template or on another.
import { UserError } from '../../common/errors.js';
import type { Part } from '../../mpi/index.js';
import type { Template } from '../align/template.js';
import type { BothFeatures, Embedder, EmbedHooks } from './embedder.js';
import { bothInMemory, type EncodedImage } from './in-memory.js';
import { bothRealigned, CARRIED_AT_A_TIME, embedRealigned } from './realigned.js';
import { shares } from './shares.js';

/** Aligned faces by the paths of their files, or as files in memory. */
export type FaceFiles = readonly string[] | readonly EncodedImage[];

export interface FaceWorkOptions extends EmbedHooks {
  /** The template that faces are carried over from, where it is not the model's. */
  from?: Template;
}

/** What is computed of faces: features of image and mirror apart, or embeddings. */
export type FaceWork = 'both' | 'embed';

/** What one rank is asked, and what it tells: the places of faces in its share that cannot be read. */
export interface FaceQuestion {
  model: string;
  work: FaceWork;
  from?: Template;
  /** Whether faces that cannot be read are told of, or an error. */
  tolerant: boolean;
  /** Paths, or names and lengths of files in memory, whose bytes come with the question. */
  faces: readonly (string | { name: string; length: number })[];
  /** The places in `faces` where the share of each rank begins, and their end. */
  starts: readonly number[];
}
export type FaceAnswer = { unreadable: [place: number, reason: string][] };

/** Faces that a rank computes between two meetings of all ranks, about. */
const AT_A_TIME = 512;

/**
 * Features of faces and their mirror images, as `Embedder.both` gives them. On several ranks each face is in the batch
 * that it would be in on one, so the features are the same, bit for bit.
 */
export async function bothOf(
  embedder: Embedder,
  faces: FaceFiles,
  options: FaceWorkOptions = {},
): Promise<BothFeatures> {
  const { length } = embedder.manifest.embedding;
  if (!embedder.shared) return bothHere(embedder, faces, options);
  const original = new Float32Array(faces.length * length);
  const mirrored = new Float32Array(faces.length * length);
  await divided(embedder, 'both', faces, options, (first, numbers) => {
    original.set(numbers.subarray(0, numbers.length / 2), first * length);
    mirrored.set(numbers.subarray(numbers.length / 2), first * length);
  });
  return { length, original, mirrored };
}

/** Embeddings [N, length] of the faces at `paths`, as `Embedder.embed` gives them. */
export async function embeddingsOf(
  embedder: Embedder,
  paths: readonly string[],
  options: FaceWorkOptions = {},
): Promise<Float32Array> {
  if (!embedder.shared) return embedHere(embedder, paths, options);
  const out = new Float32Array(paths.length * embedder.length);
  await divided(embedder, 'embed', paths, options, (first, numbers) => {
    out.set(numbers, first * embedder.length);
  });
  return out;
}

/** This rank's part of `work` on these faces. */
export async function faceWorkHere(
  embedder: Embedder,
  work: FaceWork,
  faces: FaceFiles,
  { from, onProgress, tolerant }: FaceWorkOptions & { tolerant: boolean },
): Promise<Part<FaceAnswer>> {
  const unreadable: FaceAnswer['unreadable'] = [];
  const onUnreadable = tolerant
    ? (place: number, reason: string) => void unreadable.push([place, reason])
    : undefined;
  const options: FaceWorkOptions = { ...(from && { from }), onProgress, onUnreadable };
  if (work === 'embed') {
    const numbers = await embedHere(embedder, faces as readonly string[], options);
    return { told: { unreadable }, numbers };
  }
  const { original, mirrored } = await bothHere(embedder, faces, options);
  const numbers = new Float32Array(2 * original.length);
  numbers.set(original);
  numbers.set(mirrored, original.length);
  return { told: { unreadable }, numbers };
}

const inFiles = (faces: FaceFiles): faces is readonly string[] =>
  faces.every((face: string | EncodedImage) => typeof face === 'string');

function bothHere(embedder: Embedder, faces: FaceFiles, options: FaceWorkOptions): Promise<BothFeatures> {
  const { from, ...hooks } = options;
  if (!inFiles(faces)) return bothInMemory(embedder, faces, options);
  return from ? bothRealigned(embedder, faces, from, hooks) : embedder.both(faces, hooks);
}

function embedHere(
  embedder: Embedder,
  paths: readonly string[],
  { from, ...hooks }: FaceWorkOptions,
): Promise<Float32Array> {
  return from ? embedRealigned(embedder, paths, from, hooks) : embedder.embed(paths, hooks);
}

/** Has all ranks do the work, a block of faces at a time, and hands on what each has done with its first face. */
async function divided(
  embedder: Embedder,
  work: FaceWork,
  faces: FaceFiles,
  { from, onProgress, onUnreadable }: FaceWorkOptions,
  take: (first: number, numbers: Float32Array) => void,
): Promise<void> {
  const { leader, model } = embedder.shared!;
  const tolerant = onUnreadable !== undefined;
  // Shares are whole batches of one process, or whole groups where it carries or decodes faces in groups.
  const unit = from || !inFiles(faces) ? CARRIED_AT_A_TIME : embedder.batchSize;
  const block = leader.size * unit * Math.max(1, Math.floor(AT_A_TIME / unit));
  for (let first = 0; first < faces.length; first += block) {
    const some = faces.slice(first, first + block) as FaceFiles;
    const starts = shares(some.length, unit, leader.size);
    const told = some.map((face) =>
      typeof face === 'string' ? face : { name: face.name, length: face.bytes.length },
    );
    const question: FaceQuestion = { model, work, tolerant, faces: told, starts, ...(from && { from }) };
    const end = first + some.length;
    const parts = await leader.ask(
      work,
      question,
      () =>
        faceWorkHere(embedder, work, some.slice(0, starts[1]) as FaceFiles, {
          ...(from && { from }),
          tolerant,
          onProgress: (done) => onProgress?.(Math.min(first + done * leader.size, end - 1), faces.length),
        }),
      inFiles(some) ? undefined : Buffer.concat(some.map(({ bytes }) => bytes)),
    );
    for (const [rank, { told, numbers }] of parts.entries()) {
      const start = first + starts[rank]!;
      for (const [place, reason] of told.unreadable) onUnreadable?.(start + place, reason);
      take(start, numbers);
    }
    onProgress?.(end, faces.length);
  }
}

/** The faces of a rank's share of a question. */
export function shareOf({ faces, starts }: FaceQuestion, bytes: Uint8Array, rank: number): FaceFiles {
  const [from, to] = [starts[rank]!, starts[rank + 1]!];
  let at = 0;
  const all = faces.map((face) => {
    if (typeof face === 'string') return face;
    at += face.length;
    return { name: face.name, bytes: bytes.subarray(at - face.length, at) };
  });
  if (at !== bytes.length) throw new UserError('the ranks do not run the same version of Hypersphere');
  return all.slice(from, to) as FaceFiles;
}
