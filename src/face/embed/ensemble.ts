// Several networks as one: each sees its own patch of the face, and their unit embeddings are joined, so that the
// cosine of two faces is the mean of the networks' cosines. So was SphereFace's entry to MegaFace made, of three
// patches; the idea is DeepID's (Sun et al., CVPR 2014).
import { UserError } from '../../common/errors.js';
import type { Photograph } from '../../data/index.js';
import { alignFace } from '../align/face.js';
import { inputTemplate } from '../align/input-template.js';
import type { Template } from '../align/template.js';
import type { Landmarks } from '../detect/detection.js';
import type { Embedder, EmbedHooks } from './embedder.js';
import { inChannelOrder } from './planes.js';

/** A face as a detector gives it. */
export interface FaceInPhotograph {
  readonly photograph: Photograph;
  /** In pixels of `photograph`. */
  readonly landmarks: Landmarks;
}

export class Ensemble {
  /** The templates of the members, in pixels of their inputs. */
  readonly templates: readonly Template[];

  /**
   * Of these embedders, whose manifests say which template or patch each sees, as in 'arcface-112/upper@0'. Throws a
   * UserError when there is none, or one does not say it.
   */
  constructor(readonly members: readonly Embedder[]) {
    if (members.length === 0) throw new UserError('an ensemble has at least one model');
    this.templates = members.map(({ manifest }) => inputTemplate(manifest));
  }

  get name(): string {
    return this.members.map(({ manifest }) => manifest.name).join(' + ');
  }

  /** Numbers of one embedding: those of all members. */
  get length(): number {
    return this.members.reduce((sum, member) => sum + member.length, 0);
  }

  /**
   * Embeddings [N, length], of length 1: every member's part has length 1/sqrt(members). Throws a UserError that
   * names photograph and network for a part that is not finite or has length zero.
   */
  async embed(
    faces: readonly FaceInPhotograph[],
    hooks: Pick<EmbedHooks, 'nameOf'> = {},
  ): Promise<Float32Array> {
    const out = new Float32Array(faces.length * this.length);
    const share = 1 / Math.sqrt(this.members.length);
    let start = 0;
    for (const [m, member] of this.members.entries()) {
      const { order } = member.manifest.input;
      const inputs = faces.map(({ photograph, landmarks }) =>
        inChannelOrder(alignFace(photograph, landmarks, this.templates[m]!), order),
      );
      const embeddings = faces.length > 0 ? await member.embed(inputs, hooks) : new Float32Array();
      for (let i = 0; i < faces.length; i++) {
        const row = embeddings.subarray(i * member.length, (i + 1) * member.length);
        const norm = Math.hypot(...row);
        const at = i * this.length + start;
        row.forEach((value, d) => {
          out[at + d] = (value * share) / norm;
        });
      }
      start += member.length;
    }
    return out;
  }

  /** Frees the members' networks. */
  async close(): Promise<void> {
    for (const member of this.members) await member.close();
  }
}
