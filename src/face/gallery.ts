// People whose faces are known, and who among them a face is, if anyone: open-set identification. A face is compared
// with every enrolled face, because a threshold is measured on pairs of faces: similarities to the mean of several are
// higher, also for strangers, and would be taken for more than they are. 'Unknown' is an answer.
import { UserError } from '../common/errors.js';
import { noDirection, squaredNorm } from '../theory/vectors.js';

/** Faces to enrol: one embedding and the person it is of. */
export interface EnrolledFace {
  readonly person: string;
  readonly embedding: Float32Array;
}

/** How alike a face is to a person. */
export interface Candidate {
  readonly person: string;
  /** Cosine to the most alike of the person's faces. */
  readonly similarity: number;
}

/** Faces of people, in memory. */
export class Gallery {
  readonly people: readonly string[];
  /** Faces of each person, in the order of `people`. */
  readonly faces: readonly number[];
  /** The number in `people` of every face's person, in the order in which the faces were given. */
  readonly owners: readonly number[];
  readonly length: number;
  /** [faces, length] of unit length. */
  readonly #units: Float64Array;

  /** Enrols `faces`. Throws a UserError when there is none, when their lengths differ, or when one has no direction. */
  constructor(faces: readonly EnrolledFace[]) {
    const [first] = faces;
    if (!first) throw new UserError('the gallery is empty: no face of anybody could be enrolled');
    this.length = first.embedding.length;
    const people = [...new Set(faces.map(({ person }) => person))];
    const numbers = new Map(people.map((person, i) => [person, i]));
    const counts = people.map(() => 0);
    this.#units = new Float64Array(faces.length * this.length);
    this.owners = faces.map(({ person, embedding }, row) => {
      if (embedding.length !== this.length) {
        throw new UserError(
          `${person}: an embedding of ${embedding.length} numbers among those of ${this.length}; enrol everybody with one model`,
        );
      }
      const norm = Math.sqrt(squaredNorm(embedding, 0, this.length));
      if (!(norm > 0 && norm < Infinity)) throw new UserError(`${person}: ${noDirection(norm)}`);
      for (let d = 0; d < this.length; d++) this.#units[row * this.length + d] = embedding[d]! / norm;
      const owner = numbers.get(person)!;
      counts[owner]! += 1;
      return owner;
    });
    this.people = people;
    this.faces = counts;
  }

  /**
   * Cosine to every enrolled face, in the order of `owners`; 0 for an embedding without a direction. Throws a
   * UserError for another model's embedding.
   */
  similarities(embedding: Float32Array): Float64Array {
    const { length } = this;
    if (embedding.length !== length) {
      throw new UserError(
        `an embedding of ${embedding.length} numbers for a gallery of ${length}; use the gallery's model`,
      );
    }
    const norm = Math.sqrt(squaredNorm(embedding, 0, length)) || 1;
    return Float64Array.from(this.owners, (_, row) => {
      let dot = 0;
      for (let d = 0; d < length; d++) dot += embedding[d]! * this.#units[row * length + d]!;
      return dot / norm;
    });
  }

  /** The `count` people most like the face, most alike first. Throws a UserError for another model's embedding. */
  nearest(embedding: Float32Array, count = 5): Candidate[] {
    const best = new Float64Array(this.people.length).fill(-Infinity);
    this.similarities(embedding).forEach((similarity, row) => {
      const owner = this.owners[row]!;
      best[owner] = Math.max(best[owner]!, similarity);
    });
    return this.people
      .map((person, i) => ({ person, similarity: best[i]! }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, count);
  }
}

/**
 * The chance that somebody who is not enrolled is taken for somebody who is, when each of `comparisons` (enrolled
 * faces) has a false match rate of `fmr` and they are independent: 1 - (1 - fmr)^comparisons.
 */
export function falsePositiveRate(fmr: number, comparisons: number): number {
  return -Math.expm1(comparisons * Math.log1p(-fmr));
}
