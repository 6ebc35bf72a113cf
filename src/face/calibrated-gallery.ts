// Who a face is, with how probable that is, among people who are known from one photograph or several. A calibration
// speaks of pairs of photographs, and so does the gallery (see gallery.ts).
import { UserError } from '../common/errors.js';
import { type Candidate, type EnrolledFace, Gallery } from './gallery.js';
import { evidenceOf, posteriors } from './models/calibrated.js';
import type { Calibration } from './models/calibration-file.js';

/** How alike a face is to a person, and how probably it is theirs. */
export interface CalibratedCandidate extends Candidate {
  /** That the face is this person's, 0..1; those of all people and of a stranger sum to 1. */
  readonly probability: number;
}

export class CalibratedGallery extends Gallery {
  /** Throws a UserError as `Gallery` does. */
  constructor(
    faces: readonly EnrolledFace[],
    private readonly calibration: Pick<Calibration, 'probability'>,
  ) {
    super(faces);
  }

  /**
   * The `count` most alike people, most alike first. Before anything is seen the face is one of theirs with
   * probability `prior` (default: the calibration's), each person as likely as another, and like each of a person's
   * photographs as likely as another; see `posteriors`.
   */
  override nearest(
    embedding: Float32Array,
    count = 5,
    prior = this.calibration.probability.prior,
  ): CalibratedCandidate[] {
    if (!(prior > 0 && prior < 1)) throw new UserError(`prior ${prior}: it lies between 0 and 1`);
    const ratios = new Float64Array(this.people.length);
    this.similarities(embedding).forEach((similarity, row) => {
      const owner = this.owners[row]!;
      ratios[owner]! += Math.exp(evidenceOf(this.calibration, similarity).llr) / this.faces[owner]!;
    });
    const probabilities = posteriors(Array.from(ratios, Math.log), prior);
    const probabilityOf = new Map(this.people.map((person, k) => [person, probabilities[k]!]));
    return super
      .nearest(embedding, count)
      .map((candidate) => ({ ...candidate, probability: probabilityOf.get(candidate.person)! }));
  }
}
