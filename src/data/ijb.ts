// The metadata of IARPA's Janus benchmarks B and C (Whitelam et al., 2017; Maze et al., 2018) in the field's files: which
// images make up a template and which of them come from one medium, the pairs of the 1:1 protocol, and NIST's tables of
// the two galleries and the mixed probes.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { readText } from '../common/files.js';
import { type IjbPairs, readIjbPairs } from './ijb-pairs.js';

/** Images of templates, a line each. A template's row is its place in `templates`. */
export interface IjbImages {
  /** [L] file names, as in '1.jpg'. */
  names: string[];
  /** [L] row of the image's template. */
  template: Uint32Array;
  /** [L] number of its medium: a photograph, or a video of which there are several frames. */
  medium: Uint32Array;
}

/** Templates with their subjects: a gallery or the probes, each template once. */
export interface IjbTemplates {
  file: string;
  /** Rows of templates, and the subject of each. */
  rows: Uint32Array;
  subjects: Uint32Array;
}

export interface IjbMeta {
  set: 'IJB-B' | 'IJB-C';
  images: IjbImages;
  /** [T] the templates' own numbers, in the order in which they first have an image. */
  templates: Uint32Array;
  /** Absent when the folder has no pair list. */
  pairs?: IjbPairs;
  /** Absent when the folder has none of the three tables. */
  search?: { galleries: [IjbTemplates, IjbTemplates]; probes: IjbTemplates };
  /** Subject by the template's row, where the tables say. */
  subjectOf: Map<number, number>;
  /** [L] the detector's score of each image, when they were asked for. */
  detectorScores?: Float64Array;
}

const SETS: Record<string, IjbMeta['set']> = { ijbb: 'IJB-B', ijbc: 'IJB-C' };

/** The tables of the 1:N protocol; IJB-B calls its galleries S, IJB-C calls them G. */
const TABLES = [
  { name: '1N_gallery_G1.csv', form: /^1n_gallery_[gs]1\.csv$/i },
  { name: '1N_gallery_G2.csv', form: /^1n_gallery_[gs]2\.csv$/i },
  { name: '1N_probe_mixed.csv', form: /^1n_probe_mixed\.csv$/i },
];

/**
 * Reads the metadata in `folder`: after `ijbb_` or `ijbc_`, face_tid_mid.txt (image, template, medium),
 * template_pair_label.txt (template, template, 1 or 0), 1N_gallery_G1.csv and G2 (or S1 and S2) and 1N_probe_mixed.csv
 * (with the columns TEMPLATE_ID and SUBJECT_ID); with `detectorScores` also name_5pts_score.txt, whose last column it
 * is. Pairs or tables may be missing, not both. Throws a UserError that names the file, and the line where it has one.
 */
export async function readIjb(folder: string, { detectorScores = false } = {}): Promise<IjbMeta> {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      `${folder}: ${error.code === 'ENOENT' ? 'no such folder' : `is no folder that can be read (${error.code})`}`,
      { cause: error },
    );
  });
  const media = files.filter((file) => /^ijb[bc]_face_tid_mid\.txt$/i.test(file));
  if (media.length !== 1)
    throw new UserError(
      media.length === 0
        ? `${folder}: needed is ijbb_face_tid_mid.txt or ijbc_face_tid_mid.txt, which says the template and the medium of every image`
        : `${folder}: holds ${media.join(' and ')}; give each benchmark a folder of its own`,
    );
  const prefix = media[0]!.slice(0, 5);
  const find = (matches: (rest: string) => boolean) => {
    const file = files.find(
      (name) => name.toLowerCase().startsWith(prefix.toLowerCase()) && matches(name.slice(5)),
    );
    return file === undefined ? undefined : join(folder, file);
  };
  const named = (name: string) => find((rest) => rest.toLowerCase() === name);
  const pairFile = named('template_pair_label.txt');
  const tables = TABLES.map(({ form }) => find((rest) => form.test(rest)));
  const missing = TABLES.filter((_, i) => tables[i] === undefined).map(({ name }) => prefix + name);
  if (missing.length === 3 && pairFile === undefined)
    throw new UserError(
      `${folder}: neither ${prefix}template_pair_label.txt nor ${missing[0]}; without pairs and galleries there is nothing to compare`,
    );
  if (missing.length === 1 || missing.length === 2)
    throw new UserError(`${folder}: ${missing.join(' and ')} missing; the search needs all three tables`);

  const { images, templates, rowOf } = await readImages(join(folder, media[0]!));
  const meta: IjbMeta = {
    set: SETS[prefix.slice(0, 4).toLowerCase()]!,
    images,
    templates,
    subjectOf: new Map(),
  };
  if (missing.length === 0) {
    const read: IjbTemplates[] = [];
    for (const file of tables) read.push(await readTable(file!, rowOf, meta.subjectOf));
    const [first, second, probes] = read;
    for (const gallery of [first!, second!]) requireOneEach(gallery, templates);
    meta.search = { galleries: [first!, second!], probes: probes! };
  }
  if (pairFile !== undefined) meta.pairs = await readIjbPairs(pairFile, rowOf);
  if (detectorScores) {
    const file = named('name_5pts_score.txt');
    if (file === undefined)
      throw new UserError(
        `${folder}: the detector's scores are in ${prefix}name_5pts_score.txt, which is missing`,
      );
    meta.detectorScores = await readScores(file, images.names);
  }
  return meta;
}

