// Faces in a list of photographs of any length: decoded a few ahead while the detector works on the last ones, in
// groups, with one bad file costing nothing but itself.
import { type ErrorCode, isOfInput } from '../../common/errors.js';
import { grouped, inOrder } from '../../common/in-order.js';
import { type Photograph, readPhotograph } from '../../data/index.js';
import { chooseFaces, type FaceChoice } from './choose.js';
import type { Detection, Detector } from './detection.js';
import { detectTurned, type Turn } from './turn.js';

/** A photograph with its faces, in pixels of `photograph` (see `scaled` for those of the original). */
export interface LookedAt {
  readonly path: string;
  readonly photograph: Photograph;
  /** By how many degrees the people in it are turned clockwise; see `detectTurned`. */
  readonly turned: Turn;
  /** All faces, best score first. */
  readonly found: readonly Detection[];
  /** Those that are meant. */
  readonly chosen: readonly Detection[];
}

/** A file that could not be read as a photograph; `problem` is one line that names it. */
export interface Unreadable {
  readonly path: string;
  readonly problem: string;
  readonly code: ErrorCode;
}

export interface FindOptions {
  /** Which faces are meant (default: the largest). */
  readonly choice?: FaceChoice;
  /** Photographs that the detector is given together (default 4). */
  readonly batch?: number;
}

/** Photographs that are decoded while the detector works. */
const AHEAD = 4;

/**
 * The faces of the photographs at `paths`, in their order. At most the photographs of two groups are in memory;
 * a consumer should not keep them.
 */
export async function* findFaces(
  detector: Detector,
  paths: readonly string[],
  { choice = 'largest', batch = 4 }: FindOptions = {},
): AsyncGenerator<LookedAt | Unreadable, void, undefined> {
  const decoded = inOrder(paths, batch + AHEAD, read);
  for await (const group of grouped(decoded, batch)) {
    const readable = group.filter((item): item is Read => 'photograph' in item);
    const detections = await detectTurned(
      detector,
      readable.map(({ photograph }) => photograph),
    );
    for (const item of group) {
      if ('problem' in item) yield item;
      else {
        const { turned, found } = detections[readable.indexOf(item)]!;
        yield { ...item, turned, found, chosen: chooseFaces(found, item.photograph, choice) };
      }
    }
  }
}

type Read = Pick<LookedAt, 'path' | 'photograph'>;

async function read(path: string): Promise<Read | Unreadable> {
  try {
    return { path, photograph: await readPhotograph(path) };
  } catch (error) {
    if (isOfInput(error)) return { path, problem: error.message, code: error.code };
    throw error;
  }
}
