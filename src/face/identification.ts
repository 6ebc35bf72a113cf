// Who the faces of one photograph are: each is compared with everybody known, those that do not show enough are left
// open, and nobody is found twice, because a photograph shows a person once.
import { assign } from './assignment.js';
import { type Answer, type Doubt, doubtsAbout, type FaceLimits, type JudgedFace } from './decision.js';
import type { Candidate, Gallery } from './gallery.js';

export interface IdentifyOptions {
  /** Least similarity of the same person. */
  readonly threshold: number;
  readonly limits: FaceLimits;
  /** Whether a person may be in a photograph more than once, as in a mirror or a collage (default false). */
  readonly allowRepeats?: boolean;
}

/** Why a face was given nobody although somebody is similar enough. */
export interface Repeated {
  readonly code: 'repeated';
  readonly message: string;
}

/** Who a face is. */
export interface Identity<C extends Candidate = Candidate> {
  readonly person: string | null;
  /** 'same' for a person, 'different' when nobody is similar enough, 'unknown' when the face cannot tell. */
  readonly decision: Answer;
  readonly reasons: readonly (Doubt | Repeated)[];
  /** Everybody in the gallery, most alike first; where there is a person, they come first. */
  readonly candidates: readonly C[];
}

/**
 * The people of a photograph's faces, in their order. The people are shared out so that the sum of what similarities
 * have over the threshold is greatest; a face that thereby loses a person may get another one that is similar enough.
 */
export function identifyFaces<C extends Candidate>(
  faces: readonly (JudgedFace & { readonly embedding: Float32Array })[],
  gallery: Pick<Gallery, 'people'> & { nearest(embedding: Float32Array, count: number): C[] },
  { threshold, limits, allowRepeats = false }: IdentifyOptions,
): Identity<C>[] {
  const looks = faces.map((face) => ({
    doubts: doubtsAbout(face, limits),
    candidates: gallery.nearest(face.embedding, gallery.people.length),
  }));
  const alike = looks.map(({ doubts, candidates }) =>
    doubts.length > 0 ? [] : candidates.filter(({ similarity }) => similarity >= threshold),
  );
  const given = allowRepeats ? alike.map(([first]) => first) : shareOut(alike, threshold);
  return looks.map(({ doubts, candidates }, i): Identity<C> => {
    const own = given[i];
    if (own) {
      const others = candidates.filter((candidate) => candidate !== own);
      return { person: own.person, decision: 'same', reasons: [], candidates: [own, ...others] };
    }
    const [lost] = alike[i]!;
    const reasons = lost
      ? [{ code: 'repeated' as const, message: `${lost.person} is another face of this photograph` }]
      : doubts;
    return { person: null, decision: reasons.length > 0 ? 'unknown' : 'different', reasons, candidates };
  });
}

/** The candidate that each face is given, nobody twice. */
function shareOut<C extends Candidate>(
  alike: readonly (readonly C[])[],
  threshold: number,
): (C | undefined)[] {
  const people = [...new Set(alike.flat().map(({ person }) => person))];
  const places = new Map(people.map((person, i) => [person, i]));
  const worth = alike.map((candidates) => {
    const row: number[] = people.map(() => -Infinity);
    for (const { person, similarity } of candidates) row[places.get(person)!] = similarity - threshold;
    return row;
  });
  return assign(worth).map((column, i) =>
    column === undefined ? undefined : alike[i]!.find(({ person }) => person === people[column]),
  );
}
