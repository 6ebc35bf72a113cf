// Open-set identification, what users of face recognition live with: a gallery of people, probes of them (mated), and
// probes of strangers (non-mated). FPIR(T) is the share of non-mated searches with any candidate at or above T;
// FNIR(T, R) the share of mated searches whose mate is not among the first R candidates at or above T (Grother and Ngan,
// FRVT 1:N; ISO/IEC 19795-1). A threshold belongs to a gallery size, so several nested ones are searched.
import { UserError } from '../../common/errors.js';
import { noDirection, squaredNorm, type Vectors } from '../../theory/vectors.js';
import type { CmcCurve, DetCurve, FnirAtFpir, Mistake } from '../evaluation.js';
import type { ResampleOptions } from '../resample.js';
import { l2Normalise, type Templates } from '../templates.js';
import { identificationFigures } from './identification.js';
import { type Independence, independence } from './independence.js';
import type { OpenSetLists, SearchImage } from './open-set-lists.js';
import { type Searches, searchGallery } from './searches.js';

export const standardFpirs: readonly number[] = [0.003, 0.01, 0.1];

export interface OpenSetOptions extends ResampleOptions {
  /** People in each gallery, rising; the first that many of the lists. By default 10, 100, .. and all. */
  sizes?: readonly number[];
  /** Each in (0, 1); 0.3 %, 1 % and 10 % by default. */
  fpirs?: readonly number[];
  /** A mate counts among the first so many candidates; 1 by default. */
  rank?: number;
  onProgress?: (done: number) => void;
}

export interface OpenSetInput extends OpenSetOptions {
  lists: OpenSetLists;
  /** [gallery + mated + nonMated, D] in the order of the lists; of any length but zero. */
  templates: Vectors;
}

/** Figures of one experiment, one entry a gallery size, from the smallest. */
export interface OpenSetResult {
  openSet: DetCurve[];
  /** Closed-set identification of the mated probes. */
  identification: CmcCurve[];
  independence: Independence[];
  /** In the largest gallery, at the threshold of `mistakesAt`; the worst of each kind first, one of every two people. */
  mistakes: Mistake[];
  /** The FPIR whose threshold judges the mistakes: 1 %, or the nearest that is known. */
  mistakesAt?: number;
  /** People with mated probes, and people who are not enrolled. */
  matedPeople: number;
  nonMatedPeople: number;
}

/**
 * The whole experiment. A person's template is the mean of the directions of their enrolled images. Mated people and
 * non-mated people are drawn again for the intervals, with the threshold of each FPIR found anew in every draw; the
 * gallery stays as it is. Throws a UserError for a template without a direction (naming its image), a gallery size
 * beyond the enrolled people or without a mated probe, or rates out of range.
 */
export function openSet(input: OpenSetInput): OpenSetResult {
  const { lists, fpirs = standardFpirs, rank = 1 } = input;
  if (!(Number.isInteger(rank) && rank >= 1))
    throw new UserError(`rank ${rank}: use a whole number from 1 on`);
  const { gallery: enrolled, mated, nonMated } = lists;
  const unit = unitTemplates(input.templates, [...enrolled, ...mated, ...nonMated]);
  const { length } = unit;
  const people = [...new Set(enrolled.map(({ person }) => person))];
  const rowOf = new Map(people.map((person, row) => [person, row]));
  const gallery = personTemplates(unit, enrolled, rowOf);
  const probes = [...mated, ...nonMated];
  const templates = { length, original: unit.original.subarray(enrolled.length * length) };
  const mates = Int32Array.from(probes, ({ person }) => rowOf.get(person) ?? -1);
  const sizes = input.sizes ?? standardSizes(people.length);
  checkSizes(sizes, people.length, mates);
  const searched = searchGallery(gallery, templates, mates, sizes, input.onProgress);

  // Enrolled people by their row, then strangers in the order of the list.
  const strangers = new Map<string, number>();
  for (const { person } of nonMated)
    if (!strangers.has(person)) strangers.set(person, people.length + strangers.size);
  const personOf = Uint32Array.from(
    probes,
    ({ person }) => rowOf.get(person) ?? (strangers.get(person) as number),
  );

  const measured = searched.map((searches) => {
    const figures = identificationFigures(searches, { personOf, fpirs, rank }, input);
    return { ...figures, independence: independence(searches, gallery, templates, figures.det.points) };
  });
  const largest = measured.at(-1)!;
  const at = nearest(largest.det.points);
  return {
    openSet: measured.map(({ det }) => det),
    identification: measured.map(({ cmc }) => cmc),
    independence: measured.flatMap((one) => one.independence),
    mistakes: at ? hardest(searched.at(-1)!, at.threshold as number, probes, people, enrolled) : [],
    ...(at && { mistakesAt: at.fpir }),
    matedPeople: new Set(mated.map(({ person }) => person)).size,
    nonMatedPeople: strangers.size,
  };
}