/** The lines of a text file that are not empty, with their numbers from 1. */
async function linesOf(file: string): Promise<{ text: string; line: number }[]> {
  const whole = await readText(file);
  return whole
    .split(/\r?\n/)
    .map((text, i) => ({ text: text.trim(), line: i + 1 }))
    .filter(({ text }) => text !== '');
}

/** A whole number that fits 32 bits. */
const isNumber = (word: string | undefined): word is string =>
  word !== undefined && /^\d{1,10}$/.test(word) && Number(word) < 2 ** 32;

async function readImages(file: string) {
  const lines = await linesOf(file);
  if (lines.length === 0) throw new UserError(`${file}: there is no image in it`);
  const rowOf = new Map<number, number>();
  const images: IjbImages = {
    names: [],
    template: new Uint32Array(lines.length),
    medium: new Uint32Array(lines.length),
  };
  const seen = new Set<string>();
  lines.forEach(({ text, line }, i) => {
    const [name, template, medium, ...more] = text.split(/\s+/);
    if (!isNumber(template) || !isNumber(medium) || more.length > 0)
      throw new UserError(
        `${file} line ${line}: needed are an image, the number of its template and that of its medium, as in '1.jpg 1 69544'`,
      );
    const key = `${name} ${template}`;
    if (seen.has(key))
      throw new UserError(`${file} line ${line}: ${name} is in template ${template} already; list it once`);
    seen.add(key);
    const number = Number(template);
    if (!rowOf.has(number)) rowOf.set(number, rowOf.size);
    images.names.push(name!);
    images.template[i] = rowOf.get(number)!;
    images.medium[i] = Number(medium);
  });
  return { images, templates: Uint32Array.from(rowOf.keys()), rowOf };
}

/** A table of NIST's: a header, then a line an image, so that a template has several. */
async function readTable(
  file: string,
  rowOf: ReadonlyMap<number, number>,
  subjectOf: Map<number, number>,
): Promise<IjbTemplates> {
  const [header, ...lines] = await linesOf(file);
  const fields = (text: string) => text.split(',').map((field) => field.trim().replace(/^"(.*)"$/, '$1'));
  const columns = header ? fields(header.text).map((column) => column.toUpperCase()) : [];
  const [template, subject] = [columns.indexOf('TEMPLATE_ID'), columns.indexOf('SUBJECT_ID')];
  if (template < 0 || subject < 0)
    throw new UserError(
      `${file}: its first line must name the columns, TEMPLATE_ID and SUBJECT_ID among them`,
    );
  const own = new Map<number, number>();
  for (const { text, line } of lines) {
    const values = fields(text);
    const [id, who] = [values[template], values[subject]];
    if (!isNumber(id) || !isNumber(who))
      throw new UserError(
        `${file} line ${line}: TEMPLATE_ID '${id ?? ''}' and SUBJECT_ID '${who ?? ''}' must be whole numbers`,
      );
    const row = rowOf.get(Number(id));
    if (row === undefined)
      throw new UserError(`${file} line ${line}: template ${id} has no image in the list of images`);
    const known = subjectOf.get(row);
    if (known !== undefined && known !== Number(who))
      throw new UserError(
        `${file} line ${line}: template ${id} is of subject ${who} here and of ${known} elsewhere`,
      );
    subjectOf.set(row, Number(who));
    own.set(row, Number(who));
  }
  if (own.size === 0) throw new UserError(`${file}: there is no template in it`);
  return { file, rows: Uint32Array.from(own.keys()), subjects: Uint32Array.from(own.values()) };
}

/** Throws a UserError when a gallery has two templates of one subject. */
function requireOneEach({ file, rows, subjects }: IjbTemplates, templates: Uint32Array): void {
  const seen = new Map<number, number>();
  subjects.forEach((subject, i) => {
    const other = seen.get(subject);
    if (other !== undefined)
      throw new UserError(
        `${file}: subject ${subject} has the templates ${templates[other]} and ${templates[rows[i]!]}; a gallery has one of each`,
      );
    seen.set(subject, rows[i]!);
  });
}

/** The last column of `image, five points, score`, for every one of `names`. */
async function readScores(file: string, names: readonly string[]): Promise<Float64Array> {
  const scores = new Map<string, number>();
  for (const { text, line } of await linesOf(file)) {
    const words = text.split(/\s+/);
    const score = words.length >= 2 ? Number(words.at(-1)) : Number.NaN;
    if (!(score > 0 && score < Infinity))
      throw new UserError(
        `${file} line ${line}: the last column must be the detector's score, a number above 0`,
      );
    scores.set(words[0]!, score);
  }
  return Float64Array.from(names, (name) => {
    const score = scores.get(name);
    if (score === undefined) throw new UserError(`${file}: has no score of ${name}`);
    return score;
  });
}
