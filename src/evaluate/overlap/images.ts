// The images that speak for an overlap: of two people who may be one, the two images that are most alike, and a few
// more for a person to judge by.
import { isAbsolute, join } from 'node:path';
import { products } from '../../theory/products.js';
import type { Vectors } from '../../theory/vectors.js';
import { l2Normalise } from '../templates.js';
import type { OverlapPair } from './overlap.js';

/** One of the two sets: who has which rows of its list of images, and their templates. */
export interface OverlapSide {
  paths: readonly string[];
  rowsOf: ReadonlyMap<string, readonly number[]>;
  /** Templates of rows [n, D]; zeros for an image that cannot be read. Absent when only names were compared. */
  templates?: (rows: readonly number[]) => Promise<Vectors>;
}

/**
 * Where an image lies; nothing where the folder is not known ('') or the image is not in it, as a list of embeddings
 * names its paths itself.
 */
export function imageFile(folder: string, path: string): string | undefined {
  const outside = isAbsolute(path) || path.split(/[/\\]/).includes('..');
  return folder === '' || outside ? undefined : join(folder, path);
}

/** More images of each person, beside the most alike. */
const OTHERS = 3;

/** The first `most` of `pairs` with `alike` and `others`, the rest as they are. */
export async function withImages(
  pairs: readonly OverlapPair[],
  train: OverlapSide,
  test: OverlapSide,
  most: number,
): Promise<OverlapPair[]> {
  const chosen = pairs.slice(0, most);
  const [a, b] = [
    await unitTemplates(
      train,
      chosen.map((pair) => pair.train),
    ),
    await unitTemplates(
      test,
      chosen.map((pair) => pair.test),
    ),
  ];
  const looked = chosen.map((pair): OverlapPair => {
    const [left, right] = [a(pair.train), b(pair.test)];
    if (!left || !right) {
      const first = (side: OverlapSide, name: string) =>
        side.rowsOf
          .get(name)!
          .slice(0, OTHERS + 1)
          .map((row) => side.paths[row]!);
      return { ...pair, others: { train: first(train, pair.train), test: first(test, pair.test) } };
    }
    const cosines = products(left.vectors, right.vectors);
    const across = right.rows.length;
    const best = (count: number, of: (i: number) => Iterable<number>) =>
      Array.from({ length: count }, (_, i) => Math.max(...of(i)));
    const byLeft = best(left.rows.length, (i) => cosines.subarray(i * across, (i + 1) * across));
    const byRight = best(across, (j) => left.rows.map((_, i) => cosines[i * across + j]!));
    const [shared] = pair.photographs ?? [];
    const placeOf = (side: OverlapSide, rows: readonly number[], path: string) =>
      rows.findIndex((row) => side.paths[row] === path);
    const at = shared
      ? placeOf(train, left.rows, shared.train) * across + placeOf(test, right.rows, shared.test)
      : cosines.indexOf(Math.max(...byLeft));
    const [i, j, similarity] = [Math.floor(at / across), at % across, cosines[at]!];
    const path = (side: OverlapSide, rows: readonly number[], place: number) => side.paths[rows[place]!]!;
    const others = (side: OverlapSide, rows: readonly number[], by: readonly number[], taken: number) =>
      by
        .map((_, place) => place)
        .filter((place) => place !== taken)
        .sort((x, y) => by[y]! - by[x]! || x - y)
        .slice(0, OTHERS)
        .map((place) => path(side, rows, place));
    return {
      ...pair,
      alike: { train: path(train, left.rows, i), test: path(test, right.rows, j), similarity },
      others: {
        train: others(train, left.rows, byLeft, i),
        test: others(test, right.rows, byRight, j),
      },
    };
  });
  return [...looked, ...pairs.slice(most)];
}

interface OwnTemplates {
  rows: number[];
  vectors: Vectors;
}

/** Unit templates of the images of these people, without those that cannot be read. */
async function unitTemplates(
  { rowsOf, templates }: OverlapSide,
  names: readonly string[],
): Promise<(name: string) => OwnTemplates | undefined> {
  if (!templates || names.length === 0) return () => undefined;
  const rows = [...new Set(names)].flatMap((name) => rowsOf.get(name)!);
  const { length, original } = await templates(rows);
  const place = new Map(rows.map((row, i) => [row, i]));
  return (name) => {
    const readable = rowsOf.get(name)!.filter((row) => {
      const from = place.get(row)! * length;
      return original.subarray(from, from + length).some((value) => value !== 0);
    });
    if (readable.length === 0) return undefined;
    const own = new Float64Array(readable.length * length);
    readable.forEach((row, i) => {
      const from = place.get(row)! * length;
      own.set(original.subarray(from, from + length), i * length);
    });
    return { rows: readable, vectors: l2Normalise({ length, original: own }) };
  };
}
