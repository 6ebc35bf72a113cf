// Identification among distractors, as MegaFace's Challenge 1 asks it (Kemelmacher-Shlizerman et al., CVPR 2016): the
// gallery holds the distractors and one other photograph of the probe's person, and every ordered pair of photographs
// of a person is a search. The question is how the rank of the mate falls as distractors become a million.
import { random } from '../../common/random.js';
import { type BlockOptions, eachBlock } from '../../search/index.js';
import type { CmcCurve, VerificationPart } from '../evaluation.js';
import { takeRows } from '../templates.js';
import { cmcCurves, drawnShares } from './figures.js';
import { Gallery, gallerySizes, roundingOf } from './gallery.js';
import { type MegafaceInput, matedProbes, normsOf } from './input.js';
import { MateRanks } from './mate-ranks.js';
import { type WrongPair, wrongPairs } from './mistakes.js';
import { HighestScores, redrawnTars } from './redrawn-tar.js';
import { countedVerification, ScoreCounts } from './score-counts.js';
import { SyntheticDistractors } from './synthetic-distractors.js';

const standardFars: readonly number[] = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6];

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
  /** FARs whose intervals of TAR hold the threshold; the others' find it anew in every draw. */
  heldFars: number[];
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
    most > real ? new SyntheticDistractors(takeRows(templates, order), seed, { threads }) : undefined;

  const cosine = (a: number, b: number): number => {
    let dot = 0;
    for (let d = 0, i = a * length, j = b * length; d < length; d++)
      dot += original[i + d]! * original[j + d]!;
    return dot / norms[a]! / norms[b]!;
  };
  const ranks = new MateRanks(probes, cosine);
  const counts = { real: new ScoreCounts(), synthetic: new ScoreCounts() };
  const highest = new HighestScores();
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
    highest.add(scores, from, to, p);
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
  const figures = cmcCurves({ probes, person, ranks, ranksAt, sizes, real, replicates, seed });
  const heldFars: number[] = [];
  if (figures.intervals) {
    verification.intervals = figures.intervals;
    const { personOf, people: count } = figures;
    const points = verification.tarAtFar.filter(({ tar }) => tar !== null);
    const { intervals, held } = redrawnTars({
      ...{ ranks, personOf, people: count, impostors: counts.real, highest, rounding },
      ...{ points, replicates, seed },
    });
    for (const [k, entry] of points.entries()) {
      entry.interval = intervals[k]!;
      if (held[k]) heldFars.push(entry.far);
    }
  }
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
    heldFars,
    wrong: wrongPairs(verification, probes, person, ranks, best),
  };
}
