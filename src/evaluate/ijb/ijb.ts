// The protocols of IARPA's Janus benchmarks B and C (Whitelam et al., 2017; Maze et al., 2018): verification of listed
// pairs of templates, and search of mixed probes in two galleries whose people do not overlap. Each gallery is searched
// on its own, where the other's probes are people who are not enrolled; the average of both is the figure.
import { UserError } from '../../common/errors.js';
import type { CmcCurve, DetCurve, VerificationPart } from '../evaluation.js';
import { identificationFigures, intervalsOf, weighable } from '../identification/identification.js';
import { searchGallery } from '../identification/searches.js';
import { type ResampleOptions, widened } from '../resample.js';
import { type Templates, takeRows } from '../templates.js';
import { pairFigures, pairScores, type TemplatePairs } from './verification.js';

export const ijbFars: readonly number[] = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6];
export const ijbFpirs: readonly number[] = [0.01, 0.1];
export const ijbRanks: readonly number[] = [1, 5, 10];

/** Templates by their rows, and the subject of each. */
export interface SubjectTemplates {
  rows: Uint32Array;
  subjects: Uint32Array;
}

export interface IjbOptions extends ResampleOptions {
  /** FPIRs of the search, each in (0, 1); 1 % and 10 % by default. */
  fpirs?: readonly number[];
  /** A mate counts among the first so many candidates of the open-set search; 1 by default. */
  rank?: number;
}

/** A figure of both galleries: the mean of the two, and a 95 % interval over subjects who are drawn again. */
export interface Averaged {
  /** Null when one of the galleries cannot tell it: see `reason`. */
  value: number | null;
  each: [number | null, number | null];
  interval?: [number, number];
  reason?: string;
}

export interface IjbSearchResult {
  /** Of gallery 1 and of gallery 2. */
  openSet: DetCurve[];
  identification: CmcCurve[];
  /** By rank. */
  cmc: { rank: number; rate: Averaged }[];
  /** By FPIR. */
  fnir: { fpir: number; rate: Averaged }[];
  /** Subjects of the probes in gallery 1, in gallery 2, and in neither. */
  people: [number, number, number];
}

/**
 * Searches `probes` in both galleries, rows of the unit templates [T, D]. Subjects with probes are drawn again for the
 * intervals: those of gallery 1, those of gallery 2 and all others, each among themselves. Throws a UserError when a
 * gallery has no mated or no non-mated probe.
 */
