// Who is enrolled, who is searched for, and who is a stranger: the three lists of an open-set experiment, drawn from
// people and a seed, written out, and given back to repeat it with another model. The order of the gallery is part of
// it: a smaller gallery is its first people.
import { z } from 'zod';
import { UserError } from '../../common/errors.js';
import { readText } from '../../common/files.js';
import { random } from '../../common/random.js';
import { compareNames } from '../../data/index.js';

/** A photograph, by its path relative to the data's folder, and the person on it. */
export interface SearchImage {
  path: string;
  person: string;
}

export interface OpenSetLists {
  /** Enrolled photographs, person by person in the order of enrolment. */
  gallery: SearchImage[];
  /** Probes of enrolled people. */
  mated: SearchImage[];
  /** Probes of people who are not enrolled. */
  nonMated: SearchImage[];
}

export interface DrawOptions {
  /** Photographs enrolled of a person, 1 by default; people with no more than these are non-mated. */
  enrol?: number;
  /** Share of the people with more photographs who are enrolled, (0, 1]; 0.5 by default. */
  share?: number;
  /** 1 by default. */
  seed?: number;
}

/**
 * Draws the lists from `images` by the seed, whatever their order. Throws a UserError when the people do not suffice
 * for all three.
 */
export function drawLists(
  images: readonly { path: string; person: string | null }[],
  { enrol = 1, share = 0.5, seed = 1 }: DrawOptions = {},
): OpenSetLists {
  if (!(Number.isInteger(enrol) && enrol >= 1))
    throw new UserError(`${enrol} photographs to enrol: use a whole number from 1 on`);
  if (!(share > 0 && share <= 1))
    throw new UserError(`${share} of the people to enrol: a share lies in (0, 1]`);
  const people = new Map<string, string[]>();
  for (const { path, person } of images) {
    if (person === null)
      throw new UserError(
        `${path}: is in no person's folder, so nobody knows who it shows; put it into one (person/image.jpg)`,
      );
    const paths = people.get(person);
    if (paths) paths.push(path);
    else people.set(person, [path]);
  }
  const names = [...people.keys()].sort(compareNames);
  const enough = random(seed, 'open-set people').shuffle(
    names.filter((name) => people.get(name)!.length > enrol),
  );
  const count = Math.round(share * enough.length);
  if (count === 0)
    throw new UserError(
      `open-set identification: nobody can be enrolled: ${enough.length} of ${names.length} people have more than ${enrol} image${enrol === 1 ? '' : 's'}, share ${share}`,
    );
  const enrolled = new Set(enough.slice(0, count));
  const lists: OpenSetLists = { gallery: [], mated: [], nonMated: [] };
  for (const person of enrolled) {
    const paths = people.get(person)!.sort(compareNames);
    const chosen = new Set(
      random(seed, 'open-set images', person)
        .shuffle([...paths])
        .slice(0, enrol),
    );
    for (const path of paths) (chosen.has(path) ? lists.gallery : lists.mated).push({ path, person });
  }
  for (const person of names) {
    if (enrolled.has(person)) continue;
    for (const path of people.get(person)!.sort(compareNames)) lists.nonMated.push({ path, person });
  }
  return checkLists(lists, `open-set identification of ${names.length} people`);
}

/** Throws a UserError, beginning with `where`, unless the lists make an experiment; returns them. */
export function checkLists(lists: OpenSetLists, where: string): OpenSetLists {
  const { gallery, mated, nonMated } = lists;
  if (gallery.length === 0) throw new UserError(`${where}: the gallery is empty; list who is enrolled`);
  if (mated.length === 0)
    throw new UserError(`${where}: there is no mated probe; list further images of enrolled people`);
  if (nonMated.length === 0)
    throw new UserError(
      `${where}: there is no non-mated probe; list images of people who are not enrolled, or enrol a smaller share`,
    );
  const enrolled = new Set(gallery.map(({ person }) => person));
  const seen = new Map<string, string>();
  for (const [images, role] of [
    [gallery, 'enrolled'],
    [mated, 'a mated probe'],
    [nonMated, 'a non-mated probe'],
  ] as const) {
    for (const { path, person } of images) {
      const before = seen.get(path);
      if (before !== undefined)
        throw new UserError(
          `${where}: ${path} is ${before === role ? `${role} twice` : `both ${before} and ${role}`}; list it once`,
        );
      seen.set(path, role);
      if (role === 'a mated probe' && !enrolled.has(person))
        throw new UserError(`${where}: mated probe ${path}: ${person} is not enrolled`);
      if (role === 'a non-mated probe' && enrolled.has(person))
        throw new UserError(`${where}: non-mated probe ${path}: ${person} is enrolled`);
    }
  }
  return lists;
}

const FORMAT = 'hypersphere-open-set/1';
const imageSchema = z.object({ path: z.string().min(1), person: z.string().min(1) });
const schema = z.object({
  format: z.literal(FORMAT),
  gallery: z.array(imageSchema),
  mated: z.array(imageSchema),
  nonMated: z.array(imageSchema),
});

/** The lists as JSON, one image a line; `drawn` says how they came about. */
export function listsText(lists: OpenSetLists, drawn?: Record<string, string | number>): string {
  const block = (images: SearchImage[]) =>
    `[\n${images.map(({ path, person }) => `  ${JSON.stringify({ path, person })}`).join(',\n')}\n ]`;
  const parts = (['gallery', 'mated', 'nonMated'] as const).map(
    (name) => ` "${name}": ${block(lists[name])}`,
  );
  const head = ` "format": ${JSON.stringify(FORMAT)}${drawn ? `,\n "drawn": ${JSON.stringify(drawn)}` : ''}`;
  return `{\n${[head, ...parts].join(',\n')}\n}\n`;
}

/**
 * Reads lists: JSON as {@link listsText} writes it, or a `.tsv` with the columns list (gallery, mated, non-mated), path
 * and person. Throws a UserError that names the file and what is wrong.
 */
export async function readLists(file: string): Promise<OpenSetLists> {
  const text = await readText(file);
  return checkLists(file.toLowerCase().endsWith('.tsv') ? fromTable(text, file) : fromJson(text, file), file);
}

function fromJson(text: string, file: string): OpenSetLists {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file}: not JSON: ${(error as Error).message.split('\n')[0]}`);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError(
      `${file}: not the lists of an open-set experiment: ${issue!.path.join('.') || 'the whole'}: ${issue!.message}; give the lists.json of an earlier --report`,
    );
  }
  const { gallery, mated, nonMated } = parsed.data;
  return { gallery, mated, nonMated };
}

const LISTS: ReadonlyMap<string, keyof OpenSetLists> = new Map([
  ['gallery', 'gallery'],
  ['mated', 'mated'],
  ['non-mated', 'nonMated'],
]);

function fromTable(text: string, file: string): OpenSetLists {
  const lists: OpenSetLists = { gallery: [], mated: [], nonMated: [] };
  text.split(/\r?\n/).forEach((line, i) => {
    if (line.trim() === '' || (i === 0 && line === 'list\tpath\tperson')) return;
    const [list = '', path = '', person = '', ...more] = line.split('\t');
    const name = LISTS.get(list);
    if (!name || path === '' || person === '' || more.length > 0)
      throw new UserError(
        `${file} line ${i + 1}: needed are gallery, mated or non-mated, a path and a person, with tabs between`,
      );
    lists[name].push({ path, person });
  });
  return lists;
}
