// The people of an embeddings file, dealt to training and to measuring. Who is held out follows the rule of
// `train` (src/data/image-folder.ts), so that a network and a projection of its embeddings, with the same seed and
// number, hold out the same people.
import { UserError } from '../common/errors.js';
import { random } from '../common/random.js';
import { compareNames } from '../data/index.js';
import type { StoredEmbeddings } from '../face/index.js';
import type { Identities } from './run-folder.js';

/** Embeddings of some of the people. */
export interface PeopleEmbeddings {
  /** In natural order. */
  people: string[];
  /** Numbers of one embedding, D. */
  length: number;
  /** [N, D] as in the file. */
  original: Float32Array;
  /** [N], the place in `people`. */
  labels: Int32Array;
  /** [N], of the images. */
  paths: string[];
}

export interface ProjectionData {
  /** People with two images or more: one alone makes no pair. */
  trained: PeopleEmbeddings;
  heldOut: PeopleEmbeddings;
  /** People that are neither, because they have one image. */
  tooFew: string[];
}

/**
 * Deals the people of `set`: `holdout` of them, drawn by `seed`, are kept out of training. Images without a
 * person are left out. Throws a `UserError` when fewer than two people are left to train on.
 */
export function dealPeople(
  set: StoredEmbeddings,
  { holdout, seed }: { holdout: number; seed: number },
): ProjectionData {
  const rows = new Map<string, number[]>();
  set.images.forEach(({ person }, row) => {
    if (person !== null) rows.set(person, [...(rows.get(person) ?? []), row]);
  });
  const names = [...rows.keys()].sort(compareNames);
  if (names.length === 0)
    throw new UserError(
      `${set.file}: its list names no people; embed a folder that holds one folder of images a person`,
    );
  const outside = new Set(
    random(seed, 'holdout')
      .shuffle([...names])
      .slice(0, holdout),
  );
  const inside = names.filter((name) => !outside.has(name));
  const enough = inside.filter((name) => rows.get(name)!.length >= 2);
  if (enough.length < 2) {
    const causes = [
      ...(outside.size > 0 ? [`${outside.size} held out`] : []),
      ...(inside.length > enough.length ? [`${inside.length - enough.length} with one image`] : []),
    ];
    throw new UserError(
      `${set.file}: ${enough.length} of ${names.length} people left to train on${causes.length > 0 ? ` (${causes.join(', ')})` : ''}: a projection needs at least 2, with 2 images each`,
    );
  }
  const embeddingsOf = (people: string[]): PeopleEmbeddings => {
    const taken = people.flatMap((name, label) => rows.get(name)!.map((row) => ({ row, label })));
    const { length } = set;
    const original = new Float32Array(taken.length * length);
    taken.forEach(({ row }, i) => {
      original.set(set.embeddings.subarray(row * length, (row + 1) * length), i * length);
    });
    return {
      people,
      length,
      original,
      labels: Int32Array.from(taken, ({ label }) => label),
      paths: taken.map(({ row }) => set.images[row]!.path),
    };
  };
  return {
    trained: embeddingsOf(enough),
    heldOut: embeddingsOf(names.filter((name) => outside.has(name))),
    tooFew: inside.filter((name) => rows.get(name)!.length < 2),
  };
}

/** Who is trained on and who is held out, as a run folder keeps it. */
export function identitiesOfPeople({ trained, heldOut, tooFew }: ProjectionData): Identities {
  const images = ({ labels }: PeopleEmbeddings, label: number) =>
    labels.reduce((sum, other) => sum + (other === label ? 1 : 0), 0);
  return {
    trained: trained.people.map((person, label) => ({ person, images: images(trained, label) })),
    heldOut: heldOut.people.map((person, label) => ({
      person,
      images: heldOut.paths.filter((_, i) => heldOut.labels[i] === label),
    })),
    tooFew,
  };
}
