// Searches of probes in a gallery, reduced to what identification is judged by: the mate's score and rank, and the
// best candidate of somebody who is not enrolled. Exact cosines in float64, summed in one order, so that equal
// templates score equally wherever they lie.
import { UserError } from '../../common/errors.js';
import type { Templates } from '../templates.js';

/** What the searches in one gallery came to. */
export interface Searches {
  /** Templates in the gallery. */
  gallery: number;
  /** [M] probes of people in the gallery. */
  mated: Uint32Array;
  /** [M] score of the mate. */
  mateScores: Float64Array;
  /** [M] 1 + the strangers that score at least as high as the mate: a tie beats it. */
  ranks: Uint32Array;
  /** [K] probes of people in no gallery of any size. */
  nonMated: Uint32Array;
  /** [K] highest score, and whose it is: a row of the gallery, the first of equals. */
  bestScores: Float64Array;
  bestRows: Uint32Array;
}

/**
 * Searches every one of `probes` [P, D] in the first `sizes[i]` rows of `gallery` [G, D], for each i. All rows have
 * unit length. `mates` [P] is the row of the probe's person, -1 for somebody who is not enrolled; where the mate lies
 * beyond the first `sizes[i]` rows, the probe is not searched: people left out of a gallery are no non-mated probes.
 * `sizes` rise. O(P G D).
 */
export function searchGallery(
  gallery: Templates,
  probes: Templates,
  mates: Int32Array,
  sizes: readonly number[],
  onProgress?: (done: number) => void,
): Searches[] {
  const G = gallery.original.length / gallery.length;
  if (probes.length !== gallery.length)
    throw new UserError(
      `probes of ${probes.length} numbers for a gallery of ${gallery.length}; use one model`,
    );
  const nonMated = Uint32Array.from([...mates.keys()].filter((probe) => mates[probe]! < 0));
  const results = sizes.map((size): Searches => {
    const mated = Uint32Array.from(
      [...mates.keys()].filter((probe) => mates[probe]! >= 0 && mates[probe]! < size),
    );
    return {
      gallery: size,
      mated,
      mateScores: new Float64Array(mated.length),
      ranks: new Uint32Array(mated.length),
      nonMated,
      bestScores: new Float64Array(nonMated.length),
      bestRows: new Uint32Array(nonMated.length),
    };
  });
  const scores = new Float64Array(G);
  const matedSoFar = sizes.map(() => 0);
  let nonMatedSoFar = 0;
  for (let probe = 0; probe < mates.length; probe++) {
    scoresInto(scores, gallery, probes, probe);
    const mate = mates[probe]!;
    let row = 0;
    if (mate < 0) {
      let best = 0;
      results.forEach((result, i) => {
        for (; row < sizes[i]!; row++) if (scores[row]! > scores[best]!) best = row;
        result.bestScores[nonMatedSoFar] = scores[best]!;
        result.bestRows[nonMatedSoFar] = best;
      });
      nonMatedSoFar++;
    } else {
      // The mate reaches its own score, so the count is the rank.
      let rank = 0;
      results.forEach((result, i) => {
        for (; row < sizes[i]!; row++) if (scores[row]! >= scores[mate]!) rank++;
        if (mate >= sizes[i]!) return;
        result.mateScores[matedSoFar[i]!] = scores[mate]!;
        result.ranks[matedSoFar[i]!++] = rank;
      });
    }
    onProgress?.(probe + 1);
  }
  return results;
}

/** Writes the scores of one probe against the whole gallery to `into` [G]; four rows at a time, each in its order. */
export function scoresInto(into: Float64Array, gallery: Templates, probes: Templates, probe: number): void {
  const { length, original: g } = gallery;
  const { original: p } = probes;
  const from = probe * length;
  const rows = g.length / length;
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    const at = row * length;
    let [a, b, c, e] = [0, 0, 0, 0];
    for (let d = 0; d < length; d++) {
      const x = p[from + d]!;
      a += x * g[at + d]!;
      b += x * g[at + length + d]!;
      c += x * g[at + 2 * length + d]!;
      e += x * g[at + 3 * length + d]!;
    }
    into[row] = a;
    into[row + 1] = b;
    into[row + 2] = c;
    into[row + 3] = e;
  }
  for (; row < rows; row++) {
    let sum = 0;
    for (let d = 0; d < length; d++) sum += p[from + d]! * g[row * length + d]!;
    into[row] = sum;
  }
}
