// How often two different people come out as alike as this, also where the pairs at hand are too few to count it. The
// number of strangers within a small distance r of a person grows as r^d, with d the dimension in which faces differ
// (Levina and Bickel, 2004; Amsaleg et al., 2015); r^2 is 2 (1 - cosine), so a rate is a power of 1 - cosine, whose
// exponent is Hill's (1975) estimate. The most alike pairs are only counted, not measured (censoring of type II),
// because pairs that are one person after all are among them.

/** The tail of the similarities of N pairs of different people. */
export interface NullTail {
  /** N. */
  readonly pairs: number;
  /** The cosines between which the fit looks at values; pairs above are counted. */
  readonly from: number;
  readonly upTo: number;
  /** Share of the pairs that lie at or above `from`. */
  readonly share: number;
  /** d / 2: the power of 1 - cosine with which the share falls. */
  readonly exponent: number;
}

/** Distance from a cosine of 1; never less than what float32 can tell from it. */
const gap = (cosine: number): number => Math.max(2 ** -24, 1 - cosine);

/**
 * The tail of `pairs` cosines, of which `falling` are the `first` highest or more, in falling order: fitted between
 * the `first`-th and the `last`-th. If half of the `last` highest are pairs of one person, the exponent comes out some
 * tenth too low.
 */
export function nullTail(
  falling: Float32Array | Float64Array,
  { pairs, first, last }: { pairs: number; first: number; last: number },
): NullTail {
  const [from, upTo] = [falling[first - 1]!, falling[last]!];
  let sum = last * Math.log(gap(from) / gap(upTo));
  for (let i = last; i < first; i++) sum += Math.log(gap(from) / gap(falling[i]!));
  return { pairs, from, upTo, share: first / pairs, exponent: (first - 1 - last) / sum };
}

/** Share of pairs of different people that are expected at or above a cosine; below `from` no more than at `from`. */
export function tailRate({ from, share, exponent }: NullTail, cosine: number): number {
  return cosine <= from ? share : share * (gap(cosine) / gap(from)) ** exponent;
}

/** The cosine that `expected` of `comparisons` pairs of different people are expected to reach; `from` at least. */
export function tailLevel(
  { from, share, exponent }: NullTail,
  comparisons: number,
  expected: number,
): number {
  const ratio = Math.min(1, expected / (comparisons * share));
  return 1 - gap(from) * ratio ** (1 / exponent);
}
