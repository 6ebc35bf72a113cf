// Who a face is, with how probable that is, among people who are known from one photograph or several. A calibration
// speaks of pairs of photographs, so a face is compared with each of them: similarities to the mean of several are
// higher, also for strangers, and would be taken for more than they are.
import { UserError } from '../common/errors.js';
import { type EnrolledFace, Gallery } from './gallery.js';
import { evidenceOf, posteriors } from './models/calibrated.js';
import type { Calibration } from './models/calibration-file.js';

/** How alike a face is to a person, and how probably it is theirs. */
export interface CalibratedCandidate {
  readonly person: string;
  /** Cosine to the most alike of the person's photographs. */
  readonly similarity: number;
  /** That the face is this person's, 0..1; those of all people and of a stranger sum to 1. */
  readonly probability: number;
}

export class CalibratedGallery {
  readonly people: readonly string[];
  /** Photographs of all people: the comparisons of one search. */
  readonly photographs: number;
  readonly #gallery: Gallery;
  /** Number of each photograph's person in `people`. */
  readonly #ownerOf: readonly number[];
  readonly #counts: readonly number[];

  /** Throws a UserError as `Gallery` does. */
  constructor(
    faces: readonly EnrolledFace[],
    private readonly calibration: Pick<Calibration, 'probability'>,
  ) {
    const people = [...new Set(faces.map(({ person }) => person))];
    const numbers = new Map(people.map((person, number) => [person, number]));
    this.people = people;
    this.photographs = faces.length;
    this.#ownerOf = faces.map(({ person }) => numbers.get(person)!);
    const counts = people.map(() => 0);
    for (const owner of this.#ownerOf) counts[owner]! += 1;
    this.#counts = counts;
    this.#gallery = new Gallery(faces.map(({ embedding }, k) => ({ person: String(k), embedding })));
  }

  /**
   * The `count` most alike people, most alike first. Before anything is seen the face is one of theirs with
   * probability `prior` (default: the calibration's), each person as likely as another, and like each of a person's
   * photographs as likely as another; see `posteriors`.
   */
  nearest(
    embedding: Float32Array,
    count = 5,
    prior = this.calibration.probability.prior,
  ): CalibratedCandidate[] {
    if (!(prior > 0 && prior < 1)) throw new UserError(`prior ${prior}: it lies between 0 and 1`);
    const best = new Float64Array(this.people.length).fill(-Infinity);
    const ratios = new Float64Array(this.people.length);
    for (const { person, similarity } of this.#gallery.nearest(embedding, this.photographs)) {
      const owner = this.#ownerOf[Number(person)]!;
      best[owner] = Math.max(best[owner]!, similarity);
      ratios[owner]! += Math.exp(evidenceOf(this.calibration, similarity).llr) / this.#counts[owner]!;
    }
    const probabilities = posteriors(Array.from(ratios, Math.log), prior);
    return this.people
      .map((person, k) => ({ person, similarity: best[k]!, probability: probabilities[k]! }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, count);
  }
}
