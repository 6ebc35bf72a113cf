// Identification among distractors, as MegaFace's Challenge 1 asks it (Kemelmacher-Shlizerman et al., CVPR 2016): the
// gallery holds the distractors and one other photograph of the probe's person, and every ordered pair of photographs
// of a person is a search. The question is how the rank of the mate falls as distractors become a million.
import { UserError } from '../common/errors.js';
import { random } from '../common/random.js';
import { type BlockOptions, eachBlock, type TemplateSource } from '../search/index.js';
import { cosineAt, countVectors, noDirection, squaredNorm, type Vectors } from '../theory/vectors.js';
import type { CmcCurve, VerificationPart } from './evaluation.js';
import { type MatedProbe, MateRanks } from './mate-ranks.js';
import { cmcCurves, drawnShares } from './megaface-figures.js';
import { countedVerification, ScoreCounts } from './score-counts.js';
import { SyntheticDistractors } from './synthetic-distractors.js';

export interface MegafaceInput {
  /** [N, D] templates of probes and distractors. */
  templates: Vectors;
  /** [N] whose each row is; null for nobody's. */
  people: readonly (string | null)[];
  /** Rows of the probes, two or more of every person among them. */
  probes: readonly number[];
  /** Rows of the distractors, of other people. */
  distractors: readonly number[];
  /** Distractors to reach with synthetic ones; none are added by default. */
  pad?: number;
  /** Numbers of distractors; by default 10, 100, 1,000 .. and all. */
  sizes?: readonly number[];
  /** False accept rates; 1e-1 .. 1e-6 by default. */
  fars?: readonly number[];
  /** Bootstrap draws of probe people, 1,000 by default; 0 leaves the intervals out. */
  replicates?: number;
  /** Of the distractors' order, the synthetic ones and the bootstrap; 1 by default. */
  seed?: number;
  /** The file of each row, for messages. */
  files?: readonly string[];
}

/** A pair of rows that a verification threshold judges wrongly. */
export interface WrongPair {
  kind: 'false match' | 'false non-match';
  /** Row of the probe. */
  a: number;
  b: number;
  score: number;
  threshold: number;
}

/** How scores of synthetic distractors compare with those of real ones, at one threshold. */
export interface SyntheticShare {
  /** Distractors that were drawn. */
  count: number;
  threshold: number;
  /** Share of the scores with real, and with synthetic distractors, that reach the threshold. */
  real: number;
  synthetic: number;
}

export interface MegafaceResult {
  /** One curve a number of distractors, rising. */
  identification: CmcCurve[];
  /** Of all ordered pairs of a person against all scores of probes with real distractors. */
  verification: VerificationPart;
  /** What a counted score may be wrong by: rounding of float32 products and the width of a bin. */
  resolution: number;
  synthetic?: SyntheticShare;
  trials: number;
  probePeople: number;
  /** Mean over people of the share of their trials of rank 1, at the most distractors. */
  rankOneOverPeople: number;
  /** The person with the most trials, and the share of all trials that are theirs. */
  mostTrials: { person: string; share: number };
  /** Rows of the real distractors in the order in which the galleries take them. */
  order: number[];
  wrong: WrongPair[];
}

/**
 * Runs the protocol. Galleries are nested: the first n distractors of one order drawn from the seed, real ones before
 * synthetic ones. Ranks are exact: what the rounding of float32 products could decide is decided in float64, and a
 * distractor that ties beats the mate. The FARs of `verification` are those among real distractors alone. Throws a
 * UserError for lists and templates that cannot be used (see `MegafaceInput`).
 */
