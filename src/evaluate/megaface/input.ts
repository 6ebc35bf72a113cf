// What identification among distractors is given, and what is refused: templates without a direction, probes without a
// mate, distractors of a probe person's name.
import { UserError } from '../../common/errors.js';
import { countVectors, noDirection, squaredNorm, type Vectors } from '../../theory/vectors.js';
import type { MatedProbe } from './mate-ranks.js';

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

/** [N] lengths of the rows that are used. */
export function normsOf({ templates, probes, distractors, people, files }: MegafaceInput): Float64Array {
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
export function matedProbes({ probes, distractors, people, files }: MegafaceInput): MatedProbe[] {
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
