// Who searches and who distracts: probes are people with several photographs, distractors everybody else (MegaFace
// Challenge 1: FaceScrub's celebrities among strangers from Flickr). One folder can give both, as LFW does, whose
// 4,069 people with a single photograph are strangers to the 1,680 with more.
import { UserError } from '../../common/errors.js';
import { random } from '../../common/random.js';

export interface MegafaceListOptions {
  /** Photographs that a person must have to be a probe; 2 by default, and at least. */
  minImages?: number;
  /** Probe photographs in all: people are drawn whole, until no other fits; all by default. */
  maxProbes?: number;
  /** Photographs of a person, drawn where there are more; all by default. */
  maxImages?: number;
  /** Of what is drawn; 1 by default. */
  seed?: number;
}

export interface MegafaceLists {
  /** Rows of the probes, rising. */
  probes: number[];
  /** Rows of the distractors, rising. */
  distractors: number[];
  /** What was left out, a sentence each. */
  notes: string[];
}

/**
 * Probes and distractors among images of which only the person is known (null: nobody's; it can distract).
 * `distractors` are the people of other images, in rows that follow those of `people`; without it, the people of one
 * image in `people` are the distractors. A distractor that bears a probe person's name is left out, with a note.
 * Throws a UserError when fewer than two people can be probes or no distractor is left.
 */
export function megafaceLists(
  people: readonly (string | null)[],
  distractors?: readonly (string | null)[],
  { minImages = 2, maxProbes, maxImages, seed = 1 }: MegafaceListOptions = {},
): MegafaceLists {
  const least = Math.max(2, minImages);
  const rowsOf = new Map<string, number[]>();
  people.forEach((person, row) => {
    if (person === null) return;
    const rows = rowsOf.get(person);
    if (rows) rows.push(row);
    else rowsOf.set(person, [row]);
  });
  const notes: string[] = [];
  const several = [...rowsOf].filter(([, rows]) => rows.length >= least);
  if (several.length < 2)
    throw new UserError(
      `megaface: ${several.length === 0 ? 'nobody has' : `only ${several[0]![0]} has`} ${least} photographs or more; two people are needed as probes`,
    );
  const probes = draw(several, { maxProbes, maxImages, seed }, notes);
  const others: { row: number; person: string | null }[] = distractors
    ? distractors.map((person, i) => ({ row: people.length + i, person }))
    : people.flatMap((person, row) =>
        person === null || rowsOf.get(person)!.length === 1 ? [{ row, person }] : [],
      );
  // Whoever has several photographs is not taken for a stranger, drawn as a probe or not.
  const known = new Set(several.map(([person]) => person));
  const strangers = others.filter(({ person }) => person === null || !known.has(person));
  if (strangers.length < others.length)
    notes.push(
      `${others.length - strangers.length} distractors left out: they bear the name of a probe person`,
    );
  if (!distractors) {
    const between = [...rowsOf].filter(([, rows]) => rows.length > 1 && rows.length < least).length;
    if (between > 0)
      notes.push(`${between} people with 2 to ${least - 1} photographs are neither probes nor distractors`);
  }
  if (strangers.length === 0)
    throw new UserError(
      distractors
        ? 'megaface: no distractor is left; give a folder of other people'
        : 'megaface: there is no distractor, as nobody has a single photograph; give others with --distractors',
    );
  return { probes, distractors: strangers.map(({ row }) => row), notes };
}

function draw(
  several: readonly [string, number[]][],
  { maxProbes = Number.POSITIVE_INFINITY, maxImages = Number.POSITIVE_INFINITY, seed }: MegafaceListOptions,
  notes: string[],
): number[] {
  const photographs = several.reduce((sum, [, rows]) => sum + rows.length, 0);
  const drawn: number[] = [];
  let taken = 0;
  for (const [person, all] of random(seed!, 'probe people').shuffle([...several])) {
    const rows =
      all.length > maxImages
        ? random(seed!, 'photographs of', person)
            .shuffle([...all])
            .slice(0, maxImages)
        : all;
    if (rows.length < 2 || drawn.length + rows.length > maxProbes) continue;
    drawn.push(...rows);
    taken++;
  }
  if (taken < 2)
    throw new UserError(`megaface: ${maxProbes} probes leave ${taken} people; two people are needed`);
  if (drawn.length < photographs)
    notes.push(
      `${drawn.length} of ${photographs} photographs of ${taken} of ${several.length} people are probes, drawn with seed ${seed}`,
    );
  return drawn.sort((a, b) => a - b);
}