export async function megaface(
  input: MegafaceInput,
  { threads, signal, onProgress }: Pick<BlockOptions, 'threads' | 'signal' | 'onProgress'> = {},
): Promise<MegafaceResult> {
  const { templates, people, fars = standardFars, replicates = 1000, seed = 1 } = input;
  const { length, original } = templates;
  const norms = normsOf(input);
  const probes = matedProbes(input);
  const order = random(seed, 'distractors').shuffle([...input.distractors]);
  const total = Math.max(order.length, input.pad ?? 0);
  const sizes = gallerySizes(input.sizes, order.length, total);
  const most = sizes.at(-1)!;
  const real = Math.min(order.length, most);
  const synthetic =
    most > real ? new SyntheticDistractors(gathered(templates, order), seed, { threads }) : undefined;

  const cosine = (a: number, b: number): number => {
    let dot = 0;
    for (let d = 0, i = a * length, j = b * length; d < length; d++)
      dot += original[i + d]! * original[j + d]!;
    return dot / norms[a]! / norms[b]!;
  };
  const ranks = new MateRanks(probes, cosine);
  const counts = { real: new ScoreCounts(), synthetic: new ScoreCounts() };
  const best = probes.map(() => ({ row: -1, score: Number.NEGATIVE_INFINITY }));
  const gallery = new Gallery(templates, norms, order.slice(0, real), synthetic, most);
  const ranksAt = sizes.map(() => new Uint32Array(ranks.trials));
  const rounding = roundingOf(length);
  const take = (p: number, scores: Float32Array, from: number, to: number, first: number) => {
    const { probe } = probes[p]!;
    const row = (i: number) => order[first + i - from]!;
    const isReal = first < real;
    (isReal ? counts.real : counts.synthetic).add(scores, from, to);
    ranks.count(p, scores, from, to, rounding, (i) =>
      isReal ? cosine(probe, row(i)) : gallery.cosine(probe, first + i - from),
    );
    if (!isReal) return;
    for (let i = from; i < to; i++)
      if (scores[i]! > best[p]!.score) best[p] = { row: row(i), score: scores[i]! };
  };
  const unit = gallery.unit(probes.map(({ probe }) => probe));
  await eachBlock(unit, gallery, {
    threads,
    signal,
    onProgress,
    onBlock(scores, first, count, firstProbe, probeCount) {
      // A block is cut where a gallery ends, and where the real distractors do.
      const cuts = [...new Set([...sizes, real, first + count])]
        .filter((cut) => cut > first && cut <= first + count)
        .sort((a, b) => a - b);
      for (let i = 0; i < probeCount; i++) {
        let start = first;
        for (const cut of cuts) {
          const from = i * count + start - first;
          take(firstProbe + i, scores, from, from + cut - start, start);
          const size = sizes.indexOf(cut);
          if (size >= 0) ranks.ranksOf(firstProbe + i, ranksAt[size]!);
          start = cut;
        }
      }
    },
  });

  const verification = countedVerification(ranks.scores, counts.real, { fars, rounding });
  const person = (p: number) => people[probes[p]!.probe]!;
  const accepted = verification.tarAtFar.map(({ threshold }) => threshold ?? Number.POSITIVE_INFINITY);
  const figures = cmcCurves({ probes, person, ranks, ranksAt, sizes, real, accepted, replicates, seed });
  figures.tarIntervals?.forEach((interval, k) => {
    const entry = verification.tarAtFar[k]!;
    if (entry.tar !== null) entry.interval = interval;
  });
  if (figures.intervals) verification.intervals = figures.intervals;
  for (const [p, { row }] of best.entries()) best[p]!.score = cosine(probes[p]!.probe, row);
  return {
    identification: figures.curves,
    verification,
    resolution: counts.real.width + 2 * rounding,
    ...(synthetic && { synthetic: { count: most - real, ...drawnShares(counts.real, counts.synthetic) } }),
    trials: ranks.trials,
    probePeople: figures.people,
    rankOneOverPeople: figures.rankOneOverPeople,
    mostTrials: figures.mostTrials,
    order: order.slice(0, real),
    wrong: wrongPairs(verification, probes, person, ranks, best),
  };
}

/**
 * |fl(x . y) - x . y| <= D u |x| |y| in whatever order the D products are added (Higham, Accuracy and Stability of
 * Numerical Algorithms, 3.1), u = 2^-24, to which the rounding of both unit vectors to float32 adds 2 u.
 */
const roundingOf = (length: number): number => (length + 5) * 2 ** -24;

/** The distractors in the order of the galleries as unit rows: real ones from the templates, then synthetic ones. */
class Gallery implements TemplateSource {
  readonly length: number;
  /** Synthetic rows that were read last, at hand for a second look. */
  readonly #recent: { first: number; values: Float32Array }[] = [];

  constructor(
    private readonly templates: Vectors,
    private readonly norms: Float64Array,
    private readonly order: readonly number[],
    private readonly synthetic: SyntheticDistractors | undefined,
    readonly count: number,
  ) {
    this.length = templates.length;
  }

  /** These rows of the templates as unit rows, [rows, D]. */
  unit(
    rows: readonly number[],
    into: Float32Array = new Float32Array(rows.length * this.length),
  ): Float32Array {
    const { length, original } = this.templates;
    rows.forEach((row, i) => {
      for (let d = 0; d < length; d++) into[i * length + d] = original[row * length + d]! / this.norms[row]!;
    });
    return into;
  }

