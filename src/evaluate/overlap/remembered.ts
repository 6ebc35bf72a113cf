// Templates that were computed once are not computed again while there is room for them: what is needed twice, for the
// people's means and then for the images that speak for a find, fits for all but the largest sets.
import type { Vectors } from '../../theory/vectors.js';

/** Gives the templates [n, D] of a list of rows. */
export type TemplatesOf = (rows: readonly number[]) => Promise<Vectors>;

/** Numbers that are held: 256 MiB. */
const ROOM = 2 ** 26;

/** `templates`, with the rows that were asked for first held as float32, up to `room` numbers. */
export function remembered(templates: TemplatesOf, room = ROOM): TemplatesOf {
  const held = new Map<number, Float32Array>();
  let left = room;
  return async (rows) => {
    const missing = rows.filter((row) => !held.has(row));
    if (missing.length === rows.length && left <= 0) return templates(rows);
    const made = missing.length > 0 ? await templates(missing) : undefined;
    const length = made?.length ?? held.get(rows[0]!)?.length ?? 0;
    const original = new Float32Array(rows.length * length);
    const fresh = new Map(missing.map((row, i) => [row, i]));
    rows.forEach((row, to) => {
      const at = fresh.get(row);
      original.set(
        at === undefined ? held.get(row)! : made!.original.subarray(at * length, (at + 1) * length),
        to * length,
      );
    });
    for (const [row, at] of fresh) {
      if (left < length) {
        left = 0;
        break;
      }
      held.set(row, Float32Array.from(made!.original.subarray(at * length, (at + 1) * length)));
      left -= length;
    }
    return { length, original };
  };
}
