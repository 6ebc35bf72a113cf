// Photographs in, faces with templates out: detection, alignment, quality and embedding in one pass, in groups, so
// that a list of any length passes through little memory.
import { UserError } from '../common/errors.js';
import type { Photograph } from '../data/index.js';
import type { Device } from '../runtime/index.js';
import { alignFace } from './align/face.js';
import { type Template, templateNamed, templatePoints } from './align/template.js';
import { type Detection, type Detector, scaled } from './detect/detection.js';
import { type FindOptions, findFaces, type LookedAt, type Unreadable } from './detect/find.js';
import type { Embedder, SharedModel } from './embed/embedder.js';
import { Ensemble } from './embed/ensemble.js';
import { inChannelOrder } from './embed/planes.js';
import { type Manifest, sha256 } from './models/manifest.js';
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
  /** Of the (first) network's input. */
  readonly template: Template;
  /** What embeds: the one model, or for several of them what they are together. */
  readonly manifest: Manifest;
  /** Numbers of one embedding. */
  readonly length: number;
  readonly #ensemble: Ensemble;

  /** Several embedders work as an ensemble: each sees its own template, and their unit embeddings are joined. */
  constructor(
    readonly detector: Detector,
    readonly embedders: readonly Embedder[],
    /** Closed with the reader. */
    private readonly device?: Device,
    /** Other ranks read with this one in `embedPhotographs`. */
    readonly shared?: SharedModel,
  ) {
    this.#ensemble = new Ensemble(embedders);
    const [{ manifest, length }] = embedders as [Embedder];
    const alone = embedders.length === 1;
    this.template = this.#ensemble.templates[0]!;
    this.length = alone ? length : this.#ensemble.length;
    this.manifest = alone ? manifest : jointManifest(this.#ensemble);
  }

  /** The photographs at `paths` in their order; one that cannot be read is a problem in its place. */
  async *read(
    paths: readonly string[],
    options: FindOptions = {},
  ): AsyncGenerator<ReadPhotograph | Unreadable, void, undefined> {
    let group: (LookedAt | Unreadable)[] = [];
    let faces = 0;
    let pixels = 0;
    for await (const looked of findFaces(this.detector, paths, options)) {
      group.push(looked);
      if ('chosen' in looked) {
        faces += looked.chosen.length;
        pixels += looked.photograph.width * looked.photograph.height;
      }
      if (group.length < GROUP && faces < FACES && pixels < PIXELS) continue;
      yield* await this.#templates(group);
      group = [];
      faces = 0;
      pixels = 0;
    }
    yield* await this.#templates(group);
  }

  async #templates(group: readonly (LookedAt | Unreadable)[]): Promise<(ReadPhotograph | Unreadable)[]> {
    const cut = group.map((looked) => ('chosen' in looked ? this.#aligned(looked) : []));
    const embeddings = await this.#embed(cut.flat());
    let row = 0;
    return group.map((looked, i) => {
      if ('problem' in looked) return looked;
      const faces = cut[i]!.map(({ photograph, seen, aligned }): ReadFace => {
        const embedding = embeddings.slice(row * this.length, ++row * this.length);
        const detection = scaled(seen, photograph.scale);
        // A small input would make every face look blurred.
        const shown = coarse(this.template) ? alignFace(photograph, seen.landmarks, JUDGED_ON) : aligned;
        const template = coarse(this.template) ? JUDGED_ON : this.template;
        const quality = faceQuality(detection, shown, template, looked.turned);
        return { detection, seen, aligned, quality, embedding };
      });
      return { ...looked, faces };
    });
  }

  /** The chosen faces on the template; one whose landmarks fall together is no face. */
  #aligned({ path, photograph, chosen }: LookedAt) {
    return chosen.flatMap((seen) => {
      try {
        return [{ path, photograph, seen, aligned: alignFace(photograph, seen.landmarks, this.template) }];
      } catch (error) {
        if (error instanceof UserError) return [];
        throw error;
      }
    });
  }

  async #embed(
    faces: readonly { path: string; photograph: Photograph; seen: Detection; aligned: Uint8Array }[],
  ): Promise<Float32Array> {
    if (faces.length === 0) return new Float32Array();
    const nameOf = (i: number) => faces[i]!.path;
    const [only, ...more] = this.embedders as [Embedder, ...Embedder[]];
    if (more.length > 0)
      return this.#ensemble.embed(
        faces.map(({ photograph, seen }) => ({ photograph, landmarks: seen.landmarks })),
        { nameOf },
      );
    return only.embed(
      faces.map(({ aligned }) => inChannelOrder(aligned, only.manifest.input.order)),
      { nameOf },
    );
  }

  /** Frees the networks, and the device if it is the reader's own. */
  async close(): Promise<void> {
    await this.detector.close();
    await this.#ensemble.close();
    await this.device?.close();
  }
}

const JUDGED_ON = templateNamed('arcface-112', 0);
/** Whether a template has fewer pixels between the eyes than the 35 at which sharpness is measured, and some to spare. */
function coarse(template: Template): boolean {
  const [left, right] = templatePoints(template);
  return right[0] - left[0] < 30;
}

/** Photographs, faces and pixels beyond which a group is embedded: large photographs do not wait for others. */
const GROUP = 8;
const FACES = 32;
const PIXELS = 32e6;

/** A manifest for several models together: what they have in common, and no thresholds, which nobody measured. */
function jointManifest({ members, name, length }: Ensemble): Manifest {
  const [first] = members as [Embedder];
  const all = (tell: (manifest: Manifest) => string) =>
    [...new Set(members.map(({ manifest }) => tell(manifest)))].join('; ');
  const { thresholds: _, ...manifest } = first.manifest;
  const told = members.map((member) => member.manifest.sha256 ?? member.manifest.name);
  return {
    ...manifest,
    // Of the members in their order, which are the ensemble.
    sha256: sha256(Buffer.from(told.join())),
    name,
    flip: 'none',
    embedding: { ...manifest.embedding, length },
    template: all(({ template }) => template),
    trainedOn: all(({ trainedOn }) => trainedOn),
    licence: all(({ licence }) => licence),
  };
}
