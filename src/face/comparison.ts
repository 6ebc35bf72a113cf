// Every face of some photographs against every other: which pairs are one person. Two faces of one photograph are two
// people, and a face has at most one partner in another photograph.
import { cosineAt } from '../theory/vectors.js';
import { assign } from './assignment.js';
import { type Answer, type Doubt, doubtsAbout, type FaceLimits, type JudgedFace } from './decision.js';

/** A face of one of several photographs. */
export interface ComparedFace extends JudgedFace {
  /** Which photograph it is of. */
  readonly photograph: number;
  readonly embedding: Float32Array;
}

/** Why two faces that are similar enough are not taken for one person. */
export interface Apart {
  /** Both are of one photograph, or one of them is more alike to another face of the other's photograph. */
  readonly code: 'one-photograph' | 'repeated';
  readonly message: string;
}

/** Two faces whose similarity reaches the threshold, by their numbers from 0 on. */
export interface AlikePair {
  readonly a: number;
  readonly b: number;
  readonly similarity: number;
  readonly decision: Answer;
  readonly reasons: readonly (Doubt | Apart)[];
}

export interface CompareOptions {
  /** Least similarity of the same person. */
  readonly threshold: number;
  readonly limits: FaceLimits;
  /** Whether a person may be in a photograph more than once, as in a mirror or a collage (default false). */
  readonly allowRepeats?: boolean;
}

/** Cosines of every two faces: [a][b]. */
export const similaritiesOf = (faces: readonly Pick<ComparedFace, 'embedding'>[]): number[][] =>
  faces.map(({ embedding: a }) => faces.map(({ embedding: b }) => cosineAt(a, 0, b, 0, a.length)));

/** The pairs of faces that reach the threshold, and whether they are one person. `similarities[a][b]` are cosines. */
export function alikePairs(
  faces: readonly ComparedFace[],
  similarities: readonly (readonly number[])[],
  { threshold, limits, allowRepeats = false }: CompareOptions,
): AlikePair[] {
  const doubts = faces.map((face) => doubtsAbout(face, limits));
  const partners = allowRepeats ? undefined : partnersOf(faces, similarities, doubts, threshold);
  const pairs: AlikePair[] = [];
  for (const [a, face] of faces.entries())
    for (let b = a + 1; b < faces.length; b++) {
      const similarity = similarities[a]![b]!;
      if (!(similarity >= threshold)) continue;
      const pair = { a, b, similarity };
      const unfit = [...doubts[a]!, ...doubts[b]!];
      if (!allowRepeats && face.photograph === faces[b]!.photograph) pairs.push({ ...pair, ...WITHIN });
      else if (unfit.length > 0) pairs.push({ ...pair, decision: 'unknown', reasons: unfit });
      else if (partners && !partners[a]!.has(b)) pairs.push({ ...pair, ...OTHER });
      else pairs.push({ ...pair, decision: 'same', reasons: [] });
    }
  return pairs;
}

const WITHIN: Pick<AlikePair, 'decision' | 'reasons'> = {
  decision: 'different',
  reasons: [{ code: 'one-photograph', message: 'two faces of one photograph are two people' }],
};
const OTHER: Pick<AlikePair, 'decision' | 'reasons'> = {
  decision: 'unknown',
  reasons: [{ code: 'repeated', message: 'another face of the same photograph is more alike' }],
};

/** For every face those of later photographs that it is matched with, one to one between any two photographs. */
function partnersOf(
  faces: readonly ComparedFace[],
  similarities: readonly (readonly number[])[],
  doubts: readonly (readonly Doubt[])[],
  threshold: number,
): ReadonlySet<number>[] {
  const partners = faces.map(() => new Set<number>());
  const groups = new Map<number, number[]>();
  for (const [i, { photograph }] of faces.entries())
    if (doubts[i]!.length === 0) groups.set(photograph, [...(groups.get(photograph) ?? []), i]);
  const all = [...groups.values()];
  for (const [i, left] of all.entries())
    for (const right of all.slice(i + 1)) {
      const worth = left.map((a) =>
        right.map((b) => {
          const over = similarities[a]![b]! - threshold;
          return over >= 0 ? over : -Infinity;
        }),
      );
      for (const [row, column] of assign(worth).entries()) {
        if (column === undefined) continue;
        const [a, b] = [left[row]!, right[column]!];
        partners[Math.min(a, b)]!.add(Math.max(a, b));
      }
    }
  return partners;
}
