// One template a person: the mean of the unit templates of all images, of unit length. Images are taken some at a
// time, so that memory grows with the people and not with the images.
import { UserError } from '../../common/errors.js';
import { random } from '../../common/random.js';
import { noDirection, squaredNorm, type Vectors } from '../../theory/vectors.js';

/** A person and the places of the images in a list. */
export interface PersonRows {
  name: string;
  rows: number[];
}

/**
 * The people of a list of images, in its order. An image in no person's folder is left out, or with `loose` a person
 * of its own with its path for a name.
 */
export function peopleOf(
  images: readonly { path: string; person: string | null }[],
  { loose = false } = {},
): PersonRows[] {
  const people = new Map<string, PersonRows>();
  images.forEach(({ path, person }, row) => {
    if (person === null && !loose) return;
    const name = person ?? path;
    if (!people.has(name)) people.set(name, { name, rows: [] });
    people.get(name)!.rows.push(row);
  });
  return [...people.values()];
}

export interface PersonTemplates {
  /** Numbers of one template, D. */
  length: number;
  people: string[];
  /** Images that each person's template was made of. */
  images: number[];
  /** [people, D], of unit length. */
  means: Float32Array;
  /** The same from fewer images each, where `fewer` was given. */
  reduced?: Float32Array;
}

export interface PersonTemplatesOptions {
  /**
   * Numbers of images of other people: for each person one of them is drawn, and so many of the images make up a
   * second template, or all of them where there are not more.
   */
  fewer?: { counts: readonly number[]; seed: number };
}

/** People below whom their likeness to strangers tells little. */
export const FEWEST = 20;

/** Images whose templates are in memory at a time. */
const AT_A_TIME = 4096;

/**
 * Templates of `people`. `templates` gives those of a list of rows [n, D], zeros for an image that cannot be read,
 * which is left out, as is a person none of whose images can be read. Throws a UserError that names the row of a
 * template that is not finite, by `nameOf`.
 */
export async function personTemplates(
  people: readonly PersonRows[],
  templates: (rows: readonly number[]) => Promise<Vectors>,
  nameOf: (row: number) => string,
  { fewer }: PersonTemplatesOptions = {},
): Promise<PersonTemplates> {
  const flat = people.flatMap(({ rows }, person) => rows.map((row) => ({ row, person })));
  const draw = random(fewer?.seed ?? 0, 'images of a person');
  const counts = fewer?.counts ?? [];
  const wanted = people.map(() => (counts.length > 0 ? counts[draw.integer(counts.length)]! : 0));
  const kept: Omit<PersonTemplates, 'means' | 'reduced' | 'length'> = { people: [], images: [] };
  const [means, reduced]: [Float32Array[], Float32Array[]] = [[], []];
  let length = 0;
  let mine: Float64Array[] = [];
  const close = (person: number) => {
    if (mine.length > 0) {
      kept.people.push(people[person]!.name);
      kept.images.push(mine.length);
      means.push(unitMean(mine, length));
      if (fewer) reduced.push(unitMean(draw.shuffle(mine).slice(0, wanted[person]), length));
    }
    mine = [];
  };
  for (let first = 0; first < flat.length; first += AT_A_TIME) {
    const part = flat.slice(first, first + AT_A_TIME);
    const given = await templates(part.map(({ row }) => row));
    length = given.length;
    for (const [i, { row, person }] of part.entries()) {
      const before = flat[first + i - 1]?.person;
      if (before !== undefined && before !== person) close(before);
      const norm = Math.sqrt(squaredNorm(given.original, i * length, length));
      if (norm === 0) continue;
      if (!(norm < Infinity)) throw new UserError(`${nameOf(row)}: ${noDirection(norm)}`);
      const template = Float64Array.from(given.original.subarray(i * length, (i + 1) * length));
      mine.push(template.map((value) => value / norm));
    }
  }
  if (flat.length > 0) close(flat.at(-1)!.person);
  return {
    ...kept,
    length,
    means: joined(means, length),
    ...(fewer && { reduced: joined(reduced, length) }),
  };
}

/** The mean of unit vectors, of unit length; zeros where they cancel out. */
function unitMean(vectors: readonly Float64Array[], length: number): Float32Array {
  const sum = new Float64Array(length);
  for (const vector of vectors) for (let d = 0; d < length; d++) sum[d]! += vector[d]!;
  const norm = Math.sqrt(squaredNorm(sum, 0, length));
  return Float32Array.from(sum, (value) => (norm > 0 ? value / norm : 0));
}

function joined(vectors: readonly Float32Array[], length: number): Float32Array {
  const all = new Float32Array(vectors.length * length);
  vectors.forEach((vector, i) => {
    all.set(vector, i * length);
  });
  return all;
}
