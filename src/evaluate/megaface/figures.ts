// From the ranks of mates to curves with intervals: hits are counted for each person, and people are drawn again, so
// that a draw costs as much as there are people, not searches.
import { random } from '../../common/random.js';
import { interval } from '../bootstrap.js';
import type { CmcCurve } from '../evaluation.js';
import { cmcRanks } from '../identification/identification.js';
import { widened } from '../resample.js';
import type { MatedProbe, MateRanks } from './mate-ranks.js';
import type { ScoreCounts } from './score-counts.js';

export interface CmcInput {
  probes: readonly MatedProbe[];
  /** The person of probe p. */
  person: (p: number) => string;
  ranks: MateRanks;
  /** [sizes] the ranks of all trials in each gallery. */
  ranksAt: readonly Uint32Array[];
  sizes: readonly number[];
  /** Distractors that are real. */
  real: number;
  replicates: number;
  seed: number;
}

export interface CmcFigures {
  curves: CmcCurve[];
  intervals?: { resampled: 'people'; replicates: number; seed: number };
  people: number;
  /** [probes] number of each probe's person. */
  personOf: Uint32Array;
  rankOneOverPeople: number;
  mostTrials: { person: string; share: number };
}

/** Cumulative match characteristics, with 95 % intervals from drawing the probe people. */
export function cmcCurves(input: CmcInput): CmcFigures {
  const { probes, person, ranks, ranksAt, sizes, real, replicates, seed } = input;
  const names = [...new Set(probes.map((_, p) => person(p)))];
  const numberOf = new Map(names.map((name, number) => [name, number]));
  const grids = sizes.map((size) => cmcRanks(size + 1));
  const firstCell = grids.map((_, s) => grids.slice(0, s).reduce((sum, grid) => sum + grid.length, 0));
  const cells = grids.reduce((sum, grid) => sum + grid.length, 0);
  const trials = new Float64Array(names.length);
  /** [people, cells] */
  const hits = new Float64Array(names.length * cells);
  for (let p = 0; p < probes.length; p++) {
    const own = numberOf.get(person(p))!;
    for (let trial = ranks.starts[p]!; trial < ranks.starts[p + 1]!; trial++) {
      trials[own]! += 1;
      ranksAt.forEach((found, s) => {
        // Counted at the first rank that has it; made cumulative below.
        const at = grids[s]!.findIndex((rank) => found[trial]! <= rank);
        hits[own * cells + firstCell[s]! + at]! += 1;
      });
    }
  }
  for (let own = 0; own < names.length; own++)
    grids.forEach((grid, s) => {
      for (let r = 1; r < grid.length; r++)
        hits[own * cells + firstCell[s]! + r]! += hits[own * cells + firstCell[s]! + r - 1]!;
    });

  const rates = shares(hits, trials, cells);
  const found = replicates > 1 ? intervalsOf(rates, hits, trials, { replicates, seed }) : undefined;
  const curves = sizes.map((size, s): CmcCurve => {
    const part = <T>(of: ArrayLike<T>): T[] => Array.from(grids[s]!, (_, r) => of[firstCell[s]! + r]!);
    return {
      gallery: size + 1,
      trials: ranks.trials,
      ranks: grids[s]!,
      rates: part(rates),
      ...(found && { intervals: part(found) }),
      ...(size > real && { synthetic: size - real }),
    };
  });
  const last = firstCell.at(-1)!;
  const most = trials.reduce((best, count, own) => (count > trials[best]! ? own : best), 0);
  return {
    curves,
    ...(found && { intervals: { resampled: 'people', replicates, seed } }),
    people: names.length,
    personOf: Uint32Array.from(probes, (_, p) => numberOf.get(person(p))!),
    rankOneOverPeople:
      names.reduce((sum, _, own) => sum + hits[own * cells + last]! / trials[own]!, 0) / names.length,
    mostTrials: { person: names[most]!, share: trials[most]! / ranks.trials },
  };
}

/** [cells] share of the trials that hit, person p counting `weights[p]` times. */
function shares(
  hits: Float64Array,
  trials: Float64Array,
  cells: number,
  weights?: Float64Array,
): Float64Array {
  const sums = new Float64Array(cells);
  let all = 0;
  for (let own = 0; own < trials.length; own++) {
    const weight = weights ? weights[own]! : 1;
    if (weight === 0) continue;
    all += weight * trials[own]!;
    for (let c = 0, at = own * cells; c < cells; c++) sums[c]! += weight * hits[at + c]!;
  }
  return sums.map((sum) => sum / all);
}

function intervalsOf(
  rates: Float64Array,
  hits: Float64Array,
  trials: Float64Array,
  { replicates, seed }: { replicates: number; seed: number },
): [number, number][] {
  const draw = random(seed, 'bootstrap');
  const weights = new Float64Array(trials.length);
  const drawn = Array.from({ length: replicates }, () => {
    weights.fill(0);
    for (let i = 0; i < weights.length; i++) weights[draw.integer(weights.length)]! += 1;
    return shares(hits, trials, rates.length, weights);
  });
  return Array.from(rates, (rate, c) =>
    widened(rate, trials.length, interval(drawn.map((again) => again[c]!))),
  );
}

/**
 * What share of the scores with real and with synthetic distractors reaches one threshold: that of FAR 1e-4 among the
 * real ones, or of the lowest higher power of ten that rests on ten scores.
 */
export function drawnShares(
  real: ScoreCounts,
  synthetic: ScoreCounts,
): { threshold: number; real: number; synthetic: number } {
  const [ofReal, ofSynthetic] = [real.total, synthetic.total];
  const far = [1e-4, 1e-3, 1e-2].find((rate) => rate * ofReal >= 10) ?? 1e-1;
  const { edge, reached } = real.lowestEdge(Math.floor(far * ofReal));
  return { threshold: edge, real: reached / ofReal, synthetic: synthetic.reaching(edge) / ofSynthetic };
}
