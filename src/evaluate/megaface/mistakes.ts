// Whom a strict threshold takes for another among the distractors, and whose photographs it does not match: once a
// person, since a person with many photographs would fill the list.
import type { VerificationPart } from '../evaluation.js';
import type { MatedProbe, MateRanks } from './mate-ranks.js';

/** A pair of rows that a verification threshold judges wrongly. */
export interface WrongPair {
  kind: 'false match' | 'false non-match';
  /** Row of the probe. */
  a: number;
  b: number;
  score: number;
  threshold: number;
}

/**
 * At the threshold of the lowest FAR that has one: of every probe person the distractor that is taken for them with the
 * highest score, and the pair that is not matched with the lowest; the 12 worst of each kind.
 */
export function wrongPairs(
  { tarAtFar }: VerificationPart,
  probes: readonly MatedProbe[],
  person: (p: number) => string,
  ranks: MateRanks,
  best: readonly { row: number; score: number }[],
): WrongPair[] {
  const strict = [...tarAtFar].filter(({ threshold }) => threshold !== null).sort((a, b) => a.far - b.far)[0];
  if (!strict) return [];
  const threshold = strict.threshold!;
  const worstOf = (kind: WrongPair['kind'], pairs: WrongPair[]): WrongPair[] => {
    const sign = kind === 'false match' ? -1 : 1;
    const sorted = pairs.sort((x, y) => sign * (x.score - y.score) || x.a - y.a || x.b - y.b);
    const seen = new Set<string>();
    const once = sorted.filter(({ a }) => {
      const name = whose.get(a)!;
      return !seen.has(name) && seen.add(name);
    });
    return once.slice(0, 12);
  };
  const whose = new Map(probes.map(({ probe }, p) => [probe, person(p)]));
  const matches = probes.flatMap(({ probe }, p): WrongPair[] => {
    const { row, score } = best[p]!;
    return score >= threshold ? [{ kind: 'false match', a: probe, b: row, score, threshold }] : [];
  });
  const misses = probes.flatMap(({ probe }, p): WrongPair[] => {
    const lowest = ranks.starts[p]!;
    const score = ranks.scores[lowest]!;
    const b = ranks.mates[lowest]!;
    return score < threshold ? [{ kind: 'false non-match', a: probe, b, score, threshold }] : [];
  });
  return [...worstOf('false match', matches), ...worstOf('false non-match', misses)];
}
