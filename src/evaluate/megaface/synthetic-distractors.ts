// Distractors that are no faces: unit vectors drawn from a seed, to prove that a search stands a million of them where
// a million faces are not at hand. Isotropic directions would be nearly orthogonal to every face, so they are drawn as a
// Gaussian with the mean and covariance of real distractors, which are much harder. They still make the task easier than
// as many faces would: people look alike, and a Gaussian has no such tails.
import { UserError } from '../../common/errors.js';
import { random } from '../../common/random.js';
import { eachBlock, type TemplateSource, toUnit } from '../../search/index.js';
import { principalComponents } from '../../theory/pca.js';
import { squaredNorm, type Vectors } from '../../theory/vectors.js';
import { l2Normalise } from '../templates.js';

/** What synthetic distractors are, in words for a report. */
export const SYNTHETIC =
  'no faces but unit vectors, drawn as a Gaussian with the mean and covariance of the real distractors; they make the task easier than as many real faces would';

/** Rows that are drawn from one stream of random numbers. */
const STREAM = 1024;

/** Directions like those of given faces: row i is the same whenever it is asked for, up to the rounding of a product. */
export class SyntheticDistractors {
  readonly length: number;
  readonly #mean: Float64Array;
  readonly #rank: number;
  /** [D, rank]: column k is component k times its standard deviation. */
  readonly #root: Float32Array;

  /** Like the rows of `real`, whose lengths do not matter. Throws a UserError with fewer than two. */
  constructor(
    real: Vectors,
    private readonly seed: number,
    private readonly options: { threads?: number } = {},
  ) {
    const unit = l2Normalise(real);
    const count = unit.original.length / unit.length;
    if (count < 2)
      throw new UserError(
        `padding: synthetic distractors are drawn like real ones, of which there are ${count}; give two or more`,
      );
    this.length = unit.length;
    const { directions, variances, mean } = principalComponents(unit, unit.length);
    this.#mean = mean;
    this.#rank = Math.max(1, variances.filter((variance) => variance > 1e-12 * variances[0]!).length);
    this.#root = new Float32Array(unit.length * this.#rank);
    for (let k = 0; k < this.#rank; k++) {
      const deviation = Math.sqrt(variances[k]!);
      for (let d = 0; d < unit.length; d++)
        this.#root[d * this.#rank + k] = deviation * directions[k * unit.length + d]!;
    }
  }

  /** Writes unit vectors first .. first + count - 1, [count, D], to the start of `into`. */
  async read(first: number, count: number, into: Float32Array): Promise<void> {
    const { length } = this;
    const rank = this.#rank;
    const normals = this.#normals(first, count);
    // The product takes unit rows: their lengths are taken off before and given back after.
    const norms = new Float64Array(count);
    for (let row = 0; row < count; row++) {
      const norm = Math.sqrt(squaredNorm(normals, row * rank, rank)) || 1;
      norms[row] = norm;
      for (let k = row * rank; k < (row + 1) * rank; k++) normals[k]! /= norm;
    }
    await eachBlock(normals, this.#columns(), {
      ...this.options,
      onBlock(products, from, n, firstRow, rows) {
        for (let row = 0; row < rows; row++) {
          const start = (firstRow + row) * length + from;
          const norm = norms[firstRow + row]!;
          for (let d = 0; d < n; d++) into[start + d] = products[row * n + d]! * norm;
        }
      },
    });
    for (let row = 0; row < count; row++)
      for (let d = 0; d < length; d++) into[row * length + d]! += this.#mean[d]!;
    toUnit(into.subarray(0, count * length), length, 'synthetic distractor', first);
  }

  /** [count, rank] standard normals of rows `first` on. */
  #normals(first: number, count: number): Float32Array {
    const normals = new Float32Array(count * this.#rank);
    for (let stream = Math.floor(first / STREAM); stream * STREAM < first + count; stream++) {
      const draw = random(this.seed, 'synthetic distractors', stream);
      // Numbers of the rows before `first` are drawn and passed over.
      for (let row = stream * STREAM; row < Math.min((stream + 1) * STREAM, first + count); row++)
        for (let k = 0; k < this.#rank; k++) {
          const value = draw.normal();
          if (row >= first) normals[(row - first) * this.#rank + k] = value;
        }
    }
    return normals;
  }

  /** The rows of the root, as what is multiplied with. */
  #columns(): TemplateSource {
    const root = this.#root;
    const rank = this.#rank;
    return {
      count: this.length,
      length: rank,
      read: (first, count, into) => into.set(root.subarray(first * rank, (first + count) * rank)),
    };
  }
}