/** 10, 100, .. below the number of people, and all of them. */
export function standardSizes(people: number): number[] {
  const sizes: number[] = [];
  for (let size = 10; size < people; size *= 10) sizes.push(size);
  return [...sizes, people];
}

function checkSizes(sizes: readonly number[], people: number, mates: Int32Array): void {
  sizes.forEach((size, i) => {
    if (!(Number.isInteger(size) && size >= 1 && size > (sizes[i - 1] ?? 0)))
      throw new UserError(`gallery sizes ${sizes.join(', ')}: use rising whole numbers from 1 on`);
    if (size > people)
      throw new UserError(
        `gallery size ${size}: only ${people} people are enrolled; leave it out, or say all`,
      );
    if (!mates.some((mate) => mate >= 0 && mate < size))
      throw new UserError(`gallery size ${size}: no probe is of one of its people; use a larger one`);
  });
}

function unitTemplates(templates: Vectors, images: readonly SearchImage[]): Templates {
  const { length, original } = templates;
  if (original.length !== images.length * length)
    throw new UserError(`${original.length / length} templates for ${images.length} images in the lists`);
  images.forEach(({ path }, row) => {
    const norm = Math.sqrt(squaredNorm(original, row * length, length));
    if (!(norm > 0 && norm < Infinity)) throw new UserError(`${path}: ${noDirection(norm)}`);
  });
  return l2Normalise(templates);
}

/** Unit means of every person's unit templates, [people, D]. */
function personTemplates(
  unit: Templates,
  enrolled: readonly SearchImage[],
  rowOf: ReadonlyMap<string, number>,
): Templates {
  const { length } = unit;
  const sums = new Float64Array(rowOf.size * length);
  enrolled.forEach(({ person }, i) => {
    const at = rowOf.get(person)! * length;
    for (let d = 0; d < length; d++) sums[at + d]! += unit.original[i * length + d]!;
  });
  for (const [person, row] of rowOf) {
    // Rounding leaves crumbs of opposite directions.
    if (!(squaredNorm(sums, row * length, length) > 1e-20))
      throw new UserError(`${person}: the enrolled images cancel out; enrol others`);
  }
  return l2Normalise({ length, original: sums });
}

/** Mistakes shown of each kind. */
const SHOWN = 24;

/** The point at an FPIR of 1 %, or the nearest one above or below that has a threshold. */
function nearest(points: readonly FnirAtFpir[]): FnirAtFpir | undefined {
  const distance = ({ fpir }: FnirAtFpir) => Math.abs(Math.log(fpir / 0.01));
  return [...points]
    .filter(({ threshold }) => threshold !== null)
    .sort((a, b) => distance(a) - distance(b))[0];
}

function hardest(
  searches: Searches,
  threshold: number,
  probes: readonly SearchImage[],
  people: readonly string[],
  enrolled: readonly SearchImage[],
): Mistake[] {
  const { mated, mateScores, nonMated, bestScores, bestRows } = searches;
  const photograph = new Map<string, SearchImage>();
  for (const image of enrolled) if (!photograph.has(image.person)) photograph.set(image.person, image);
  const matches = [...nonMated.keys()]
    .filter((search) => bestScores[search]! >= threshold)
    .sort((a, b) => bestScores[b]! - bestScores[a]! || a - b)
    .map((search) => ({
      kind: 'false match' as const,
      probe: nonMated[search]!,
      person: people[bestRows[search]!]!,
      score: bestScores[search]!,
    }));
  const misses = [...mated.keys()]
    .filter((search) => mateScores[search]! < threshold)
    .sort((a, b) => mateScores[a]! - mateScores[b]! || a - b)
    .map((search) => ({
      kind: 'false non-match' as const,
      probe: mated[search]!,
      person: probes[mated[search]!]!.person,
      score: mateScores[search]!,
    }));
  /** The first of every two people: one wrong label would fill the list otherwise. */
  const once = <T extends { probe: number; person: string }>(list: T[]): T[] => {
    const seen = new Set<string>();
    return list
      .filter(({ probe, person }) => {
        const both = `${probes[probe]!.person}\n${person}`;
        return !seen.has(both) && seen.add(both);
      })
      .slice(0, SHOWN);
  };
  return [...once(matches), ...once(misses)].map(({ kind, probe, person, score }) => ({
    kind,
    a: probes[probe]!,
    b: photograph.get(person)!,
    score,
    threshold,
  }));
}