export function ijbSearch(
  templates: Templates,
  galleries: readonly [SubjectTemplates, SubjectTemplates],
  probes: SubjectTemplates,
  { fpirs = ijbFpirs, rank = 1, replicates = 1000, seed = 1 }: IjbOptions = {},
): IjbSearchResult {
  const subjects = new Map<number, number>();
  for (const subject of probes.subjects) if (!subjects.has(subject)) subjects.set(subject, subjects.size);
  const personOf = Uint32Array.from(probes.subjects, (subject) => subjects.get(subject)!);
  const settings = { personOf, fpirs, rank };
  const wanted = takeRows(templates, probes.rows);
  const searched = galleries.map(({ rows, subjects: enrolled }, i) => {
    const rowOf = new Map([...enrolled].map((subject, row) => [subject, row]));
    const mates = Int32Array.from(probes.subjects, (subject) => rowOf.get(subject) ?? -1);
    for (const [kind, there] of [
      ['mated', mates.some((mate) => mate >= 0)],
      ['non-mated', mates.some((mate) => mate < 0)],
    ] as const)
      if (!there) throw new UserError(`gallery ${i + 1}: there is no ${kind} probe; both kinds are needed`);
    return searchGallery(takeRows(templates, rows), wanted, mates, [rows.length])[0]!;
  });
  const single = searched.map((searches) => identificationFigures(searches, settings, { replicates, seed }));
  const curves = single.map(({ det }) => det);
  const closed = single.map(({ cmc }) => cmc);

  const enrolled = galleries.map((gallery) => new Set(gallery.subjects));
  const strata: number[][] = [[], [], []];
  for (const [subject, person] of subjects)
    strata[enrolled[0]!.has(subject) ? 0 : enrolled[1]!.has(subject) ? 1 : 2]!.push(person);
  const ranks = ijbRanks.filter((one) => closed.every((cmc) => cmc.ranks.includes(one)));
  const both = searched.map((searches) => weighable(searches, settings));
  const intervals = intervalsOf(
    strata.filter((stratum) => stratum.length > 0),
    (weights) => {
      const drawn = both.map((figures) => figures.points(weights));
      if (drawn.some((points) => points === undefined)) return undefined;
      const cmc = both.map((figures) => figures.cmc(weights));
      return [
        ...fpirs.map((_, k) => mean(drawn.map((points) => points![k]!))),
        ...ranks.map((one) => mean(cmc.map((rates, i) => rates[closed[i]!.ranks.indexOf(one)]!))),
      ];
    },
    { replicates, seed },
  );
  const mated = strata[0]!.length + strata[1]!.length;
  const averaged = (
    each: (number | null)[],
    interval: [number, number] | undefined,
    reason?: string,
  ): Averaged => {
    const known = each.every((value) => value !== null);
    return {
      value: known ? mean(each as number[]) : null,
      each: each as [number | null, number | null],
      ...(known && interval && { interval: widened(mean(each as number[]), mated, interval) }),
      ...(reason !== undefined && { reason }),
    };
  };
  return {
    openSet: curves,
    identification: closed,
    fnir: fpirs.map((fpir, k) => {
      const points = curves.map(({ points }) => points[k]!);
      const reasons = points.flatMap(({ reason }, i) => (reason ? [`gallery ${i + 1} ${reason}`] : []));
      const why = reasons.length > 0 ? reasons.join('; ') : undefined;
      return {
        fpir,
        rate: averaged(
          points.map(({ fnir }) => fnir),
          intervals[k],
          why,
        ),
      };
    }),
    cmc: ranks.map((one, k) => ({
      rank: one,
      rate: averaged(
        closed.map((cmc) => cmc.rates[cmc.ranks.indexOf(one)]!),
        intervals[fpirs.length + k],
      ),
    })),
    people: strata.map((stratum) => stratum.length) as [number, number, number],
  };
}

/** Verification of `pairs` and what was drawn again for its intervals. */
export interface IjbVerification {
  verification: VerificationPart;
  resampled: 'subjects' | 'templates';
  /** Pairs whose label says something else than the subjects of their templates, where these are known. */
  contradictions: number;
}

/**
 * Verification of listed pairs of unit templates [T, D]. Subjects are drawn again where `subjectOf` knows that of every
 * template in a pair, else templates.
 */
export function ijbVerification(
  templates: Templates,
  pairs: TemplatePairs,
  subjectOf: ReadonlyMap<number, number>,
  {
    fars = ijbFars,
    replicates = 1000,
    seed = 1,
  }: { fars?: readonly number[]; replicates?: number; seed?: number } = {},
): IjbVerification {
  const count = templates.original.length / templates.length;
  const listed = new Uint8Array(count);
  let contradictions = 0;
  for (let pair = 0; pair < pairs.same.length; pair++) {
    const [a, b] = [pairs.first[pair]!, pairs.second[pair]!];
    listed[a] = 1;
    listed[b] = 1;
  }
  const known = listed.every((is, row) => is === 0 || subjectOf.has(row));
  // Templates that are in no pair are not drawn.
  const numbers = new Map<number, number>();
  const units = new Uint32Array(count);
  listed.forEach((is, row) => {
    if (is === 0) return;
    const unit = known ? subjectOf.get(row)! : row;
    if (!numbers.has(unit)) numbers.set(unit, numbers.size);
    units[row] = numbers.get(unit)!;
  });
  if (known) {
    for (let pair = 0; pair < pairs.same.length; pair++) {
      const one = units[pairs.first[pair]!] === units[pairs.second[pair]!];
      if (one !== (pairs.same[pair] === 1)) contradictions++;
    }
  }
  const scores = pairScores(templates, pairs);
  return {
    verification: pairFigures(scores, pairs, { fars, units, replicates, seed }),
    resampled: known ? 'subjects' : 'templates',
    contradictions,
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
