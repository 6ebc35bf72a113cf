// Photographs in, faces with templates out: detection, alignment, quality and embedding in one pass, in groups, so
// that a list of any length passes through little memory.
import type { Device } from '../runtime/index.js';
import { alignFace } from './align/face.js';
import { inputTemplate } from './align/input-template.js';
import type { Template } from './align/template.js';
import { type Detection, type Detector, scaled } from './detect/detection.js';
import { type FindOptions, findFaces, type LookedAt, type Unreadable } from './detect/find.js';
import type { Embedder } from './embed/embedder.js';
import { faceQuality, type Quality } from './quality.js';

/** A face of a photograph as its template. */
export interface ReadFace {
  /** In pixels of the upright original. */
  readonly detection: Detection;
  /** In pixels of the photograph as it was decoded. */
  readonly seen: Detection;
  /** RGB bytes [height, width, 3] of the (first) network's input. */
  readonly aligned: Uint8Array;
  readonly quality: Quality;
  /** Not normalised. */
  readonly embedding: Float32Array;
}

/** A photograph with the templates of the faces that are meant. */
export interface ReadPhotograph extends LookedAt {
  readonly faces: readonly ReadFace[];
}

/** What detection, alignment and embedding need, opened once. */
export class FaceReader {
  readonly template: Template;

  constructor(
    readonly detector: Detector,
    readonly embedder: Embedder,
    /** Closed with the reader. */
    private readonly device?: Device,
  ) {
    this.template = inputTemplate(embedder.manifest);
  }

  /** The photographs at `paths` in their order; one that cannot be read is a problem in its place. */
  async *read(
    paths: readonly string[],
    options: FindOptions = {},
  ): AsyncGenerator<ReadPhotograph | Unreadable, void, undefined> {
    let group: (LookedAt | Unreadable)[] = [];
    let faces = 0;
    for await (const looked of findFaces(this.detector, paths, options)) {
      group.push(looked);
      faces += 'chosen' in looked ? looked.chosen.length : 0;
      if (group.length < GROUP && faces < FACES) continue;
      yield* await this.#templates(group);
      group = [];
      faces = 0;
    }
    yield* await this.#templates(group);
  }

  async #templates(group: readonly (LookedAt | Unreadable)[]): Promise<(ReadPhotograph | Unreadable)[]> {
    const cut = group.map((looked) =>
      'chosen' in looked
        ? looked.chosen.map((seen) => ({
            seen,
            aligned: alignFace(looked.photograph, seen.landmarks, this.template),
          }))
        : [],
    );
    const { order } = this.embedder.manifest.input;
    const inputs = cut.flat().map(({ aligned }) => (order === 'rgb' ? aligned : swapped(aligned)));
    const embeddings = inputs.length > 0 ? await this.embedder.embed(inputs) : new Float32Array();
    const { length } = this.embedder;
    let row = 0;
    return group.map((looked, i) => {
      if ('problem' in looked) return looked;
      const faces = cut[i]!.map(({ seen, aligned }): ReadFace => {
        const embedding = embeddings.slice(row * length, ++row * length);
        const detection = scaled(seen, looked.photograph.scale);
        const quality = faceQuality(detection, aligned, this.template);
        return { detection, seen, aligned, quality, embedding };
      });
      return { ...looked, faces };
    });
  }

  /** Frees the networks, and the device if it is the reader's own. */
  async close(): Promise<void> {
    await this.detector.close();
    await this.embedder.close();
    await this.device?.close();
  }
}

/** Photographs and faces that are embedded together. */
const GROUP = 8;
const FACES = 32;

/** The colour planes in reverse order. */
function swapped(pixels: Uint8Array): Uint8Array {
  const other = new Uint8Array(pixels.length);
  for (let i = 0; i < pixels.length; i += 3) {
    other[i] = pixels[i + 2]!;
    other[i + 1] = pixels[i + 1]!;
    other[i + 2] = pixels[i]!;
  }
  return other;
}
