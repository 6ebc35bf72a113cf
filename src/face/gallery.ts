// People whose faces are known, and who among them a face is, if anyone: open-set identification. A person is one
// template, the mean of the directions of their faces; 'unknown' is an answer.
import { UserError } from '../common/errors.js';
import { cosineAt, noDirection, squaredNorm } from '../theory/vectors.js';

/** Faces to enrol: one embedding and the person it is of. */
export interface EnrolledFace {
  readonly person: string;
  readonly embedding: Float32Array;
}

/** How alike a face is to a person. */
export interface Candidate {
  readonly person: string;
  /** Cosine to the person's template. */
  readonly similarity: number;
}

/** Templates of people, in memory. */
export class Gallery {
  readonly people: readonly string[];
  /** Faces that each person's template was made of, in the order of `people`. */
  readonly faces: readonly number[];
  readonly length: number;
  readonly #templates: Float64Array;

  /**
   * Enrols `faces`: a person's template is the mean of the faces' unit embeddings, so that every face counts the
   * same. Throws a UserError when there is none, when their lengths differ, or when one has no direction.
   */
  constructor(faces: readonly EnrolledFace[]) {
    const [first] = faces;
    if (!first) throw new UserError('the gallery is empty: no face of anybody could be enrolled');
    this.length = first.embedding.length;
    const people = [...new Set(faces.map(({ person }) => person))];
    const row = new Map(people.map((person, i) => [person, i]));
    const counts = people.map(() => 0);
    this.#templates = new Float64Array(people.length * this.length);
    for (const { person, embedding } of faces) {
      if (embedding.length !== this.length) {
        throw new UserError(
          `${person}: an embedding of ${embedding.length} numbers among those of ${this.length}; enrol everybody with one model`,
        );
      }
      const norm = Math.sqrt(squaredNorm(embedding, 0, this.length));
      if (!(norm > 0 && norm < Infinity)) throw new UserError(`${person}: ${noDirection(norm)}`);
      const at = row.get(person)!;
      counts[at]! += 1;
      for (let d = 0; d < this.length; d++) this.#templates[at * this.length + d]! += embedding[d]! / norm;
    }
    this.people = people;
    this.faces = counts;
  }

  /** The `count` people most like the face, most alike first. Throws a UserError for another model's embedding. */
  nearest(embedding: Float32Array, count = 5): Candidate[] {
    if (embedding.length !== this.length) {
      throw new UserError(
        `an embedding of ${embedding.length} numbers for a gallery of ${this.length}; use the gallery's model`,
      );
    }
    return this.people
      .map((person, i) => ({
        person,
        similarity: cosineAt(embedding, 0, this.#templates, i * this.length, this.length),
      }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, count);
  }
}

/**
 * The chance that somebody who is not enrolled is taken for one of `people` people, when each comparison has a
 * false match rate of `fmr` and they are independent: 1 - (1 - fmr)^people.
 */
export function falsePositiveRate(fmr: number, people: number): number {
  return -Math.expm1(people * Math.log1p(-fmr));
}