  async read(first: number, count: number, into: Float32Array): Promise<void> {
    const real = Math.max(0, Math.min(this.order.length - first, count));
    this.unit(this.order.slice(first, first + real), into);
    if (real === count) return;
    const rest = into.subarray(real * this.length, count * this.length);
    await this.synthetic!.read(first + real - this.order.length, count - real, rest);
    // Two blocks are under way: the one whose scores are looked at, and the one read ahead of it.
    if (this.#recent.length === 2) this.#recent.shift();
    this.#recent.push({ first: first + real, values: rest.slice() });
  }

  /** In float64, of a row of the templates and synthetic distractor `place` of a block under way. */
  cosine(row: number, place: number): number {
    const { length, original } = this.templates;
    const block = this.#recent.find(
      ({ first, values }) => place >= first && place < first + values.length / length,
    )!;
    return cosineAt(original, row * length, block.values, (place - block.first) * length, length);
  }
}

const standardFars: readonly number[] = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6];

/** [N] lengths of the rows that are used. */
function normsOf({ templates, probes, distractors, people, files }: MegafaceInput): Float64Array {
  const { length, original } = templates;
  const count = countVectors(templates);
  if (people.length !== count)
    throw new UserError(`megaface: ${count} templates but ${people.length} people`);
  const norms = new Float64Array(count);
  for (const row of [...probes, ...distractors]) {
    const name = `megaface: ${files?.[row] ?? `template ${row}`}`;
    if (!Number.isInteger(row) || row < 0 || row >= count)
      throw new UserError(`${name} is not among the ${count} templates`);
    const norm = Math.sqrt(squaredNorm(original, row * length, length));
    if (!(norm > 0 && norm < Number.POSITIVE_INFINITY)) throw new UserError(`${name}: ${noDirection(norm)}`);
    norms[row] = norm;
  }
  return norms;
}

/** The probes with their mates, checked against the distractors. */
function matedProbes({ probes, distractors, people, files }: MegafaceInput): MatedProbe[] {
  const rowsOf = new Map<string, number[]>();
  for (const row of probes) {
    const person = people[row];
    const name = files?.[row] ?? `template ${row}`;
    if (person === null || person === undefined) throw new UserError(`megaface: probe ${name} is nobody's`);
    const rows = rowsOf.get(person);
    if (rows?.includes(row)) throw new UserError(`megaface: ${name} is a probe twice`);
    if (rows) rows.push(row);
    else rowsOf.set(person, [row]);
  }
  const single = [...rowsOf].find(([, rows]) => rows.length < 2);
  if (single) throw new UserError(`megaface: ${single[0]} has one photograph; a probe needs a mate`);
  if (rowsOf.size < 2)
    throw new UserError(`megaface: ${rowsOf.size} people among the probes; two are needed`);
  if (distractors.length === 0)
    throw new UserError('megaface: the gallery is empty: there is no distractor; give some');
  const known = distractors.find((row) => people[row] !== null && rowsOf.has(people[row]!));
  if (known !== undefined)
    throw new UserError(
      `megaface: distractor ${files?.[known] ?? `template ${known}`} bears the name of a probe person, ${people[known]}; leave it out`,
    );
  return [...rowsOf.values()].flatMap((rows) =>
    rows.map((probe) => ({ probe, mates: rows.filter((row) => row !== probe) })),
  );
}

/** The asked sizes, or powers of ten and all; rising. */
function gallerySizes(asked: readonly number[] | undefined, real: number, total: number): number[] {
  const wanted = asked ?? [
    ...Array.from({ length: 6 }, (_, k) => 10 ** (k + 1)).filter((size) => size < total),
    real,
    total,
  ];
  if (wanted.length === 0) throw new UserError('megaface: no number of distractors was asked for');
  for (const size of wanted) {
    if (!Number.isInteger(size) || size < 1)
      throw new UserError(`megaface: ${size} distractors: use whole numbers from 1 on`);
    if (size > total)
      throw new UserError(
        `megaface: ${size} distractors were asked for, there are ${total}; give more, or pad with synthetic ones: --pad ${size}`,
      );
  }
  return [...new Set(wanted)].sort((a, b) => a - b);
}

function gathered({ length, original }: Vectors, rows: readonly number[]): Vectors {
  const out = new Float64Array(rows.length * length);
  rows.forEach((row, i) => {
    out.set(original.subarray(row * length, (row + 1) * length), i * length);
  });
  return { length, original: out };
}

/**
 * At the threshold of the lowest FAR that has one: of every probe person the distractor that is taken for them with the
 * highest score, and the pair that is not matched with the lowest; the 12 worst of each kind.
 */
function wrongPairs(
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
