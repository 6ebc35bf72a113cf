// The nested galleries as one source of unit rows: real distractors in the order drawn from the seed, then synthetic
// ones, made block by block as they are searched, so that a million of them are never held.
import { UserError } from '../../common/errors.js';
import type { TemplateSource } from '../../search/index.js';
import { cosineAt, type Vectors } from '../../theory/vectors.js';
import type { SyntheticDistractors } from './synthetic-distractors.js';

/**
 * |fl(x . y) - x . y| <= D u |x| |y| in whatever order the D products are added (Higham, Accuracy and Stability of
 * Numerical Algorithms, 3.1), u = 2^-24, to which the rounding of both unit vectors to float32 adds 2 u.
 */
export const roundingOf = (length: number): number => (length + 5) * 2 ** -24;

/** The distractors in the order of the galleries as unit rows: real ones from the templates, then synthetic ones. */
export class Gallery implements TemplateSource {
  readonly length: number;
  /** Synthetic rows that were read last, at hand for a second look. */
  readonly #recent: { first: number; values: Float32Array }[] = [];

  constructor(
    private readonly templates: Vectors,
    private readonly norms: Float64Array,
    private readonly order: readonly number[],
    private readonly synthetic: SyntheticDistractors | undefined,
    readonly count: number,
  ) {
    this.length = templates.length;
  }

  /** These rows of the templates as unit rows, [rows, D]. */
  unit(
    rows: readonly number[],
    into: Float32Array = new Float32Array(rows.length * this.length),
  ): Float32Array {
    const { length, original } = this.templates;
    rows.forEach((row, i) => {
      for (let d = 0; d < length; d++) into[i * length + d] = original[row * length + d]! / this.norms[row]!;
    });
    return into;
  }

  async read(first: number, count: number, into: Float32Array): Promise<void> {
    const real = Math.max(0, Math.min(this.order.length - first, count));
    this.unit(this.order.slice(first, first + real), into);
    if (real === count) return;
    const rest = into.subarray(real * this.length, count * this.length);
    await this.synthetic!.read(first + real - this.order.length, count - real, rest);
    // Two blocks are under way: the one whose scores are looked at, and the one read ahead of it.
    if (this.#recent.length === 2) this.#recent.shift();
    this.#recent.push({ first: first + real, values: rest.slice() });
  }

  /** In float64, of a row of the templates and synthetic distractor `place` of a block under way. */
  cosine(row: number, place: number): number {
    const { length, original } = this.templates;
    const block = this.#recent.find(
      ({ first, values }) => place >= first && place < first + values.length / length,
    )!;
    return cosineAt(original, row * length, block.values, (place - block.first) * length, length);
  }
}

/** The asked sizes, or powers of ten and all; rising. */
export function gallerySizes(asked: readonly number[] | undefined, real: number, total: number): number[] {
  const wanted = asked ?? [
    ...Array.from({ length: 6 }, (_, k) => 10 ** (k + 1)).filter((size) => size < total),
    real,
    total,
  ];
  if (wanted.length === 0) throw new UserError('megaface: no number of distractors was asked for');
  for (const size of wanted) {
    if (!Number.isInteger(size) || size < 1)
      throw new UserError(`megaface: ${size} distractors: use whole numbers from 1 on`);
    if (size > total)
      throw new UserError(
        `megaface: ${size} distractors were asked for, there are ${total}; give more, or pad with synthetic ones: --pad ${size}`,
      );
  }
  return [...new Set(wanted)].sort((a, b) => a - b);
}
