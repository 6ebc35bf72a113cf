// What a model gives is checked where it is made: an embedding of zeros, or with numbers that are not finite, has no
// direction. That is a fault of the model and never of one photograph, so nothing is skipped for it.
import { UserError } from '../../common/errors.js';
import { noDirection, squaredNorm } from '../../theory/vectors.js';

/**
 * Throws a UserError, which names the image and the model, unless each row of `embeddings` [N, length] that is not in
 * `except` has a direction.
 */
export function requireDirections(
  embeddings: Float32Array,
  length: number,
  model: string,
  nameOf: (row: number) => string,
  except: ReadonlySet<number> = new Set(),
): void {
  for (let row = 0; row * length < embeddings.length; row++) {
    if (except.has(row)) continue;
    const norm = Math.sqrt(squaredNorm(embeddings, row * length, length));
    if (!(norm > 0 && norm < Infinity))
      throw new UserError(`${nameOf(row)}: its embedding by ${model}: ${noDirection(norm)}`);
  }
}
